package core_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sluice-scheduler/sluice/pkg/core"
	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
)

// podGroup is a group of which the status is ours to write.
func podGroup(name string, least int) *cluster.GroupFact {
	g := gangOf(name, least)
	g.Object = cluster.ObjectRef{APIVersion: "scheduling.k8s.io/v1beta1", Kind: "PodGroup", Namespace: "ns", Name: name, UID: "uid-of-pg"}
	g.Generation = 2
	return g
}

func statuses(effects []core.Effect) (list []core.GroupStatus) {
	for _, e := range effects {
		if s, ok := e.(core.GroupStatus); ok {
			list = append(list, s)
		}
	}
	return list
}

func TestThePodGroupSaysWhyItWaitsAndThatItIsScheduled(t *testing.T) {
	s := newStage(t, core.Config{}, 4000)
	g := podGroup("g", 2)
	s.step(core.GroupSet{Group: g})
	require.Empty(t, statuses(s.effects), "there is nothing to say of a group without pods")
	s.step(core.PodSet{Pod: member("a", "g", "", 3000, s.now)})
	require.Equal(t, []core.GroupStatus{{
		Group: g.Object, Reason: core.ReasonUnschedulable, ObservedGeneration: 2,
		Message: "group g (PodGroup g) starts with 2 pods together, and 1 of the 2 pods does not exist yet.",
	}}, statuses(s.effects))
	s.step(core.PodSet{Pod: member("b", "g", "", 3000, s.now)})
	list := statuses(s.effects)
	require.Len(t, list, 1)
	require.Contains(t, list[0].Message, "there is not room for all")
	s.step(core.PodSet{Pod: podOf("small", 500, 0, s.now)})
	require.Empty(t, statuses(s.effects), "nothing has changed for the group")

	s.mute = true
	s.step(core.NodeSet{Node: nodeOf("n01", 4000)})
	require.Empty(t, statuses(s.effects), "a bind may still be refused, and True is final")
	s.mute = false
	for name, node := range map[string]string{"a": "n00", "b": "n01"} {
		s.step(core.BindDone{UID: s.facts[name].UID, Node: node, Outcome: core.Bound})
	}
	bound := func(name string) core.Event {
		f := *s.facts[name]
		f.Node = s.core.Explain("ns", name).Node
		return core.PodSet{Pod: &f}
	}
	s.step(bound("a"))
	require.Empty(t, statuses(s.effects))
	s.step(bound("b"))
	require.Equal(t, []core.GroupStatus{{Group: g.Object, Scheduled: true, Message: "2 pods of the group are bound", ObservedGeneration: 2}}, statuses(s.effects))

	// It has been scheduled once and for all, whatever becomes of its pods.
	for _, name := range []string{"a", "b"} {
		s.step(core.PodGone{UID: s.facts[name].UID})
	}
	s.step(core.PodSet{Pod: member("c", "g", "", 100, s.now)})
	require.Empty(t, statuses(s.effects))
	again := *g
	again.Object.UID = "uid-of-another"
	s.step(core.GroupSet{Group: &again})
	require.Len(t, statuses(s.effects), 1, "another group of its name")
}

func TestWhatThePodGroupSaysAlreadyIsNotWritten(t *testing.T) {
	first := newStage(t, core.Config{}, 4000)
	first.step(core.GroupSet{Group: podGroup("g", 2)}, core.PodSet{Pod: member("a", "g", "", 3000, first.now)})
	said := statuses(first.effects)[0]
	told := podGroup("g", 2)
	told.Said.Digest = cluster.Digest(said.Reason, said.Message, said.ObservedGeneration)
	s := newStage(t, core.Config{}, 4000)
	s.step(core.GroupSet{Group: told}, core.PodSet{Pod: member("a", "g", "", 3000, s.now)})
	require.Empty(t, statuses(s.effects))

	told = podGroup("done", 1)
	told.Scheduled = true
	s.step(core.GroupSet{Group: told}, core.PodSet{Pod: member("b", "done", "", 100, s.now)})
	require.Contains(t, s.on, "b")
	require.Empty(t, statuses(s.effects))

	theirs := podGroup("theirs", 1)
	theirs.Origin = cluster.FromGroupLabels // a PodGroup of Volcano
	s.step(core.GroupSet{Group: theirs}, core.PodSet{Pod: member("c", "theirs", "", 100, s.now)})
	require.Contains(t, s.on, "c")
	require.Empty(t, statuses(s.effects), "its status is not ours to write")

	bare := podGroup("bare", 1)
	bare.Generation = 0 // as API servers of 1.37 have them
	s.step(core.GroupSet{Group: bare}, core.PodSet{Pod: member("d", "bare", "", 100, s.now)})
	require.Len(t, statuses(s.effects), 1)
}

// TestMembersThatComeOneByOneDoNotFloodTheStatus: texts that differ in their numbers alone are written once a minute, the last one in the end.
func TestMembersThatComeOneByOneDoNotFloodTheStatus(t *testing.T) {
	s := newStage(t, core.Config{}, 4000)
	s.step(core.GroupSet{Group: podGroup("g", 200)})
	var all []core.GroupStatus
	for i := range 100 {
		s.step(core.PodSet{Pod: member(fmt.Sprint("p", i), "g", "", 10, s.now)})
		all = append(all, statuses(s.effects)...)
	}
	require.Len(t, all, 1)
	s.wait(2 * time.Minute)
	all = statuses(s.effects)
	require.Len(t, all, 1)
	require.Contains(t, all[0].Message, "100 of the 200 pods do not exist yet")
}

func TestAnInvalidGroupIsAnErrorInItsStatus(t *testing.T) {
	s := newStage(t, core.Config{}, 4000)
	g := podGroup("g", 2)
	g.Faults = []string{"minCount is 0"}
	s.step(core.GroupSet{Group: g}, core.PodSet{Pod: member("a", "g", "", 100, s.now)})
	require.Equal(t, core.ReasonSchedulerError, statuses(s.effects)[0].Reason)
}
