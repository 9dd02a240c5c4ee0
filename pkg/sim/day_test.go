package sim_test

import (
	"container/heap"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/types"

	"github.com/sluice-scheduler/sluice/pkg/core"
	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
	"github.com/sluice-scheduler/sluice/pkg/core/resource"
)

// The day's cluster has 3,200 cores; a pod takes two of them (0.06 % of the capacity) for at most forty minutes. All take the same: where they differ, what
// falls free in small pieces goes to those who ask for small ones, and shares depend on that too.
const (
	podCores  = 2
	dayNodes  = 100
	dayCores  = 32
	longest   = 40 * time.Minute
	phase     = 2 * time.Hour
	phases    = 12
	everySome = time.Minute
)

// TestShareOfADay drives a day of changing demand through a tree of tenants: every two hours each leaf draws a new demand, which it keeps up by submitting a
// pod for every one that ends. Once a demand has stood for longer than the longest pod, what every queue uses must be within 2 % of the capacity of its
// exact fair share.
func TestShareOfADay(t *testing.T) {
	d := newDay(t)
	worst := 0.0
	for p := range phases {
		d.newDemand()
		settled := d.now.Add(longest + time.Minute)
		for end := d.now.Add(phase); d.now.Before(end); {
			d.pass(everySome)
			if d.now.After(settled) {
				off, queue := d.deviation()
				worst = max(worst, off)
				require.LessOrEqual(t, off, 0.02, "phase %d, %s at %v", p, queue, d.now)
			}
		}
	}
	t.Logf("%d pods ended, %d samples, the largest deviation was %.2f %% of the capacity", d.ended, d.samples, 100*worst)
	require.Greater(t, d.ended, 30_000)
	require.Greater(t, d.short, 100, "in many samples some queue wants more than its share")
}

// dayTree has three tenants: one with a guarantee of half and two teams, one with a max, one with a larger weight.
func dayTree() *cluster.Tree {
	cores := func(n int64) resource.Amounts { return resource.Amounts{{Name: "cpu", Value: n * 1000}} }
	leaf := func(name string, weight int64, guaranteed, most resource.Amounts) *cluster.QueueSpec {
		return &cluster.QueueSpec{Name: name, Weight: weight, Guaranteed: guaranteed, Max: most}
	}
	return &cluster.Tree{Root: &cluster.QueueSpec{
		Name: "root", Parent: true, Submit: cluster.ACL{Everybody: true}, Weight: 1,
		Children: []*cluster.QueueSpec{
			{Name: "prod", Parent: true, Weight: 1, Guaranteed: cores(1600), Children: []*cluster.QueueSpec{
				leaf("live", 1, cores(1000), nil), leaf("night", 2, nil, nil),
			}},
			leaf("lab", 3, nil, nil),
			leaf("play", 1, cores(100), cores(700)),
			{Name: "teams", Parent: true, Weight: 2, Children: []*cluster.QueueSpec{
				leaf("a", 1, cores(200), nil), leaf("b", 1, nil, nil), leaf("c", 4, nil, cores(900)),
			}},
		},
	}}
}

var dayLeaves = []string{"root.prod.live", "root.prod.night", "root.lab", "root.play", "root.teams.a", "root.teams.b", "root.teams.c"}

// day is a core whose pods run for a time and end.
type day struct {
	t       *testing.T
	rng     *rand.Rand
	core    *core.Core
	now     time.Time
	events  []core.Event
	running endings
	pods    map[types.UID]*cluster.PodFact
	// waiting and live are the pods of each leaf that are pending, and all of them; wanted is the leaf's demand in cores.
	waiting map[string][]*cluster.PodFact
	live    map[string]int64
	wanted  map[string]int64
	serial  int

	ended, samples, short int
}

func newDay(t *testing.T) *day {
	d := &day{
		t: t, rng: rand.New(rand.NewPCG(7, 7)), core: core.New(core.Config{}), now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC),
		pods: map[types.UID]*cluster.PodFact{}, waiting: map[string][]*cluster.PodFact{}, live: map[string]int64{}, wanted: map[string]int64{},
	}
	d.events = append(d.events, core.Lead{On: true}, core.QueuesSet{Tree: dayTree()})
	for i := range dayNodes {
		d.events = append(d.events, core.NodeSet{Node: &cluster.NodeFact{
			Name: fmt.Sprintf("n%03d", i), UID: types.UID(fmt.Sprint("n", i)),
			Allocatable: resource.Amounts{{Name: "cpu", Value: dayCores * 1000}, {Name: "pods", Value: 110}},
		}})
	}
	return d
}

// newDemand draws every leaf's demand: none, little, or more than it can have.
func (d *day) newDemand() {
	for _, leaf := range dayLeaves {
		d.wanted[leaf] = []int64{0, 100, 500, 1500, 4000}[d.rng.IntN(5)]
		d.withdraw(leaf)
		d.submit(leaf)
	}
}

// withdraw deletes waiting pods that are no longer wanted.
func (d *day) withdraw(leaf string) {
	for d.live[leaf] > d.wanted[leaf] {
		list := d.waiting[leaf]
		for len(list) > 0 && d.pods[list[len(list)-1].UID] == nil {
			list = list[:len(list)-1]
		}
		if len(list) == 0 {
			d.waiting[leaf] = nil
			return // what runs is let run
		}
		p := list[len(list)-1]
		d.waiting[leaf] = list[:len(list)-1]
		if p.Node == "" {
			d.drop(p)
		}
	}
}

// submit creates pods up to the leaf's demand.
func (d *day) submit(leaf string) {
	for d.live[leaf] < d.wanted[leaf] {
		d.serial++
		p := &cluster.PodFact{
			UID: types.UID(fmt.Sprint("p", d.serial)), Name: fmt.Sprint("p", d.serial), Namespace: "day", Ours: true, Created: d.now,
			Demand: &cluster.Demand{Key: "two cores", Requests: resource.Amounts{{Name: "cpu", Value: podCores * 1000}}},
			Claim:  &cluster.Claim{App: fmt.Sprint(leaf, d.serial/20), Queue: leaf, QueueFrom: "label"},
		}
		d.pods[p.UID] = p
		d.waiting[leaf] = append(d.waiting[leaf], p)
		d.live[leaf] += podCores
		d.events = append(d.events, core.PodSet{Pod: p})
	}
}

func (d *day) drop(p *cluster.PodFact) {
	delete(d.pods, p.UID)
	d.live[p.Claim.Queue] -= podCores
	d.events = append(d.events, core.PodGone{UID: p.UID})
}

// pass lets time go by: pods end, are replaced, and the core decides.
func (d *day) pass(by time.Duration) {
	for end := d.now.Add(by); d.now.Before(end); d.now = d.now.Add(5 * time.Second) {
		for len(d.running) > 0 && !d.running[0].at.After(d.now) {
			p := heap.Pop(&d.running).(ending).pod
			d.ended++
			d.drop(p)
			d.submit(p.Claim.Queue)
		}
		d.step()
	}
}

func (d *day) step() {
	for first := true; first || len(d.events) > 0; first = false {
		events := d.events
		d.events = nil
		for _, e := range d.core.Step(d.now, events) {
			if b, ok := e.(core.Bind); ok {
				d.bind(b)
			}
		}
	}
}

func (d *day) bind(b core.Bind) {
	bound := *d.pods[b.Pod.UID]
	bound.Node = b.Node
	d.pods[bound.UID] = &bound
	life := time.Duration(1+d.rng.Int64N(int64(longest/time.Second))) * time.Second
	heap.Push(&d.running, ending{d.now.Add(life), &bound})
	d.events = append(d.events, core.BindDone{UID: bound.UID, Node: b.Node}, core.PodSet{Pod: &bound})
}

// deviation is the largest difference between what a queue uses and its fair share, as a part of the capacity.
func (d *day) deviation() (most float64, queue string) {
	d.samples++
	var look func(core.QueueStatus)
	look = func(q core.QueueStatus) {
		for _, r := range q.Resources {
			if r.Name != "cpu" {
				continue
			}
			if off := math.Abs(float64(r.Used-r.Fair)) / (dayNodes * dayCores * 1000); off > most {
				most, queue = off, fmt.Sprintf("%s uses %d of its fair share of %d, %d pending", q.Name, r.Used, r.Fair, r.Pending)
			}
			if q.Leaf && r.Pending > 0 {
				d.short++
			}
		}
		for _, c := range q.Children {
			look(c)
		}
	}
	look(d.core.Queues().Root)
	return most, queue
}

// ending is when a pod ends.
type ending struct {
	at  time.Time
	pod *cluster.PodFact
}

type endings []ending

func (e endings) Len() int { return len(e) }
func (e endings) Less(i, j int) bool {
	return e[i].at.Before(e[j].at) || e[i].at.Equal(e[j].at) && e[i].pod.UID < e[j].pod.UID
}
func (e endings) Swap(i, j int) { e[i], e[j] = e[j], e[i] }
func (e *endings) Push(x any)   { *e = append(*e, x.(ending)) }
func (e *endings) Pop() any {
	last := (*e)[len(*e)-1]
	*e = (*e)[:len(*e)-1]
	return last
}
