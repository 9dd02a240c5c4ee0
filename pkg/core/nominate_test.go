package core_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sluice-scheduler/sluice/pkg/core"
	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
)

// conditionsIn are those among effects.
func conditionsIn(effects []core.Effect) (all []core.Condition) {
	for _, e := range effects {
		if c, ok := e.(core.Condition); ok {
			all = append(all, c)
		}
	}
	return all
}

// told is the pod as the API server has it once a condition has been written.
func (x *preparing) told(c core.Condition, change func(*cluster.PodFact)) core.Event {
	f := podOf("p", 100, 0, time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))
	f.Namespace, f.Needs = "default", cluster.ReadNeeds(podWithClaim("c"))
	f.Said = cluster.Condition{Digest: cluster.Digest(c.Reason, c.Message, c.ObservedGeneration), Since: c.Since}
	if c.Nominates {
		f.Nominated = c.Nominated
	}
	change(f)
	return core.PodSet{Pod: f}
}

func asItIs(*cluster.PodFact) {}

// TestAPodIsNominatedWhileItsVolumesArePrepared, and no more when that has failed; each is written once, and once more if the pod goes on to wait for what it waited for before.
func TestAPodIsNominatedWhileItsVolumesArePrepared(t *testing.T) {
	x := newPreparing(t, func(*preparing) {}, false)
	require.Equal(t, core.ReasonPreparing, x.said.Reason)
	require.Equal(t, []any{true, "n"}, []any{x.said.Nominates, x.said.Nominated})
	require.Empty(t, x.Step(x.now, []core.Event{x.told(x.said, asItIs), x.stored("50")}))
	require.NoError(t, x.Verify())

	effects := x.Step(x.now, []core.Event{core.NodeGone{Name: "n"}})
	require.Len(t, conditionsIn(effects), 1)
	gone := conditionsIn(effects)[0]
	require.Equal(t, []any{core.ReasonUnschedulable, true, ""}, []any{gone.Reason, gone.Nominates, gone.Nominated})
	require.Empty(t, conditionsIn(x.Step(x.now.Add(time.Second), []core.Event{x.told(gone, asItIs)})))

	effects = x.Step(x.now.Add(2*time.Second), []core.Event{core.NodeSet{Node: nodeOf("n", 1000)}})
	again := conditionsIn(effects)
	require.Len(t, again, 1)
	require.Equal(t, x.said.Message, again[0].Message)
	effects = x.Step(x.now.Add(3*time.Second), []core.Event{core.NodeGone{Name: "n"}}) // before what was asked for has been written
	require.Len(t, conditionsIn(effects), 1, "the API server has this reason, but will have a nomination, too")
	require.Equal(t, []any{gone.Message, true, ""}, []any{conditionsIn(effects)[0].Message, conditionsIn(effects)[0].Nominates, conditionsIn(effects)[0].Nominated})
	require.NoError(t, x.Verify())
}

// TestANominationOfOursIsNotCountedTwice: the allocation holds the room. It is known by its condition, also to the next leader; one of somebody else is.
func TestANominationOfOursIsNotCountedTwice(t *testing.T) {
	x := newPreparing(t, func(*preparing) {}, false)
	own := x.told(x.said, asItIs)
	x.Step(x.now, []core.Event{own})

	next := core.New(core.Config{})
	next.Step(x.now, []core.Event{core.NodeSet{Node: nodeOf("n", 1000)}, own})
	require.Empty(t, next.Step(x.now, []core.Event{core.NodeSet{Node: nodeOf("n", 1000)}}))
	require.NotContains(t, next.Dump(), "nominated")
	effects := next.Step(x.now, []core.Event{core.Lead{On: true}, core.NodeGone{Name: "n"}})
	require.Len(t, conditionsIn(effects), 1)
	require.True(t, conditionsIn(effects)[0].Nominates, "what the one before left is taken back")

	theirs := x.told(core.Condition{Reason: "Unschedulable", Message: "victims leave"}, func(f *cluster.PodFact) { f.Nominated = "n" })
	other := core.New(core.Config{})
	other.Step(x.now, []core.Event{core.NodeSet{Node: nodeOf("n", 1000)}, theirs})
	require.Contains(t, other.Dump(), "nominated")
	effects = other.Step(x.now, []core.Event{core.Lead{On: true}, core.NodeGone{Name: "n"}})
	require.Len(t, conditionsIn(effects), 1)
	require.False(t, conditionsIn(effects)[0].Nominates, "it is not ours to take back")
}

// TestABoundPodHasNothingToTakeBack: the API server ends the nomination with the binding.
func TestABoundPodHasNothingToTakeBack(t *testing.T) {
	x := newPreparing(t, func(*preparing) {}, true)
	x.Step(x.now, []core.Event{x.told(x.said, asItIs), x.kept("c", "50"), x.stored("50")})
	b := binds(x.Step(x.now, []core.Event{x.bound("60")}))["p"]
	effects := x.Step(x.now, []core.Event{core.BindDone{UID: "p", Node: b, Outcome: core.Refused, Message: "no"}})
	require.Len(t, conditionsIn(effects), 1)
	require.True(t, conditionsIn(effects)[0].Nominates, "a bind that was refused ends nothing")
	require.Empty(t, conditionsIn(effects)[0].Nominated)
	x.Step(x.now, []core.Event{x.told(conditionsIn(effects)[0], func(f *cluster.PodFact) { f.Node = "n" })})
	require.NoError(t, x.Verify())
}
