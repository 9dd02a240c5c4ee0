package integration

import (
	"errors"
	"fmt"
	"sync"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// pod describes a pod for Sluice; each change is applied in turn.
func pod(name string, changes ...func(*corev1.Pod)) *corev1.Pod {
	no, grace := false, int64(1)
	p := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec: corev1.PodSpec{
			SchedulerName: "sluice", AutomountServiceAccountToken: &no, TerminationGracePeriodSeconds: &grace,
			Containers: []corev1.Container{{Name: "main", Image: "registry.example/app:1"}},
		},
	}
	for _, change := range changes {
		change(p)
	}
	return p
}

// asks sets the request of a resource, and its limit as well where Kubernetes demands both.
func asks(name corev1.ResourceName, quantity string) func(*corev1.Pod) {
	return func(p *corev1.Pod) {
		c := &p.Spec.Containers[0]
		if c.Resources.Requests == nil {
			c.Resources.Requests = corev1.ResourceList{}
		}
		c.Resources.Requests[name] = resource.MustParse(quantity)
	}
}

// cpu sets the CPU request.
func cpu(quantity string) func(*corev1.Pod) { return asks(corev1.ResourceCPU, quantity) }

// hostPort adds a port of the node.
func hostPort(port int32) func(*corev1.Pod) {
	return func(p *corev1.Pod) {
		c := &p.Spec.Containers[0]
		c.Ports = append(c.Ports, corev1.ContainerPort{ContainerPort: port, HostPort: port})
	}
}

// several describes n pods named prefix-0, prefix-1, ….
func several(prefix string, n int, changes ...func(*corev1.Pod)) []*corev1.Pod {
	out := make([]*corev1.Pod, n)
	for i := range out {
		out[i] = pod(fmt.Sprintf("%s-%d", prefix, i), changes...)
	}
	return out
}

// create creates pods in the scene's namespace, many at a time.
func (s *scene) create(pods ...*corev1.Pod) {
	s.Helper()
	require.NoError(s, s.tryCreateAll(pods))
}

// createMeanwhile creates pods while the test goes on; it must call arrived to wait for the last.
func (s *scene) createMeanwhile(pods ...*corev1.Pod) (arrived func()) {
	done := make(chan error, 1)
	go func() { done <- s.tryCreateAll(pods) }()
	return func() {
		s.Helper()
		require.NoError(s, <-done)
	}
}

// tryCreateAll returns all that went wrong.
func (s *scene) tryCreateAll(pods []*corev1.Pod) error {
	errs := make([]error, len(pods))
	slots := make(chan struct{}, 16)
	var all sync.WaitGroup
	for i, p := range pods {
		slots <- struct{}{}
		all.Go(func() {
			defer func() { <-slots }()
			errs[i] = s.tryCreate(p)
		})
	}
	all.Wait()
	return errors.Join(errs...)
}

// tryCreate creates one pod.
func (s *scene) tryCreate(p *corev1.Pod) error {
	_, err := s.client.CoreV1().Pods(s.name).Create(s.ctx, p, metav1.CreateOptions{})
	return err
}

// remove deletes a pod as a user would.
func (s *scene) remove(name string) {
	s.Helper()
	require.NoError(s, s.client.CoreV1().Pods(s.name).Delete(s.ctx, name, metav1.DeleteOptions{}))
}

// scheduled returns the pod's PodScheduled condition, or an empty one.
func scheduled(p *corev1.Pod) corev1.PodCondition {
	for _, c := range p.Status.Conditions {
		if c.Type == corev1.PodScheduled {
			return c
		}
	}
	return corev1.PodCondition{}
}

// awaitPods waits until every pod satisfies what is asked of it and there are n of them.
func (o *observer) awaitPods(n int, what string, ask func(*corev1.Pod) error) {
	o.scene.Helper()
	o.scene.eventually(what, func() error {
		pods := o.all()
		if len(pods) != n {
			return fmt.Errorf("there are %d pods, not %d", len(pods), n)
		}
		wrong, example := 0, error(nil)
		for _, p := range pods {
			if err := ask(p); err != nil {
				wrong, example = wrong+1, fmt.Errorf("pod %s: %w", p.Name, err)
			}
		}
		if wrong > 0 {
			return fmt.Errorf("%d of %d do not; %w", wrong, n, example)
		}
		return nil
	})
}

// awaitOne waits until one pod satisfies what is asked of it.
func (o *observer) awaitOne(name, what string, ask func(*corev1.Pod) error) {
	o.scene.Helper()
	o.scene.eventually(what, func() error {
		p := o.all()[name]
		if p == nil {
			return errors.New("it is not there")
		}
		return ask(p)
	})
}

// runs asks that the pod runs.
func runs(p *corev1.Pod) error {
	if p.Status.Phase != corev1.PodRunning {
		return fmt.Errorf("on node %q it is %s %s, PodScheduled %+v", p.Spec.NodeName, p.Status.Phase, p.Status.Reason, scheduled(p))
	}
	return nil
}

// waitsFor asks that the pod is unbound and its condition says exactly why.
func waitsFor(reason, message string) func(*corev1.Pod) error {
	return func(p *corev1.Pod) error {
		c := scheduled(p)
		if p.Spec.NodeName != "" || c.Status != corev1.ConditionFalse || c.Reason != reason || c.Message != message {
			return fmt.Errorf("on node %q it says %s %s: %s", p.Spec.NodeName, c.Status, c.Reason, c.Message)
		}
		return nil
	}
}

// byName asks of each pod what its name says, and of all others that they run.
func byName(asks map[string]func(*corev1.Pod) error) func(*corev1.Pod) error {
	return func(p *corev1.Pod) error {
		if ask := asks[p.Name]; ask != nil {
			return ask(p)
		}
		return runs(p)
	}
}
