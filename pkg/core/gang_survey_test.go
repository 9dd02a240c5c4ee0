package core_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/types"

	"github.com/sluice-scheduler/sluice/pkg/core"
	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
	"github.com/sluice-scheduler/sluice/pkg/core/resource"
)

// survey returns how a group stands, and holds that asking changes nothing.
func (s *stage) survey(id string) core.GroupSurvey {
	s.t.Helper()
	before := s.core.Dump()
	x, known := s.core.Group("ns", id)
	require.True(s.t, known)
	require.Contains(s.t, s.core.Groups(), x)
	require.Equal(s.t, before, s.core.Dump())
	return x
}

func (s *stage) standing(id string) core.GroupStanding { return s.survey(id).Standing }

// ready tells that a bound pod is ready from now on.
func (s *stage) ready(name string) {
	f := *s.facts[name]
	f.Node, f.Scheduled, f.Ready = s.on[name], s.now, s.now
	s.step(core.PodSet{Pod: &f})
}

func TestAGroupIsSurveyedFromFirstToLast(t *testing.T) {
	s := newStage(t, core.Config{HoldFor: 10 * time.Minute}, 4000, 4000)
	job := flinkJob("job", 4)
	job.Patience, job.Clock, job.Ends = 5*time.Minute, "slot.request.timeout", "Flink will fail this slot request"
	s.step(core.GroupSet{Group: job})
	x := s.survey("job")
	require.Equal(t, core.GroupEmpty, x.Standing)
	require.Equal(t, []core.GroupSource{{Origin: cluster.FromObject, Source: "FlinkDeployment job"}}, x.Sources)

	s.step(core.PodSet{Pod: member("jm", "job", "jobmanager", 1000, s.now)})
	x = s.survey("job")
	require.Equal(t, core.GroupParked, x.Standing)
	require.Equal(t, core.ReasonUnschedulable, x.Reason)
	require.Equal(t, 5, x.Min)
	require.Equal(t, "root.default", x.Queue)
	require.Equal(t, []string{"job"}, x.Apps)
	require.Equal(t, "Room on other nodes: each kind of its pods has enough by itself, and all together have not.", x.Remedy)
	require.Equal(t, []core.GroupRole{
		{Role: "jobmanager", Min: 1, Count: 1, First: true, Existing: 1, Waiting: 1, Each: cpus(1000)},
		{Role: "taskmanager", Min: 4, Count: 4, Expected: 4, Each: cpus(2000)},
	}, x.Roles)

	s.step(core.NodeSet{Node: nodeOf("n02", 4000)})
	s.wait(time.Second)
	start := s.survey("job").KeptSince
	require.Less(t, s.now.Sub(start), time.Second)
	x = s.survey("job")
	require.Equal(t, core.GroupBegun, x.Standing)
	require.Equal(t, 4, x.Roles[1].KeptPods())
	require.Equal(t, start.Add(30*time.Minute), x.KeptUntil, "as long as the first is not ready, three times as long")
	require.Zero(t, x.Deadline, "its clock does not run yet")
	require.Empty(t, x.Reason)

	s.wait(9 * time.Second)
	s.ready("jm")
	x = s.survey("job")
	require.Equal(t, s.now.Add(10*time.Minute), x.KeptUntil)
	require.Equal(t, s.now.Add(5*time.Minute), x.Deadline)
	require.Equal(t, "Flink will fail this slot request at 00:05:10 UTC (slot.request.timeout 5m)", x.DeadlineText)
	require.Equal(t, "begun: jobmanager 1 of 1 bound, taskmanager 0 of 4 bound, room kept for 4, until 00:10:10 UTC", x.Line())

	for i := range 4 {
		s.step(core.PodSet{Pod: member(fmt.Sprint("tm", i), "job", "taskmanager", 2000, s.now)})
	}
	x = s.survey("job")
	require.Equal(t, core.GroupBegun, x.Standing)
	require.Equal(t, core.GroupRole{Role: "taskmanager", Min: 4, Count: 4, Existing: 4, Bound: 4, Each: cpus(2000)}, x.Roles[1])
	require.Zero(t, x.Deadline)
	require.Zero(t, x.KeptUntil)

	// A day later one is lost. Flink asks for another, and its patience begins then.
	s.wait(24 * time.Hour)
	s.step(core.PodGone{UID: "tm2"})
	require.Equal(t, s.now.Add(5*time.Minute), s.survey("job").Deadline)

	job2 := *job
	job2.Over, job2.Why = true, "its job has ended"
	s.step(core.GroupSet{Group: &job2})
	x = s.survey("job")
	require.Equal(t, core.GroupOver, x.Standing)
	require.Equal(t, "its job has ended", x.Message)
	_, known := s.core.Group("ns", "other")
	require.False(t, known)
}

func cpus(milli int64) resource.Amounts { return podOf("p", milli, 0, time.Time{}).Demand.Requests }

func TestStandingsOfGroupsThatHaveNotBegun(t *testing.T) {
	s := newStage(t, core.Config{}, 4000)
	s.step(leavesOf(maxCPU("small", 3000), maxCPU("big", 100_000)))
	pod := func(name, group, queue string, cpu int64) core.Event {
		p := member(name, group, "", cpu, s.now)
		p.Claim.Queue = queue
		return core.PodSet{Pod: p}
	}
	invalid := gangOf("invalid", 2)
	invalid.Faults = []string{"the minimum is above the number of pods"}
	s.step(core.GroupSet{Group: gangOf("gathering", 2)}, pod("a", "gathering", "root.big", 100),
		core.GroupSet{Group: invalid}, pod("b", "invalid", "root.big", 100),
		core.GroupSet{Group: gangOf("homeless", 2)}, pod("c", "homeless", "root.none", 100), pod("d", "homeless", "root.none", 100),
		core.GroupSet{Group: gangOf("loose", 1)}, pod("e", "loose", "root.big", 100),
		core.GroupSet{Group: gangOf("poor", 2)}, pod("f", "poor", "root.small", 2000), pod("g", "poor", "root.small", 2000),
		core.GroupSet{Group: gangOf("large", 2)}, pod("h", "large", "root.big", 3000), pod("i", "large", "root.big", 3000),
	)
	for id, want := range map[string]core.GroupStanding{
		"gathering": core.GroupGathering, "invalid": core.GroupInvalid, "homeless": core.GroupHeld, "loose": core.GroupLoose, "poor": core.GroupHeldBack, "large": core.GroupParked,
	} {
		require.Equal(t, want, s.standing(id), id)
	}
	require.Equal(t, invalid.Faults, s.survey("invalid").Faults)
	require.Equal(t, core.ReasonInvalidGroup, s.survey("invalid").Reason)
	require.Equal(t, core.ReasonNoQueue, s.survey("homeless").Reason)
	require.Equal(t, "A max of at least 4 cpu for queue root.small, or fewer or smaller pods. No pod that ends helps.", s.survey("poor").Remedy)
	require.Equal(t, core.ReasonQuotaExceeded, s.survey("poor").Reason)
	require.Equal(t, "Room for 1 more that ask for 3 cpu each, on nodes that they may use.", s.survey("large").Remedy)
	require.Equal(t, 1, s.survey("large").Nodes)
	require.Equal(t, "Create the pods that are missing, or let fewer be asked for together.", s.survey("gathering").Remedy)

	x := s.core.Explain("ns", "h")
	require.Equal(t, "large", x.Group)
	require.Equal(t, "parked: pods 0 of 2 bound, 2 waiting", x.GroupLine)

	want := map[core.GroupStanding]int{}
	for _, g := range s.core.Groups() {
		want[g.Standing]++
	}
	require.Equal(t, want, s.core.Stats().Groups)
}

func TestWhatIsOverruledIsShown(t *testing.T) {
	s := newStage(t, core.Config{}, 4000)
	annotated := member("a", "g", "", 100, s.now)
	annotated.Claim.Gang = &cluster.GroupFact{Namespace: "ns", ID: "g", Origin: cluster.FromAnnotations, Source: "sluice.dev/min-members 3", Min: 3, Key: "3"}
	from := flinkJob("g", 2)
	s.step(core.GroupSet{Group: from}, core.PodSet{Pod: annotated})
	x := s.survey("g")
	require.Equal(t, 3, x.Min)
	require.Equal(t, []core.GroupSource{
		{Origin: cluster.FromAnnotations, Source: "sluice.dev/min-members 3"}, {Origin: cluster.FromObject, Source: "FlinkDeployment g"},
	}, x.Sources)
}

func TestWhatLapsedSaysSo(t *testing.T) {
	s := newStage(t, core.Config{HoldFor: time.Minute}, 9000)
	s.step(core.GroupSet{Group: flinkJob("job", 4)}, core.PodSet{Pod: member("jm", "job", "jobmanager", 1000, s.now)})
	s.ready("jm")
	s.wait(61 * time.Second)
	x := s.survey("job")
	require.Equal(t, core.GroupLapsed, x.Standing)
	require.Zero(t, x.Roles[1].KeptPods())
	require.NotEmpty(t, x.Remedy)
}

// TestTheTimeToBeginIsCounted from the creation of the oldest pod.
func TestTheTimeToBeginIsCounted(t *testing.T) {
	s := newStage(t, core.Config{}, 3000)
	s.step(core.GroupSet{Group: gangOf("g", 2)}, core.PodSet{Pod: member("a", "g", "", 2000, s.now)})
	s.wait(3 * time.Second)
	s.step(core.PodSet{Pod: member("b", "g", "", 2000, s.now)})
	require.Zero(t, s.core.Stats().BeganAfter.Count)
	s.wait(4 * time.Second)
	s.step(core.NodeSet{Node: nodeOf("n01", 3000)})
	h := s.core.Stats().BeganAfter
	require.EqualValues(t, 1, h.Count)
	require.Equal(t, 7*time.Second, h.Sum)
	require.Equal(t, []uint64{0, 0, 0, 1}, h.Within[:4], "within a second, two, four, eight …")
	require.Equal(t, 8*time.Second, core.BeganBounds()[3])
	for _, name := range []types.UID{"a", "b"} {
		s.step(core.PodGone{UID: name})
	}
	require.EqualValues(t, 1, s.core.Stats().BeganAfter.Count)
}

// TestAGroupForWhichNodesAreDrainedSaysSo, and where.
func TestAGroupForWhichNodesAreDrainedSaysSo(t *testing.T) {
	s := newStage(t, core.Config{StarvationAfter: time.Minute}, 4000, 4000)
	s.step(core.PodSet{Pod: podOf("a", 2000, 0, s.now)}, core.PodSet{Pod: podOf("b", 2000, 0, s.now)}, core.PodSet{Pod: podOf("c", 2000, 0, s.now)})
	s.step(core.GroupSet{Group: gangOf("g", 2)}, core.PodSet{Pod: member("x", "g", "", 4000, s.now)}, core.PodSet{Pod: member("y", "g", "", 4000, s.now)})
	require.Equal(t, core.GroupParked, s.standing("g"))
	s.wait(62 * time.Second)
	x := s.survey("g")
	require.Equal(t, core.GroupDraining, x.Standing)
	require.Equal(t, core.ReasonUnschedulable, x.Reason)
	require.Contains(t, x.Message, "room is kept for all of it on 2 nodes as it falls free")
	require.Equal(t, []core.KeptRoom{{Node: "n00", Pods: 1}, {Node: "n01", Pods: 1}}, x.Roles[0].Kept)
	require.Equal(t, 2, x.Roles[0].Waiting)
	require.Equal(t, 1, s.core.Stats().Groups[core.GroupDraining])
	s.step(core.PodGone{UID: "a"}, core.PodGone{UID: "b"}, core.PodGone{UID: "c"})
	require.Equal(t, core.GroupBegun, s.standing("g"))
}

// TestAGroupWhoseFirstPodWasStartedForAnAutoscalerSaysSo.
func TestAGroupWhoseFirstPodWasStartedForAnAutoscalerSaysSo(t *testing.T) {
	s := newStage(t, core.Config{}, 4000)
	s.step(core.QueuesSet{Tree: treeWith(func(q *cluster.QueueSpec) {
		q.Gang = cluster.GangSpec{ScaleUp: cluster.ScaleUpStartFirst, StartFirstAfter: 30 * time.Second}
	})}, core.GroupSet{Group: flinkJob("job", 4)}, core.PodSet{Pod: member("jm", "job", "jobmanager", 1000, s.now)})
	s.wait(31 * time.Second)
	require.Contains(t, s.on, "jm")
	x := s.survey("job")
	require.Equal(t, core.GroupGathering, x.Standing)
	require.Contains(t, x.Message, "so that an autoscaler sees what those need")
	s.step(core.PodSet{Pod: member("tm0", "job", "taskmanager", 2000, s.now)})
	require.Equal(t, core.GroupParked, s.standing("job"))
}

// BenchmarkGroups surveys a thousand groups of a hundred pods each, and one of them: that long a question holds up the loop.
func BenchmarkGroups(b *testing.B) {
	c := core.New(core.Config{Budget: 100_000_000})
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	events := []core.Event{core.Lead{On: true}}
	for i := range 1000 {
		events = append(events, core.NodeSet{Node: nodeOf(fmt.Sprint("n", i), 100_000)})
		group := fmt.Sprint("g", i)
		events = append(events, core.GroupSet{Group: gangOf(group, 100)})
		for j := range 100 {
			events = append(events, core.PodSet{Pod: member(fmt.Sprintf("%s-%d", group, j), group, "worker", 100, now)})
		}
	}
	c.Step(now, events)
	require.Equal(b, 1000, c.Stats().Groups[core.GroupBegun])
	b.Run("all", func(b *testing.B) {
		for b.Loop() {
			c.Groups()
		}
	})
	b.Run("one", func(b *testing.B) {
		for b.Loop() {
			c.Group("ns", "g7")
		}
	})
	b.Run("stats", func(b *testing.B) {
		for b.Loop() {
			c.Stats()
		}
	})
}
