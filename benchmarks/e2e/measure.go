package e2e

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/sluice-scheduler/sluice/benchmarks/stand"
	"github.com/sluice-scheduler/sluice/kubemark/local"
)

// Measurement is one run of one contender.
type Measurement struct {
	Scheduler string `json:"scheduler"`
	Round     int    `json:"round"`
	Mode      Mode   `json:"mode"`
	// Pods is how many it had to place.
	Pods int `json:"pods"`
	// PerSecond is the pods bound per second, from the first bind to the last.
	PerSecond float64 `json:"podsPerSecond,omitempty"`
	// P50 and P99 are milliseconds from created to bound; in mode "before", from the start of the process to bound.
	P50 float64 `json:"p50Millis"`
	P99 float64 `json:"p99Millis"`
	// FirstBind is the seconds from the start of the process (before), or from the first pod created, to the first bind.
	FirstBind float64 `json:"firstBindSeconds"`
	// AtLastBind is what the process had used when the last pod was bound.
	AtLastBind stand.Usage `json:"atLastBind"`
	// AtLastEvent is the same when the last Scheduled event was stored; nil for those who do not write one for each pod.
	AtLastEvent *stand.Usage `json:"atLastEvent,omitempty"`
	// EventsAfter is how many seconds after the last bind that was.
	EventsAfter float64 `json:"eventsAfterSeconds,omitempty"`
	// Events is how many Scheduled events there are in the end.
	Events int `json:"events"`
	// Resumed is how often the observer's watch was ended and resumed.
	Resumed int `json:"observerResumed,omitempty"`
	// System is the CPU seconds that control plane, scheduler and observer used together, until the last pod was bound. Where CPU is what is short, this
	// decides about speed, and what else the machine does hardly changes it.
	System float64 `json:"systemCPUSeconds"`
	// Foreign is the share of the machine's CPU time that went to others while binds went on, from 0 to 1.
	Foreign float64 `json:"foreignCPU"`
	// Curve is at which second the pods were bound: one point for each hundredth of them, from the start of the process or the first pod created.
	Curve []float64 `json:"curve,omitempty"`
}

// measure runs one contender on a control plane of its own.
func measure(ctx context.Context, c stand.Contender, w Workload, mode Mode, o Options) (m Measurement, err error) {
	s, err := newStand(ctx, w, o)
	if err != nil {
		return m, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	t := &trial{Stand: s, contender: c, w: w, o: o, m: Measurement{Scheduler: c.Name, Mode: mode, Pods: w.ToPlace()}}
	switch mode {
	case Before:
		err = t.before(ctx)
	case While:
		err = t.while(ctx)
	default:
		err = t.quiet(ctx)
	}
	return t.m, err
}

// newStand starts a control plane with the nodes of a workload.
func newStand(ctx context.Context, w Workload, o Options) (*stand.Stand, error) {
	s, err := stand.New(ctx, stand.Options{Controllers: stand.FewControllers, Namespaces: []string{namespace}, Progress: o.Progress})
	if err != nil {
		return nil, err
	}
	err = s.CreateNodes(ctx, w.NodeObjects())
	if err == nil && w.Hollow > 0 {
		_, err = s.Cluster.AddHollow(ctx, local.HollowOptions{Count: w.Hollow})
	}
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// trial is a measurement under way.
type trial struct {
	*stand.Stand
	contender stand.Contender
	w         Workload
	o         Options
	m         Measurement

	observer *observer
	runner   *stand.Runner
	// from is the start of the clock, see Measurement.FirstBind.
	from time.Time
	load stand.Load
}

// before creates all pods and then starts the scheduler.
func (t *trial) before(ctx context.Context) (err error) {
	pods, err := t.w.Seated()
	if err != nil {
		return err
	}
	if err := t.CreatePods(ctx, pods); err != nil {
		return err
	}
	if err := stand.Settle(ctx); err != nil {
		return err
	}
	if t.observer, err = observe(ctx, t.Cluster.RESTConfig()); err != nil {
		return err
	}
	defer t.observer.close()
	if t.load, err = stand.ReadLoad(); err != nil {
		return err
	}
	t.from = time.Now()
	if t.runner, err = t.Start(ctx, t.contender, stand.Program{Binary: t.o.Sluice, Config: t.o.SluiceConfig}); err != nil {
		return err
	}
	defer t.stop()
	t.profile(ctx)
	return t.finish(ctx)
}

// while starts the scheduler, waits until it has read the cluster, and then creates the pods.
func (t *trial) while(ctx context.Context) error {
	if err := t.startReady(ctx); err != nil {
		return err
	}
	defer t.stop()
	defer t.observer.close()
	pods := t.w.PodObjects()
	var err error
	if t.load, err = stand.ReadLoad(); err != nil {
		return err
	}
	t.profile(ctx)
	t.from = time.Now()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	created := make(chan struct{})
	go func() {
		defer close(created)
		if err := t.CreatePods(ctx, pods); err != nil {
			cancel(err)
		}
	}()
	err = t.finish(ctx)
	<-created
	return err
}

// startReady starts the scheduler and the observer and waits until all is quiet.
func (t *trial) startReady(ctx context.Context) (err error) {
	if err := stand.Settle(ctx); err != nil {
		return err
	}
	if t.runner, err = t.Start(ctx, t.contender, stand.Program{Binary: t.o.Sluice, Config: t.o.SluiceConfig}); err != nil {
		return err
	}
	wait, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	if err = t.runner.Ready(wait); err == nil {
		err = stand.Settle(ctx)
	}
	if err == nil {
		t.observer, err = observe(ctx, t.Cluster.RESTConfig())
	}
	if err != nil {
		t.stop()
	}
	return err
}

// stop ends the scheduler.
func (t *trial) stop() {
	if graceful, err := t.runner.Process.Stop(20 * time.Second); err != nil || !graceful {
		fmt.Fprintf(t.o.Progress, "%s did not end by itself (%v)\n", t.contender.Name, err)
	}
}

// finish waits for the last bind, takes the figures, waits for the events, and checks all.
func (t *trial) finish(ctx context.Context) error {
	if err := t.observer.await(ctx, t.w.ToPlace(), t.runner); err != nil {
		return err
	}
	pid := t.runner.Process.Identity().PID
	var err error
	if t.m.AtLastBind, err = stand.UsageOf(pid); err != nil {
		return err
	}
	now, err := stand.ReadLoad()
	if err != nil {
		return err
	}
	t.figures(now)
	if err := t.events(ctx, pid); err != nil {
		return err
	}
	return t.check(ctx)
}

// figures computes what the observer saw.
func (t *trial) figures(now stand.Load) {
	o, m := t.observer, &t.m
	first, last := o.order[0], o.order[len(o.order)-1]
	m.Resumed = o.resumed
	m.FirstBind = first.Sub(t.from).Seconds()
	m.PerSecond = float64(len(o.order)-1) / last.Sub(first).Seconds()
	m.System, m.Foreign = stand.Own(t.load, now), stand.Foreign(t.load, now)
	waits := make([]float64, 0, len(o.bound))
	for name, at := range o.bound {
		since, ok := o.created[name]
		if !ok {
			since = t.from
		}
		waits = append(waits, at.Sub(since).Seconds()*1000)
	}
	m.P50, m.P99 = quantile(waits, 0.5), quantile(waits, 0.99)
	for i := range 101 {
		m.Curve = append(m.Curve, o.order[(len(o.order)-1)*i/100].Sub(t.from).Seconds())
	}
}

// eventsQuiet is how long no event may come before none is expected any more.
const eventsQuiet = 5 * time.Second

// events waits for the Scheduled events. Sluice must write one for each pod; how many others write is noted.
func (t *trial) events(ctx context.Context, pid int) error {
	if t.contender.InFlight > 0 {
		return nil
	}
	bound, last := time.Now(), time.Now()
	for count := 0; count < t.w.ToPlace(); {
		n, err := t.countEvents(ctx)
		if err != nil {
			return err
		}
		if n > count {
			count, last = n, time.Now()
		} else if time.Since(last) > eventsQuiet {
			t.m.Events = n
			return nil // the check complains if there must be more
		}
		if count < t.w.ToPlace() {
			time.Sleep(25 * time.Millisecond)
		}
	}
	u, err := stand.UsageOf(pid)
	if err != nil {
		return err
	}
	t.m.AtLastEvent, t.m.EventsAfter = &u, last.Sub(bound).Seconds()
	return nil
}

// countEvents asks for one event and how many there are besides.
func (t *trial) countEvents(ctx context.Context) (int, error) {
	list, err := t.Client.EventsV1().Events(namespace).List(ctx, metav1.ListOptions{Limit: 1})
	if err != nil {
		return 0, fmt.Errorf("count the events: %w", err)
	}
	n := len(list.Items)
	if list.RemainingItemCount != nil {
		n += int(*list.RemainingItemCount)
	}
	return n, nil
}

// check has every bind and event judged.
func (t *trial) check(ctx context.Context) error {
	pods, err := t.Client.CoreV1().Pods(namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		return fmt.Errorf("check the binds: %w", err)
	}
	nodes, err := t.Client.CoreV1().Nodes().List(ctx, metav1.ListOptions{})
	if err != nil {
		return fmt.Errorf("check the binds: %w", err)
	}
	if len(pods.Items) != t.w.Pods {
		return fmt.Errorf("there are %d pods instead of %d", len(pods.Items), t.w.Pods)
	}
	if t.contender.InFlight > 0 {
		return allBound(pods.Items) // it does not look where it binds
	}
	if err := Judge(nodes.Items, pods.Items); err != nil {
		return fmt.Errorf("%s: %w", t.contender.Name, err)
	}
	if t.w.Hollow > 0 {
		if err := t.awaitRunning(ctx); err != nil {
			return err
		}
	}
	events, err := t.Client.EventsV1().Events(namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		return fmt.Errorf("check the events: %w", err)
	}
	count, err := JudgeEvents(t.placed(pods.Items), events.Items)
	t.m.Events = count
	if t.contender.Name == stand.Sluice && err != nil {
		return fmt.Errorf("%s: %w", t.contender.Name, err)
	}
	return nil
}

// placed are the pods without those that had a node from the beginning.
func (t *trial) placed(pods []v1.Pod) []v1.Pod {
	seated := map[string]bool{}
	for _, p := range t.w.PodObjects()[:t.w.Bound] {
		seated[p.Name] = true
	}
	return slices.DeleteFunc(pods, func(p v1.Pod) bool { return seated[p.Name] })
}

// awaitRunning waits until the kubelets run all pods that were bound to them.
func (t *trial) awaitRunning(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, patience, fmt.Errorf("pods on hollow nodes do not all run after %v", patience))
	defer cancel()
	for {
		list, err := t.Client.CoreV1().Pods(namespace).List(ctx, metav1.ListOptions{})
		if err != nil {
			return err
		}
		running, waiting, failed := hollowPods(list.Items)
		switch {
		case len(failed) > 0 || len(t.observer.rejected) > 0:
			return fmt.Errorf("kubelets rejected pods: %v", append(failed, t.observer.rejected...))
		case running == 0 && waiting == 0:
			return errors.New("no pod was bound to a hollow node")
		case waiting == 0:
			fmt.Fprintf(t.o.Progress, "%d pods run on hollow kubelets, none was rejected\n", running)
			return nil
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(time.Second):
		}
	}
}

func hollowPods(pods []v1.Pod) (running, waiting int, failed []string) {
	for i := range pods {
		p := &pods[i]
		switch {
		case len(p.Spec.NodeName) < 6 || p.Spec.NodeName[:6] != "hollow":
		case p.Status.Phase == v1.PodRunning:
			running++
		case p.Status.Phase == v1.PodPending:
			waiting++
		default:
			failed = append(failed, p.Name+": "+p.Status.Reason)
		}
	}
	return running, waiting, failed
}

// quantile is the nearest rank of q among the values.
func quantile(values []float64, q float64) float64 {
	if len(values) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(values))
	return sorted[int(q*float64(len(sorted)-1)+0.5)]
}

// sortedKeys are the keys of a map in order.
func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
