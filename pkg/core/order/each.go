package order

import "github.com/sluice-scheduler/sluice/pkg/core/cluster"

// Each returns what the other dynamic evaluators of an order say of nodes and a pod, each for itself and times its weight: those that score a node without regard to
// others. It is for comparing them with kube-scheduler's, as Raw is.
func (o *Orders) Each(s *cluster.State, p *cluster.Pod, by string, nodes []*cluster.Node) map[Kind][]int64 {
	all := map[Kind][]int64{}
	for _, e := range o.index(s, by).spec.Evaluators {
		switch e.Kind {
		case NodeAffinity, TaintToleration, RequestLeastAllocated, RequestMostAllocated:
			alone := Spec{Evaluators: []Evaluator{e}}
			for _, n := range nodes {
				all[e.Kind] = append(all[e.Kind], alone.preference(p.Shape, n)+alone.withRequest(s.Space, p.Shape, n))
			}
		}
	}
	return all
}
