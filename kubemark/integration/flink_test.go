package integration

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sluice-scheduler/sluice/kubemark/flink"
	"github.com/sluice-scheduler/sluice/kubemark/simnode"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
)

var flinkDeployments = schema.GroupVersionResource{Group: "flink.apache.org", Version: "v1beta1", Resource: "flinkdeployments"}

// simulateFlink runs the Flink operator and its JobManagers in the scene's namespace.
func (s *scene) simulateFlink(o flink.Options) *flink.Simulator {
	s.Helper()
	o.Namespace = s.name
	sim, err := flink.New(shared.RESTConfig(), o)
	require.NoError(s, err)
	require.NoError(s, sim.Install(s.ctx))
	ctx, stop := context.WithCancel(s.ctx)
	done := make(chan error, 1)
	go func() { done <- sim.Run(ctx) }()
	s.Cleanup(func() {
		stop()
		require.NoError(s, <-done)
	})
	return sim
}

// submit creates a FlinkDeployment of a JobManager of one core and so many TaskManagers of two.
func (s *scene) submitFlink(name string, taskManagers int) {
	s.Helper()
	s.submit(fmt.Sprintf(`
apiVersion: flink.apache.org/v1beta1
kind: FlinkDeployment
metadata: {name: %s, namespace: %s}
spec:
  image: flink:1.20
  flinkVersion: v1_20
  serviceAccount: flink
  flinkConfiguration: {taskmanager.numberOfTaskSlots: "2", execution.checkpointing.interval: 60 s}
  podTemplate: {spec: {schedulerName: sluice}}
  jobManager: {resources: {requests: {cpu: "1", memory: 1024m}}}
  taskManager: {resources: {requests: {cpu: "2", memory: 1024m}}}
  job: {jarURI: "local:///job.jar", parallelism: %d, upgradeMode: stateless}
`, name, s.name, 2*taskManagers))
}

// withdraw deletes a FlinkDeployment.
func (s *scene) withdraw(name string) {
	s.Helper()
	c, err := dynamic.NewForConfig(shared.RESTConfig())
	require.NoError(s, err)
	require.NoError(s, c.Resource(flinkDeployments).Namespace(s.name).Delete(s.ctx, name, metav1.DeleteOptions{}))
}

// podsOf returns a Flink cluster's pods, and how many of them are bound.
func (s *scene) podsOf(cluster string) (pods []corev1.Pod, bound int) {
	s.Helper()
	list, err := s.client.CoreV1().Pods(s.name).List(s.ctx, metav1.ListOptions{LabelSelector: "app=" + cluster})
	require.NoError(s, err)
	for i := range list.Items {
		if list.Items[i].Spec.NodeName != "" {
			bound++
		}
	}
	return list.Items, bound
}

// bound waits until so many of a Flink cluster's pods are bound.
func (s *scene) bound(cluster string, want int) {
	s.Helper()
	s.eventually(fmt.Sprintf("%d pods of %s are bound", want, cluster), func() error {
		if _, n := s.podsOf(cluster); n != want {
			return fmt.Errorf("%d are", n)
		}
		return nil
	})
}

// heldBack waits until a Flink cluster's JobManager has been told that its group finds no room.
func (s *scene) heldBack(cluster string) {
	s.Helper()
	s.eventually("the JobManager of "+cluster+" is told why it waits", func() error {
		pods, _ := s.podsOf(cluster)
		for _, p := range pods {
			for _, c := range p.Status.Conditions {
				if c.Type == corev1.PodScheduled && c.Reason == "Unschedulable" && strings.Contains(c.Message, "together or not at all") {
					return nil
				}
			}
		}
		return fmt.Errorf("it is not")
	})
}

// TestTwoFlinkJobsContendForRoomForOneAndAHalf: one runs whole, of the other no pod is bound, and it runs when the first has gone.
func TestTwoFlinkJobsContendForRoomForOneAndAHalf(t *testing.T) {
	s := newScene(t, "contend")
	s.simulate(simnode.Group{Count: 2, CPU: "12", Memory: "32Gi"}, simnode.Options{})
	s.simulateFlink(flink.Options{StartDelay: 2 * time.Second})
	s.sluice(options{})
	s.submitFlink("first", 8)
	s.bound("first", 1)
	s.submitFlink("second", 8)
	s.heldBack("second")
	s.create(several("small", 12, cpu("1"))...) // room for seven is left beside what is kept for the first
	s.bound("first", 9)
	_, n := s.podsOf("second")
	require.Zero(t, n)
	s.withdraw("first")
	require.NoError(t, s.client.CoreV1().Pods(s.name).DeleteCollection(s.ctx, metav1.DeleteOptions{}, metav1.ListOptions{LabelSelector: "!app"}))
	s.bound("second", 9)
}

// TestWhatIsOwedAfterAKillGoesFirst: Sluice dies between JobManager and TaskManagers, while others wait for the same room.
func TestWhatIsOwedAfterAKillGoesFirst(t *testing.T) {
	s := newScene(t, "owed")
	s.simulate(simnode.Group{Count: 2, CPU: "10", Memory: "32Gi"}, simnode.Options{})
	s.simulateFlink(flink.Options{StartDelay: 15 * time.Second})
	first := s.sluice(options{config: quickElection})
	s.submitFlink("job", 8)
	s.bound("job", 1)
	s.create(several("small", 20, cpu("1"))...)
	require.NoError(t, first.Kill())
	s.sluice(options{config: quickElection})
	s.bound("job", 9)
}
