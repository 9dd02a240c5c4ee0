package trace

import (
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/sluice-scheduler/sluice/pkg/core"
	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
)

// start is the virtual time at which everything begins.
var start = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// Sluice drives Sluice's core as its loop does, with an API server that answers at once.
type Sluice struct {
	core *core.Core
	now  time.Time
	// facts are of the pods that exist.
	facts map[types.UID]*cluster.PodFact
	// news is what the core is told at its next step.
	news []core.Event
}

// NewSluice returns a leading core that knows the machines and orders them so.
func NewSluice(orders core.OrdersSet, machines []Machine) *Sluice {
	s := &Sluice{
		core: core.New(core.Config{}), now: start, facts: map[types.UID]*cluster.PodFact{}, news: []core.Event{orders, core.Lead{On: true}},
	}
	for i := range machines {
		s.news = append(s.news, core.NodeSet{Node: cluster.ReadNode(machines[i].Node())})
	}
	s.run()
	return s
}

// Place puts one pod and forgets it if it does not fit.
func (s *Sluice) Place(name string, d Demand) (node string, err error) {
	s.Come(name, d, s.now.Sub(start))
	for _, b := range s.run() {
		if b.Pod.Name != name {
			return "", fmt.Errorf("pod %s was placed when it was %s's turn", b.Pod.Name, name)
		}
		node = b.Node
	}
	if node == "" {
		s.Leave(name)
	}
	return node, nil
}

// Come tells of a pod that is new at that time.
func (s *Sluice) Come(name string, d Demand, at time.Duration) {
	f := cluster.ReadPod(d.Pod(name, start.Add(at)), scheduler)
	s.facts[f.UID] = f
	s.news = append(s.news, core.PodSet{Pod: f})
}

// Leave tells that a pod is gone.
func (s *Sluice) Leave(name string) {
	delete(s.facts, types.UID(name))
	s.news = append(s.news, core.PodGone{UID: types.UID(name)})
}

// Settle steps the core until it has nothing left to do at that time.
func (s *Sluice) Settle(at time.Duration) ([]Placement, error) {
	s.now = start.Add(at)
	var list []Placement
	for _, b := range s.run() {
		list = append(list, Placement{Pod: b.Pod.Name, Node: b.Node})
	}
	return list, nil
}

// run steps the core until it has nothing left to do now, answering every bind.
func (s *Sluice) run() (binds []core.Bind) {
	for again := true; again; {
		effects := s.core.Step(s.now, s.news)
		s.news = s.news[:0]
		for _, e := range effects {
			if b, ok := e.(core.Bind); ok {
				binds = append(binds, b)
				s.confirm(b)
			}
		}
		at, ok := s.core.Wake()
		again = len(s.news) > 0 || ok && !at.After(s.now)
	}
	return binds
}

// confirm tells the core what the API server and the watch would say of a bind.
func (s *Sluice) confirm(b core.Bind) {
	bound := *s.facts[b.Pod.UID]
	bound.Node = b.Node
	s.facts[b.Pod.UID] = &bound
	s.news = append(s.news, core.BindDone{UID: b.Pod.UID, Node: b.Node}, core.PodSet{Pod: &bound})
}
