package core_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sluice-scheduler/sluice/pkg/core"
)

// TestABindIsRefusedAfterTheQueueHasGone: until the answer the pod kept its application where it was; then that has no queue and nothing placed.
func TestABindIsRefusedAfterTheQueueHasGone(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	c := core.New(core.Config{})
	effects := c.Step(now, []core.Event{
		core.Lead{On: true}, leavesOf(maxCPU("a", 2000)), core.NodeSet{Node: nodeOf("n", 2000)}, core.PodSet{Pod: inQueue("a", "p", 1000, now)},
	})
	require.Equal(t, map[string]string{"p": "n"}, binds(effects))
	c.Step(now, []core.Event{leavesOf(maxCPU("b", 2000))})
	require.Equal(t, "root.~a", c.Explain("ns", "p").Queue)

	effects = c.Step(now, []core.Event{core.BindDone{UID: "p", Node: "n", Outcome: core.Refused}})
	require.Equal(t, map[string]string{"p": core.ReasonNoQueue}, reasons(effects))
	require.NoError(t, c.Verify())
	effects = c.Step(now, []core.Event{leavesOf(maxCPU("a", 2000))})
	require.Equal(t, map[string]string{"p": "n"}, binds(effects))
}
