package core

import (
	"fmt"
	"testing"
	"time"

	"github.com/sluice-scheduler/sluice/pkg/core"
	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
)

// BenchmarkDecide measures decisions per second of the core alone.
func BenchmarkDecide(b *testing.B) {
	for _, nodes := range []int{500, 5_000, 50_000} {
		for _, fill := range []float64{0, 0.5, 0.95} {
			b.Run(fmt.Sprintf("nodes=%d/fill=%.2f", nodes, fill), func(b *testing.B) {
				w := Workload{Nodes: nodes, Pods: 100_000, Shapes: 300, Fill: fill, Seed: 1}
				if nodes == 500 {
					w.Pods = 20_000
				}
				b.ReportAllocs()
				for b.Loop() {
					measure(b, w)
				}
			})
		}
	}
}

func measure(b *testing.B, w Workload) {
	b.StopTimer()
	nodes := w.NodeFacts()
	pods := w.PodFacts(start)
	c := core.New(core.Config{})
	events := []core.Event{core.Lead{On: true}}
	for _, n := range nodes {
		events = append(events, core.NodeSet{Node: n})
	}
	for _, p := range w.Fillers(nodes) {
		events = append(events, core.PodSet{Pod: p})
	}
	c.Step(start, events)
	b.StartTimer()
	decided, steps := drive(c, pods)
	b.ReportMetric(float64(decided)*float64(b.N)/b.Elapsed().Seconds(), "decisions/s")
	b.ReportMetric(float64(steps), "steps")
	b.ReportMetric(float64(c.Stats().NodesVisited)/float64(decided), "visited/decision")
}

// drive tells the core of the pods a thousand at a time and answers every bind, as a fast API server would.
func drive(c *core.Core, pods []*cluster.PodFact) (decided, steps int) {
	var events []core.Event
	now := start
	for len(pods) > 0 || len(events) > 0 {
		n := min(len(pods), 1000)
		for _, p := range pods[:n] {
			events = append(events, core.PodSet{Pod: p})
		}
		pods = pods[n:]
		effects := c.Step(now, events)
		steps++
		events = events[:0]
		for _, e := range effects {
			if bind, ok := e.(core.Bind); ok {
				decided++
				events = append(events, core.BindDone{UID: bind.Pod.UID, Node: bind.Node})
			}
		}
		if at, ok := c.Wake(); len(pods) == 0 && len(events) == 0 && ok && !at.After(now) {
			events = append(events, core.Lead{On: true})
		}
	}
	return decided, steps
}

var start = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
