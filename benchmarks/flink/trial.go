package flink

import (
	"context"
	"errors"
	"fmt"
	"time"

	v1 "k8s.io/api/core/v1"

	"github.com/sluice-scheduler/sluice/benchmarks/stand"
	"github.com/sluice-scheduler/sluice/kubemark/simnode"
)

// trial is one measurement of one contender under way, on a control plane of its own.
type trial struct {
	*stand.Stand
	o        Options
	who      stand.Contender
	runner   *stand.Runner
	observer *observer
	load     stand.Load
	// refused are pods that a kubelet did not take.
	refused int
	figures map[string]float64
	undo    []func() error
}

// The figures of every case: CPU seconds hardly change with what else the machine does.
const (
	figureCPU    = "CPU seconds of the scheduler"
	figureAllCPU = "CPU seconds of control plane, nodes, Flink and scheduler"
)

// open starts a control plane with nodes.
func (o Options) open(ctx context.Context, who stand.Contender, nodes int, cpu int) (t *trial, err error) {
	s, err := stand.New(ctx, stand.Options{Namespaces: []string{namespace}, Progress: o.Progress})
	if err != nil {
		return nil, err
	}
	t = &trial{Stand: s, o: o, who: who, figures: map[string]float64{}}
	t.undo = append(t.undo, s.Close)
	group := simnode.Group{Name: "node", Count: nodes, CPU: fmt.Sprint(cpu), Memory: "512Gi", Pods: 250}
	if _, err := s.Cluster.Simulate(ctx, simnode.Options{Groups: []simnode.Group{group}, NoHeartbeats: true}); err != nil {
		return nil, errors.Join(err, t.close())
	}
	return t, nil
}

// start runs the contender, waits until it has read the cluster and all is quiet, and begins to observe.
func (t *trial) start(ctx context.Context, config string) (err error) {
	if err := t.run(ctx, config); err != nil {
		return err
	}
	wait, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	if err := t.runner.Ready(wait); err != nil {
		return err
	}
	if err := stand.Settle(ctx); err != nil {
		return err
	}
	return t.observe(ctx)
}

// run starts the contender and does not wait.
func (t *trial) run(ctx context.Context, config string) (err error) {
	p := stand.Program{Binary: t.o.Sluice}
	if config != "" {
		p.Config = "leaderElection: {enabled: false}\n" + config
	}
	if t.runner, err = t.Start(ctx, t.who, p); err != nil {
		return err
	}
	t.undo = append(t.undo, func() error {
		if graceful, err := t.runner.Process.Stop(20 * time.Second); err != nil || !graceful {
			fmt.Fprintf(t.o.Progress, "%s did not end by itself (%v)\n", t.who.Name, err)
		}
		return nil
	})
	return nil
}

// observe begins to watch, and notes how busy the machine has been.
func (t *trial) observe(ctx context.Context) (err error) {
	ctx, stop := context.WithCancel(ctx)
	if t.observer, err = observe(ctx, t.Cluster.RESTConfig()); err != nil {
		stop()
		return err
	}
	t.undo = append(t.undo, func() error { stop(); return nil })
	t.load, err = stand.ReadLoad()
	return err
}

// follow hands every sighting to see until it is enough, at most so long; not reached is no fault.
func (t *trial) follow(ctx context.Context, within time.Duration, see func(sighting), enough func() bool) (reached bool, err error) {
	reached, err = t.observer.follow(ctx, within, t.runner.Process.Done(), func(s sighting) {
		if s.pod.Status.Phase == v1.PodFailed && s.pod.Status.Reason != "" {
			t.refused++
		}
		see(s)
	}, enough)
	if err != nil && !t.runner.Process.Running() {
		err = errors.Join(err, t.runner.Process.Failure())
	}
	return reached, err
}

// finish takes what is common to all cases.
func (t *trial) finish(m *Measurement) error {
	now, err := stand.ReadLoad()
	if err != nil {
		return err
	}
	used, err := stand.UsageOf(t.runner.Process.Identity().PID)
	if err != nil {
		return err
	}
	m.Foreign = stand.Foreign(t.load, now)
	t.figures[figureCPU], t.figures[figureAllCPU] = used.CPU, stand.Own(t.load, now)
	t.figures[figureRefused] = float64(t.refused)
	m.Figures = t.figures
	return nil
}

// close ends everything, the last first.
func (t *trial) close() (err error) {
	for i := len(t.undo) - 1; i >= 0; i-- {
		err = errors.Join(err, t.undo[i]())
	}
	return err
}
