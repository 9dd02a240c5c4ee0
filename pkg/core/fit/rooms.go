package fit

import (
	"math"

	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
)

// Rooms is how many pods of one ask would fit on each node if nobody else came, by what the node itself says: where other pods are, and what volumes need, is not looked
// at. So it may be too many and is never too few, and a group that needs more than Total cannot be placed. Update looks only at nodes that have changed.
//
// The zero Rooms is empty; the first Update fills it.
type Rooms struct {
	// Total is the sum over all nodes.
	Total int

	room    []int32
	version uint64
	epoch   uint64
	filled  bool
}

// Update brings the rooms up to date and returns how many nodes it looked at.
func (r *Rooms) Update(s *cluster.State, a Ask) (visited int) {
	a.Kin, a.Volumes = nil, nil // they may be at fault, which is not for all who share these rooms, and changes while no node does
	if !r.filled || r.epoch != s.Epoch() {
		*r = Rooms{filled: true, epoch: s.Epoch(), room: r.room[:0]}
	}
	if missing := len(s.Slots()) - len(r.room); missing > 0 {
		r.room = append(r.room, make([]int32, missing)...)
	}
	if r.version == s.Version() {
		return 0
	}
	s.Since(r.version, func(n *cluster.Node) {
		visited++
		now := room(a, n)
		r.Total += int(now - r.room[n.Index])
		r.room[n.Index] = now
	})
	r.version = s.Version()
	return visited
}

// At returns the rooms on a known node, as of the last Update.
func (r *Rooms) At(n *cluster.Node) int {
	if n.Index < len(r.room) {
		return int(r.room[n.Index])
	}
	return 0
}

// room is how many pods of an ask have room on a node.
func room(a Ask, n *cluster.Node) int32 {
	if a.Pin != "" && a.Pin != n.Name || len(a.Shape.Uncounted) > 0 || !resources.fits(a, n) || !fitsAll(ofClass, a, n) || !ports.fits(a, n) || !features.fits(a, n) {
		return 0
	}
	if len(a.Shape.Ports) > 0 {
		return 1
	}
	least := int64(math.MaxInt32)
	for _, w := range a.Shape.Wants {
		least = min(least, (n.Allocatable.At(w.Slot)-n.Used.At(w.Slot))/w.Value)
	}
	return int32(max(least, 0))
}
