package core

import (
	"fmt"

	"github.com/sluice-scheduler/sluice/pkg/core/order"
)

// Case is a workload under a node order.
type Case struct {
	Workload
	Order order.Spec
	// Mix says what is asked for: plain, scarce or mixed, or the terms.
	Mix     string
	Tenants Tenants
}

// Name tells the case in words.
func (c Case) Name() string {
	name := fmt.Sprintf("order=%s/mix=%s/nodes=%d/fill=%.2f", c.Order.Name, c.Mix, c.Nodes, c.Fill)
	if c.Storage != "" {
		name += "/volumes=" + string(c.Storage)
	}
	if c.Tenants.AppPods > 0 {
		name += fmt.Sprintf("/queues=%d", c.Tenants.Count())
	}
	return name
}

// spread is the built-in order; pack fills nodes one after another.
func spread() order.Spec {
	s := order.Default()
	s.Name = "spread"
	return s
}

func pack() order.Spec {
	s := order.Default()
	s.Name = "pack"
	s.Evaluators[0].Kind = order.MostAllocated
	return s
}

// mixes are the shares of pods that ask for a GPU.
var mixes = map[string]float64{"plain": 0, "mixed": 0.05, "scarce": 1}

// Cases lists what is measured: three sizes, three fills, two orders for plain pods; scarce and mixed ones on one fill.
func Cases() []Case {
	var cases []Case
	for _, o := range []order.Spec{spread(), pack()} {
		for _, nodes := range []int{500, 5_000, 50_000} {
			for _, fill := range []float64{0, 0.5, 0.95} {
				cases = append(cases, newCase(o, "plain", nodes, fill))
			}
		}
	}
	for _, mix := range []string{"mixed", "scarce"} {
		for _, nodes := range []int{500, 5_000, 50_000} {
			cases = append(cases, newCase(spread(), mix, nodes, 0.5))
		}
	}
	for _, storage := range []Storage{Bound, Zonal, Provisioned, Local} {
		c := newCase(spread(), "plain", 5_000, 0.5)
		c.Storage, c.Pods = storage, 10_000
		cases = append(cases, c)
	}
	for _, fanout := range [][]int{nil, {9, 10, 10, 10}} {
		c := newCase(spread(), "plain", 5_000, 0)
		c.Tenants = Tenants{Fanout: fanout, AppPods: 5, Seed: 1}
		cases = append(cases, c)
	}
	for _, o := range []order.Spec{spread(), pack()} {
		for _, t := range []Terms{Apart, Together, Spread, Near, Even, Services, Select, Lean} {
			cases = append(cases, withTerms(o, t))
		}
	}
	return cases
}

// withTerms asks for 5,000 pods, or 10,000 where it matters less who came before, on 5,000 nodes.
func withTerms(o order.Spec, t Terms) Case {
	c := newCase(t.order(o), string(t), 5_000, 0)
	c.Terms, c.Pods = t, 5_000
	if t != Apart && t != Together {
		c.Pods = 10_000
	}
	return c
}

// newCase asks for 100,000 pods, or as many as a small cluster has room for: a tenth of the nodes have eight GPUs.
func newCase(o order.Spec, mix string, nodes int, fill float64) Case {
	pods := 100_000
	if nodes < 5_000 {
		pods = 20_000
	}
	if mix == "scarce" {
		pods = min(pods, nodes*8/10)
	}
	return Case{Order: o, Mix: mix, Workload: Workload{Nodes: nodes, Pods: pods, Shapes: 300, Fill: fill, Scarce: mixes[mix], Seed: 1}}
}
