package core_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sluice-scheduler/sluice/pkg/core"
)

// TestTheSafetyNetHoldsHoweverSeldomCountsAreTold: a parked pod is looked at again after RetryAfter, also when its numbers need not be told anew
// for much longer.
func TestTheSafetyNetHoldsHoweverSeldomCountsAreTold(t *testing.T) {
	c := core.New(core.Config{RetryAfter: 5 * time.Minute, RefreshAfter: time.Hour})
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	c.Step(now, []core.Event{
		core.Lead{On: true}, core.NodeSet{Node: nodeOf("n", 1000)}, core.PodSet{Pod: podOf("large", 5000, 0, now)},
	})
	for range 2 {
		at, ok := c.Wake()
		require.True(t, ok)
		require.Equal(t, now.Add(5*time.Minute), at)
		now = at
		before := c.Stats().Unschedulable
		c.Step(now, nil)
		require.Equal(t, before+1, c.Stats().Unschedulable, "it was tried")
	}
}
