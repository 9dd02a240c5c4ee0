package core_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sluice-scheduler/sluice/pkg/core"
	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
)

// TestWhoIsRefusedByAQuotaIsNotToldOfRoom: an autoscaler that acts on Unschedulable would add a node for nothing.
func TestWhoIsRefusedByAQuotaIsNotToldOfRoom(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	c := core.New(core.Config{})
	effects := c.Step(now, []core.Event{
		core.Lead{On: true},
		leavesOf(maxCPU("a", 0), maxCPU("b", 9000)),
		core.NodeSet{Node: nodeOf("n", 500)},
		core.PodSet{Pod: inQueue("b", "parked", 1000, now)},
	})
	require.Equal(t, map[string]string{"parked": core.ReasonUnschedulable}, reasons(effects))
	effects = c.Step(now, []core.Event{core.PodSet{Pod: inQueue("a", "never", 1000, now)}})
	require.Equal(t, map[string]string{"never": core.ReasonQuotaExceeded}, reasons(effects), "what is parked has no room for it, and its queue none either")

	effects = c.Step(now, []core.Event{leavesOf(maxCPU("a", 0), maxCPU("b", 900))})
	require.Equal(t, map[string]string{"parked": core.ReasonQuotaExceeded}, reasons(effects), "a max that is lowered holds for who waits for room")
	effects = c.Step(now, []core.Event{leavesOf(maxCPU("a", 9000), maxCPU("b", 9000))})
	require.Equal(t, map[string]string{"never": core.ReasonUnschedulable, "parked": core.ReasonUnschedulable}, reasons(effects))
	require.NoError(t, c.Verify())
}

// TestUseThatGrowsHoldsForWhoWaitsForRoom: within a minute.
func TestUseThatGrowsHoldsForWhoWaitsForRoom(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	c := core.New(core.Config{})
	effects := c.Step(now, []core.Event{
		core.Lead{On: true},
		leavesOf(maxCPU("a", 10_000)),
		core.NodeSet{Node: nodeOf("n", 6000)},
		core.PodSet{Pod: inQueue("a", "large", 8000, now)},
	})
	require.Equal(t, map[string]string{"large": core.ReasonUnschedulable}, reasons(effects))
	var events []core.Event
	for i := range 5 {
		events = append(events, core.PodSet{Pod: inQueue("a", fmt.Sprint("small-", i), 1000, now)})
	}
	require.Len(t, binds(c.Step(now, events)), 5)
	effects = c.Step(now.Add(time.Minute), nil)
	require.Equal(t, map[string]string{"large": core.ReasonQuotaExceeded}, reasons(effects))
}

// TestInAStrictQueueWhoWaitsBehindIsToldSo, and told anew when he comes first.
func TestInAStrictQueueWhoWaitsBehindIsToldSo(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	c := core.New(core.Config{})
	strict := &cluster.QueueSpec{Name: "a", Strict: true}
	first, behind := inQueue("a", "first", 9000, now), inQueue("a", "behind", 1000, now.Add(time.Second))
	effects := c.Step(now, []core.Event{
		core.Lead{On: true}, leavesOf(strict), core.NodeSet{Node: nodeOf("n", 2000)}, core.PodSet{Pod: first}, core.PodSet{Pod: behind},
	})
	require.Equal(t, map[string]string{"first": core.ReasonUnschedulable, "behind": core.ReasonWaitingForTurn}, reasons(effects))
	require.Equal(t, core.ReasonWaitingForTurn, c.Explain("ns", "behind").Reason)
	require.Empty(t, c.Step(now, nil), "it is told once")

	effects = c.Step(now, []core.Event{core.PodGone{UID: first.UID}})
	require.Equal(t, map[string]string{"behind": "n"}, binds(effects))
}
