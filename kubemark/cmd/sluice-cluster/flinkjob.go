package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/sluice-scheduler/sluice/kubemark/flink"
	"github.com/sluice-scheduler/sluice/kubemark/flink/examples"
	"github.com/sluice-scheduler/sluice/kubemark/local"
)

// The job of the demo, as its manifest names it.
const (
	jobFile      = "orders.yaml"
	jobNamespace = "default"
	jobName      = "orders"
)

// flinkJob submits a Flink job and follows it until all of it runs.
func (d *demo) flinkJob(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, d.timeout, fmt.Errorf("waited %v", d.timeout))
	defer cancel()
	if err := d.tell.step("Flink's operator and JobManagers (simulated) watch", func() error {
		return d.startFlink(ctx)
	}); err != nil {
		return err
	}
	job, err := d.placeJob(ctx)
	if err != nil {
		return fmt.Errorf("the Flink job was not placed; see %s: %w", d.sluice.Log(), err)
	}
	s := job.Steps
	d.tell.line("✓", fmt.Sprintf("Flink job %s: JobManager %d/%d runs", jobName, job.JobManagers.Running, job.JobManagers.Wanted),
		s.JobManagerRunning.Sub(s.Submitted))
	d.tell.line("✓", fmt.Sprintf("Flink job %s: TaskManagers %d/%d run", jobName, job.TaskManagers.Running, job.TaskManagers.Wanted),
		s.AllRunning.Sub(s.JobManagerRunning))
	return nil
}

// startFlink runs the simulator until the cluster stops.
func (d *demo) startFlink(ctx context.Context) (err error) {
	d.flink, d.stopFlink, err = simulateFlink(ctx, d.c)
	return err
}

// simulateFlink runs Flink's operator and JobManagers against a cluster until stop is called.
func simulateFlink(ctx context.Context, c *local.Cluster) (sim *flink.Simulator, stop func() error, err error) {
	sim, err = flink.New(c.RESTConfig(), flink.Options{Log: slog.New(slog.NewTextHandler(io.Discard, nil))})
	if err != nil {
		return nil, nil, err
	}
	if err := sim.Install(ctx); err != nil {
		return nil, nil, err
	}
	run, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- sim.Run(run) }()
	return sim, func() error {
		cancel()
		return <-done
	}, nil
}

// placeJob submits the job's manifest as a user would and waits until all of it runs.
func (d *demo) placeJob(ctx context.Context) (flink.Job, error) {
	if err := d.c.CreateNamespace(ctx, jobNamespace); err != nil {
		return flink.Job{}, err
	}
	manifest, err := examples.Files.ReadFile(jobFile)
	if err != nil {
		return flink.Job{}, fmt.Errorf("read the job's manifest: %w", err)
	}
	if err := d.c.Apply(ctx, manifest); err != nil {
		return flink.Job{}, fmt.Errorf("submit the job: %w", err)
	}
	return d.flink.Wait(ctx, jobNamespace, jobName, flink.Job.Done)
}

// sluicePod is a pod for Sluice that asks for CPUs.
func sluicePod(name, cpus string) *corev1.Pod {
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: jobNamespace},
		Spec: corev1.PodSpec{SchedulerName: "sluice", Containers: []corev1.Container{{
			Name: "main", Image: "registry.example/app:1",
			Resources: corev1.ResourceRequirements{Requests: corev1.ResourceList{corev1.ResourceCPU: resource.MustParse(cpus)}},
		}}},
	}
}

// reason creates a pod and returns the message of the condition that says why it waits.
func (d *demo) reason(ctx context.Context, pod *corev1.Pod) (string, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, d.timeout, fmt.Errorf("waited %v", d.timeout))
	defer cancel()
	pods := d.c.Client().CoreV1().Pods(pod.Namespace)
	if _, err := pods.Create(ctx, pod, metav1.CreateOptions{}); err != nil {
		return "", fmt.Errorf("create pod %s: %w", pod.Name, err)
	}
	for {
		got, err := pods.Get(ctx, pod.Name, metav1.GetOptions{})
		if err != nil {
			return "", fmt.Errorf("look at pod %s: %w", pod.Name, err)
		}
		if text := waitsBecause(got); text != "" {
			return text, nil
		}
		select {
		case <-ctx.Done():
			return "", fmt.Errorf("no word from Sluice on why pod %s waits; see %s: %w", pod.Name, d.sluice.Log(), context.Cause(ctx))
		case <-time.After(50 * time.Millisecond):
		}
	}
}
