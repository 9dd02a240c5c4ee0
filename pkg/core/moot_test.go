package core_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sluice-scheduler/sluice/pkg/core"
)

// TestMootConditionIsSaidAgain: the condition of a pod that waits is dropped by a bind that follows at once. When that bind does not come
// about, and the pod waits for the same reason as before, it is said again; nothing would ever say it otherwise.
func TestMootConditionIsSaidAgain(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	says := func(effects []core.Effect) (messages []string) {
		for _, e := range effects {
			if c, ok := e.(core.Condition); ok {
				messages = append(messages, c.Message)
			}
		}
		return messages
	}
	theirs := podOf("theirs", 3000, 0, now)
	theirs.Ours, theirs.Node = false, "n"
	const full = "0/1 nodes are available: 1 Insufficient cpu."

	c := core.New(core.Config{})
	effects := c.Step(now, []core.Event{core.Lead{On: true}, core.NodeSet{Node: nodeOf("n", 1000)}, core.PodSet{Pod: podOf("ours", 3000, 0, now)}})
	require.Equal(t, []string{full}, says(effects))
	effects = c.Step(now, []core.Event{core.NodeSet{Node: nodeOf("n", 4000)}})
	require.Contains(t, binds(effects), "ours")
	effects = c.Step(now, []core.Event{core.PodSet{Pod: theirs}})
	require.Contains(t, effects, core.Recall{UID: "ours"})
	effects = c.Step(now, []core.Event{core.BindDone{UID: "ours", Node: "n", Outcome: core.Recalled}})
	require.Equal(t, []string{full}, says(effects), "said again")
	require.Empty(t, says(c.Step(now.Add(time.Second), nil)), "and only once")
}
