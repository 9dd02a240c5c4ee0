package core_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sluice-scheduler/sluice/pkg/core"
	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
)

// TestAStandbyGivesTheReasonsOfHeldPods: whoever asks it is told what the leader would say.
func TestAStandbyGivesTheReasonsOfHeldPods(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	unsupported, quarantined := podOf("unsupported", 1, 0, now), podOf("quarantined", 1, 0, now)
	unsupported.Demand = &cluster.Demand{Key: "unsupported", Unsupported: []string{"a field"}}
	c := core.New(core.Config{})
	c.Step(now, []core.Event{
		leavesOf(maxCPU("a", 1000)),
		core.Quarantine{UID: quarantined.UID, Why: "oh"},
		core.PodSet{Pod: inQueue("nowhere", "homeless", 1, now)},
		core.PodSet{Pod: unsupported},
		core.PodSet{Pod: quarantined},
	})
	want := map[string]string{
		"homeless": core.ReasonNoQueue, "unsupported": core.ReasonUnsupported, "quarantined": core.ReasonSchedulerError,
	}
	told := func() map[string]core.Explanation {
		all := map[string]core.Explanation{}
		for name, reason := range want {
			x := c.Explain("ns", name)
			require.Equal(t, core.StandingHeld, x.Standing, name)
			require.Equal(t, reason, x.Reason, name)
			require.NotEmpty(t, x.Message, name)
			all[name] = x
		}
		return all
	}
	standby := told()
	require.Equal(t, want, reasons(c.Step(now, []core.Event{core.Lead{On: true}})))
	require.Equal(t, standby, told(), "leading changes nothing about it")
}

// TestOfPodsOfOneNameTheNewestIsExplained, whichever was told first.
func TestOfPodsOfOneNameTheNewestIsExplained(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	older, newer, twin := podOf("p", 1, 0, now), podOf("p", 1, 0, now.Add(time.Second)), podOf("p", 1, 0, now.Add(time.Second))
	older.UID, newer.UID, twin.UID = "9", "1", "2"
	elsewhere := podOf("p", 1, 0, now.Add(time.Hour))
	elsewhere.Namespace, elsewhere.UID = "other", "3"
	for _, order := range [][]*cluster.PodFact{{older, newer, twin, elsewhere}, {elsewhere, twin, newer, older}} {
		c := core.New(core.Config{})
		for _, f := range order {
			c.Step(now, []core.Event{core.PodSet{Pod: f}})
		}
		require.EqualValues(t, "2", c.Explain("ns", "p").Pod.UID)
		require.EqualValues(t, "3", c.Explain("other", "p").Pod.UID)
		require.Equal(t, core.StandingUnknown, c.Explain("ns", "q").Standing)
	}
}

// TestAnExplanationNamesApplicationRoleAndFaults: of the claim and of what is asked for, also once the pod is bound.
func TestAnExplanationNamesApplicationRoleAndFaults(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	p := podOf("p", 1, 0, now)
	p.Claim = &cluster.Claim{App: "etl", AppFrom: "label sluice.dev/app", Role: "driver", Faults: []string{"user.info cannot be read"}}
	p.Demand.Faults = []string{"cpu is negative (-1)"}
	bound := *p
	bound.Node = "n"
	theirs := podOf("theirs", 1, 0, now)
	theirs.Ours = false
	c := core.New(core.Config{})
	for _, f := range []*cluster.PodFact{p, &bound} {
		c.Step(now, []core.Event{core.NodeSet{Node: nodeOf("n", 1000)}, core.PodSet{Pod: f}})
		x := c.Explain("ns", "p")
		require.Equal(t, []string{"etl", "label sluice.dev/app", "driver"}, []string{x.App, x.AppFrom, x.Role})
		require.Equal(t, []string{"user.info cannot be read", "cpu is negative (-1)"}, x.Faults)
	}
	require.Equal(t, []string{"user.info cannot be read"}, p.Claim.Faults, "facts stay as they are")
	c.Step(now, []core.Event{core.PodSet{Pod: theirs}})
	require.Empty(t, c.Explain("ns", "theirs").Faults)
}
