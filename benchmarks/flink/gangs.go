package flink

import (
	"context"
	"errors"
	"fmt"
	"time"

	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/sluice-scheduler/sluice/benchmarks/e2e"
	"github.com/sluice-scheduler/sluice/benchmarks/stand"
)

// The annotations by which pods say that they start together.
const (
	groupAnnotation = "sluice.dev/group"
	minAnnotation   = "sluice.dev/min-members"
)

// Plain is Sluice with pods that say nothing of gangs.
const Plain = "sluice-plain"

// The figures of gangs.
const (
	figurePerSecond = "pods/s"
	figureLongest   = "longest seconds a gang was bound in part"
)

// gangs is a case: pods of gangs of so many, all of which fit. They are there when the scheduler starts.
type gangs struct{ size int }

func (c gangs) name() string { return fmt.Sprintf("gangs-of-%d", c.size) }

func (c gangs) measure(ctx context.Context, who stand.Contender, o Options) (m Measurement, err error) {
	together := who.Name == stand.Sluice
	if who.Name == Plain {
		who.Name = stand.Sluice
	}
	s, err := stand.New(ctx, stand.Options{Controllers: stand.FewControllers, Namespaces: []string{namespace}, Progress: o.Progress})
	if err != nil {
		return m, err
	}
	t := &trial{Stand: s, o: o, who: who, figures: map[string]float64{}, undo: []func() error{s.Close}}
	defer func() { err = errors.Join(err, t.close()) }()
	w := e2e.Workload{Nodes: o.GangNodes, Zones: 4, Hardware: 3, TaintEvery: o.GangNodes + 2}
	if err := s.CreateNodes(ctx, w.NodeObjects()); err != nil {
		return m, err
	}
	pods, l := c.pods(o.GangPods, together)
	if err := s.CreatePods(ctx, pods); err != nil {
		return m, err
	}
	if err := stand.Settle(ctx); err != nil {
		return m, err
	}
	if err := t.observe(ctx); err != nil {
		return m, err
	}
	for _, p := range pods { // they are there already
		l.see(p.Labels["app"], types.UID(p.Name), true, false, false, time.Now())
	}
	if err := t.run(ctx, ""); err != nil {
		return m, err
	}
	if err := c.bound(ctx, t, len(pods), l); err != nil {
		return m, err
	}
	t.figures[figureLongest] = l.close(time.Now()).longest.Seconds()
	return m, errors.Join(t.finish(&m), judge(ctx, t, who))
}

// pods makes the pods, gang after gang, and a ledger of the gangs, which knows pods by their names.
func (c gangs) pods(n int, together bool) (pods []*v1.Pod, l *ledger) {
	l = newLedger()
	for i := range n {
		gang := i / c.size
		name := fmt.Sprintf("gang-%03d", gang)
		size := min(c.size, n-gang*c.size)
		l.expect(name, size)
		p := &v1.Pod{ObjectMeta: metav1.ObjectMeta{
			Namespace: namespace, Name: fmt.Sprintf("%s-%03d", name, i%c.size), Labels: map[string]string{"app": name},
		}}
		if together {
			p.Annotations = map[string]string{groupAnnotation: name, minAnnotation: fmt.Sprint(size)}
		}
		p.Spec.SchedulerName = stand.SchedulerName
		p.Spec.Containers = []v1.Container{container(int64(100 + 50*(gang%20)))}
		pods = append(pods, p)
	}
	return pods, l
}

func container(millis int64) v1.Container {
	return v1.Container{
		Name: "main", Image: "registry.example.com/bench:1",
		Resources: v1.ResourceRequirements{Requests: v1.ResourceList{
			v1.ResourceCPU: *resource.NewMilliQuantity(millis, resource.DecimalSI), v1.ResourceMemory: resource.MustParse("256Mi"),
		}},
	}
}

// bound waits until all pods have a node.
func (c gangs) bound(ctx context.Context, t *trial, n int, l *ledger) error {
	var first, last time.Time
	bound := map[string]bool{}
	reached, err := t.follow(ctx, patience, func(s sighting) {
		if s.pod.Spec.NodeName == "" || bound[s.pod.Name] {
			return
		}
		bound[s.pod.Name], last = true, s.at
		if first.IsZero() {
			first = s.at
		}
		l.see(s.pod.Labels["app"], types.UID(s.pod.Name), true, true, false, s.at)
	}, func() bool { return len(bound) == n })
	if err == nil && !reached {
		err = fmt.Errorf("%d of %d pods are bound after %v", len(bound), n, patience)
	}
	if err != nil {
		return err
	}
	t.figures[figurePerSecond] = float64(n-1) / last.Sub(first).Seconds()
	return nil
}

// judge has every bind of a scheduler judged by a plain check.
func judge(ctx context.Context, t *trial, who stand.Contender) error {
	if who.InFlight > 0 {
		return nil
	}
	pods, err := t.Client.CoreV1().Pods(namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		return fmt.Errorf("check the binds: %w", err)
	}
	nodes, err := t.Client.CoreV1().Nodes().List(ctx, metav1.ListOptions{})
	if err != nil {
		return fmt.Errorf("check the binds: %w", err)
	}
	return e2e.Judge(nodes.Items, pods.Items)
}
