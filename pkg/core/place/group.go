package place

import (
	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
	"github.com/sluice-scheduler/sluice/pkg/core/fit"
	"github.com/sluice-scheduler/sluice/pkg/core/order"
)

// Seat is one member of a group for whom a node is looked for.
type Seat struct {
	Pod  *cluster.Pod
	Ask  fit.Ask
	View *fit.View
	// Order is the name of the node order.
	Order string
	// Node is where Group has placed it, Choice what was decided for its claims there; nil before.
	Node   *cluster.Node
	Choice *cluster.Choice
}

// Group places the seats one after the other, each where it stands best beside those before it, on nodes that are within; nil within means all. What it has placed is
// assumed in the state, tentatively: whoever asks commits or rolls back. It stops at the first that fits nowhere and returns how many it has placed.
func Group(s *cluster.State, o *order.Orders, seats []*Seat, within func(*cluster.Node) bool) (placed, visited int) {
	for _, seat := range seats {
		o.Refresh(s)
		n, looked := seat.find(s, o, within)
		visited += looked
		if n == nil {
			return placed, visited
		}
		seat.Node, seat.Choice = n, fit.Choose(seat.Ask, n)
		s.AssumeWith(seat.Pod, n, seat.Choice)
		placed++
	}
	return placed, visited
}

func (x *Seat) find(s *cluster.State, o *order.Orders, within func(*cluster.Node) bool) (*cluster.Node, int) {
	if x.Ask.Nominated != "" {
		if n := Nominated(s, x.Ask); n != nil && (within == nil || within(n)) {
			return n, 1
		}
	}
	return FirstWithin(s, o, x.Pod, x.Ask, x.View, x.Order, within)
}
