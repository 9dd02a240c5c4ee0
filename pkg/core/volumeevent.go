package core

import (
	"k8s.io/apimachinery/pkg/types"

	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
)

// Facts of volumes, each the newest state of its object, or that it no longer exists. Objects that name each other may be told in any order.
type (
	// VolumeClaimSet tells of a PersistentVolumeClaim.
	VolumeClaimSet  struct{ Claim *cluster.VolumeClaimFact }
	VolumeClaimGone struct{ Namespace, Name string }
	// VolumeSet tells of a PersistentVolume.
	VolumeSet  struct{ Volume *cluster.VolumeFact }
	VolumeGone struct{ Name string }
	// StorageClassSet tells of a StorageClass.
	StorageClassSet  struct{ Class *cluster.StorageClassFact }
	StorageClassGone struct{ Name string }
	// CSINodeSet tells of a CSINode.
	CSINodeSet  struct{ Node *cluster.CSINodeFact }
	CSINodeGone struct{ Name string }
	// CSIDriverSet tells of a CSIDriver.
	CSIDriverSet  struct{ Driver *cluster.CSIDriverFact }
	CSIDriverGone struct{ Name string }
	// CapacitySet tells of a CSIStorageCapacity.
	CapacitySet  struct{ Capacity *cluster.CapacityFact }
	CapacityGone struct{ Namespace, Name string }
	// AttachmentSet tells of a VolumeAttachment.
	AttachmentSet  struct{ Attachment *cluster.AttachmentFact }
	AttachmentGone struct{ Name string }
)

// VolumesHidden says what of volumes may not be read, in words; empty means that all may. While it lasts pods with claims are held: what their claims come
// to is not known.
type VolumesHidden struct{ What string }

// VolumesDone answers a PrepareVolumes.
type VolumesDone struct {
	UID    types.UID
	Serial uint64
	// Stored: the API server has all that was asked for. Otherwise it has perhaps a part, and Message says why not the rest.
	Stored  bool
	Message string
	// Versions are the resource versions at which it was stored: those of the volumes of the Bindings, then those of the claims of the Provisions.
	Versions []string
}

func (VolumeClaimSet) event()   {}
func (VolumeClaimGone) event()  {}
func (VolumeSet) event()        {}
func (VolumeGone) event()       {}
func (StorageClassSet) event()  {}
func (StorageClassGone) event() {}
func (CSINodeSet) event()       {}
func (CSINodeGone) event()      {}
func (CSIDriverSet) event()     {}
func (CSIDriverGone) event()    {}
func (CapacitySet) event()      {}
func (CapacityGone) event()     {}
func (AttachmentSet) event()    {}
func (AttachmentGone) event()   {}
func (VolumesHidden) event()    {}
func (VolumesDone) event()      {}

// takeVolume lets a fact of volumes into the state.
func (c *Core) takeVolume(e Event) {
	switch e := e.(type) {
	case VolumeClaimSet:
		c.state.SetVolumeClaim(e.Claim)
		c.followClaim(c.state.VolumeClaim(e.Claim.Namespace, e.Claim.Name))
	case VolumeClaimGone:
		c.state.RemoveVolumeClaim(e.Namespace, e.Name)
		c.followClaim(c.state.VolumeClaim(e.Namespace, e.Name))
	case VolumeSet:
		c.state.SetVolume(e.Volume)
		c.followVolume(e.Volume.Name)
	case VolumeGone:
		c.state.RemoveVolume(e.Name)
		c.followVolume(e.Name)
	case StorageClassSet:
		c.state.SetStorageClass(e.Class)
	case StorageClassGone:
		c.state.RemoveStorageClass(e.Name)
	case CapacitySet:
		c.state.SetCapacity(e.Capacity)
	case CapacityGone:
		c.state.RemoveCapacity(e.Namespace, e.Name)
	default:
		c.takeDriver(e)
	}
}

// takeDriver lets a fact of CSI drivers into the state, or what concerns volumes as a whole.
func (c *Core) takeDriver(e Event) {
	switch e := e.(type) {
	case CSINodeSet:
		c.state.SetCSINode(e.Node)
	case CSINodeGone:
		c.state.RemoveCSINode(e.Name)
	case CSIDriverSet:
		c.state.SetCSIDriver(e.Driver)
	case CSIDriverGone:
		c.state.RemoveCSIDriver(e.Name)
	case AttachmentSet:
		c.state.SetAttachment(e.Attachment)
	case AttachmentGone:
		c.state.RemoveAttachment(e.Name)
	case VolumesDone:
		c.stored(e)
	case VolumesHidden:
		c.hide(e.What)
	}
}

// hide holds the pods with claims while something of volumes may not be read, and lets them go when it may.
func (c *Core) hide(what string) {
	if c.hidden == what {
		return
	}
	c.hidden = what
	for _, p := range c.state.SortedPods() {
		if needsClaims(p) && c.pending.Ask(p) != nil {
			c.settle(p)
		}
	}
}

func needsClaims(p *cluster.Pod) bool { return p.Fact.Needs != nil && len(p.Fact.Needs.Claims) > 0 }
