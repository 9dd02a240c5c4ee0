package core_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sluice-scheduler/sluice/pkg/core"
)

// TestRoomThatAPodOfOursGrowsInto: a pod of ours that is resized in place, or that another scheduler bound before we heard of it, takes room from
// under an assumed pod as well as a foreign one does.
func TestRoomThatAPodOfOursGrowsInto(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	on := func(name string, cpu int64) core.PodSet {
		p := podOf(name, cpu, 0, now)
		p.Node = "n"
		return core.PodSet{Pod: p}
	}
	for name, taker := range map[string]core.PodSet{"resized": on("bound", 2000), "bound by another": on("unheard-of", 1000)} {
		t.Run(name, func(t *testing.T) {
			c := core.New(core.Config{})
			effects := c.Step(now, []core.Event{
				core.Lead{On: true}, core.NodeSet{Node: nodeOf("n", 4000)}, on("bound", 1000), core.PodSet{Pod: podOf("ours", 3000, 0, now)},
			})
			require.Contains(t, binds(effects), "ours")
			require.Contains(t, c.Step(now, []core.Event{taker}), core.Recall{UID: "ours"})
			require.EqualValues(t, 1, c.Stats().Stolen)
			require.NotContains(t, c.Step(now, []core.Event{taker}), core.Recall{UID: "ours"}, "once")
		})
	}
}
