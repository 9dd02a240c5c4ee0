package core

import (
	"fmt"
	"time"

	"github.com/sluice-scheduler/sluice/pkg/core"
	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
	"github.com/sluice-scheduler/sluice/pkg/core/resource"
)

// Rooms is what it costs to give away small rooms that fall free one by one while everybody waits.
type Rooms struct {
	Queues, Pods, Rooms, Placed int
	Elapsed                     time.Duration
}

// MeasureRooms lets pods of 300 shapes wait in a full cluster, and adds nodes with room for one or two of them, one at a time.
func MeasureRooms(t Tenants, pods, rooms int) Rooms {
	c := fullCore(t, pods)
	r := Rooms{Queues: t.Count(), Pods: pods, Rooms: rooms}
	began := time.Now()
	for i := range rooms {
		events := []core.Event{core.NodeSet{Node: &cluster.NodeFact{Name: fmt.Sprint("room-", i), Allocatable: resource.Amounts{
			{Name: "cpu", Value: 100}, {Name: "memory", Value: 1 << 30}, {Name: "pods", Value: 10},
		}}}}
		for len(events) > 0 || busy(c) {
			effects := c.Step(start, events)
			events = nil
			for _, e := range effects {
				if b, ok := e.(core.Bind); ok {
					r.Placed++
					events = append(events, core.BindDone{UID: b.Pod.UID, Node: b.Node})
				}
			}
		}
	}
	r.Elapsed = time.Since(began)
	return r
}

// fullCore returns a core of a full cluster in whose queues so many pods wait.
func fullCore(t Tenants, pods int) *core.Core {
	w := Workload{Nodes: 50, Pods: pods, Shapes: 300, Fill: 0.9999, Seed: t.Seed}
	c := core.New(core.Config{})
	events := []core.Event{core.Lead{On: true}, core.QueuesSet{Tree: t.Tree(0)}}
	nodes := w.NodeFacts()
	for _, n := range nodes {
		events = append(events, core.NodeSet{Node: n})
	}
	for _, p := range w.Fillers(nodes) {
		events = append(events, core.PodSet{Pod: p})
	}
	facts := w.PodFacts(start)
	t.Claim(facts)
	for _, p := range facts {
		events = append(events, core.PodSet{Pod: p})
	}
	for c.Step(start, events); busy(c); {
		c.Step(start, nil)
	}
	return c
}
