package order

import (
	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
	"github.com/sluice-scheduler/sluice/pkg/core/resource"
)

// weighed is a resource's slot and its weight.
type weighed struct {
	slot   int
	weight int64
}

// scorer gives the static score of a node, weights included.
type scorer func(*cluster.Node) int64

// static makes the scorer of the order's static part in a space.
func (s Spec) static(space *resource.Space, scarce *Scarce) scorer {
	var parts []scorer
	for _, e := range s.Evaluators {
		if part := e.static(space, scarce); part != nil {
			parts = append(parts, part)
		}
	}
	if len(parts) == 1 {
		return parts[0]
	}
	return func(n *cluster.Node) (sum int64) {
		for _, part := range parts {
			sum += part(n)
		}
		return sum
	}
}

// static returns the evaluator's scorer, nil when it has nothing to say of the node alone.
func (e Evaluator) static(space *resource.Space, scarce *Scarce) scorer {
	list := e.slots(space)
	var f scorer
	switch e.Kind {
	case LeastAllocated:
		f = func(n *cluster.Node) int64 { return Unit - meanUsed(n, list, nil, straight) }
	case MostAllocated:
		f = func(n *cluster.Node) int64 { return meanUsed(n, list, nil, straight) }
	case RequestedToCapacityRatio:
		f = func(n *cluster.Node) int64 { return meanUsed(n, list, nil, e.through) }
	case Balanced:
		f = func(n *cluster.Node) int64 { return Unit - deviation(n, list) }
	case DominantShare:
		f = func(n *cluster.Node) int64 { return Unit - mostUsed(n, list) }
	case NodeLabel:
		f = func(n *cluster.Node) int64 { return e.Values[n.Fact.Labels[e.Label]] * Unit / 100 }
	case ScarceAvoidance:
		f = scarce.avoidance
	default:
		return nil
	}
	return func(n *cluster.Node) int64 { return e.Weight * f(n) }
}

func (e Evaluator) slots(space *resource.Space) []weighed {
	if len(e.Resources) == 0 {
		return []weighed{{resource.SlotCPU, 1}, {resource.SlotMemory, 1}}
	}
	var list []weighed
	for _, r := range e.Resources {
		if slot, ok := space.Slot(r.Name); ok {
			list = append(list, weighed{slot, r.Weight})
		}
	}
	return list
}

// used returns the used share of a resource in Units, what is presumed of containers without requests included, with a pod's request on
// top; ok is false when the node offers none.
func used(n *cluster.Node, slot int, with *cluster.Shape) (share int64, ok bool) {
	total := n.Allocatable.At(slot)
	if total == 0 {
		return 0, false
	}
	sum := n.Used.At(slot) + presumed(n.Presumed, slot)
	if with != nil {
		sum += with.Request.At(slot) + presumed(with.Presumed, slot)
	}
	return resource.Share(min(sum, total), total, Unit), true
}

func presumed(p cluster.Presumed, slot int) int64 {
	switch slot {
	case resource.SlotCPU:
		return p.CPU
	case resource.SlotMemory:
		return p.Memory
	}
	return 0
}

// meanUsed is the weighted mean of the used shares, each taken through f. Resources that the node does not offer do not count, as in
// kube-scheduler; a node that offers none counts as empty.
func meanUsed(n *cluster.Node, list []weighed, with *cluster.Shape, f func(int64) int64) int64 {
	var sum, weights int64
	for _, r := range list {
		if share, ok := used(n, r.slot, with); ok {
			sum += r.weight * f(share)
			weights += r.weight
		}
	}
	if weights == 0 {
		return 0
	}
	return sum / weights
}

func straight(share int64) int64 { return share }

// through takes a used share through the evaluator's shape.
func (e Evaluator) through(share int64) int64 {
	percent := func(p Point) int64 { return p.Utilization * Unit / 100 }
	score := func(p Point) int64 { return p.Score * Unit / 10 }
	for i, p := range e.Shape {
		if share > percent(p) {
			continue
		}
		if i == 0 {
			return score(p)
		}
		q := e.Shape[i-1]
		return score(q) + (score(p)-score(q))*(share-percent(q))/max(1, percent(p)-percent(q))
	}
	if len(e.Shape) == 0 {
		return 0
	}
	return score(e.Shape[len(e.Shape)-1])
}

// deviation is the standard deviation of the used shares, doubled so that one full and one empty resource deviate by a whole Unit.
func deviation(n *cluster.Node, list []weighed) int64 {
	var sum, squares, count int64
	for _, r := range list {
		if share, ok := used(n, r.slot, nil); ok {
			sum += share
			squares += share * share
			count++
		}
	}
	if count < 2 {
		return 0
	}
	return min(Unit, 2*root(squares/count-(sum/count)*(sum/count)))
}

// root is the integer square root.
func root(x int64) int64 {
	if x <= 0 {
		return 0
	}
	r := x
	for next := (r + 1) / 2; next < r; next = (r + x/r) / 2 {
		r = next
	}
	return r
}

func mostUsed(n *cluster.Node, list []weighed) (most int64) {
	for _, r := range list {
		share, _ := used(n, r.slot, nil)
		most = max(most, share)
	}
	return most
}
