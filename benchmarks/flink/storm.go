package flink

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/sluice-scheduler/sluice/benchmarks/stand"
)

// The figures of a storm.
const (
	figureAllRun   = "seconds until all jobs run"
	figureAllAgain = "seconds until all run again"
	figureP50      = "p50 ms from created to bound"
	figureP99      = "p99 ms from created to bound"
)

// storm is a case: many jobs come at once, and again when all of their pods are gone at once. There is room for all.
type storm struct{}

func (storm) name() string { return "storm" }

const (
	stormLeast   = 8
	stormNodeCPU = 32
	// stormPods is how many pods there are to a node: even dealt in turn, as the ceiling does, they have room.
	stormPods = 16
	// patience is after how long a measurement has failed.
	patience = 10 * time.Minute
)

func (c storm) measure(ctx context.Context, who stand.Contender, o Options) (m Measurement, err error) {
	jobs := jobsOf(o.StormJobs, min(stormLeast, o.StormMost), o.StormMost, 5*time.Minute, 1, 1)
	pods := 0
	for _, j := range jobs {
		pods += 1 + j.size.taskManagers
	}
	t, err := o.open(ctx, who, (pods+stormPods-1)/stormPods, stormNodeCPU)
	if err != nil {
		return m, err
	}
	defer func() { err = errors.Join(err, t.close()) }()
	sim, stop, err := simulate(ctx, t.Stand)
	if err != nil {
		return m, err
	}
	t.undo = append(t.undo, stop)
	if err := t.start(ctx, ""); err != nil {
		return m, err
	}
	waits := newWaits()
	allRun := func(attempt int) error {
		from := time.Now()
		reached, err := t.follow(ctx, patience, waits.see, func() bool {
			s := statesOf(sim, jobs)
			return s.running == len(jobs) && s.attempts >= attempt
		})
		switch {
		case err != nil:
			return err
		case !reached:
			return fmt.Errorf("%d of %d jobs run after %v", statesOf(sim, jobs).running, len(jobs), patience)
		}
		t.figures[map[int]string{1: figureAllRun, 2: figureAllAgain}[attempt]] = time.Since(from).Seconds()
		return nil
	}
	if err := submitted(ctx, t, jobs, func() error { return allRun(1) }); err != nil {
		return m, err
	}
	if err := deleted(ctx, t, func() error { return allRun(2) }); err != nil {
		return m, err
	}
	t.figures[figureTimeouts] = float64(statesOf(sim, jobs).slotTimeouts)
	t.figures[figureP50], t.figures[figureP99] = quantile(waits.millis, 0.5), quantile(waits.millis, 0.99)
	return m, t.finish(&m)
}

// submitted submits the jobs while then waits for them.
func submitted(ctx context.Context, t *trial, jobs []flinkJob, then func() error) error {
	sent := make(chan error, 1)
	go func() { sent <- submit(ctx, t.Stand, jobs) }()
	return errors.Join(then(), <-sent)
}

// deleted deletes all pods at once, as if every node had been lost, while then waits for the jobs to run again.
func deleted(ctx context.Context, t *trial, then func() error) error {
	list, err := t.Client.CoreV1().Pods(namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		return fmt.Errorf("list the pods: %w", err)
	}
	now := int64(0)
	sent := make(chan error, 1)
	go func() {
		sent <- stand.Each(len(list.Items), func(i int) error {
			p := &list.Items[i]
			return t.Client.CoreV1().Pods(p.Namespace).Delete(ctx, p.Name, metav1.DeleteOptions{
				GracePeriodSeconds: &now, Preconditions: &metav1.Preconditions{UID: &p.UID},
			})
		})
	}()
	err = then()
	if failed := <-sent; failed != nil {
		fmt.Fprintln(t.o.Progress, "a pod was gone before it was deleted:", failed)
	}
	return err
}

// waits are how long pods waited for their nodes, from when the observer first saw them.
type waits struct {
	created map[types.UID]time.Time
	millis  []float64
}

func newWaits() *waits { return &waits{created: map[types.UID]time.Time{}} }

func (w *waits) see(s sighting) {
	since, known := w.created[s.pod.UID]
	switch {
	case !known:
		w.created[s.pod.UID] = s.at
	case s.pod.Spec.NodeName != "" && !since.IsZero():
		w.millis = append(w.millis, float64(s.at.Sub(since).Microseconds())/1000)
		w.created[s.pod.UID] = time.Time{}
	}
}

// quantile is the nearest rank of q among the values.
func quantile(values []float64, q float64) float64 {
	if len(values) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(values))
	return sorted[int(q*float64(len(sorted)-1)+0.5)]
}
