package pending

import (
	"testing"

	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/types"

	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
	"github.com/sluice-scheduler/sluice/pkg/core/resource"
	"github.com/sluice-scheduler/sluice/pkg/core/share"
)

// TestUseInAQueueWhereNobodyWaits: what is placed in a leaf counts for the parent among its siblings, whether or not anybody ever waited in that leaf.
func TestUseInAQueueWhereNobodyWaits(t *testing.T) {
	s := cluster.New()
	leaf := func(name string) *cluster.QueueSpec { return &cluster.QueueSpec{Name: name} }
	s.SetTree(&cluster.Tree{Root: &cluster.QueueSpec{
		Name: "root", Parent: true, Submit: cluster.ACL{Everybody: true},
		Children: []*cluster.QueueSpec{{Name: "a", Parent: true, Children: []*cluster.QueueSpec{leaf("x"), leaf("y")}}, leaf("b")},
	}})
	s.SetNode(&cluster.NodeFact{Name: "n", Allocatable: resource.Amounts{{Name: "cpu", Value: 10}, {Name: "pods", Value: 10}}})
	scale := share.NewScale(s.Space)
	scale.Set(s.Capacity())
	q := New(scale)
	q.Put(tell(s, "in-a", "one", "a.x", "any"), today)
	q.Put(tell(s, "in-b", "two", "b", "any"), today)
	require.Equal(t, "root.a.x", q.Next().Ledger().Leaf.Name)

	s.SetPod(&cluster.PodFact{
		UID: types.UID("placed"), Name: "placed", Ours: true, Node: "n", Demand: &cluster.Demand{Key: "any"},
		Claim: &cluster.Claim{App: "three", Queue: "a.y"},
	})
	s.DirtyQueues(q.Changed)
	require.Equal(t, "root.b", q.Next().Ledger().Leaf.Name)
	require.NoError(t, q.Verify())
}
