package trace

import (
	"cmp"
	"container/heap"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"time"
)

// Player replays a trace: it is told who comes and who leaves, and says, time by time, who got a node. It keeps who waits by its own queue.
type Player interface {
	// Come tells of a pod that is new at that time after the start.
	Come(name string, d Demand, at time.Duration)
	// Leave tells of a placed pod that has ended.
	Leave(name string)
	// Settle places what can be placed at that time.
	Settle(at time.Duration) ([]Placement, error)
}

// Faster returns the trace with its tasks coming so many times as fast; they live as long as before.
func (t *Trace) Faster(factor float64) *Trace {
	quick := *t
	quick.Tasks = slices.Clone(t.Tasks)
	for i := range quick.Tasks {
		quick.Tasks[i].Created = time.Duration(float64(quick.Tasks[i].Created) / factor)
	}
	return &quick
}

// Jitter returns the trace with every task coming up to so much earlier or later, drawn by the seed, so that a replay is not a single sample. Seed 1 leaves
// the trace as it is.
func (t *Trace) Jitter(most time.Duration, seed uint64) *Trace {
	shaken := *t
	if seed == 1 || most == 0 {
		return &shaken
	}
	rng := rand.New(rand.NewPCG(seed, 3))
	shaken.Tasks = slices.Clone(t.Tasks)
	for i := range shaken.Tasks {
		by := time.Duration((2*rng.Float64() - 1) * float64(most)).Round(time.Second)
		shaken.Tasks[i].Created = max(0, shaken.Tasks[i].Created+by)
	}
	return &shaken
}

// Waited is how long tasks waited, in seconds.
type Waited struct {
	Mean, P50, P90, P99, Max float64
	// Delayed is how many waited at all, Never how many got no node although everybody else had left.
	Delayed, Never int
}

// Replay lets the tasks come at their times and leave when their life is over, counted from when they got a node.
func Replay(t *Trace, p Player) (*Waited, error) {
	ledger, left := NewLedger(t.Machines), &departures{}
	tasks := slices.Clone(t.Tasks)
	slices.SortStableFunc(tasks, func(a, b Task) int { return cmp.Compare(a.Created, b.Created) })
	byName := map[string]*Task{}
	var waits []time.Duration
	for next := 0; next < len(tasks) || left.Len() > 0; {
		at := time.Duration(math.MaxInt64)
		if next < len(tasks) {
			at = tasks[next].Created
		}
		if left.Len() > 0 {
			at = min(at, (*left)[0].at)
		}
		for left.Len() > 0 && (*left)[0].at == at {
			d := heap.Pop(left).(departure)
			ledger.Take(d.task.Demand, d.node)
			p.Leave(d.task.Name)
		}
		for ; next < len(tasks) && tasks[next].Created == at; next++ {
			byName[tasks[next].Name] = &tasks[next]
			p.Come(tasks[next].Name, tasks[next].Demand, at)
		}
		placed, err := p.Settle(at)
		if err != nil {
			return nil, err
		}
		for _, b := range placed {
			task := byName[b.Pod]
			if err := ledger.Put(task.Demand, b.Node); err != nil {
				return nil, fmt.Errorf("at %v: %w", at, err)
			}
			waits = append(waits, at-task.Created)
			heap.Push(left, departure{at + task.Life, task, b.Node})
		}
	}
	return waited(waits, len(tasks)), nil
}

func waited(waits []time.Duration, tasks int) *Waited {
	w := &Waited{Never: tasks - len(waits)}
	if len(waits) == 0 {
		return w
	}
	slices.Sort(waits)
	at := func(q float64) float64 { return waits[int(q*float64(len(waits)-1))].Seconds() }
	for _, d := range waits {
		w.Mean += d.Seconds() / float64(len(waits))
		if d > 0 {
			w.Delayed++
		}
	}
	w.P50, w.P90, w.P99, w.Max = at(0.5), at(0.9), at(0.99), at(1)
	return w
}

// departure is the end of a task.
type departure struct {
	at   time.Duration
	task *Task
	node string
}

// departures is a heap, the soonest first; equal times go by name.
type departures []departure

func (h departures) Len() int { return len(h) }

func (h departures) Less(i, j int) bool {
	return cmp.Or(cmp.Compare(h[i].at, h[j].at), cmp.Compare(h[i].task.Name, h[j].task.Name)) < 0
}

func (h departures) Swap(i, j int) { h[i], h[j] = h[j], h[i] }
func (h *departures) Push(x any)   { *h = append(*h, x.(departure)) }

func (h *departures) Pop() any {
	last := (*h)[len(*h)-1]
	*h = (*h)[:len(*h)-1]
	return last
}

// Queued is kube-scheduler's queue over Upstream for pods of one priority: first come, first tried. Who does not fit lets the next one try, and is tried
// again whenever a pod has left. Backoff is left out, in its favour.
type Queued struct {
	*Upstream
	waiting []Placement
	demand  map[string]Demand
	// fresh is where the pods begin that have not been tried; freed says that somebody left.
	fresh int
	freed bool
	err   error
}

// NewQueued returns an empty queue.
func NewQueued(u *Upstream) *Queued { return &Queued{Upstream: u, demand: map[string]Demand{}} }

// Come puts a pod at the end of the queue.
func (q *Queued) Come(name string, d Demand, _ time.Duration) {
	q.demand[name] = d
	q.waiting = append(q.waiting, Placement{Pod: name})
}

// Leave takes a placed pod away.
func (q *Queued) Leave(name string) {
	delete(q.demand, name)
	q.freed = true
	if err := q.Remove(name); err != nil && q.err == nil {
		q.err = err
	}
}

// Settle tries who is new and, if somebody left, everybody. Of equal demands only the first that fails is tried: room does not grow meanwhile.
func (q *Queued) Settle(time.Duration) (placed []Placement, err error) {
	first := q.fresh
	if q.freed {
		first = 0
	}
	failed := map[Demand]bool{}
	still := q.waiting[:first]
	for _, w := range q.waiting[first:] {
		d := q.demand[w.Pod]
		if !failed[d] && q.err == nil {
			w.Node, q.err = q.Place(w.Pod, d)
		}
		if w.Node == "" {
			failed[d] = true
			still = append(still, w)
			continue
		}
		placed = append(placed, w)
	}
	q.waiting, q.fresh, q.freed = still, len(still), false
	return placed, q.err
}
