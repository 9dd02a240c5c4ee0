package pending

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/types"

	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
	"github.com/sluice-scheduler/sluice/pkg/core/resource"
	"github.com/sluice-scheduler/sluice/pkg/core/share"
)

var today = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// waiting is a state with the leaves root.a and root.b, and a queue beside it.
func waiting() (*cluster.State, *Queue) {
	s := cluster.New()
	s.SetTree(twoLeaves())
	return s, New(share.NewScale(s.Space))
}

func twoLeaves(rules ...cluster.Rule) *cluster.Tree {
	return &cluster.Tree{Rules: rules, Root: &cluster.QueueSpec{
		Name: "root", Parent: true, Submit: cluster.ACL{Everybody: true},
		Children: []*cluster.QueueSpec{{Name: "a"}, {Name: "b"}},
	}}
}

// tell lets a pod be known that wants a queue, with what it demands named by a key.
func tell(s *cluster.State, name, app, queue, demand string) *cluster.Pod {
	return s.SetPod(&cluster.PodFact{
		UID: types.UID(name), Name: name, Ours: true, Created: today, Demand: &cluster.Demand{Key: demand},
		Claim: &cluster.Claim{App: app, Queue: queue},
	})
}

func follow(s *cluster.State, q *Queue) { s.TouchedApps(q.Follow) }

// TestALotFollowsItsLastApplication: what is known of a lot stays known when its only application goes to another queue.
func TestALotFollowsItsLastApplication(t *testing.T) {
	s, q := waiting()
	p := tell(s, "p", "app", "a", "any")
	follow(s, q)
	q.Put(p, today)
	q.Park(q.Next().Lot, &Failure{}, today.Add(time.Hour))

	s.SetTree(twoLeaves(cluster.Rule{Kind: cluster.RuleFixed, Value: "root.b"}))
	s.Rehome(100)
	follow(s, q)
	require.NoError(t, q.Verify())
	require.Nil(t, q.Next(), "it is parked still")
	require.Equal(t, "root.b", q.Ask(p).Line().Ledger().Leaf.Name)
	q.Wake(q.Ask(p).Line().Lot)
	require.NotNil(t, q.Next())
	require.NoError(t, q.Verify())
}

// TestAPodGoesToAnotherApplication: a pod that turns out to belong to another application of the same accounts waits among that one's.
func TestAPodGoesToAnotherApplication(t *testing.T) {
	s, q := waiting()
	tell(s, "other", "second", "a", "any")
	p := tell(s, "p", "first", "a", "any")
	follow(s, q)
	q.Put(p, today)

	tell(s, "p", "second", "a", "any")
	follow(s, q)
	q.Put(p, today)
	require.NoError(t, q.Verify())
	require.Same(t, p.App, q.Ask(p).party.App)
}

// TestAQueueIsSortedByTurnsAndBack: two trees in one step, of which the second sorts as before the first. Whoever was ranked in between is ranked anew.
func TestAQueueIsSortedByTurnsAndBack(t *testing.T) {
	s, q := waiting()
	sorted := func(by cluster.AppSort) {
		tree := twoLeaves()
		tree.Root.Children[0].Sort = by
		s.SetTree(tree)
		s.Rehome(100)
		follow(s, q)
	}
	s.SetNode(&cluster.NodeFact{Name: "n", Allocatable: resource.Amounts{{Name: "cpu", Value: 10}}})
	q.scale.Set(s.Capacity())
	demand := &cluster.Demand{Key: "cpu", Requests: resource.Amounts{{Name: "cpu", Value: 1}}}
	claim := &cluster.Claim{App: "app", Queue: "a"}
	sorted(cluster.SortFair)
	q.Put(s.SetPod(&cluster.PodFact{UID: "waits", Name: "waits", Ours: true, Demand: demand, Claim: claim}), today)
	q.Remeasure(true)
	require.NoError(t, q.Verify())

	sorted(cluster.SortFIFO)
	s.SetPod(&cluster.PodFact{UID: "runs", Name: "runs", Ours: true, Demand: demand, Claim: claim, Node: "n"})
	follow(s, q)
	sorted(cluster.SortFair)
	q.Remeasure(false)
	require.NoError(t, q.Verify())
}
