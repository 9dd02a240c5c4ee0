package integration

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sluice-scheduler/sluice/kubemark/local"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// The hollow nodes: real kubelets, which judge every pod that is bound to them by their own accounts.
const (
	hollowNodes = 10
	hollowCPU   = 4
	hollowPods  = 12
	takenPort   = 18080
)

// hollows starts so many nodes and removes them afterwards.
func (s *scene) hollows(count int) {
	s.Helper()
	nodes, err := shared.AddHollow(s.ctx, local.HollowOptions{
		Name: s.name, Count: count, CPU: fmt.Sprint(hollowCPU), Memory: "16Gi", Pods: hollowPods,
		Labels: map[string]string{testLabel: s.name},
	})
	require.NoError(s, err)
	s.Cleanup(func() {
		for _, n := range nodes {
			require.NoError(s, n.Kill())
			require.NoError(s, s.client.CoreV1().Nodes().Delete(context.Background(), n.Name(), metav1.DeleteOptions{}))
		}
	})
}

// TestKubeletsFilledToTheLastCore fills ten real kubelets: first all CPU, by sizes that divide each other and with a port of the host that
// fits once per node; then all places for pods. What is left over must say exactly why. Then pods are deleted and others come in their
// place at the same time, again and again; a pod may find the rooms cut up then. No kubelet may ever refuse a pod.
func TestKubeletsFilledToTheLastCore(t *testing.T) {
	s := newScene(t, "hollow")
	s.hollows(hollowNodes)
	o := s.observe(false)
	sluice := s.sluice(options{config: "status: {countsEvery: 0s}\n"})
	sluice.awaitLeading()

	s.create(several("with-port", hollowNodes, cpu("2"), hostPort(takenPort))...)
	o.awaitPods(10, "pods of two CPUs with a port run", runs)
	s.create(several("one", 10, cpu("1"))...)
	o.awaitPods(20, "pods of one CPU run", runs)
	s.create(several("half", 20, cpu("500m"))...)
	o.awaitPods(40, "the CPUs are full", runs)
	for node, left := range o.free(corev1.ResourceCPU) {
		require.Zero(s, left, "thousandths of a CPU left on %s", node)
	}
	waits := map[string]func(*corev1.Pod) error{
		"little":   waitsFor(corev1.PodReasonUnschedulable, "0/10 nodes are available: 10 Insufficient cpu."),
		"the-port": waitsFor(corev1.PodReasonUnschedulable, "0/10 nodes are available: 10 node(s) didn't have free ports for the requested pod ports."),
		"too-big":  waitsFor(corev1.PodReasonUnschedulable, "0/10 nodes are available: 10 Insufficient cpu, 10 Insufficient memory."),
	}
	s.create(pod("little", cpu("1m")), pod("the-port", hostPort(takenPort)), pod("too-big", cpu("5"), asks(corev1.ResourceMemory, "17Gi")))
	o.awaitPods(43, "the rest waits for exact reasons", byName(waits))

	s.create(several("nothing", hollowNodes*hollowPods-40)...)
	waits["little"] = waitsFor(corev1.PodReasonUnschedulable, "0/10 nodes are available: 10 Insufficient cpu, 10 Too many pods.")
	waits["too-big"] = waitsFor(corev1.PodReasonUnschedulable,
		"0/10 nodes are available: 10 Insufficient cpu, 10 Insufficient memory, 10 Too many pods.")
	o.awaitPods(123, "every place is taken, and those who wait say so", byName(waits))
	waits["one-more"] = waitsFor(corev1.PodReasonUnschedulable, "0/10 nodes are available: 10 Too many pods.")
	s.create(pod("one-more"))
	o.awaitPods(124, "one more is one too many", byName(waits))
	for _, name := range []string{"little", "the-port", "too-big", "one-more"} {
		s.remove(name)
	}
	s.churnHollows(o)
	o.sound()
	o.noneFailed()
	sluice.sameAsRebuilt()
}

// churnHollows deletes a third of the pods three times, and each time creates as many of the same kinds at once.
func (s *scene) churnHollows(o *observer) {
	s.Helper()
	dice := rand.New(rand.NewPCG(1, 2))
	for round := range 3 {
		var fresh []*corev1.Pod
		pods := o.all()
		for _, name := range slices.Sorted(maps.Keys(pods)) {
			p := pods[name]
			if p.DeletionTimestamp != nil || p.Spec.NodeName == "" || dice.IntN(3) > 0 {
				continue
			}
			s.remove(name)
			again := pod(fmt.Sprintf("again-%d-%d", round, len(fresh)))
			again.Spec.Containers[0].Resources = p.Spec.Containers[0].Resources
			again.Spec.Containers[0].Ports = p.Spec.Containers[0].Ports
			fresh = append(fresh, again)
		}
		require.NotEmpty(s, fresh)
		s.create(fresh...)
		o.awaitPods(hollowNodes*hollowPods, "each runs, or says exactly why not", o.settled)
	}
}
