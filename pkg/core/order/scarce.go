package order

import (
	"math/bits"
	"slices"
	"strings"

	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
	"github.com/sluice-scheduler/sluice/pkg/core/resource"
)

// ScarceSpec says which resources are scarce.
type ScarceSpec struct {
	// Below makes an extended resource scarce that fewer than this percentage of the nodes offer; 0 detects none.
	Below int64
	// Always and Never name resources that are or are not, whatever is detected.
	Always, Never []string
}

// DefaultScarce detects what fewer than nine nodes in ten offer.
func DefaultScarce() ScarceSpec { return ScarceSpec{Below: 90} }

// Scarce knows which resources are scarce now. At most 64 are; more than that are not scarce.
type Scarce struct {
	spec  ScarceSpec
	slots []int
	bit   []uint64

	offers uint64
	nodes  int
	filled bool
}

// update looks again at what the nodes offer and reports whether something became scarce or ceased to be.
func (x *Scarce) update(s *cluster.State) (changed bool) {
	if x.filled && x.offers == s.OfferVersion() && x.nodes == s.KnownNodes() {
		return false
	}
	x.filled, x.offers, x.nodes = true, s.OfferVersion(), s.KnownNodes()
	var slots []int
	for slot := range s.Space.Len() {
		if x.isScarce(s, slot) && len(slots) < 64 {
			slots = append(slots, slot)
		}
	}
	if slices.Equal(slots, x.slots) && len(x.bit) == s.Space.Len() {
		return false
	}
	changed = !slices.Equal(slots, x.slots)
	x.slots = slots
	x.bit = make([]uint64, s.Space.Len())
	for i, slot := range slots {
		x.bit[slot] = 1 << i
	}
	return changed
}

func (x *Scarce) isScarce(s *cluster.State, slot int) bool {
	name := s.Space.Name(slot)
	offering := int64(s.Offering(slot))
	switch {
	case slices.Contains(x.spec.Never, name) || offering == 0:
		return false
	case slices.Contains(x.spec.Always, name):
		return true
	}
	return extended(name) && offering*100 < x.spec.Below*int64(s.KnownNodes())
}

// mayBe reports whether a resource is scarce or could become so.
func (x *Scarce) mayBe(name string) bool {
	return slices.Contains(x.spec.Always, name) || x.spec.Below > 0 && extended(name) && !slices.Contains(x.spec.Never, name)
}

// extended reports whether a name is that of an extended resource, such as a device's.
func extended(name string) bool {
	return strings.Contains(name, "/") && !strings.Contains(name, "kubernetes.io/") && !strings.HasPrefix(name, "requests.")
}

// Names returns the scarce resources, sorted.
func (x *Scarce) Names(space *resource.Space) []string {
	names := make([]string, len(x.slots))
	for i, slot := range x.slots {
		names[i] = space.Name(slot)
	}
	slices.Sort(names)
	return names
}

// Slots returns the slots of the scarce resources.
func (x *Scarce) Slots() []int { return x.slots }

// wanted returns which scarce resources an ask wants, one bit each.
func (x *Scarce) wanted(wants []resource.Want) (mask uint64) {
	if len(x.slots) == 0 {
		return 0
	}
	for _, w := range wants {
		if w.Slot < len(x.bit) {
			mask |= x.bit[w.Slot]
		}
	}
	return mask
}

// units is how many units of scarce resources a shape asks for.
func (x *Scarce) units(shape *cluster.Shape) (sum int64) {
	for _, slot := range x.slots {
		sum += shape.Request.At(slot)
	}
	return sum
}

// offered returns which scarce resources a node offers.
func (x *Scarce) offered(n *cluster.Node) (mask uint64) {
	for _, slot := range x.slots {
		if n.Allocatable.At(slot) > 0 {
			mask |= x.bit[slot]
		}
	}
	return mask
}

// avoidance scores a node for asks that want nothing scarce: a whole Unit where nothing scarce is free, at most half of it where
// something is, and less the more is free.
func (x *Scarce) avoidance(n *cluster.Node) int64 {
	score := int64(Unit)
	for mask := x.offered(n); mask != 0; mask &= mask - 1 {
		slot := x.slots[bits.TrailingZeros64(mask)]
		if share, _ := used(n, slot, nil); share < Unit {
			score = min(score, share/2)
		}
	}
	return score
}
