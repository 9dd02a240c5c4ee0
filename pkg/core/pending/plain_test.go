package pending

import (
	"cmp"
	"slices"
	"strings"

	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
	"github.com/sluice-scheduler/sluice/pkg/core/resource"
	"github.com/sluice-scheduler/sluice/pkg/core/share"
)

// standsReady reports whether a pod in line may be tried.
func (w *world) standsReady(p *cluster.Pod) bool {
	_, parked := w.parked[p.Fact.Demand.Key]
	return !parked && w.held[w.lineOf(p)] == nil
}

// choose returns the pod that a queue would offer, by sorting lists.
func (w *world) choose(q *cluster.Queue) *cluster.Pod {
	if q.Leaf() {
		return w.firstOf(q)
	}
	var offers []*cluster.Pod
	for _, child := range q.Children() {
		if p := w.choose(child); p != nil {
			offers = append(offers, p)
		}
	}
	if len(offers) == 0 {
		return nil
	}
	slices.SortStableFunc(offers, func(a, b *cluster.Pod) int { return w.compareSiblings(q, childOf(q, a), a, childOf(q, b), b) })
	return offers[0]
}

// childOf is the child of a queue in whose subtree a pod is.
func childOf(q *cluster.Queue, p *cluster.Pod) *cluster.Queue {
	c := p.App.Queue()
	for c.Parent != q {
		c = c.Parent
	}
	return c
}

// firstOf is the first ready pod of a leaf by the leaf's own order.
func (w *world) firstOf(leaf *cluster.Queue) *cluster.Pod {
	var list []*cluster.Pod
	for p, state := range w.states {
		if state == InLine && p.App.Queue() == leaf {
			list = append(list, p)
		}
	}
	slices.SortFunc(list, func(a, b *cluster.Pod) int { return w.compareInLeaf(leaf.Spec, a, b) })
	for _, p := range list {
		if w.may(p) {
			return p
		}
		if leaf.Spec.Strict {
			return nil
		}
	}
	return nil
}

func (w *world) compareInLeaf(spec *cluster.QueueSpec, a, b *cluster.Pod) int {
	if !spec.PriorityDisabled {
		if c := cmp.Compare(b.Fact.Priority, a.Fact.Priority); c != 0 {
			return c
		}
	}
	if spec.Sort == cluster.SortFair {
		if c := cmp.Compare(w.largestPart(a.App.Used), w.largestPart(b.App.Used)); c != 0 {
			return c
		}
	}
	if c := a.App.Submitted.Compare(b.App.Submitted); c != 0 {
		return c
	}
	return cmp.Or(strings.Compare(a.App.ID, b.App.ID), cluster.CompareTurn(a.Fact, b.Fact))
}

// largestPart is the largest part of the node that a use takes, as it is measured: the node offers what is measured exactly.
func (w *world) largestPart(used resource.Vector) (most float64) {
	offers := w.s.Node("n").Allocatable
	for slot := range used {
		if slot != resource.SlotPods && offers.At(slot) > 0 {
			most = max(most, float64(used[slot])/float64(offers.At(slot)))
		}
	}
	return most
}

// compareSiblings is rule 2 in plain words.
func (w *world) compareSiblings(parent, q *cluster.Queue, a *cluster.Pod, o *cluster.Queue, b *cluster.Pod) int {
	pa, pb := w.seen(q, a), w.seen(o, b)
	if parent.Spec.PriorityDisabled {
		pa, pb = 0, 0
	}
	byPriority := cmp.Compare(pb, pa)
	if parent.Spec.PriorityFirst && byPriority != 0 {
		return byPriority
	}
	ra, aboveA := w.standing(q, a)
	rb, aboveB := w.standing(o, b)
	byClass := 0
	if aboveA != aboveB {
		byClass = map[bool]int{true: 1, false: -1}[aboveA]
	}
	byPods := cmp.Compare(float64(w.usedOf(q, "pods"))/float64(q.Spec.Weight), float64(w.usedOf(o, "pods"))/float64(o.Spec.Weight))
	return cmp.Or(byClass, byPriority, cmp.Compare(ra, rb), byPods, strings.Compare(q.Name, o.Name))
}

// seen is the priority of a pod as it is seen outside a queue.
func (w *world) seen(q *cluster.Queue, p *cluster.Pod) int64 {
	offset := int64(q.Spec.PriorityOffset)
	switch {
	case q.Spec.PriorityFence:
		return offset
	case !q.Leaf():
		return w.seen(childOf(q, p), p) + offset
	case q.Spec.PriorityDisabled:
		return offset
	}
	return int64(p.Fact.Priority) + offset
}

// standing is a queue's ratio within its guarantee, or above it.
func (w *world) standing(q *cluster.Queue, p *cluster.Pod) (ratio float64, above bool) {
	owed := w.owed(q)
	counts := 0
	for name, value := range owed {
		ask, used := p.Fact.Demand.Requests.Get(name), w.usedOf(q, name)
		if ask == 0 {
			continue
		}
		counts++
		if used+ask > value {
			above = true
			continue
		}
		ratio = max(ratio, float64(used)/float64(value))
	}
	if counts > 0 && !above {
		return ratio, false
	}
	ratio = 0
	for _, name := range []string{"cpu", "gpu"} {
		slot, _ := w.s.Space.Slot(name)
		if over := w.usedOf(q, name) - owed[name]; over > 0 {
			ratio = max(ratio, float64(over)/float64(w.s.Node("n").Allocatable.At(slot))/float64(q.Spec.Weight))
		}
	}
	return ratio, true
}

// owed is what a queue is guaranteed, or the sum of what those below are, whichever is more.
func (w *world) owed(q *cluster.Queue) map[string]int64 {
	sum := map[string]int64{}
	for _, child := range q.Children() {
		for name, value := range w.owed(child) {
			sum[name] += value
		}
	}
	for _, g := range q.Spec.Guaranteed {
		sum[g.Name] = max(sum[g.Name], g.Value)
	}
	return sum
}

func (w *world) usedOf(q *cluster.Queue, name string) (sum int64) {
	for p := range w.states {
		if at := p.App.Queue(); p.Alloc != nil && (at == q || strings.HasPrefix(at.Name, q.Name+".")) {
			sum += p.Fact.Demand.Requests.Get(name)
			if name == "pods" {
				sum++
			}
		}
	}
	return sum
}

// refuses reports whether an account refuses a request, or another application, for the reason given.
func refuses(r *share.Refusal, request resource.Vector, starting bool) bool {
	a := r.Account
	for _, m := range a.Max {
		if ask := request.At(m.Slot); m.Slot == r.Slot && m.Value == r.Max && ask > 0 && a.Used.At(m.Slot)+ask > m.Value {
			return true
		}
	}
	return r.Slot == share.NoSlot && starting && a.MaxApps > 0 && int64(a.MaxApps) == r.Max && a.Apps+1 > a.MaxApps
}
