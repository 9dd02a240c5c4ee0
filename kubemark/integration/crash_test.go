package integration

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sluice-scheduler/sluice/kubemark/simnode"
	corev1 "k8s.io/api/core/v1"
)

// TestKilledAndStartedAnew kills Sluice (SIGKILL) in the middle of 2,000 pods of three sizes. The next one has nothing but the API server
// to go by; binds of the first may still be on their way when it reads.
func TestKilledAndStartedAnew(t *testing.T) {
	s := newScene(t, "crash")
	s.simulate(simnode.Group{Count: 100, CPU: "18", Pods: 40}, simnode.Options{})
	o := s.observe(false)
	first := s.sluice(options{config: quickElection})
	first.awaitLeading()

	arrived := s.createMeanwhile(mixed(2000)...)
	o.awaitBound(600)
	require.NoError(s, first.Kill())
	require.Less(s, len(s.binds()), 2000, "the crash came too late to be in the middle of it")
	second := s.sluice(options{config: quickElection})
	arrived()
	o.awaitPods(2000, "every pod runs", runs)
	o.sound()
	o.noneFailed()
	o.boundOnce(2000, 0)

	third := second.sameAsRebuilt()
	require.NoError(s, second.Stop())
	third.awaitLeading()
	s.create(several("late", 20, cpu("1"))...)
	o.awaitPods(2020, "pods that came to the third run", runs)
	o.sound()
}

// mixed describes n pods, 7 of 10 with half a CPU, 2 with one, 1 with two.
func mixed(n int) []*corev1.Pod {
	sizes := []string{"2", "500m", "500m", "1", "500m", "500m", "500m", "1", "500m", "500m"}
	out := make([]*corev1.Pod, n)
	for i := range out {
		out[i] = pod(fmt.Sprintf("work-%d", i), cpu(sizes[i%len(sizes)]))
	}
	return out
}

// awaitBound waits until at least n pods are bound.
func (o *observer) awaitBound(n int) {
	o.scene.Helper()
	o.scene.eventually(fmt.Sprintf("%d pods are bound", n), func() error {
		o.mu.Lock()
		defer o.mu.Unlock()
		if got := len(o.nodes); got < n {
			return fmt.Errorf("%d are", got)
		}
		return nil
	})
}
