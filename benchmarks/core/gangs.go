package core

import (
	"fmt"
	"time"

	v1 "k8s.io/api/core/v1"
	apires "k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/sluice-scheduler/sluice/pkg/core"
	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
)

// GangCase is a gang that is decided at once on a half full cluster.
type GangCase struct {
	Name string
	// CPU is what its pods ask for in cores, in turn: one size or several.
	CPU []int64
	// Starts says whether it fits.
	Starts bool
	// Expected: all but the first of its pods do not exist, and room is kept for them.
	Expected bool
	// Filled is how full the nodes are.
	Filled float64
}

// GangCases are gangs that fit, that do not since one of their sizes has too little room, and that do not although each size by itself would have room.
func GangCases() []GangCase {
	return []GangCase{
		{Name: "fits", CPU: []int64{4}, Starts: true, Filled: 0.5},
		{Name: "fits, three sizes", CPU: []int64{2, 4, 8}, Starts: true, Filled: 0.5},
		{Name: "fits, room kept for pods to come", CPU: []int64{4}, Starts: true, Expected: true, Filled: 0.5},
		{Name: "does not fit", CPU: []int64{60}, Filled: 0.9},
		{Name: "does not fit together", CPU: []int64{20, 21}, Filled: 0.8646},
	}
}

// Decide decides a gang of so many pods on so many nodes and returns how long the step took that did, from the last pod's coming on.
//
// The cluster runs already: a pod has been placed.
func (g GangCase) Decide(nodes, pods int) (time.Duration, error) {
	w := Workload{Nodes: nodes, Fill: g.Filled, Seed: 5}
	c := core.New(core.Config{})
	facts := w.NodeFacts()
	events := []core.Event{core.Lead{On: true}}
	for _, n := range facts {
		events = append(events, core.NodeSet{Node: n})
	}
	for _, p := range w.Fillers(facts) {
		events = append(events, core.PodSet{Pod: p})
	}
	fact := &cluster.GroupFact{Namespace: "bench", ID: "gang", Origin: cluster.FromObject, Source: "a benchmark", Min: pods}
	members := g.members(pods)
	if g.Expected {
		fact.Roles = []cluster.RoleFact{
			{Role: "driver", Min: 1, Count: 1, First: true},
			{Role: "executor", Min: pods - 1, Count: pods - 1, Template: members[1]},
		}
		members = members[:1]
		members[0].Claim.Role = "driver"
	}
	events = append(events, core.GroupSet{Group: fact})
	for _, p := range members[:len(members)-1] {
		events = append(events, core.PodSet{Pod: p})
	}
	warm := *members[0]
	warm.UID, warm.Name, warm.Claim = "warm", "warm", nil
	c.Step(start, append(events, core.PodSet{Pod: &warm})) // a pod is placed before, as in a cluster that runs: the order of nodes is there
	last := []core.Event{core.PodSet{Pod: members[len(members)-1]}}
	began := time.Now()
	effects := c.Step(start, last)
	took := time.Since(began)
	bound := 0
	for _, e := range effects {
		if _, ok := e.(core.Bind); ok {
			bound++
		}
	}
	want := 0
	if g.Starts {
		want = len(members)
	}
	if bound != want {
		return 0, fmt.Errorf("gang that %s: %d of its pods are bound, should be %d", g.Name, bound, want)
	}
	if kept := c.Stats().Kept; g.Expected && int(kept) != pods-1 {
		return 0, fmt.Errorf("gang that %s: room is kept for %d pods, should be for %d", g.Name, kept, pods-1)
	}
	return took, nil
}

func (g GangCase) members(count int) []*cluster.PodFact {
	list := make([]*cluster.PodFact, count)
	for i := range list {
		p := &v1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "bench", Name: fmt.Sprintf("member-%05d", i), UID: types.UID(fmt.Sprintf("member-%05d", i)), CreationTimestamp: metav1.NewTime(start)}}
		p.Spec.SchedulerName = "sluice"
		cpu := g.CPU[i%len(g.CPU)]
		p.Spec.Containers = []v1.Container{{Name: "main", Resources: v1.ResourceRequirements{Requests: v1.ResourceList{
			"cpu": *apires.NewQuantity(cpu, apires.DecimalSI), "memory": *apires.NewQuantity(cpu<<30, apires.BinarySI),
		}}}}
		list[i] = cluster.ReadPod(p, "sluice")
		list[i].Claim = &cluster.Claim{App: "gang", AppFrom: "the benchmark", Group: "gang", Role: "executor"}
	}
	return list
}
