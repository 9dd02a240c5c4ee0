package cluster

import (
	"slices"

	v1 "k8s.io/api/core/v1"
)

// DiskKind is a kind of disk that a pod names itself, without a claim, and that excludes other pods from its node.
type DiskKind uint8

// The kinds.
const (
	GCEDisk DiskKind = iota
	EBSDisk
	ISCSIDisk
	RBDDisk
)

// Disk is such a disk.
type Disk struct {
	Kind DiskKind
	// Name identifies it: the disk's name, the volume's id, the target's IQN, the image.
	Name string
	// Pool and Monitors are those of an RBD image.
	Pool     string
	Monitors []string
	ReadOnly bool
}

// clash reports whether two pods with these disks may not be on one node. The rules are those of plugin VolumeRestrictions: a disk may be shared if all read
// only, an EBS volume never.
func clash(a, b *Disk) bool {
	switch {
	case a.Kind != b.Kind || a.Name != b.Name || a.Pool != b.Pool:
		return false
	case a.Kind == EBSDisk:
		return true
	case a.Kind == RBDDisk && !slices.ContainsFunc(a.Monitors, func(m string) bool { return slices.Contains(b.Monitors, m) }):
		return false
	}
	return !a.ReadOnly || !b.ReadOnly
}

// DisksClash reports whether a pod with some disks may not be on one node with a pod that has others.
func DisksClash(some, others []Disk) bool {
	for i := range some {
		for j := range others {
			if clash(&some[i], &others[j]) {
				return true
			}
		}
	}
	return false
}

// disksOf lists the disks that a pod names itself.
func disksOf(volumes []v1.Volume) (disks []Disk) {
	for i := range volumes {
		v := &volumes[i]
		if d := v.GCEPersistentDisk; d != nil {
			disks = append(disks, Disk{Kind: GCEDisk, Name: d.PDName, ReadOnly: d.ReadOnly})
		}
		if d := v.AWSElasticBlockStore; d != nil {
			disks = append(disks, Disk{Kind: EBSDisk, Name: d.VolumeID, ReadOnly: d.ReadOnly})
		}
		if d := v.ISCSI; d != nil {
			disks = append(disks, Disk{Kind: ISCSIDisk, Name: d.IQN, ReadOnly: d.ReadOnly})
		}
		if d := v.RBD; d != nil {
			disks = append(disks, Disk{Kind: RBDDisk, Name: d.RBDImage, Pool: d.RBDPool, Monitors: d.CephMonitors, ReadOnly: d.ReadOnly})
		}
	}
	return disks
}
