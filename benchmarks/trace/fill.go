package trace

import (
	"fmt"
	"math/rand/v2"
)

// Placer puts pods one at a time: an empty node means that the pod fits nowhere, and it is forgotten.
type Placer interface {
	Place(name string, d Demand) (node string, err error)
}

// Placement says where a pod went.
type Placement struct{ Pod, Node string }

// Draw returns tasks drawn from the list with replacement until they have asked for so many GPUs.
func (t *Trace) Draw(gpus int64, seed uint64) []Demand {
	rng := rand.New(rand.NewPCG(seed, 1))
	var drawn []Demand
	for asked := int64(0); asked < gpus; {
		d := t.Tasks[rng.IntN(len(t.Tasks))].Demand
		asked += d.GPUs
		drawn = append(drawn, d)
	}
	return drawn
}

// Filled is the outcome of filling a cluster.
type Filled struct {
	// Pods asked for a node, of which Placed got one.
	Pods, Placed int
	// Asked and Allocated count GPUs.
	Asked, Allocated int64
	// AtOnce is what was allocated when just as many GPUs had been asked for as there are.
	AtOnce int64
	// Idle is the free GPUs at the end by model; the empty model is the sum.
	Idle map[string]Idle
}

// Fill places the pods one after the other; nobody leaves and nothing is tried twice.
func Fill(t *Trace, drawn []Demand, p Placer) (*Filled, error) {
	ledger, out, gpus := NewLedger(t.Machines), &Filled{Pods: len(drawn)}, t.GPUs()
	for i, d := range drawn {
		node, err := p.Place(fmt.Sprintf("pod-%06d", i), d)
		if err != nil {
			return nil, err
		}
		out.Asked += d.GPUs
		if node == "" {
			continue
		}
		if err := ledger.Put(d, node); err != nil {
			return nil, err
		}
		out.Placed++
		out.Allocated += d.GPUs
		if out.Asked <= gpus {
			out.AtOnce = out.Allocated
		}
	}
	out.Idle = ledger.Idle(t.Demands())
	return out, nil
}
