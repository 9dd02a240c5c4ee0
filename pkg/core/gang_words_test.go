package core_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sluice-scheduler/sluice/pkg/core"
	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
)

// Room that is not where the others are does not help a group that must stay together.
func TestRoomMustBeInOneValueOfARequiredTopology(t *testing.T) {
	s := newStage(t, core.Config{})
	for name, zone := range map[string]string{"a1": "a", "b1": "b"} {
		n := nodeOf(name, 4000)
		n.Labels = map[string]string{"zone": zone}
		s.step(core.NodeSet{Node: n})
	}
	group := func(name string, size int, required bool) string {
		g := gangOf(name, size)
		g.Topology = &cluster.GroupTopology{Key: "zone", Required: required}
		s.step(core.GroupSet{Group: g})
		for i := range size {
			s.step(core.PodSet{Pod: member(fmt.Sprint(name, i), name, "", 3000, s.now)})
		}
		return s.survey(name).Remedy
	}
	require.Equal(t, "Room for all of them in one value of zone: all values together have enough, and none has by itself.", group("two", 2, true))
	require.Equal(t, "Room for 1 more that ask for 3 cpu each, for all of them in one value of zone, on nodes that they may use.", group("three", 3, true))
	require.Equal(t, "Room for 1 more that ask for 3 cpu each, on nodes that they may use.", group("free", 3, false))
}
