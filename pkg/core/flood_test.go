package core_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/types"

	"github.com/sluice-scheduler/sluice/pkg/core"
	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
	"github.com/sluice-scheduler/sluice/pkg/core/resource"
)

// TestThousandsOfShapesThatFitNowhere: no step exceeds its budget by more than one look at every node, all get their reasons, and a pod
// that fits does not wait for them.
func TestThousandsOfShapesThatFitNowhere(t *testing.T) {
	const nodes, shapes, budget = 200, 3000, 10_000
	c := core.New(core.Config{Budget: budget})
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	events := []core.Event{core.Lead{On: true}}
	for i := range nodes {
		events = append(events, core.NodeSet{Node: nodeOf(fmt.Sprintf("n%03d", i), 4000)})
	}
	for i := range shapes {
		events = append(events, core.PodSet{Pod: podOf(fmt.Sprintf("bad-%04d", i), int64(5000+i), 0, now)})
	}
	c.Step(now, events)

	effects := c.Step(now, []core.Event{core.PodSet{Pod: podOf("good", 100, 1, now)}})
	require.Contains(t, binds(effects), "good", "higher priority goes before the flood")

	told, steps := 0, 0
	for {
		before := c.Stats().NodesVisited
		told += conditions(c.Step(now, nil))
		require.LessOrEqual(t, c.Stats().NodesVisited-before, uint64(budget+2*nodes))
		steps++
		if at, ok := c.Wake(); !ok || at.After(now) {
			break
		}
		require.Less(t, steps, 1000)
	}
	require.Greater(t, steps, 10, "the budget spreads the work")
	require.NoError(t, c.Verify())
	n := c.Stats()
	require.Equal(t, shapes, n.Parked)
	require.Equal(t, shapes+1, n.Shapes)
	require.Equal(t, "parked", string(c.Explain("ns", "bad-2999").Standing))
}

// TestAnotherEqualPodCostsNothing: what fits nowhere is remembered for all pods of its shape.
func TestAnotherEqualPodCostsNothing(t *testing.T) {
	c := core.New(core.Config{})
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	events := []core.Event{core.Lead{On: true}}
	for i := range 500 {
		events = append(events, core.NodeSet{Node: nodeOf(fmt.Sprintf("n%03d", i), 4000)})
	}
	events = append(events, core.PodSet{Pod: podOf("a", 9000, 0, now)})
	c.Step(now, events)
	before := c.Stats().NodesVisited
	effects := c.Step(now, []core.Event{core.PodSet{Pod: podOf("b", 9000, 0, now)}})
	require.Equal(t, before, c.Stats().NodesVisited)
	require.Equal(t, 1, conditions(effects), "and it is told at once why it waits")

	effects = c.Step(now, []core.Event{core.NodeSet{Node: nodeOf("n007", 16000)}})
	require.Equal(t, map[string]string{"a": "n007"}, binds(effects))
	require.LessOrEqual(t, c.Stats().NodesVisited-before, uint64(5), "only the node that changed was looked at")
}

func nodeOf(name string, cpu int64) *cluster.NodeFact {
	return &cluster.NodeFact{
		Name: name, UID: types.UID(name),
		Allocatable: resource.Amounts{{Name: "cpu", Value: cpu}, {Name: "memory", Value: 1 << 33}, {Name: "pods", Value: 110}},
	}
}

func podOf(name string, cpu int64, priority int32, created time.Time) *cluster.PodFact {
	return &cluster.PodFact{
		UID: types.UID(name), Namespace: "ns", Name: name, Created: created, Priority: priority, Ours: true,
		Demand: &cluster.Demand{Key: fmt.Sprint("cpu ", cpu), Requests: resource.Amounts{{Name: "cpu", Value: cpu}}},
	}
}

func binds(effects []core.Effect) map[string]string {
	out := map[string]string{}
	for _, e := range effects {
		if b, ok := e.(core.Bind); ok {
			out[b.Pod.Name] = b.Node
		}
	}
	return out
}

func conditions(effects []core.Effect) int {
	n := 0
	for _, e := range effects {
		if _, ok := e.(core.Condition); ok {
			n++
		}
	}
	return n
}

// TestCountsToldAtOnceDoNotKeepTheCoreBusy: however often a change of counts may be told, a parked pod is not looked at again all the time.
func TestCountsToldAtOnceDoNotKeepTheCoreBusy(t *testing.T) {
	c := core.New(core.Config{RefreshAfter: 1})
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	c.Step(now, []core.Event{core.Lead{On: true}, core.NodeSet{Node: nodeOf("n", 1000)}, core.PodSet{Pod: podOf("p", 9000, 0, now)}})
	at, ok := c.Wake()
	require.True(t, ok)
	require.GreaterOrEqual(t, at.Sub(now), time.Second)
}
