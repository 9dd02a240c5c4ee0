package integration

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/sluice-scheduler/sluice/kubemark/autoscaler"
	"github.com/sluice-scheduler/sluice/kubemark/flink"
	"github.com/sluice-scheduler/sluice/kubemark/simnode"
	"github.com/sluice-scheduler/sluice/pkg/manifest"
)

// onGPUs is a Flink job whose three TaskManagers ask for a GPU each, in a queue that starts JobManagers for the autoscaler's sake.
const onGPUs = `
apiVersion: flink.apache.org/v1beta1
kind: FlinkDeployment
metadata: {name: vision, namespace: %[1]s}
spec:
  image: flink:1.20
  flinkVersion: v1_20
  serviceAccount: flink
  flinkConfiguration:
    execution.checkpointing.interval: "60 s"
    external-resources: gpu
    external-resource.gpu.amount: "1"
    external-resource.gpu.kubernetes.config-key: nvidia.com/gpu
  podTemplate:
    metadata: {labels: {sluice.dev/queue: growing}}
    spec: {schedulerName: sluice}
  jobManager: {resources: {requests: {cpu: "1", memory: 1g}}}
  taskManager: {resources: {requests: {cpu: "1", memory: 1g}}}
  job: {jarURI: "local:///job.jar", parallelism: 3}
`

const growing = "queues:\n- name: growing\n  gang: {scaleUp: start-first, startFirstAfter: 1s}\n"

// TestFlinkGrowsTheClusterFromNoGPU: there is no node with a GPU when the job comes, and in the end it runs.
func TestFlinkGrowsTheClusterFromNoGPU(t *testing.T) {
	s := newScene(t, "growing")
	fleet := s.simulate(simnode.Group{Count: 2, CPU: "4"}, simnode.Options{})
	sim := s.flink()
	s.sluice(options{config: queuesInMap, noWait: true}) // it is ready when it has its queues
	s.setQueues(growing)
	t.Cleanup(s.dropQueues)
	grows, err := autoscaler.Start(s.ctx, s.client, fleet, autoscaler.Options{
		Interval: time.Second, Delay: 2 * time.Second, Log: slog.New(slog.DiscardHandler),
		Groups: []autoscaler.Group{{Max: 2, Template: simnode.Group{
			Name: s.name + "-gpu", CPU: "8", Labels: map[string]string{testLabel: s.name}, Extended: map[string]string{"nvidia.com/gpu": "2"},
		}}},
	})
	require.NoError(t, err)
	defer grows.Stop()

	s.submit(fmt.Sprintf(onGPUs, s.name))
	ctx, cancel := context.WithTimeout(s.ctx, patience)
	defer cancel()
	job, err := sim.Wait(ctx, s.name, "vision", flink.Job.Done)
	require.NoError(t, err)
	require.Equal(t, flink.Count{Wanted: 3, Created: 3, Bound: 3, Running: 3}, job.TaskManagers)
	require.Zero(t, job.SlotTimeouts)
	require.Equal(t, 2, grows.Stats().Added, "two GPUs a node")
	pods, err := s.client.CoreV1().Pods(s.name).List(s.ctx, metav1.ListOptions{LabelSelector: "component=taskmanager"})
	require.NoError(t, err)
	for _, p := range pods.Items {
		require.Contains(t, p.Spec.NodeName, "growing-gpu-")
	}
}

// flink runs the simulator for the scene's namespace.
func (s *scene) flink() *flink.Simulator {
	s.Helper()
	sim, err := flink.New(shared.RESTConfig(), flink.Options{Namespace: s.name, Log: slog.New(slog.NewTextHandler(io.Discard, nil))})
	require.NoError(s, err)
	require.NoError(s, sim.Install(s.ctx))
	run, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- sim.Run(run) }()
	s.Cleanup(func() {
		stop()
		require.NoError(s, <-done)
	})
	return sim
}

// submit applies manifests as kubectl would.
func (s *scene) submit(text string) {
	s.Helper()
	objects, err := manifest.Read("test.yaml", []byte(text))
	require.NoError(s, err)
	require.NoError(s, flink.Apply(s.ctx, shared.RESTConfig(), objects))
}
