package order

import "github.com/sluice-scheduler/sluice/pkg/core/cluster"

// Alone is a node's score for a pod as far as no other node matters.
func (o *Orders) Alone(s *cluster.State, p *cluster.Pod, by string, n *cluster.Node) int64 {
	x := o.index(s, by)
	return x.score(n) + x.spec.preference(p.Shape, n) + o.extra(s, x, p.Shape, o.scarce.wanted(p.Shape.Wants))(n)
}
