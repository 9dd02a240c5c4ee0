package core

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
	"github.com/sluice-scheduler/sluice/pkg/core/resource"
)

// TestNobodyIsBlamedForAPanicBetweenTurns: a pod that is told in the step in which something breaks that concerns all is not set aside for it.
func TestNobodyIsBlamedForAPanicBetweenTurns(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	pod := PodSet{Pod: &cluster.PodFact{UID: "p", Namespace: "ns", Name: "p", Ours: true, Demand: &cluster.Demand{Key: "any"}}}
	node := NodeSet{Node: &cluster.NodeFact{Name: "n", UID: "n"}}
	for name, c := range map[string]struct {
		sabotage func(*Core)
		events   []Event
	}{
		"rehome, after a pod":  {func(c *Core) { c.scale = nil }, []Event{pod}},
		"rehome, after a node": {func(c *Core) { c.scale = nil }, []Event{node}},
		"recall":               {breakNode, []Event{pod}},
	} {
		t.Run(name, func(t *testing.T) {
			var seen []Subject
			core := New(Config{Watch: func(s Subject) { seen = append(seen, s) }})
			core.Step(now, []Event{Lead{On: true}, node})
			seen = nil
			c.sabotage(core)
			require.Panics(t, func() { core.Step(now, c.events) })
			require.NotEmpty(t, seen, "the event had its turn")
			require.Zero(t, core.Subject())
		})
	}
}

// breakNode leaves a node contested that has an allocation without a pod.
func breakNode(c *Core) {
	n := c.state.Node("n")
	n.Pods = append(n.Pods, &cluster.Allocation{Node: n}, &cluster.Allocation{Node: n, Uses: resource.Vector{1}})
	c.contested = map[string]bool{"n": true}
}

// TestAReviewIsTheTurnOfALot: a parked lot that is due is looked at on behalf of one of its pods.
func TestAReviewIsTheTurnOfALot(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	var seen []Subject
	c := New(Config{Watch: func(s Subject) { seen = append(seen, s) }})
	c.Step(now, []Event{Lead{On: true}, PodSet{Pod: &cluster.PodFact{UID: "p", Name: "p", Ours: true, Demand: &cluster.Demand{Key: "any"}}}})
	require.Equal(t, 1, c.Stats().Parked)
	seen = nil
	due, ok := c.Wake()
	require.True(t, ok)
	c.Step(due, nil)
	require.Equal(t, []Subject{{Kind: "pod", UID: "p", Name: "p"}}, seen)
	require.Zero(t, c.Subject())
}
