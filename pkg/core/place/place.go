package place

import (
	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
	"github.com/sluice-scheduler/sluice/pkg/core/fit"
	"github.com/sluice-scheduler/sluice/pkg/core/order"
)

// First returns the best node by the named order on which a pod's ask fits, nil when there is none, and how many nodes it looked at.
func First(s *cluster.State, o *order.Orders, p *cluster.Pod, a fit.Ask, v *fit.View, by string) (best *cluster.Node, visited int) {
	if a.Pin != "" {
		if n := s.Node(a.Pin); n != nil && n.Fact != nil && fit.Fits(a, n) {
			return n, 1
		}
		return nil, 1
	}
	if !s.Offers(a.Shape) || fit.Refused(a) {
		return nil, 1
	}
	v.Update(s, a)
	return o.First(s, &order.Query{
		Pod: p, Order: by, Classes: v.Classes, ByNode: v.ByNode, Open: v.Open(a),
		Admits: func(n *cluster.Node) bool { return v.Admits(a, n) },
	})
}

// Nominated returns the node that the ask is nominated for if it fits there. It goes before any order of nodes: others may have left that node for it.
func Nominated(s *cluster.State, a fit.Ask) *cluster.Node {
	if n := s.Node(a.Nominated); n != nil && n.Fact != nil && fit.Fits(a, n) {
		return n
	}
	return nil
}

// Remembered does the same for an ask that fitted nowhere before: with its memory it looks only at nodes that have changed.
func Remembered(s *cluster.State, o *order.Orders, p *cluster.Pod, a fit.Ask, m *fit.Memory, by string) (best *cluster.Node, visited int) {
	visited = m.Update(s, a)
	return o.Best(s, p, by, m.Fitting()), visited
}
