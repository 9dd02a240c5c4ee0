package flink

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/sluice-scheduler/sluice/benchmarks/stand"
	"github.com/sluice-scheduler/sluice/kubemark/flink"
	"github.com/sluice-scheduler/sluice/pkg/manifest"
)

// namespace holds all jobs and pods.
const namespace = "default"

// flinkJob is a streaming job of the benchmark.
type flinkJob struct {
	name string
	size jobSize
	// slotTimeout is how long it waits for its slots.
	slotTimeout time.Duration
}

// jobsOf makes n jobs, each with a number of TaskManagers between least and most, the same for the same seed.
func jobsOf(n, least, most int, slotTimeout time.Duration, masterCPU, workerCPU int) []flinkJob {
	rng := rand.New(rand.NewPCG(uint64(n), uint64(most)))
	jobs := make([]flinkJob, n)
	for i := range jobs {
		jobs[i] = flinkJob{
			name: fmt.Sprintf("job-%03d", i), slotTimeout: slotTimeout,
			size: jobSize{taskManagers: least + rng.IntN(most-least+1), masterCPU: masterCPU, workerCPU: workerCPU},
		}
	}
	return jobs
}

// deployment is the job as its user submits it. It restarts as often as it must, a second after each failure.
func (j flinkJob) deployment() *unstructured.Unstructured {
	role := func(cpu int) map[string]any {
		return map[string]any{"resources": map[string]any{"requests": map[string]any{"cpu": fmt.Sprint(cpu), "memory": "1g"}}}
	}
	u := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "flink.apache.org/v1beta1", "kind": "FlinkDeployment",
		"metadata": map[string]any{"name": j.name, "namespace": namespace},
		"spec": map[string]any{
			"image": "flink:1.20", "flinkVersion": "v1_20", "serviceAccount": "flink",
			"flinkConfiguration": map[string]any{
				"taskmanager.numberOfTaskSlots":         "1",
				"execution.checkpointing.interval":      "60 s",
				"slot.request.timeout":                  fmt.Sprintf("%d ms", j.slotTimeout.Milliseconds()),
				"restart-strategy.type":                 "fixed-delay",
				"restart-strategy.fixed-delay.delay":    "1 s",
				"restart-strategy.fixed-delay.attempts": "1000000",
			},
			"podTemplate": map[string]any{"spec": map[string]any{"schedulerName": stand.SchedulerName}},
			"jobManager":  role(j.size.masterCPU), "taskManager": role(j.size.workerCPU),
			"job": map[string]any{"jarURI": "local:///opt/flink/job.jar", "parallelism": int64(j.size.taskManagers), "upgradeMode": "last-state"},
		},
	}}
	return u
}

// submit sends all jobs at once, one after the other.
func submit(ctx context.Context, s *stand.Stand, jobs []flinkJob) error {
	var all []manifest.Object
	for _, j := range jobs {
		all = append(all, manifest.Object{Unstructured: j.deployment()})
	}
	return flink.Apply(ctx, s.Cluster.RESTConfig(), all)
}

// simulate runs the Flink simulator until stop is called.
func simulate(ctx context.Context, s *stand.Stand) (sim *flink.Simulator, stop func() error, err error) {
	sim, err = flink.New(s.Cluster.RESTConfig(), flink.Options{Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		return nil, nil, err
	}
	if err := sim.Install(ctx); err != nil {
		return nil, nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan error, 1)
	go func() { done <- sim.Run(ctx) }()
	return sim, func() error { cancel(); return <-done }, nil
}

// states counts, over all jobs, what the simulator tells of them.
type states struct {
	running      int // RUNNING, with all TaskManagers
	slotTimeouts int
	attempts     int // the least attempt of all
}

func statesOf(sim *flink.Simulator, jobs []flinkJob) (n states) {
	n.attempts = -1
	for _, j := range jobs {
		picture, ok := sim.Job(namespace, j.name)
		if !ok {
			n.attempts = 0
			continue
		}
		if picture.State == "RUNNING" && picture.Done() {
			n.running++
		}
		n.slotTimeouts += picture.SlotTimeouts
		if n.attempts < 0 || picture.Attempt < n.attempts {
			n.attempts = picture.Attempt
		}
	}
	return n
}

// look hands a sighting of a Flink pod to the ledger.
func (l *ledger) look(s sighting) {
	job := s.pod.Labels["app"]
	l.see(job, s.pod.UID, s.pod.Labels["component"] == "taskmanager", s.pod.Spec.NodeName != "", s.gone, s.at)
}
