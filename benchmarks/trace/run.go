package trace

import (
	"fmt"
	"runtime"
	"slices"
	"sync"
	"time"

	"k8s.io/kubernetes/pkg/scheduler/apis/config"

	"github.com/sluice-scheduler/sluice/pkg/core"
	"github.com/sluice-scheduler/sluice/pkg/core/order"
)

// Contender is a scheduler in one configuration.
type Contender struct {
	Name string
	// Sluice, else upstream.
	Sluice bool
	filler func(t *Trace, seed uint64) (Placer, error)
	player func(t *Trace, seed uint64) (Player, error)
}

// The orders of Sluice that take part.
const (
	// DefaultOrder is what holds without configuration; PackOrder has MostAllocated over cpu and memory in place of LeastAllocated.
	DefaultOrder = "Sluice default"
	PackOrder    = "Sluice pack"
)

// Contenders are all that take part: Sluice's orders, and upstream's two strategies with three weights for GPUs, with the default profile's
// NodeResourcesBalancedAllocation and without.
func Contenders() []Contender {
	pack := order.Default()
	pack.Name = "pack"
	pack.Evaluators = slices.Clone(pack.Evaluators)
	for i := range pack.Evaluators {
		if pack.Evaluators[i].Kind == order.LeastAllocated {
			pack.Evaluators[i].Kind = order.MostAllocated
		}
	}
	list := []Contender{sluice(DefaultOrder, order.Default()), sluice(PackOrder, pack)}
	for _, strategy := range []config.ScoringStrategyType{config.LeastAllocated, config.MostAllocated} {
		for _, weight := range []int64{1, 5, 10} {
			list = append(list, upstream(Variant{strategy, weight, false}), upstream(Variant{strategy, weight, true}))
		}
	}
	return list
}

func sluice(name string, spec order.Spec) Contender {
	set := core.OrdersSet{Orders: []order.Spec{spec}, Scarce: order.DefaultScarce()}
	return Contender{
		Name: name, Sluice: true,
		filler: func(t *Trace, _ uint64) (Placer, error) { return NewSluice(set, t.Machines), nil },
		player: func(t *Trace, _ uint64) (Player, error) { return NewSluice(set, t.Machines), nil },
	}
}

func upstream(v Variant) Contender {
	return Contender{
		Name:   v.String(),
		filler: func(t *Trace, seed uint64) (Placer, error) { return NewUpstream(v, t.Machines, seed) },
		player: func(t *Trace, seed uint64) (Player, error) {
			u, err := NewUpstream(v, t.Machines, seed)
			return NewQueued(u), err
		},
	}
}

// Series is what a contender reached, a value per seed.
type Series struct {
	Name   string               `json:"name"`
	Sluice bool                 `json:"sluice"`
	Values map[string][]float64 `json:"values"`
}

// The figures of a fill; those of a replay are in seconds.
const (
	Allocated = "allocated"
	Stranded  = "stranded"
	Free      = "free"
	Placed    = "placed"
	// AtOnce is the GPUs allocated when just as many had been asked for as there are.
	AtOnce = "allocatedAt100"

	WaitMean = "waitMean"
	WaitP50  = "waitP50"
	WaitP90  = "waitP90"
	WaitP99  = "waitP99"
	WaitMax  = "waitMax"
	Delayed  = "delayed"
	Never    = "never"
)

// Run puts all contenders to the workload, as many runs at a time as there are processors to use. Done, if set, is told of each run.
func Run(t *Trace, w *Workload, list []Contender, done func(name string, seed int)) ([]Series, error) {
	out := make([]Series, len(list))
	faults := make([]error, len(list))
	var group sync.WaitGroup
	var mutex sync.Mutex
	slots := make(chan struct{}, runtime.GOMAXPROCS(0))
	for i, c := range list {
		out[i] = Series{Name: c.Name, Sluice: c.Sluice, Values: map[string][]float64{}}
		group.Go(func() {
			for seed := 1; seed <= w.Seeds && faults[i] == nil; seed++ {
				slots <- struct{}{}
				values, err := c.run(t, w, uint64(seed))
				<-slots
				for name, v := range values {
					out[i].Values[name] = append(out[i].Values[name], v)
				}
				if err != nil {
					faults[i] = fmt.Errorf("%s, seed %d: %w", c.Name, seed, err)
				}
				mutex.Lock()
				if done != nil {
					done(c.Name, seed)
				}
				mutex.Unlock()
			}
		})
	}
	group.Wait()
	for _, err := range faults {
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// run is one run of a contender.
func (c *Contender) run(t *Trace, w *Workload, seed uint64) (map[string]float64, error) {
	if w.Kind == KindReplay {
		t = t.Jitter(time.Duration(w.JitterSeconds)*time.Second, seed).Faster(w.Faster)
		p, err := c.player(t, seed)
		if err != nil {
			return nil, err
		}
		r, err := Replay(t, p)
		if err != nil {
			return nil, err
		}
		return map[string]float64{
			WaitMean: r.Mean, WaitP50: r.P50, WaitP90: r.P90, WaitP99: r.P99, WaitMax: r.Max,
			Delayed: float64(r.Delayed), Never: float64(r.Never),
		}, nil
	}
	p, err := c.filler(t, seed)
	if err != nil {
		return nil, err
	}
	f, err := Fill(t, t.Draw(int64(w.Requested*float64(t.GPUs())), seed), p)
	if err != nil {
		return nil, err
	}
	return map[string]float64{
		Allocated: float64(f.Allocated), Stranded: float64(f.Idle[""].Stranded), Free: float64(f.Idle[""].Free),
		Placed: float64(f.Placed), AtOnce: float64(f.AtOnce),
	}, nil
}
