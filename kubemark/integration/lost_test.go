package integration

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sluice-scheduler/sluice/kubemark/simnode"
)

// TestAnswersLost puts a bad network between Sluice and the API server: of a third of the binds the answer is lost, others come late, are
// turned away or told to come again. There are more pods than rooms all the time, so a room that is given up too early is taken by
// another pod at once, and the node then holds more than it offers.
func TestAnswersLost(t *testing.T) {
	s := newScene(t, "lost")
	s.simulate(simnode.Group{Count: 30, CPU: "10", Pods: 40}, simnode.Options{})
	o := s.observe(false)
	p, kubeconfig := s.proxy(badNetwork)
	sluice := s.sluice(options{kubeconfig: kubeconfig, config: "status: {countsEvery: 0s}\nbind: {timeout: 5s}\n"})
	sluice.awaitLeading()

	s.create(several("pod", 400, cpu("1"))...) // for 300 rooms
	o.awaitPods(400, "the rooms are full and the rest waits", o.settled)
	sluice.awaitMetric(300, "sluice_binds_total", `outcome="bound"`) // the watch tells of some before their binds are settled
	o.sound()
	o.noneFailed()
	o.boundOnce(400, 0)

	dealt := p.counts()
	s.Logf("dealt: %v", dealt)
	for _, f := range []fate{answerLost, lateLost, fiveLost, turnedAway, tooMany, slow} {
		require.Positive(s, dealt[f], f)
	}
	lost := float64(dealt[answerLost] + dealt[lateLost] + dealt[fiveLost] + dealt[turnedAway])
	require.Equal(s, lost, sluice.metric("sluice_api_requests_total", `kind="bind"`, `verdict="unknown"`), "binds whose answer says nothing")
	require.GreaterOrEqual(s, sluice.metric("sluice_api_requests_total", `kind="look"`), lost, "each is asked after")
	require.EqualValues(s, dealt[tooMany], sluice.metric("sluice_api_requests_total", `kind="bind"`, `verdict="busy"`))
	require.Zero(s, sluice.metric("sluice_binds_total", `outcome="refused"`), "no room was given up")
	require.Zero(s, sluice.metric("scheduler_pending_pods", `queue="backoff"`))
	s.neverElsewhere()
	sluice.sameAsRebuilt()
}

// badNetwork deals each fate to the first bind of some pods; what is tried again passes.
func badNetwork(pod string, n int) fate {
	if n > 1 {
		return passed
	}
	switch lot(pod, 18) {
	case 0, 1, 2, 3:
		return answerLost
	case 4, 5:
		return lateLost
	case 6:
		return fiveLost
	case 7:
		return turnedAway
	case 8:
		return tooMany
	case 9, 10:
		return slow
	}
	return passed
}

// neverElsewhere checks that every pod was sent to one node only, however often.
func (s *scene) neverElsewhere() {
	s.Helper()
	first := map[string]string{}
	for _, e := range s.binds() {
		pod, node := e.ObjectRef.Name, e.bindTarget(s)
		if first[pod] == "" {
			first[pod] = node
		}
		require.Equal(s, first[pod], node, "pod %s was sent to another node", pod)
	}
}
