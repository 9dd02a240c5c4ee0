package cluster

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/types"
)

// TestAStandbyForgetsQueuesThatHaveGone: nobody takes from a standby what was given back, nor whose use has changed.
func TestAStandbyForgetsQueuesThatHaveGone(t *testing.T) {
	s := New()
	s.SetTree(&Tree{Rules: []Rule{{Kind: RuleUser, Create: true}}, Root: &QueueSpec{
		Name: "root", Parent: true, Submit: ACL{Everybody: true}, Limits: []Limit{{Users: []string{"*"}, MaxApps: 3}},
	}})
	for i := range 5000 {
		uid := types.UID(fmt.Sprint(i))
		s.SetPod(&PodFact{UID: uid, Name: string(uid), Ours: true, Node: "n", Demand: &Demand{Key: "any"}, Claim: &Claim{App: "a", User: "u" + string(uid)}})
		s.RemovePod(uid)
		s.TouchedApps(func(*App) {})
	}
	require.Less(t, len(s.relieved), 500)
	require.Less(t, len(s.dirtyQueues), 500)
	require.NoError(t, s.Verify())

	s.SetPod(&PodFact{UID: "last", Name: "last", Ours: true, Node: "n", Demand: &Demand{Key: "any"}, Claim: &Claim{App: "a", User: "ann"}})
	s.RemovePod("last")
	whose := map[string]bool{}
	for _, a := range s.TakeRelieved() {
		whose[a.Who] = true
	}
	require.True(t, whose["queue root"] && whose["queue root.ann"], "what is there, or went just now, is told: %v", whose)
}
