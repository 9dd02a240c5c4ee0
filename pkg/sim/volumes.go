package sim

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"

	v1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/sluice-scheduler/sluice/pkg/core"
	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
)

// volumes are the API objects that have to do with storage.
type volumes struct {
	claims      map[string]*v1.PersistentVolumeClaim
	volumes     map[string]*v1.PersistentVolume
	classes     map[string]*storagev1.StorageClass
	csiNodes    map[string]*storagev1.CSINode
	drivers     map[string]*storagev1.CSIDriver
	capacities  map[string]*storagev1.CSIStorageCapacity
	attachments map[string]*storagev1.VolumeAttachment
	// version is that of the last change.
	version int
}

func newVolumes() *volumes {
	return &volumes{
		claims: map[string]*v1.PersistentVolumeClaim{}, volumes: map[string]*v1.PersistentVolume{}, classes: map[string]*storagev1.StorageClass{},
		csiNodes: map[string]*storagev1.CSINode{}, drivers: map[string]*storagev1.CSIDriver{},
		capacities: map[string]*storagev1.CSIStorageCapacity{}, attachments: map[string]*storagev1.VolumeAttachment{},
	}
}

// SetObject creates or replaces an object of storage and tells the core.
func (c *Cluster) SetObject(object metav1.Object) error {
	c.volumes.version++
	object.SetResourceVersion(strconv.Itoa(c.volumes.version))
	if object.GetUID() == "" {
		object.SetUID(types.UID(fmt.Sprintf("object-%d", c.volumes.version)))
	}
	v, name := c.volumes, object.GetName()
	switch o := object.(type) {
	case *v1.PersistentVolumeClaim:
		v.claims[name] = o
	case *v1.PersistentVolume:
		v.volumes[name] = o
	case *storagev1.StorageClass:
		v.classes[name] = o
	case *storagev1.CSINode:
		v.csiNodes[name] = o
	case *storagev1.CSIDriver:
		v.drivers[name] = o
	case *storagev1.CSIStorageCapacity:
		v.capacities[name] = o
	case *storagev1.VolumeAttachment:
		v.attachments[name] = o
	default:
		return fmt.Errorf("no such kind of object: %T", object)
	}
	c.tell(eventOf(object))
	return nil
}

// eventOf is what a watch would tell of an object.
func eventOf(object metav1.Object) core.Event {
	switch o := object.(type) {
	case *v1.PersistentVolumeClaim:
		return core.VolumeClaimSet{Claim: cluster.ReadVolumeClaim(o)}
	case *v1.PersistentVolume:
		return core.VolumeSet{Volume: cluster.ReadVolume(o)}
	case *storagev1.StorageClass:
		return core.StorageClassSet{Class: cluster.ReadStorageClass(o)}
	case *storagev1.CSINode:
		return core.CSINodeSet{Node: cluster.ReadCSINode(o)}
	case *storagev1.CSIDriver:
		return core.CSIDriverSet{Driver: cluster.ReadCSIDriver(o)}
	case *storagev1.CSIStorageCapacity:
		return core.CapacitySet{Capacity: cluster.ReadCapacity(o)}
	case *storagev1.VolumeAttachment:
		return core.AttachmentSet{Attachment: cluster.ReadAttachment(o)}
	}
	return nil
}

// relistVolumes tells the core of all objects of storage.
func (c *Cluster) relistVolumes() {
	v := c.volumes
	tellAll(c, v.classes)
	tellAll(c, v.drivers)
	tellAll(c, v.csiNodes)
	tellAll(c, v.capacities)
	tellAll(c, v.claims)
	tellAll(c, v.volumes)
	tellAll(c, v.attachments)
}

func tellAll[O metav1.Object](c *Cluster, objects map[string]O) {
	for _, name := range slices.Sorted(maps.Keys(objects)) {
		c.tell(eventOf(objects[name]))
	}
}

func (c *Cluster) prepare(e core.PrepareVolumes) {
	if c.Refuse == nil {
		c.Prepare(e)
		return
	}
	switch why, answered := c.Refuse(e); {
	case answered && why == "":
		c.Prepare(e)
	case answered:
		c.tell(core.VolumesDone{UID: e.Pod.UID, Serial: e.Serial, Message: why})
	}
}

// Prepare does to claims and volumes what a PrepareVolumes asks for, as an API server would, and tells the core.
func (c *Cluster) Prepare(e core.PrepareVolumes) {
	done := core.VolumesDone{UID: e.Pod.UID, Serial: e.Serial, Stored: true}
	for _, b := range e.Bindings {
		pv := c.volumes.volumes[b.Volume]
		if pv == nil || pv.UID != b.UID || pv.Spec.ClaimRef != nil && pv.Spec.ClaimRef.Name != b.Claim.Name {
			done.Stored, done.Message = false, "volume "+b.Volume+" is gone or has been claimed"
			break
		}
		c.change(pv.DeepCopy(), func(o metav1.Object) { keepFor(o.(*v1.PersistentVolume), b.Claim) })
		done.Versions = append(done.Versions, c.volumes.volumes[b.Volume].ResourceVersion)
	}
	for _, ref := range e.Provisions {
		pvc := c.volumes.claims[ref.Name]
		if !done.Stored || pvc == nil || pvc.UID != ref.UID || cmp.Or(pvc.Annotations[cluster.SelectedNodeAnnotation], e.Node) != e.Node {
			done.Stored, done.Message = false, "claim "+ref.Name+" is gone or has been taken elsewhere"
			break
		}
		c.change(pvc.DeepCopy(), func(o metav1.Object) { annotate(o, cluster.SelectedNodeAnnotation, e.Node) })
		done.Versions = append(done.Versions, c.volumes.claims[ref.Name].ResourceVersion)
	}
	c.tell(done)
}

// change stores an object as f makes it.
func (c *Cluster) change(object metav1.Object, f func(metav1.Object)) {
	f(object)
	_ = c.SetObject(object) // its kind is known
}

func keepFor(pv *v1.PersistentVolume, claim cluster.ClaimRef) {
	pv.Spec.ClaimRef = &v1.ObjectReference{Namespace: claim.Namespace, Name: claim.Name, UID: claim.UID}
}

func annotate(o metav1.Object, key, value string) {
	with := maps.Clone(o.GetAnnotations())
	if with == nil {
		with = map[string]string{}
	}
	with[key] = value
	o.SetAnnotations(with)
}

// BindClaim binds a claim to a volume, as the controller of volumes does.
func (c *Cluster) BindClaim(claim, volume string) error {
	pvc, pv := c.volumes.claims[claim], c.volumes.volumes[volume]
	if pvc == nil || pv == nil {
		return fmt.Errorf("no such claim or volume")
	}
	c.change(pv.DeepCopy(), func(o metav1.Object) {
		keepFor(o.(*v1.PersistentVolume), cluster.ClaimRef{Namespace: pvc.Namespace, Name: pvc.Name, UID: pvc.UID})
		o.(*v1.PersistentVolume).Status.Phase = v1.VolumeBound
	})
	c.change(pvc.DeepCopy(), func(o metav1.Object) {
		annotate(o, "pv.kubernetes.io/bind-completed", "yes")
		o.(*v1.PersistentVolumeClaim).Spec.VolumeName = volume
		o.(*v1.PersistentVolumeClaim).Status.Phase = v1.ClaimBound
	})
	return nil
}

// Provision makes a volume for a claim where it was selected for, as a provisioner does, and binds the two.
func (c *Cluster) Provision(claim string) error {
	pvc := c.volumes.claims[claim]
	if pvc == nil || pvc.Annotations[cluster.SelectedNodeAnnotation] == "" {
		return fmt.Errorf("no such claim, or no node is selected for it")
	}
	class := c.volumes.classes[*pvc.Spec.StorageClassName]
	pv := &v1.PersistentVolume{ObjectMeta: metav1.ObjectMeta{Name: "pv-" + claim}}
	pv.Spec = v1.PersistentVolumeSpec{
		StorageClassName: class.Name, Capacity: pvc.Spec.Resources.Requests, AccessModes: pvc.Spec.AccessModes,
		PersistentVolumeSource: v1.PersistentVolumeSource{CSI: &v1.CSIPersistentVolumeSource{Driver: class.Provisioner, VolumeHandle: "disk-" + claim}},
	}
	if err := c.SetObject(pv); err != nil {
		return err
	}
	return c.BindClaim(claim, pv.Name)
}
