package cluster

import (
	"cmp"
	"slices"

	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
)

// Holds reports whether a volume is large enough for a claim and of its kind: what must be so even of a volume that is kept for the claim.
func Holds(c *VolumeClaimFact, v *VolumeFact) bool {
	return v.Capacity.Cmp(c.Request) >= 0 && c.Block == v.Block && c.Attributes == v.Attributes && !v.Deleting
}

// Suits reports whether a volume that nobody has claimed could be bound to a claim, apart from where it can be reached. The rules are those of
// k8s.io/component-helpers/storage/volume.FindMatchingVolume.
func Suits(c *VolumeClaimFact, v *VolumeFact) bool {
	return v.Available && v.Class == c.Class && Holds(c, v) && (c.Selector == nil || c.Selector.Matches(labels.Set(v.Labels))) && offersModes(v, c)
}

func offersModes(v *VolumeFact, c *VolumeClaimFact) bool {
	return !slices.ContainsFunc(c.Modes, func(m v1.PersistentVolumeAccessMode) bool { return !hasMode(v.Modes, m) })
}

func hasMode(list []v1.PersistentVolumeAccessMode, m v1.PersistentVolumeAccessMode) bool {
	return slices.Contains(list, m)
}

// CompareSize orders volumes by size, so that the first that suits wastes least; those of equal size by name.
func CompareSize(a, b *Volume) int {
	return cmp.Or(a.Fact.Capacity.Cmp(b.Fact.Capacity), cmp.Compare(a.Name, b.Name))
}

// largerCapacity orders capacities, that of the largest volumes first.
func largerCapacity(a, b *CapacityFact) int {
	return cmp.Or(cmp.Compare(b.Most, a.Most), cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name))
}

// FreeFor calls f, lot by lot, for the volumes of the class that nobody has claimed, that are at least as large as a claim asks and that a node with these labels may
// reach; in each lot the smallest first. It goes on to the next lot when f returns false.
func (k *StorageClass) FreeFor(c *VolumeClaimFact, labels map[string]string, f func(*Volume) (done bool)) {
	k.free.lots(labels, func(lot []*Volume) bool {
		from, _ := slices.BinarySearchFunc(lot, c, func(v *Volume, c *VolumeClaimFact) int {
			if v.Fact.Capacity.Cmp(c.Request) < 0 {
				return -1
			}
			return 1
		})
		for _, v := range lot[from:] {
			if f(v) {
				break
			}
		}
		return true
	})
}

// HasRoom reports whether so many bytes can be provisioned for a node with these labels, by the capacities that are known.
func (k *StorageClass) HasRoom(bytes int64, node map[string]string) (room bool) {
	k.capacities.lots(node, func(lot []*CapacityFact) bool {
		for _, c := range lot {
			if c.Most < bytes {
				break // the others have less
			}
			if c.Topology != nil && c.Topology.Matches(labels.Set(node)) {
				room = true
				return false
			}
		}
		return true
	})
	return room
}
