package core

import (
	"fmt"
	"time"

	"github.com/sluice-scheduler/sluice/pkg/core"
	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
	"github.com/sluice-scheduler/sluice/pkg/core/order"
)

// Round is one case, set up and ready to run once.
type Round struct {
	core  *core.Core
	nodes []*cluster.NodeFact
	fill  []*cluster.PodFact
	pods  []*cluster.PodFact
	binds map[string]string
	terms Terms
	// volumes are the events that told of storage.
	volumes []core.Event
}

// Result is what a round took.
type Result struct {
	Decisions, Steps int
	Visited          uint64
	Elapsed          time.Duration
}

func (r *Result) add(o Result) {
	r.Decisions += o.Decisions
	r.Steps += o.Steps
	r.Visited += o.Visited
	r.Elapsed += o.Elapsed
}

var start = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// Prepare makes the cluster and tells a core of it, and makes the pods.
func Prepare(c Case) *Round {
	r := &Round{core: core.New(core.Config{}), nodes: c.NodeFacts(), pods: c.PodFacts(start), binds: map[string]string{}, terms: c.Terms}
	r.fill = c.Fillers(r.nodes)
	c.Tenants.Claim(r.pods)
	events := []core.Event{core.Lead{On: true}, core.OrdersSet{Orders: []order.Spec{c.Order}, Scarce: order.DefaultScarce()}, core.QueuesSet{Tree: c.Tenants.Tree(0)}}
	events = append(events, c.Terms.events()...)
	for _, n := range r.nodes {
		events = append(events, core.NodeSet{Node: n})
	}
	for _, p := range r.fill {
		events = append(events, core.PodSet{Pod: p})
	}
	r.volumes = c.Storage.Events(r.pods, r.nodes)
	r.core.Step(start, append(events, r.volumes...))
	return r
}

// Run places the pods.
func (r *Round) Run() (res Result) {
	visited := r.core.Stats().NodesVisited
	began := time.Now()
	var events []core.Event
	binds := make([]core.Bind, 0, len(r.pods))
	for pods := r.pods; len(pods) > 0 || len(events) > 0; {
		n := min(len(pods), 1000)
		for _, p := range pods[:n] {
			events = append(events, core.PodSet{Pod: p})
		}
		pods = pods[n:]
		effects := r.core.Step(start, events)
		res.Steps++
		events = events[:0]
		for _, e := range effects {
			switch e := e.(type) {
			case core.Bind:
				binds = append(binds, e)
				events = append(events, core.BindDone{UID: e.Pod.UID, Node: e.Node})
			case core.PrepareVolumes:
				events = append(events, provisioned(e)...)
			}
		}
	}
	res.Elapsed = time.Since(began)
	res.Decisions = len(binds)
	res.Visited = r.core.Stats().NodesVisited - visited
	for _, b := range binds {
		r.binds[string(b.Pod.UID)] = b.Node
	}
	return res
}

// Judge holds all binds together against a plain reading of the rules: sums per node, no indexes, nothing of the core.
func (r *Round) Judge() error {
	nodes := map[string]*cluster.NodeFact{}
	for _, n := range r.nodes {
		nodes[n.Name] = n
	}
	used := map[string]map[string]int64{}
	ports := map[string]bool{}
	take := func(p *cluster.PodFact, on string) error {
		if used[on] == nil {
			used[on] = map[string]int64{}
		}
		used[on]["pods"]++
		for _, a := range p.Demand.Requests {
			used[on][a.Name] += a.Value
			if used[on][a.Name] > nodes[on].Allocatable.Get(a.Name) {
				return fmt.Errorf("node %s is given more %s than it has", on, a.Name)
			}
		}
		if used[on]["pods"] > nodes[on].Allocatable.Get("pods") {
			return fmt.Errorf("node %s is given too many pods", on)
		}
		for _, port := range p.Demand.Ports {
			key := fmt.Sprint(on, port)
			if ports[key] {
				return fmt.Errorf("node %s: %v is given twice", on, port)
			}
			ports[key] = true
		}
		return suits(p, nodes[on])
	}
	for _, p := range r.fill {
		if err := take(p, p.Node); err != nil {
			return err
		}
	}
	for _, p := range r.pods {
		if on, ok := r.binds[string(p.UID)]; ok {
			if err := take(p, on); err != nil {
				return err
			}
		}
	}
	if r.terms != "" {
		return r.terms.judge(r.pods, r.binds, r.nodes)
	}
	return r.judgeVolumes(nodes)
}
