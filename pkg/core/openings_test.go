package core_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sluice-scheduler/sluice/pkg/core"
)

// TestWhoJoinsThoseThatOnlyAQuotaHoldsBack: there is room, so a pod of another queue that asks for the same does not wait for a node to change.
func TestWhoJoinsThoseThatOnlyAQuotaHoldsBack(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	c := core.New(core.Config{})
	c.Step(now, []core.Event{
		core.Lead{On: true},
		leavesOf(maxCPU("a", 1000), maxCPU("b", 9000)),
		core.PodSet{Pod: inQueue("a", "first", 1000, now)},
		core.PodSet{Pod: inQueue("a", "second", 1000, now)},
	})
	effects := c.Step(now, []core.Event{core.NodeSet{Node: nodeOf("n", 9000)}})
	require.Equal(t, map[string]string{"first": "n"}, binds(effects))
	require.Equal(t, map[string]string{"second": core.ReasonQuotaExceeded}, reasons(effects))

	effects = c.Step(now, []core.Event{core.PodSet{Pod: inQueue("b", "other", 1000, now)}})
	require.Equal(t, map[string]string{"other": "n"}, binds(effects))
	require.NoError(t, c.Verify())
}
