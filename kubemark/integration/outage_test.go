package integration

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sluice-scheduler/sluice/kubemark/simnode"
	corev1 "k8s.io/api/core/v1"
)

// TestAPIServerLost kills the API server (SIGKILL) while some pods wait for room and others are being bound, and starts it again five
// seconds later. Sluice goes on by itself, in the same process, and says in its log what happened.
func TestAPIServerLost(t *testing.T) {
	s := newScene(t, "outage")
	s.simulate(simnode.Group{Count: 40, CPU: "10", Pods: 40}, simnode.Options{})
	o := s.observe(false)
	sluice := s.sluice(options{config: "leaderElection: {leaseDuration: 3m, renewDeadline: 2m, retryPeriod: 1s}\n"})
	sluice.awaitLeading()
	s.create(several("waits", 20, cpu("11"))...)
	tooBig := waitsFor(corev1.PodReasonUnschedulable, "0/40 nodes are available: 40 Insufficient cpu.")
	o.awaitPods(20, "pods wait", tooBig)

	s.create(several("before", 300, cpu("1"))...)
	o.awaitBound(50)
	s.serverDown = time.Now()
	require.NoError(s, shared.KillAPIServer())
	sluice.logged("lost the API server")
	time.Sleep(5 * time.Second) // long enough that every watch has failed more than once
	require.NoError(s, shared.StartAPIServer(s.ctx))
	s.serverUp = time.Now()
	s.eventually("pods can be created again", func() error { return s.tryCreate(pod("first-after", cpu("1"))) })
	s.create(several("after", 99, cpu("1"))...)

	waits := map[string]func(*corev1.Pod) error{}
	for _, p := range several("waits", 20) {
		waits[p.Name] = tooBig
	}
	o.awaitPods(420, "all run that fit", byName(waits))
	o.noneFailed()
	o.boundOnce(420, 128) // as many as may be in flight
	sluice.logged("API server is back after")
	require.GreaterOrEqual(s, sluice.metric("sluice_api_outages_total"), 1.0)
	sluice.sameAsRebuilt()
}
