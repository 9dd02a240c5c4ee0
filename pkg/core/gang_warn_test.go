package core_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	v1 "k8s.io/api/core/v1"

	"github.com/sluice-scheduler/sluice/pkg/core"
	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
)

// warned are the notes of the events about objects, by reason.
func warned(effects []core.Effect) map[string]string {
	notes := map[string]string{}
	for _, e := range effects {
		if a, ok := e.(core.AnnounceObject); ok {
			notes[a.Reason] = a.Note
		}
	}
	return notes
}

func seen(job *cluster.GroupFact) *cluster.GroupFact {
	job.Object = cluster.ObjectRef{APIVersion: "flink.apache.org/v1beta1", Kind: "FlinkDeployment", Namespace: "ns", Name: job.ID, UID: "uid-of-object"}
	return job
}

// TestATaskManagerLargerThanAnyNodeIsWarnedOfBeforeAnyPodExists, once, and no more when a node comes that is large enough.
func TestATaskManagerLargerThanAnyNodeIsWarnedOf(t *testing.T) {
	s := newStage(t, core.Config{}, 1500, 1800)
	s.step(core.GroupSet{Group: seen(flinkJob("job", 2))})
	note := "No node is large enough for a taskmanager, which asks for 2 cpu: the most that one offers is 1800m cpu. It cannot start until there is such a node."
	require.Equal(t, map[string]string{core.EventPodTooLarge: note}, warned(s.effects))
	require.Equal(t, []string{note}, s.survey("job").Warnings)
	require.Equal(t, core.GroupEmpty, s.standing("job"))

	s.step(core.PodSet{Pod: member("jm", "job", "jobmanager", 1000, s.now)})
	require.Empty(t, warned(s.effects), "it is said already")
	s.step(core.PodSet{Pod: podOf("other", 1500, 0, s.now)})
	s.wait(time.Hour)
	require.Empty(t, warned(s.effects))

	s.step(core.NodeSet{Node: nodeOf("n02", 2000)})
	s.wait(2 * time.Second)
	require.Empty(t, s.survey("job").Warnings)
	s.step(core.NodeGone{Name: "n02"})
	require.Equal(t, map[string]string{core.EventPodTooLarge: note}, warned(s.effects), "it is true again")
	s.step(core.Lead{On: false})
	require.Equal(t, []string{note}, s.survey("job").Warnings, "a standby knows it as well")
	s.step(core.Lead{On: true})
	require.Equal(t, map[string]string{core.EventPodTooLarge: note}, warned(s.effects), "whoever leads says it")
}

// TestNodesThatAreLargeEnoughMustSuit: lasting taints are for others, passing ones and cordons are not.
func TestNodesThatAreLargeEnoughMustSuit(t *testing.T) {
	s := newStage(t, core.Config{}, 1000)
	tainted := func(key string) core.Event {
		n := nodeOf("large", 8000)
		n.Taints = []v1.Taint{{Key: key, Effect: v1.TaintEffectNoSchedule}}
		n.Unschedulable = true
		return core.NodeSet{Node: n}
	}
	s.step(tainted("team"), core.GroupSet{Group: seen(flinkJob("job", 2))})
	require.Contains(t, warned(s.effects)[core.EventPodTooLarge], "None of the nodes that are large enough for a taskmanager, which asks for 2 cpu, suits its node selector, affinity and tolerations.")
	s.wait(time.Second)
	s.step(tainted("node.kubernetes.io/not-ready"))
	s.wait(2 * time.Second)
	require.Empty(t, s.survey("job").Warnings)
}

func TestAGroupThatItsQueueMayNeverHoldIsWarnedOf(t *testing.T) {
	s := newStage(t, core.Config{}, 16_000, 16_000)
	s.step(leavesOf(maxCPU("a", 12_000)))
	jm := member("jm", "job", "jobmanager", 1000, s.now)
	jm.Claim.Queue = "root.a"
	s.step(core.GroupSet{Group: seen(flinkJob("job", 6))}, core.PodSet{Pod: jm})
	note := "It needs 13 cpu to start, and queue root.a may never hold more than 12 cpu. It cannot start until that is raised, or it asks for less."
	require.Equal(t, map[string]string{core.EventQuotaTooSmall: note}, warned(s.effects))
	require.Equal(t, core.GroupHeldBack, s.standing("job"))

	s.step(leavesOf(maxCPU("a", 13_000)))
	s.wait(2 * time.Second)
	require.Contains(t, s.on, "jm")
	require.Empty(t, s.survey("job").Warnings)

	twice := seen(flinkJob("job", 6))
	twice.Twice, twice.Warnings = true, []string{"blue/green needs twice its room while it is renewed"}
	s.step(core.GroupSet{Group: twice})
	require.Equal(t, map[string]string{
		core.EventQuotaTooSmall: "It runs twice while it is renewed, which needs 26 cpu, and queue root.a may never hold more than 13 cpu. It cannot be renewed until that is raised, or it asks for less.",
		core.EventGroupWarning:  twice.Warnings[0],
	}, warned(s.effects))
	require.Len(t, s.survey("job").Warnings, 2)
}

func TestAUsersLimitCountsAsWell(t *testing.T) {
	s := newStage(t, core.Config{}, 16_000, 16_000)
	spec := maxCPU("a", 100_000)
	spec.Limits = []cluster.Limit{{Users: []string{"ann"}, Max: cpus(5000)}}
	s.step(leavesOf(spec))
	a := member("a", "g", "", 2000, s.now)
	a.Claim.Queue, a.Claim.User = "root.a", "ann"
	s.step(core.GroupSet{Group: gangOf("g", 3)}, core.PodSet{Pod: a})
	require.Equal(t, "It needs 6 cpu to start, and user ann in queue root.a may never hold more than 5 cpu. It cannot start until that is raised, or it asks for less.",
		warned(s.effects)[core.EventQuotaTooSmall], "about the pod itself, where no object tells of the group")
}

func TestFaultsAreSaidAboutTheObject(t *testing.T) {
	s := newStage(t, core.Config{}, 4000)
	g := podGroup("g", 2)
	g.Faults = []string{"one", "two"}
	s.step(core.GroupSet{Group: g})
	require.Equal(t, map[string]string{core.EventInvalidGroup: "one; two"}, warned(s.effects))
}

func TestAnAutoscalerMayBringALargerNode(t *testing.T) {
	s := newStage(t, core.Config{}, 1500)
	s.step(core.QueuesSet{Tree: treeWith(func(q *cluster.QueueSpec) {
		q.Gang = cluster.GangSpec{ScaleUp: cluster.ScaleUpStartFirst, StartFirstAfter: time.Hour}
	})},
		core.GroupSet{Group: seen(flinkJob("job", 2))}, core.PodSet{Pod: member("jm", "job", "jobmanager", 1000, s.now)})
	require.Contains(t, warned(s.effects)[core.EventPodTooLarge], "the most that one offers is 1500m cpu. It cannot start until there is such a node, which an autoscaler may add.")
}

// A session starts without TaskManagers, but no job of it ever will.
func TestPodsThatAreNotWaitedForAreWarnedOfAsWell(t *testing.T) {
	s := newStage(t, core.Config{}, 1500)
	session := seen(flinkJob("job", 0))
	session.Min, session.Roles[1].Min, session.Roles[1].Count = 1, 0, 0
	s.step(core.GroupSet{Group: session})
	note := "No node is large enough for a taskmanager, which asks for 2 cpu: the most that one offers is 1500m cpu. It may start without, and none of these can run until there is such a node."
	require.Equal(t, map[string]string{core.EventPodTooLarge: note}, warned(s.effects))
	s.step(core.PodSet{Pod: member("jm", "job", "jobmanager", 1000, s.now)})
	require.Contains(t, s.on, "jm")
	require.Equal(t, []string{note}, s.survey("job").Warnings, "after it has started, too")
	s.step(core.NodeSet{Node: nodeOf("n02", 2000)})
	s.wait(2 * time.Second)
	require.Empty(t, s.survey("job").Warnings)
}

func TestAQueueIsTooSmallBeforeAnyPodExists(t *testing.T) {
	s := newStage(t, core.Config{}, 16_000, 16_000)
	s.step(leavesOf(maxCPU("a", 12_000)))
	job := seen(flinkJob("job", 6))
	for i := range job.Roles {
		claim := *job.Roles[i].Template.Claim
		claim.Queue = "root.a"
		job.Roles[i].Template.Claim = &claim
	}
	s.step(core.GroupSet{Group: job})
	require.Equal(t, "It needs 13 cpu to start, and queue root.a may never hold more than 12 cpu. It cannot start until that is raised, or it asks for less.",
		warned(s.effects)[core.EventQuotaTooSmall])
	s.step(leavesOf(maxCPU("a", 13_000)))
	s.wait(2 * time.Second)
	require.Empty(t, s.survey("job").Warnings)
}

func TestAClusterTooSmallForTwoOfAJobIsWarnedOf(t *testing.T) {
	s := newStage(t, core.Config{}, 5000, 5000)
	job := seen(flinkJob("job", 3))
	job.Twice = true
	s.step(core.GroupSet{Group: job})
	note := "It runs twice while it is renewed, which needs 6 of taskmanager that ask for 2 cpu each, and all nodes together, if they were empty, have room for 4. " +
		"It cannot be renewed until there are more nodes, or it asks for less."
	require.Equal(t, map[string]string{core.EventClusterTooSmall: note}, warned(s.effects))
	s.step(core.NodeSet{Node: nodeOf("n02", 5000)})
	s.wait(2 * time.Second)
	require.Empty(t, s.survey("job").Warnings)
}
