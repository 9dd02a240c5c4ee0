package run

import (
	"github.com/sluice-scheduler/sluice/pkg/core"
	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
)

// storedObject names an object that has to do with volumes, or what one source tells of a group.
type storedObject struct {
	kind            byte
	namespace, name string
}

// storedIn returns the object that an event tells of, the zero value for any other event, and whether it tells that the object is gone.
func storedIn(e core.Event) (of storedObject, gone bool) {
	switch e := e.(type) {
	case core.VolumeClaimSet:
		return storedObject{'c', e.Claim.Namespace, e.Claim.Name}, false
	case core.VolumeClaimGone:
		return storedObject{'c', e.Namespace, e.Name}, true
	case core.VolumeSet:
		return storedObject{'v', "", e.Volume.Name}, false
	case core.VolumeGone:
		return storedObject{'v', "", e.Name}, true
	case core.CSINodeSet:
		return storedObject{'n', "", e.Node.Name}, false
	case core.CSINodeGone:
		return storedObject{'n', "", e.Name}, true
	case core.CapacitySet:
		return storedObject{'p', e.Capacity.Namespace, e.Capacity.Name}, false
	case core.CapacityGone:
		return storedObject{'p', e.Namespace, e.Name}, true
	case core.AttachmentSet:
		return storedObject{'a', "", e.Attachment.Name}, false
	case core.AttachmentGone:
		return storedObject{'a', "", e.Name}, true
	case core.GroupSet:
		return groupObject(e.Group.Namespace, e.Group.ID, e.Group.Origin), false
	case core.GroupGone:
		return groupObject(e.Namespace, e.ID, e.Origin), true
	}
	return of, false // classes and drivers are few
}

func groupObject(namespace, id string, origin cluster.Origin) storedObject {
	return storedObject{'0' + byte(origin), namespace, id}
}
