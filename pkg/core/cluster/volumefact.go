package cluster

import (
	v1 "k8s.io/api/core/v1"
	apires "k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/component-helpers/scheduling/corev1/nodeaffinity"
)

// VolumeClaimFact is what the scheduler keeps of a PersistentVolumeClaim. It is immutable once made. ReadVolumeClaim makes one.
type VolumeClaimFact struct {
	Namespace, Name string
	UID             types.UID
	ResourceVersion string
	// Class is the storage class; empty when the claim names none.
	Class string
	// Volume is spec.volumeName. The claim is bound once Bound is set as well: the controller that binds has finished.
	Volume string
	Bound  bool
	// Lost: its volume is gone for good.
	Lost     bool
	Deleting bool
	// Selected: the claim is to be provisioned for the node SelectedNode (annotation volume.kubernetes.io/selected-node).
	Selected     bool
	SelectedNode string
	// Owner is the controller of the claim, for claims that are made for a pod's ephemeral volumes.
	Owner types.UID
	// Request is the least size; Sized says that there is one.
	Request apires.Quantity
	Sized   bool
	Modes   []v1.PersistentVolumeAccessMode
	Block   bool
	// Attributes is the VolumeAttributesClass; empty for none.
	Attributes string
	// Selector chooses volumes by their labels; nil chooses all.
	Selector labels.Selector
}

// OncePod reports whether only one pod in the cluster may use the claim.
func (f *VolumeClaimFact) OncePod() bool { return hasMode(f.Modes, v1.ReadWriteOncePod) }

// VolumeFact is what the scheduler keeps of a PersistentVolume. It is immutable once made. ReadVolume makes one; what concerns volumes of kinds that a
// CSI driver has taken over (Driver, Handle, Plugin, Translated of such volumes) is filled in by whoever can translate them.
type VolumeFact struct {
	Name            string
	UID             types.UID
	ResourceVersion string
	Class           string
	Capacity        apires.Quantity
	Modes           []v1.PersistentVolumeAccessMode
	Block           bool
	Attributes      string
	Labels          map[string]string
	// Available: nobody has claimed it, as its phase says.
	Available bool
	Deleting  bool
	// ClaimRef is the claim that it is bound to or kept for; nil for none.
	ClaimRef *ClaimRef
	// Affinity says from which nodes it can be reached; nil for all. Pin is a label value that all of these nodes have, if that is known.
	Affinity *nodeaffinity.LazyErrorNodeSelector
	Pin      Pin
	// Plugin is the in-tree plugin of a volume that a CSI driver has taken over, empty for others. On nodes where it has, Translated holds instead of Affinity.
	Plugin     string
	Translated *nodeaffinity.LazyErrorNodeSelector
	// Driver and Handle say which CSI volume it is; empty for other kinds.
	Driver, Handle string
	// Zones are its zone and region labels.
	Zones []Zone
}

// ClaimRef names a claim. An empty UID means whichever has the name.
type ClaimRef struct {
	Namespace, Name string
	UID             types.UID
}

// Pin is one label with one value.
type Pin struct{ Key, Value string }

// Zone is a zone or region label of a volume, which may name several.
type Zone struct {
	Key    string
	Values []string
}

// StorageClassFact is what the scheduler keeps of a StorageClass. It is immutable once made. ReadStorageClass makes one.
type StorageClassFact struct {
	Name            string
	ResourceVersion string
	Provisioner     string
	// Driver is the CSI driver whose volumes those of the class are counted as: the provisioner, or the driver that has taken its place, which Migrated says.
	Driver   string
	Migrated bool
	// Waits: claims of the class are bound when a pod that uses them is placed (WaitForFirstConsumer), and not before.
	Waits bool
	// Topologies are where volumes can be provisioned: a node must match one of them. None means anywhere. A nil one matches nothing.
	Topologies []labels.Selector
}

// CSINodeFact is what the scheduler keeps of a CSINode. It is immutable once made. ReadCSINode makes one.
type CSINodeFact struct {
	Name            string
	ResourceVersion string
	Drivers         []CSILimit
	// Migrated are the in-tree plugins that CSI drivers have taken over on the node.
	Migrated []string
}

// CSILimit is how many volumes of a driver a node can take.
type CSILimit struct {
	Driver string
	// Limited: no more than Max.
	Limited bool
	Max     int
}

// CSIDriverFact is what the scheduler keeps of a CSIDriver. It is immutable once made. ReadCSIDriver makes one.
type CSIDriverFact struct {
	Name            string
	ResourceVersion string
	// Capacity: the driver publishes how much storage is left, and nothing is provisioned beyond that.
	Capacity bool
	// Needed: its volumes may not go to a node that does not have the driver.
	Needed bool
}

// CapacityFact is what the scheduler keeps of a CSIStorageCapacity. It is immutable once made. ReadCapacity makes one.
type CapacityFact struct {
	Namespace, Name string
	ResourceVersion string
	Class           string
	// Most is how large a volume may be, in bytes; −1 while that is not known, and then none may.
	Most int64
	// Topology selects the nodes that can reach this storage; nil for none. Pin is a label value that they all have, if that is known.
	Topology labels.Selector
	Pin      Pin
}

// AttachmentFact is what the scheduler keeps of a VolumeAttachment. It is immutable once made. ReadAttachment makes one.
type AttachmentFact struct {
	Name            string
	ResourceVersion string
	Driver          string
	Node            string
	// Volume names the PersistentVolume; empty for an inline one.
	Volume string
}

// Attached is a volume as a node's limits count it: that of a driver with a handle. A claim without a volume yet counts as one of its own. Those of equal
// driver and handle are one.
type Attached struct {
	Driver, Handle string
	// Migrated: it is an in-tree volume by its spec, which only a node with a CSINode attaches by CSI.
	Migrated bool
}
