package integration

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sluice-scheduler/sluice/kubemark/simnode"
	corev1 "k8s.io/api/core/v1"
	schedulingv1 "k8s.io/api/scheduling/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// TestRoomThatKubeSchedulerHasMadeIsNotTaken lets kube-scheduler evict pods for one of higher priority. From the first that has gone until the last there is room for pods of
// Sluice that wait, but the pod for which it was made is nominated for the node: it gets it.
func TestRoomThatKubeSchedulerHasMadeIsNotTaken(t *testing.T) {
	s := newScene(t, "nominated")
	fleet := s.simulate(simnode.Group{Count: 1, CPU: "4"}, simnode.Options{StopDelay: 4 * time.Second})
	o := s.observe(true)
	sluice := s.sluice(options{config: "status: {countsEvery: 0s}\n"})
	sluice.awaitLeading()
	classes := s.client.SchedulingV1().PriorityClasses()
	_, err := classes.Create(s.ctx, &schedulingv1.PriorityClass{ObjectMeta: metav1.ObjectMeta{Name: s.name}, Value: 1000}, metav1.CreateOptions{})
	require.NoError(s, err)
	s.Cleanup(func() { require.NoError(s, classes.Delete(context.Background(), s.name, metav1.DeleteOptions{})) })

	theirs := func(p *corev1.Pod) {
		p.Spec.SchedulerName = corev1.DefaultSchedulerName
		p.Spec.NodeSelector = map[string]string{testLabel: s.name}
	}
	slow := func(p *corev1.Pod) {
		grace := int64(10)
		p.Spec.TerminationGracePeriodSeconds = &grace
	}
	s.create(several("slow", 2, cpu("1"), theirs, slow)...)
	s.create(several("quick", 2, cpu("1"), theirs)...)
	o.awaitPods(4, "kube-scheduler's pods fill the node", runs)
	full := waitsFor(corev1.PodReasonUnschedulable, "0/1 nodes are available: 1 Insufficient cpu.")
	s.create(several("ours", 3, cpu("1"))...)
	wait := map[string]func(*corev1.Pod) error{}
	for i := range 3 {
		wait[fmt.Sprintf("ours-%d", i)] = full
	}
	o.awaitPods(7, "Sluice's wait", byName(wait))

	// Three of the four go, a slow one later than a quick one, which leaves seconds to take the room.
	s.create(pod("urgent", cpu("3"), theirs, func(p *corev1.Pod) { p.Spec.PriorityClassName = s.name }))
	o.awaitOne("urgent", "it is nominated", func(p *corev1.Pod) error {
		if p.Status.NominatedNodeName == "" {
			return fmt.Errorf("its status is %+v", p.Status)
		}
		return nil
	})
	o.awaitPods(5, "the pod for which room was made has it", byName(wait))
	o.sound()
	o.noneFailed()
	require.Empty(s, fleet.Stats().Rejected, "no kubelet had to refuse anybody")

	// It goes: then it is Sluice's turn.
	s.remove("urgent")
	o.awaitPods(4, "Sluice's pods have the room", runs)
	sluice.sameAsRebuilt()
}
