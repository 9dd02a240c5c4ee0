package flink

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	v1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/sluice-scheduler/sluice/benchmarks/stand"
	"github.com/sluice-scheduler/sluice/kubemark/simnode"
)

// The figures of the stream.
const (
	figureStarts  = "seconds until the gang has started"
	figureBeyond  = "seconds beyond starvationAfter and the longest one-pod job"
	figureSmall   = "one-pod jobs started per second meanwhile"
	streamNodeCPU = 8
	// streamAhead is how many one-pod jobs wait at any time.
	streamAhead = 200
	// streamLeast and streamMost are how long they run.
	streamLeast, streamMost = 10 * time.Second, 20 * time.Second
)

// stream is a case: a cluster full of one-pod jobs, more of which come as fast as they are taken, and one gang that needs most of the cluster.
type stream struct{}

func (stream) name() string { return "stream" }

// flow makes one-pod jobs so that always as many wait, and deletes those that have ended.
type flow struct {
	t             *trial
	created       atomic.Int64
	started, over atomic.Int64
	ended         chan string
	// bound are those that have a node and have not ended; only see touches it.
	bound map[string]bool
}

func (c stream) measure(ctx context.Context, who stand.Contender, o Options) (m Measurement, err error) {
	nodes := (o.StreamGang*8/5 + streamNodeCPU - 1) / streamNodeCPU
	t, err := o.open(ctx, who, nodes, streamNodeCPU)
	if err != nil {
		return m, err
	}
	defer func() { err = errors.Join(err, t.close()) }()
	config := ""
	if who.Name == stand.Sluice {
		config = fmt.Sprintf("starvationAfter: %s\n", o.StarvationAfter)
	}
	if err := t.start(ctx, config); err != nil {
		return m, err
	}
	f := &flow{t: t, ended: make(chan string, 1<<16), bound: map[string]bool{}}
	running, stop := context.WithCancel(ctx)
	flowing := make(chan error, 1)
	go func() { flowing <- f.run(running) }()
	t.undo = append(t.undo, func() error { stop(); return <-flowing })

	room := int64(nodes * streamNodeCPU)
	full, err := t.follow(ctx, patience, f.see, func() bool { return f.started.Load()-f.over.Load() >= room*95/100 && f.over.Load() > 0 })
	if err == nil && !full {
		err = fmt.Errorf("the cluster did not fill up within %v", patience)
	}
	if err != nil {
		return m, err
	}
	if err := c.gang(ctx, t, f); err != nil {
		return m, err
	}
	return m, t.finish(&m)
}

// gang creates the gang and waits until all of it is bound, or for the horizon.
func (c stream) gang(ctx context.Context, t *trial, f *flow) error {
	pods := c.pods(t.o.StreamGang)
	from, before := time.Now(), f.started.Load()
	if err := t.CreatePods(ctx, pods); err != nil {
		return err
	}
	bound := map[string]bool{}
	var last time.Time
	reached, err := t.follow(ctx, t.o.StreamHorizon, func(s sighting) {
		if s.pod.Labels["app"] != "gang" {
			f.see(s)
		} else if s.pod.Spec.NodeName != "" && !bound[s.pod.Name] {
			bound[s.pod.Name], last = true, s.at
		}
	}, func() bool { return len(bound) == len(pods) })
	if err != nil {
		return err
	}
	if !reached {
		last = time.Now()
		fmt.Fprintf(t.o.Progress, "%s: %d of %d pods of the gang are bound after %v\n", t.who.Name, len(bound), len(pods), t.o.StreamHorizon)
	}
	took := last.Sub(from)
	t.figures[figureStarts] = took.Seconds()
	t.figures[figureBeyond] = (took - t.o.StarvationAfter - streamMost).Seconds()
	t.figures[figureSmall] = float64(f.started.Load()-before) / took.Seconds()
	return nil
}

func (c stream) pods(n int) (pods []*v1.Pod) {
	for i := range n {
		p := onePod(fmt.Sprintf("gang-%03d", i), "gang")
		p.Annotations = map[string]string{groupAnnotation: "gang", minAnnotation: fmt.Sprint(n)}
		pods = append(pods, p)
	}
	return pods
}

func onePod(name, app string) *v1.Pod {
	p := &v1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name, Labels: map[string]string{"app": app}}}
	p.Spec.SchedulerName, p.Spec.RestartPolicy = stand.SchedulerName, v1.RestartPolicyNever
	p.Spec.Containers = []v1.Container{container(1000)}
	return p
}

// see counts what the observer saw of one-pod jobs.
func (f *flow) see(s sighting) {
	name := s.pod.Name
	switch {
	case s.gone && f.bound[name]:
		delete(f.bound, name)
		f.over.Add(1)
		f.ended <- name
	case !s.gone && s.pod.Spec.NodeName != "" && !f.bound[name]:
		f.bound[name] = true
		f.started.Add(1)
	}
}

// run keeps the stream flowing until the context ends.
func (f *flow) run(ctx context.Context) error {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		if err := errors.Join(f.more(ctx), f.clear(ctx)); err != nil && ctx.Err() == nil {
			return fmt.Errorf("keep one-pod jobs coming: %w", err)
		}
	}
}

// more makes as many as are missing.
func (f *flow) more(ctx context.Context) error {
	missing := streamAhead - (f.created.Load() - f.started.Load())
	var pods []*v1.Pod
	for range missing {
		n := f.created.Add(1)
		p := onePod(fmt.Sprintf("one-%06d", n), fmt.Sprintf("one-%06d", n))
		runs := streamLeast + time.Duration(n*7919%1000)*(streamMost-streamLeast)/1000
		p.Annotations = map[string]string{simnode.RunFor: runs.String()}
		pods = append(pods, p)
	}
	return f.t.CreatePods(ctx, pods)
}

// clear deletes those that have ended.
func (f *flow) clear(ctx context.Context) error {
	for {
		select {
		case name := <-f.ended:
			err := f.t.Client.CoreV1().Pods(namespace).Delete(ctx, name, metav1.DeleteOptions{GracePeriodSeconds: new(int64)})
			if err != nil && !apierrors.IsNotFound(err) {
				return err
			}
		default:
			return nil
		}
	}
}
