package order

import (
	"k8s.io/component-helpers/scheduling/corev1"
	"k8s.io/klog/v2"

	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
	"github.com/sluice-scheduler/sluice/pkg/core/resource"
)

// preference is the dynamic score of a shape for a node described by its fact and API object, as far as it reads the description alone: it is the same for all
// nodes of a class.
func (s Spec) preference(shape *cluster.Shape, n *cluster.Node) (sum int64) {
	for _, e := range s.Evaluators {
		switch e.Kind {
		case NodeAffinity:
			if shape.Preferred != nil && shape.PreferredWeight > 0 {
				sum += e.Weight * Unit * shape.Preferred.Score(n.API) / shape.PreferredWeight
			}
		case TaintToleration:
			sum += e.Weight * Unit / (1 + intolerable(shape, n.Fact))
		}
	}
	return sum
}

// intolerable counts the soft taints that a shape does not tolerate.
func intolerable(shape *cluster.Shape, f *cluster.NodeFact) (count int64) {
	for i := range f.SoftTaints {
		if !corev1.TolerationsTolerateTaint(klog.Logger{}, shape.Tolerations, &f.SoftTaints[i], false) {
			count++
		}
	}
	return count
}

// readsRequest reports whether an evaluator must be put to each node because it reads the node's numbers together with the request.
func (s Spec) readsRequest() bool {
	for _, e := range s.Evaluators {
		if e.Kind == RequestLeastAllocated || e.Kind == RequestMostAllocated {
			return true
		}
	}
	return false
}

// withRequest is the score of the request-aware evaluators.
func (s Spec) withRequest(space *resource.Space, shape *cluster.Shape, n *cluster.Node) (sum int64) {
	for _, e := range s.Evaluators {
		switch e.Kind {
		case RequestLeastAllocated:
			sum += e.Weight * (Unit - meanUsed(n, e.slots(space), shape, straight))
		case RequestMostAllocated:
			sum += e.Weight * meanUsed(n, e.slots(space), shape, straight)
		}
	}
	return sum
}

// weight returns the sum of the weights of one kind of evaluator.
func (s Spec) weight(kind Kind) (sum int64) {
	for _, e := range s.Evaluators {
		if e.Kind == kind {
			sum += e.Weight
		}
	}
	return sum
}
