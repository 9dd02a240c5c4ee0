package integration

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sluice-scheduler/sluice/kubemark/simnode"
)

// TestStandbyTakesOver ends the leader of two Sluices while 1,200 pods arrive: as a crash would, and in good order. In good order the Lease
// must be given back, for it is good for an hour; nobody would take over in time else.
func TestStandbyTakesOver(t *testing.T) {
	for name, c := range map[string]struct {
		election string
		end      func(*instance) error
	}{
		"killed":     {quickElection, func(i *instance) error { return i.Kill() }},
		"terminated": {"leaderElection: {leaseDuration: 1h, renewDeadline: 59m, retryPeriod: 500ms}\n", func(i *instance) error { return i.Stop() }},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t, "standby-"+name)
			s.simulate(simnode.Group{Count: 60, CPU: "18", Pods: 40}, simnode.Options{})
			o := s.observe(false)
			leader := s.sluice(options{config: c.election})
			leader.awaitLeading()
			standby := s.sluice(options{config: c.election})
			standby.logged("standing by: another Sluice leads")

			arrived := s.createMeanwhile(mixed(1200)...)
			o.awaitBound(300)
			require.Zero(s, standby.metric("sluice_leader"))
			tree := standby.ask("queues")
			require.Equal(s, false, tree["leading"])
			require.NotEmpty(s, tree["queue"])
			require.NoError(s, c.end(leader))
			arrived()
			o.awaitPods(1200, "every pod runs", runs)
			require.EqualValues(s, 1, standby.metric("sluice_leader"))
			o.sound()
			o.noneFailed()
			o.boundOnce(1200, 0)
			s.tookTurns(leader, standby)
			standby.sameAsRebuilt()
		})
	}
}

// tookTurns checks by the audit log that every write of the first instance reached the API server before the second held the Lease, and
// every write of the second after; and that the events tell truly who acted.
func (s *scene) tookTurns(first, second *instance) {
	s.Helper()
	taken := s.took(second)
	who := map[string]string{first.token: s.holder(s.took(first)), second.token: s.holder(taken)}
	writes := map[string]int{}
	for _, e := range s.trail(func(e *entry) bool { return e.User.Username == sluiceUser && e.ObjectRef.Namespace == s.name }) {
		if e.is("create", "events", "") {
			require.Contains(s, string(e.RequestObject), `"reportingInstance":"`+who[e.token()]+`"`)
		}
		switch e.token() {
		case first.token:
			require.True(s, e.RequestReceivedTimestamp.Before(taken.StageTimestamp),
				"%s %s of the first came at %v, when the second led", e.Verb, e.ObjectRef.Name, e.RequestReceivedTimestamp)
		case second.token:
			require.True(s, e.RequestReceivedTimestamp.After(taken.RequestReceivedTimestamp),
				"%s %s of the second came at %v, before it led", e.Verb, e.ObjectRef.Name, e.RequestReceivedTimestamp)
		default:
			s.Fatalf("%s %s: by neither of the two", e.Verb, e.ObjectRef.Name)
		}
		if e.is("create", "pods", "binding") {
			writes[e.token()]++
		}
	}
	require.Greater(s, writes[first.token], 0)
	require.Greater(s, writes[second.token], 0)
}

// took is the write by which an instance took the Lease.
func (s *scene) took(i *instance) *entry {
	s.Helper()
	writes := s.trail(func(e *entry) bool {
		return e.token() == i.token && e.ObjectRef.Resource == "leases" && e.Verb != "get" && e.ResponseStatus.Code < http.StatusMultipleChoices
	})
	require.NotEmpty(s, writes, "%s never took the Lease", i.name)
	return writes[0]
}

// holder is the identity that a write of the Lease names.
func (s *scene) holder(e *entry) string {
	s.Helper()
	var lease struct {
		Spec struct{ HolderIdentity string }
	}
	require.NoError(s, json.Unmarshal(e.RequestObject, &lease))
	require.NotEmpty(s, strings.TrimSpace(lease.Spec.HolderIdentity))
	return lease.Spec.HolderIdentity
}
