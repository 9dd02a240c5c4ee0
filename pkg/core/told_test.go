package core_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sluice-scheduler/sluice/pkg/core"
	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
	"github.com/sluice-scheduler/sluice/pkg/core/resource"
)

// leavesOf is a tree of leaves below the root, to which everybody may submit.
func leavesOf(leaves ...*cluster.QueueSpec) core.QueuesSet {
	return core.QueuesSet{Tree: &cluster.Tree{Root: &cluster.QueueSpec{
		Name: "root", Parent: true, Submit: cluster.ACL{Everybody: true}, Children: leaves,
	}}}
}

func maxCPU(name string, most int64) *cluster.QueueSpec {
	return &cluster.QueueSpec{Name: name, Max: resource.Amounts{{Name: "cpu", Value: most}}}
}

// inQueue is a pod of an application of its own in a queue.
func inQueue(queue, name string, cpu int64, created time.Time) *cluster.PodFact {
	p := podOf(name, cpu, 0, created)
	p.Claim = &cluster.Claim{App: name, Queue: queue, QueueFrom: "test"}
	return p
}

func reasons(effects []core.Effect) map[string]string {
	out := map[string]string{}
	for _, e := range effects {
		if c, ok := e.(core.Condition); ok {
			out[c.Pod.Name] = c.Reason
		}
	}
	return out
}

// TestWhoIsLetInByTheQuotaAndFitsNowhereIsToldSo: an autoscaler acts on nothing but the reason Unschedulable.
func TestWhoIsLetInByTheQuotaAndFitsNowhereIsToldSo(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	c := core.New(core.Config{})
	running, theirs := inQueue("a", "running", 1000, now), podOf("theirs", 1000, 0, now)
	running.Node, theirs.Node, theirs.Ours = "n", "n", false
	effects := c.Step(now, []core.Event{
		core.Lead{On: true},
		leavesOf(maxCPU("a", 1000), maxCPU("b", 9000)),
		core.NodeSet{Node: nodeOf("n", 2000)},
		core.PodSet{Pod: running},
		core.PodSet{Pod: theirs},
		core.PodSet{Pod: inQueue("a", "held", 1000, now)},
	})
	require.Equal(t, map[string]string{"held": core.ReasonQuotaExceeded}, reasons(effects))
	effects = c.Step(now, []core.Event{core.PodSet{Pod: inQueue("b", "parked", 1000, now)}})
	require.Equal(t, map[string]string{"parked": core.ReasonUnschedulable}, reasons(effects))

	effects = c.Step(now, []core.Event{leavesOf(maxCPU("a", 9000), maxCPU("b", 9000))})
	require.Equal(t, map[string]string{"held": core.ReasonUnschedulable}, reasons(effects))
	require.NoError(t, c.Verify())
}

// TestWhoComesToAQueueThatIsHeldBackIsToldSo: of those who wait there already all have been told, of those who come none.
func TestWhoComesToAQueueThatIsHeldBackIsToldSo(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	c := core.New(core.Config{})
	effects := c.Step(now, []core.Event{
		core.Lead{On: true},
		leavesOf(maxCPU("a", 0), maxCPU("default", 9000)),
		core.NodeSet{Node: nodeOf("n", 500)},
		core.PodSet{Pod: inQueue("a", "held", 1000, now)},
		core.PodSet{Pod: inQueue("b", "parked", 1000, now)},
	})
	require.Equal(t, map[string]string{"held": core.ReasonQuotaExceeded, "parked": core.ReasonUnschedulable}, reasons(effects))

	tree := leavesOf(maxCPU("a", 0), maxCPU("default", 9000))
	tree.Tree.Rules = []cluster.Rule{{Kind: cluster.RuleFixed, Value: "root.a"}}
	effects = c.Step(now, []core.Event{tree})
	require.Equal(t, map[string]string{"parked": core.ReasonQuotaExceeded}, reasons(effects))
	require.NoError(t, c.Verify())
}

// TestWhatIsSaidOfABoundFollowsIt: also where the pod is not let in by the new bound either.
func TestWhatIsSaidOfABoundFollowsIt(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	c := core.New(core.Config{})
	running := inQueue("a", "running", 1000, now)
	running.Node = "n"
	c.Step(now, []core.Event{
		core.Lead{On: true},
		leavesOf(maxCPU("a", 1000)),
		core.NodeSet{Node: nodeOf("n", 9000)},
		core.PodSet{Pod: running},
		core.PodSet{Pod: inQueue("a", "large", 2000, now)},
	})
	require.Equal(t, "it asks for 2 cpu, and queue root.a may never hold more than 1.", c.Explain("ns", "large").Message)

	effects := c.Step(now, []core.Event{leavesOf(maxCPU("a", 2000))})
	require.Equal(t, map[string]string{"large": core.ReasonQuotaExceeded}, reasons(effects))
	require.Equal(t, "queue root.a may hold at most 2 cpu and has less than the 2 asked for left.", c.Explain("ns", "large").Message)
	require.Empty(t, reasons(c.Step(now, []core.Event{leavesOf(maxCPU("a", 2000))})), "and only when it changes")
}
