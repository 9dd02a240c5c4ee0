package flink

import (
	"fmt"
	"time"

	v1 "k8s.io/api/core/v1"
	apires "k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/yaml"

	"github.com/sluice-scheduler/sluice/pkg/core"
	"github.com/sluice-scheduler/sluice/pkg/sim"
)

// namespace is where all jobs live.
const namespace = "default"

// World is a cluster with Flink jobs.
type World struct {
	*sim.Cluster
	// StartAfter is how long a pod that has its node takes to run.
	StartAfter time.Duration
	// RedeployAfter is how long the operator takes, in an upgrade, from when the old cluster is gone until it deploys the new one.
	RedeployAfter time.Duration

	jobs   []*Job // in the order of their submission
	others []string
	serial int
}

// New is an empty world.
func New(cfg core.Config) *World {
	return &World{Cluster: sim.New(cfg), StartAfter: time.Second, RedeployAfter: time.Second}
}

// epoch is when the jobs' clocks begin.
var epoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func (w *World) time() time.Time { return epoch.Add(w.Now()) }

// Nodes adds n nodes of so many CPUs, with further resources as pairs of name and amount.
func (w *World) Nodes(name string, n int, cpu string, extended ...string) {
	for i := range n {
		offers := v1.ResourceList{"cpu": apires.MustParse(cpu), "memory": apires.MustParse("512Gi"), "pods": apires.MustParse("110")}
		for j := 0; j < len(extended); j += 2 {
			offers[v1.ResourceName(extended[j])] = apires.MustParse(extended[j+1])
		}
		w.SetNode(&v1.Node{ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("%s-%d", name, i+1)}, Status: v1.NodeStatus{Allocatable: offers}})
	}
}

// Pods adds n pods of no job, each with so many CPUs.
func (w *World) Pods(name string, n int, cpu string) {
	for i := range n {
		p := &v1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: fmt.Sprintf("%s-%d", name, i+1)}}
		p.Spec.SchedulerName = sim.Scheduler
		p.Spec.Containers = []v1.Container{{Name: "main", Resources: v1.ResourceRequirements{Requests: v1.ResourceList{"cpu": apires.MustParse(cpu)}}}}
		w.CreatePod(p)
		w.others = append(w.others, p.Name)
	}
}

// Bound counts the pods of no job that have a node.
func (w *World) Bound() (n int) {
	for _, name := range w.others {
		if p := w.Pod(namespace, name); p != nil && p.Spec.NodeName != "" {
			n++
		}
	}
	return n
}

// Submit submits a FlinkDeployment, as YAML.
func (w *World) Submit(manifest string) (*Job, error) {
	u := &unstructured.Unstructured{}
	if err := yaml.Unmarshal([]byte(manifest), &u.Object); err != nil {
		return nil, err
	}
	w.serial++
	u.SetNamespace(namespace)
	u.SetUID(types.UID(fmt.Sprintf("flinkdeployment-%d", w.serial)))
	u.SetGeneration(1)
	j := &Job{world: w, cr: u, pods: map[string]time.Time{}}
	if err := j.resolve(); err != nil {
		return nil, err
	}
	w.jobs = append(w.jobs, j)
	return j, nil
}

// Play lets time pass. Everything that is due at one time is done before time goes on.
func (w *World) Play(d time.Duration) error {
	for end := w.Now() + d; ; {
		if err := w.Run(0); err != nil {
			return err
		}
		next, moved, err := w.turn()
		if err != nil {
			return err
		}
		if moved {
			continue
		}
		if at, ok := w.Core.Wake(); ok {
			next = earlier(next, at.Sub(epoch))
		}
		if next < 0 || next > end {
			w.Sleep(end - w.Now())
			return w.Run(0)
		}
		w.Sleep(max(next-w.Now(), 0))
	}
}

// turn lets every job do what is due, and says when more is; negative: nothing.
func (w *World) turn() (next time.Duration, moved bool, err error) {
	next = -1
	for _, j := range w.jobs {
		at, did, err := j.turn()
		if err != nil {
			return 0, false, err
		}
		moved = moved || did
		next = earlier(next, at)
	}
	return next, moved, nil
}

// earlier is the earlier of two times, of which a negative one is none.
func earlier(a, b time.Duration) time.Duration {
	if a < 0 || b >= 0 && b < a {
		return b
	}
	return a
}
