package core

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/sluice-scheduler/sluice/pkg/core"
	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
	"github.com/sluice-scheduler/sluice/pkg/core/resource"
)

// Tenants describes a tree of queues and who is in it.
type Tenants struct {
	// Fanout is how many children the queues of each level have, from the root downwards; without any there is the one queue root.default.
	Fanout []int
	// AppPods is how many pods an application has.
	AppPods int
	Seed    uint64
}

// Leaves returns the paths of the leaves.
func (t Tenants) Leaves() []string {
	paths := []string{"root"}
	for _, n := range t.Fanout {
		var next []string
		for _, p := range paths {
			for i := range n {
				next = append(next, fmt.Sprintf("%s.q%d", p, i))
			}
		}
		paths = next
	}
	if len(t.Fanout) == 0 {
		return []string{cluster.DefaultQueue}
	}
	return paths
}

// Count is how many queues there are, parents and root included.
func (t Tenants) Count() int {
	count, level := 1, 1
	for _, n := range t.Fanout {
		level *= n
		count += level
	}
	return count
}

// Tree makes the tree: every second leaf has a guarantee, weights are 1 to 4, every parent has a max that is never reached, so that it is checked at every
// level. Another variant has other weights, maxima and guarantees.
func (t Tenants) Tree(variant uint64) *cluster.Tree {
	if len(t.Fanout) == 0 {
		return cluster.DefaultTree()
	}
	rng := rand.New(rand.NewPCG(t.Seed+variant, 11))
	root := t.spec("root", 0, rng)
	root.Submit = cluster.ACL{Everybody: true}
	return &cluster.Tree{Root: root}
}

func (t Tenants) spec(name string, level int, rng *rand.Rand) *cluster.QueueSpec {
	s := &cluster.QueueSpec{Name: name, Weight: int64(1 + rng.IntN(4)), Parent: level < len(t.Fanout)}
	if !s.Parent {
		if rng.IntN(2) == 0 {
			s.Guaranteed = resource.Amounts{{Name: "cpu", Value: int64(500 + rng.IntN(1000))}}
		}
		return s
	}
	if level > 0 {
		s.Max = resource.Amounts{{Name: "cpu", Value: 1<<40 + int64(rng.IntN(1000))}}
	}
	for i := range t.Fanout[level] {
		s.Children = append(s.Children, t.spec(fmt.Sprintf("q%d", i), level+1, rng))
	}
	return s
}

// Claim gives the pods their claims: so many in a row are an application, in a leaf drawn at random.
func (t Tenants) Claim(pods []*cluster.PodFact) {
	rng := rand.New(rand.NewPCG(t.Seed, 12))
	leaves := t.Leaves()
	var claim *cluster.Claim
	for i, p := range pods {
		if i%max(1, t.AppPods) == 0 {
			claim = &cluster.Claim{App: fmt.Sprintf("app-%06d", i), AppFrom: "label", Queue: leaves[rng.IntN(len(leaves))], QueueFrom: "label"}
		}
		p.Claim = claim
	}
}

// Reload is what a change of the whole tree costs while all its pods wait for room.
type Reload struct {
	Queues, Apps, Pods int
	// Swap is the step that takes in the new tree, Longest the longest of the steps until every application has followed, Steps how many these are.
	Swap, Longest time.Duration
	Steps         int
}

// MeasureReload fills a small cluster, lets the pods wait in the tree, and replaces the tree.
func MeasureReload(t Tenants, pods int) Reload {
	c := fullCore(t, pods)
	r := Reload{Queues: t.Count(), Pods: pods, Apps: c.Stats().Apps}
	next := t.Tree(1)
	events := []core.Event{core.QueuesSet{Tree: next}}
	for r.Steps == 0 || busy(c) {
		began := time.Now()
		c.Step(start, events)
		took := time.Since(began)
		if r.Steps == 0 {
			r.Swap = took
		}
		r.Longest = max(r.Longest, took)
		r.Steps++
		events = nil
	}
	return r
}

// busy reports whether the core wants to be called again at once.
func busy(c *core.Core) bool {
	at, ok := c.Wake()
	return ok && !at.After(start)
}

// Heads is what it costs to place small pods behind heads that are too large.
type Heads struct {
	Queues, Pods, Placed, Steps int
	Elapsed                     time.Duration
}

// MeasureHeads fills as many queues with pods whose first is larger than any node, and counts how long the others take to be placed.
func MeasureHeads(queues, pods int) (Heads, error) {
	t := Tenants{Fanout: []int{queues}, Seed: 1}
	w := Workload{Nodes: 1000, Pods: pods, Shapes: 300, Seed: 1}
	c := core.New(core.Config{})
	events := []core.Event{core.Lead{On: true}, core.QueuesSet{Tree: t.Tree(0)}}
	for _, n := range w.NodeFacts() {
		events = append(events, core.NodeSet{Node: n})
	}
	c.Step(start, events)
	facts := w.PodFacts(start.Add(time.Minute))
	leaves := t.Leaves()
	events = nil
	for i, p := range facts {
		large := i < queues
		if large {
			p.Created = start
			d := *p.Demand
			d.Key += fmt.Sprint(" too large ", i%10)
			d.Requests = resource.Amounts{{Name: "cpu", Value: int64(1_000_000 + i%10)}}
			p.Demand = &d
		}
		p.Claim = &cluster.Claim{App: strings.Replace(p.Name, "pod", "app", 1), Queue: leaves[i%queues], QueueFrom: "label"}
		events = append(events, core.PodSet{Pod: p})
	}
	h := Heads{Queues: queues, Pods: pods}
	began := time.Now()
	for {
		effects := c.Step(start.Add(time.Minute), events)
		h.Steps++
		events = nil
		for _, e := range effects {
			if b, ok := e.(core.Bind); ok {
				h.Placed++
				events = append(events, core.BindDone{UID: b.Pod.UID, Node: b.Node})
			}
		}
		if at, ok := c.Wake(); len(events) == 0 && (!ok || at.After(start.Add(time.Minute))) {
			break
		}
	}
	h.Elapsed = time.Since(began)
	if h.Placed != pods-queues {
		return h, fmt.Errorf("%d of %d small pods were placed", h.Placed, pods-queues)
	}
	return h, nil
}
