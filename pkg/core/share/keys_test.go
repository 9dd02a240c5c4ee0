package share

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
	"github.com/sluice-scheduler/sluice/pkg/core/resource"
)

// randomKeys are keys as queues have them, those of parents that put priority first and of others mixed: while a tree changes both are in one heap.
func randomKeys(rng *rand.Rand, n int) []Key {
	s := cluster.New()
	s.SetNode(&cluster.NodeFact{Name: "n", Allocatable: resource.Amounts{{Name: "cpu", Value: 10}, {Name: "pods", Value: 10}}})
	m := NewScale(s.Space)
	m.Set(s.Capacity())
	keys := make([]Key, n)
	for i := range keys {
		parent := &cluster.Queue{Spec: &cluster.QueueSpec{PriorityFirst: rng.IntN(2) == 0}}
		q := &cluster.Queue{Parent: parent, Spec: &cluster.QueueSpec{Weight: 1 + int64(rng.IntN(2))}}
		q.Used = resource.Vector{0, int64(rng.IntN(4))}
		q.Guaranteed = []resource.Want{{Slot: resource.SlotCPU, Value: int64(rng.IntN(4))}}
		keys[i] = m.Key(q, resource.Vector{1, 1}, int64(rng.IntN(3)))
	}
	return keys
}

// TestKeysAreOrdered: whatever keys meet, they have an order.
func TestKeysAreOrdered(t *testing.T) {
	keys := randomKeys(rand.New(rand.NewPCG(1, 1)), 60)
	for _, a := range keys {
		require.Zero(t, a.Compare(a))
		for _, b := range keys {
			require.Equal(t, a.Compare(b), -b.Compare(a), "%+v %+v", a, b)
			for _, c := range keys {
				if a.Compare(b) <= 0 && b.Compare(c) <= 0 {
					require.LessOrEqual(t, a.Compare(c), 0, "%+v %+v %+v", a, b, c)
				}
			}
		}
	}
}

// TestKeyOfAQueue holds keys against rule 2 by hand. The node offers 10 CPUs, and the ask is for one.
func TestKeyOfAQueue(t *testing.T) {
	for name, c := range map[string]struct {
		used, guaranteed, weight int64
		above                    bool
		ratio                    float64
	}{
		"would fill the guarantee":  {used: 3, guaranteed: 4, weight: 1, ratio: 0.75},
		"would exceed it":           {used: 4, guaranteed: 4, weight: 1, above: true, ratio: 0},
		"is beyond it":              {used: 6, guaranteed: 4, weight: 1, above: true, ratio: 0.2},
		"is beyond it, with weight": {used: 6, guaranteed: 4, weight: 2, above: true, ratio: 0.1},
		"is owed nothing":           {used: 3, guaranteed: 0, weight: 1, above: true, ratio: 0.3},
	} {
		t.Run(name, func(t *testing.T) {
			s := cluster.New()
			s.SetNode(&cluster.NodeFact{Name: "n", Allocatable: resource.Amounts{{Name: "cpu", Value: 10}}})
			m := NewScale(s.Space)
			m.Set(s.Capacity())
			q := &cluster.Queue{Spec: &cluster.QueueSpec{Weight: c.weight}}
			q.Used = resource.Vector{0, c.used}
			q.Guaranteed = []resource.Want{{Slot: resource.SlotCPU, Value: c.guaranteed}}
			k := m.Key(q, resource.Vector{1, 1}, 7)
			require.Equal(t, c.above, k.Above)
			require.InDelta(t, c.ratio, k.Ratio, 1e-9)
		})
	}
}
