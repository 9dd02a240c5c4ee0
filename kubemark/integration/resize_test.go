package integration

import (
	"fmt"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// resize asks for another amount of CPU for a pod, in place.
func (s *scene) resize(name, cpus string) {
	s.Helper()
	pods := s.client.CoreV1().Pods(s.name)
	s.eventually("the resize of "+name+" is taken", func() error {
		p, err := pods.Get(s.ctx, name, metav1.GetOptions{})
		if err != nil {
			return err
		}
		p.Spec.Containers[0].Resources.Requests[corev1.ResourceCPU] = resource.MustParse(cpus)
		_, err = pods.UpdateResize(s.ctx, name, p, metav1.UpdateOptions{})
		return err
	})
}

// resizePending asks that the kubelet has put the resize of a pod off for that reason.
func resizePending(reason string) func(*corev1.Pod) error {
	return func(p *corev1.Pod) error {
		for _, c := range p.Status.Conditions {
			if c.Type == corev1.PodResizePending && c.Reason == reason {
				return nil
			}
		}
		return fmt.Errorf("its conditions are %+v", p.Status.Conditions)
	}
}

// TestResizesOfARealKubelet: what Sluice counts for a pod that is resized in place follows what a real kubelet says of it. A resize that the kubelet puts off is kept room
// for, until it is withdrawn or granted; one that shrinks a pod gives its room to who waits; and the kubelet refuses nobody whom Sluice places meanwhile. (No hollow
// kubelet calls a resize infeasible, and the API server refuses those that no node could grant; those are in pkg/core/cluster and pkg/sim.)
func TestResizesOfARealKubelet(t *testing.T) {
	s := newScene(t, "resize")
	s.hollows(1)
	o := s.observe(true)
	sluice := s.sluice(options{config: "status: {countsEvery: 0s}\n"})
	sluice.awaitLeading()
	holds := func(thousandths int, why string) {
		s.Helper()
		want := fmt.Sprintf("used: cpu=%d ", thousandths)
		s.eventually("the node's account is right while "+why, func() error {
			if dump := sluice.dump(); !strings.Contains(dump, want) {
				return fmt.Errorf("no %q in\n%s", want, dump)
			}
			return nil
		})
	}
	full := waitsFor(corev1.PodReasonUnschedulable, "0/1 nodes are available: 1 Insufficient cpu.")

	s.create(pod("grows", cpu("1")), pod("other", cpu("2")))
	o.awaitPods(2, "both run", runs)
	holds(3000, "both run")

	s.resize("grows", "3")
	o.awaitOne("grows", "the resize is deferred", resizePending(corev1.PodReasonDeferred))
	holds(5000, "the resize is deferred")
	s.create(pod("next", cpu("1")))
	o.awaitPods(3, "what is asked for is kept", byName(map[string]func(*corev1.Pod) error{"next": full}))

	s.resize("grows", "1")
	o.awaitPods(3, "it is wanted no more", runs)
	holds(4000, "the resize is withdrawn")

	s.remove("other")
	s.resize("grows", "3")
	o.awaitOne("grows", "the resize is granted", func(p *corev1.Pod) error {
		for _, c := range p.Status.ContainerStatuses {
			if c.AllocatedResources.Cpu().MilliValue() != 3000 {
				return fmt.Errorf("it has %+v", p.Status)
			}
		}
		return nil
	})
	holds(4000, "the resize is granted")
	s.create(pod("last", cpu("1")))
	o.awaitPods(3, "the node is full", byName(map[string]func(*corev1.Pod) error{"last": full}))

	s.resize("grows", "2")
	o.awaitPods(3, "it has shrunk, so there is room", runs)
	holds(4000, "all run")
	o.noneFailed()
	sluice.sameAsRebuilt()
}
