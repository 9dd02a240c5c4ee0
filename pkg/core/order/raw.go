package order

import "github.com/sluice-scheduler/sluice/pkg/core/cluster"

// Raw returns what the evaluators of an order that look at the pod say of each of the nodes that it fits on, before it is normalised and weighed, in the units of
// kube-scheduler's plugins. One that has nothing to say of the pod may be missing. It is for comparing the two.
func (o *Orders) Raw(s *cluster.State, p *cluster.Pod, by string, nodes []*cluster.Node) map[Kind][]int64 {
	x, fits := o.index(s, by), make([]candidate, len(nodes))
	for i, n := range nodes {
		fits[i] = candidate{node: n, at: n.Index}
	}
	all := map[Kind][]int64{}
	for _, r := range o.raters(s, x, p) {
		all[r.kind] = make([]int64, len(fits))
		r.raw(fits, all[r.kind])
	}
	for i, score := range all[PodTopologySpread] {
		all[PodTopologySpread][i] = max(0, score) // missing
	}
	for _, e := range x.spec.Evaluators {
		if f := e.raw(s, p.Shape); f != nil {
			all[e.Kind] = make([]int64, len(nodes))
			for i, n := range nodes {
				all[e.Kind][i] = f(n)
			}
		}
	}
	return all
}

// raw returns the raw score of an evaluator that needs no other node; nil for those that do, and for those that do not look at the pod.
func (e Evaluator) raw(s *cluster.State, shape *cluster.Shape) func(*cluster.Node) int64 {
	switch e.Kind {
	case NodeAffinity:
		if shape.Preferred == nil {
			return nil
		}
		return func(n *cluster.Node) int64 { return shape.Preferred.Score(n.API) }
	case TaintToleration:
		return func(n *cluster.Node) int64 { return intolerable(shape, n.Fact) }
	case RequestLeastAllocated, RequestMostAllocated:
		one := Spec{Evaluators: []Evaluator{{Kind: e.Kind, Weight: 1, Resources: e.Resources}}}
		return func(n *cluster.Node) int64 { return one.withRequest(s.Space, shape, n) * 100 / Unit }
	}
	return nil
}
