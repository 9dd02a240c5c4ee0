package integration

import (
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sluice-scheduler/sluice/kubemark/simnode"
	corev1 "k8s.io/api/core/v1"
)

// TestQuarantine runs a Sluice whose core panics over a certain pod. The process must end with an exit code that tells, and the next start
// must set that pod aside, say so, and place all others.
func TestQuarantine(t *testing.T) {
	s := newScene(t, "quarantine")
	s.simulate(simnode.Group{Count: 5, CPU: "8"}, simnode.Options{})
	o := s.observe(false)
	faulty := s.sluice(options{binary: faultyBinary, config: quickElection})
	faulty.awaitLeading()
	s.create(pod("innocent", cpu("1")))
	o.awaitPods(1, "a pod like any other runs", runs)
	s.create(pod("panic-me", cpu("1")))
	<-faulty.Process().Done()
	require.Equal(s, 1, faulty.Process().ExitCode())
	require.Contains(s, faulty.log(), "the core panicked over pod quarantine/panic-me")
	require.Contains(s, faulty.log(), "the next start sets it aside, see ")

	s.create(several("other", 30, cpu("1"))...)
	asks := byName(map[string]func(*corev1.Pod) error{"panic-me": isSetAside})
	for _, start := range []string{"first", "second"} {
		require.NoError(s, faulty.Restart(s.ctx), "%s start after the panic", start)
		faulty.awaitLeading()
		faulty.awaitMetric(1, "sluice_quarantined_objects")
		o.awaitPods(32, "all others run after the "+start+" start", asks)
		require.Contains(s, faulty.log(), "quarantined, since it made the core panic")
		require.NoError(s, faulty.Stop())
	}
	require.Len(s, s.patches()["panic-me"], 1, "the second start had nothing new to say")
	o.noneFailed()
	o.boundOnce(32, 0)
}

// isSetAside asks that the pod is not placed and its condition says that it was set aside, and why.
func isSetAside(p *corev1.Pod) error {
	c := scheduled(p)
	switch {
	case p.Spec.NodeName != "":
		return errors.New("it is on node " + p.Spec.NodeName)
	case c.Status != corev1.ConditionFalse || c.Reason != "SchedulerError",
		!strings.Contains(c.Message, "injected fault: asked to panic over pod panic-me"):
		return errors.New("it says " + c.Reason + ": " + c.Message)
	}
	return nil
}
