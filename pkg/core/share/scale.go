package share

import (
	"cmp"
	"math/bits"

	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
	"github.com/sluice-scheduler/sluice/pkg/core/resource"
)

// Scale is what amounts of different resources are compared by: the capacity to be shared, rounded so that it seldom changes. It is a function of the
// capacity alone, so a restart measures alike.
type Scale struct {
	space    *resource.Space
	capacity []float64
	rounded  []int64
}

// NewScale returns the scale of a space without capacity.
func NewScale(space *resource.Space) *Scale { return &Scale{space: space} }

// Set takes in the capacity and reports whether the scale has changed.
func (m *Scale) Set(capacity resource.Vector) (changed bool) {
	for slot, value := range capacity {
		if slot == len(m.rounded) {
			m.rounded, m.capacity = append(m.rounded, 0), append(m.capacity, 0)
		}
		if r := round(value); r != m.rounded[slot] {
			m.rounded[slot], m.capacity[slot] = r, float64(r)
			changed = true
		}
	}
	return changed
}

// kept is how many leading binary digits of a capacity count.
const kept = 6

func round(value int64) int64 {
	drop := bits.Len64(uint64(value)) - kept
	if drop <= 0 {
		return value
	}
	return value >> drop << drop
}

// Key is a queue's place among its siblings with regard to the ask that it offers: smaller comes first.
type Key struct {
	// First is the priority where the parent puts that before the guarantee, else zero. It is a part of the key, not a way to compare, so that keys from
	// before and after a change of the tree have an order.
	First int64
	// Above: with the ask it would not be within its guarantee.
	Above bool
	// Priority is that of the ask as it is seen outside the queue.
	Priority int64
	// Ratio is the largest used/guaranteed of the resources that count, or beyond the guarantee the largest part of the capacity by weight.
	Ratio float64
	// Pods is the same of the number of pods alone; it decides between equal ratios, as those of pods that ask for nothing.
	Pods float64
}

// Compare orders keys of siblings.
func (k Key) Compare(o Key) int {
	if c := cmp.Compare(o.First, k.First); c != 0 {
		return c
	}
	if k.Above != o.Above {
		if k.Above {
			return 1
		}
		return -1
	}
	return cmp.Or(cmp.Compare(o.Priority, k.Priority), cmp.Compare(k.Ratio, o.Ratio), cmp.Compare(k.Pods, o.Pods))
}

// Key returns the key of a queue that offers an ask of such a request and priority.
func (m *Scale) Key(q *cluster.Queue, request resource.Vector, priority int64) Key {
	k := Key{Priority: priority}
	if q.Parent != nil {
		if q.Parent.Spec.PriorityDisabled {
			k.Priority = 0
		}
		if q.Parent.Spec.PriorityFirst {
			k.First = k.Priority
		}
	}
	if len(m.capacity) > resource.SlotPods && m.capacity[resource.SlotPods] > 0 {
		k.Pods = float64(q.Pods) / m.capacity[resource.SlotPods] / float64(q.Weight(m.space, resource.SlotPods))
	}
	var within bool
	if k.Ratio, within = below(q, request); within {
		return k
	}
	k.Above, k.Ratio = true, m.beyond(q)
	return k
}

// below reports whether a queue would stay within its guarantee in every resource that the request asks for and that has a guarantee, of which there must
// be one, and the largest used/guaranteed among these.
func below(q *cluster.Queue, request resource.Vector) (ratio float64, within bool) {
	for _, g := range q.Guaranteed {
		asked := request.At(g.Slot)
		if asked == 0 {
			continue
		}
		used := q.Used.At(g.Slot)
		if used+asked > g.Value {
			return 0, false
		}
		within = true
		ratio = max(ratio, float64(used)/float64(g.Value))
	}
	return ratio, within
}

// beyond is the largest part of the capacity that a queue holds beyond its guarantee, by its weight. The number of pods counts only where it is guaranteed:
// what is scarce is what pods ask for (but see Key.Pods).
func (m *Scale) beyond(q *cluster.Queue) (most float64) {
	for slot, used := range q.Used {
		if used <= 0 || slot >= len(m.capacity) || m.capacity[slot] == 0 {
			continue
		}
		owed, ok := q.Owed(slot)
		if over := used - owed; over > 0 && (ok || slot != resource.SlotPods) {
			most = max(most, float64(over)/m.capacity[slot]/float64(q.Weight(m.space, slot)))
		}
	}
	return most
}

// Dominant is the largest part of the capacity of any resource that a use takes, the number of pods aside.
func (m *Scale) Dominant(used resource.Vector) (most float64) {
	for slot, value := range used {
		if slot != resource.SlotPods && value > 0 && slot < len(m.capacity) && m.capacity[slot] > 0 {
			most = max(most, float64(value)/m.capacity[slot])
		}
	}
	return most
}
