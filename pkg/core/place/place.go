package place

import (
	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
	"github.com/sluice-scheduler/sluice/pkg/core/fit"
	"github.com/sluice-scheduler/sluice/pkg/core/order"
)

// First returns the best node by the named order on which a pod's ask fits, nil when there is none, and how many nodes it looked at.
func First(s *cluster.State, o *order.Orders, p *cluster.Pod, a fit.Ask, v *fit.View, by string) (best *cluster.Node, visited int) {
	return FirstWithin(s, o, p, a, v, by, nil)
}

// FirstWithin does the same among the nodes that are within; nil within means all.
func FirstWithin(s *cluster.State, o *order.Orders, p *cluster.Pod, a fit.Ask, v *fit.View, by string, within func(*cluster.Node) bool) (best *cluster.Node, visited int) {
	if a.Pin != "" {
		if n := s.Node(a.Pin); n != nil && n.Fact != nil && (within == nil || within(n)) && fit.Fits(a, n) {
			return n, 1
		}
		return nil, 1
	}
	if !s.Offers(a.Shape) || fit.Refused(a) {
		return nil, 1
	}
	if nodes, few := fit.Confined(s, a); few {
		return o.Best(s, p, by, fitting(a, nodes, within)), 1 + len(nodes)
	}
	if nodes, few := fit.Near(a, manyNear); few {
		return o.Best(s, p, by, fitting(a, nodes, within)), 1 + len(nodes)
	}
	v.Update(s, a)
	q := order.Query{Pod: p, Order: by, Classes: v.Within(s, a), ByNode: v.ByNode}
	if within != nil || !v.Open(a) {
		q.Admits = admission(a, v, within)
	}
	return o.First(s, &q)
}

// admission is apart from First so that an ask of which no more is to be asked costs no function.
func admission(a fit.Ask, v *fit.View, within func(*cluster.Node) bool) func(*cluster.Node) bool {
	return func(n *cluster.Node) bool { return (within == nil || within(n)) && v.Admits(a, n) }
}

// fitting returns those of a few nodes that are within and on which the ask fits.
func fitting(a fit.Ask, nodes []*cluster.Node, within func(*cluster.Node) bool) []*cluster.Node {
	list := make([]*cluster.Node, 0, len(nodes))
	for _, n := range nodes {
		if (within == nil || within(n)) && fit.Fits(a, n) {
			list = append(list, n)
		}
	}
	return list
}

// manyNear is how many nodes near others are looked at one by one; where there are more the order is walked.
const manyNear = 64

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
