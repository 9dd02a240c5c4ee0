package core_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/types"

	"github.com/sluice-scheduler/sluice/pkg/core"
	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
)

// stage is a core to which things are told and whose binds are answered as they come.
type stage struct {
	t    *testing.T
	core *core.Core
	now  time.Time
	// on is where pods were bound, held back the binds that are not to be answered.
	on      map[string]string
	effects []core.Effect
	facts   map[string]*cluster.PodFact
	// mute: binds are not answered.
	mute bool
}

func newStage(t *testing.T, cfg core.Config, nodes ...int64) *stage {
	s := &stage{t: t, core: core.New(cfg), now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), on: map[string]string{}, facts: map[string]*cluster.PodFact{}}
	events := []core.Event{core.Lead{On: true}}
	for i, cpu := range nodes {
		events = append(events, core.NodeSet{Node: nodeOf(fmt.Sprintf("n%02d", i), cpu)})
	}
	s.step(events...)
	return s
}

// step tells the core of events, and then of the binds that it asked for, until it asks for no more.
func (s *stage) step(events ...core.Event) {
	s.t.Helper()
	s.effects = nil
	for {
		for _, e := range events {
			if p, ok := e.(core.PodSet); ok {
				s.facts[string(p.Pod.UID)] = p.Pod
			}
		}
		effects := s.core.Step(s.now, events)
		require.NoError(s.t, s.core.Verify())
		s.effects = append(s.effects, effects...)
		events = nil
		for _, e := range effects {
			if b, ok := e.(core.Bind); ok && !s.mute {
				s.on[b.Pod.Name] = b.Node
				f := *s.facts[string(b.Pod.UID)]
				f.Node = b.Node
				events = append(events, core.BindDone{UID: b.Pod.UID, Node: b.Node, Outcome: core.Bound}, core.PodSet{Pod: &f})
			}
		}
		if at, ok := s.core.Wake(); len(events) == 0 && (!ok || at.After(s.now)) {
			return
		}
	}
}

// wait lets time pass.
func (s *stage) wait(d time.Duration) {
	s.t.Helper()
	end := s.now.Add(d)
	var all []core.Effect
	for {
		at, ok := s.core.Wake()
		if !ok || at.After(end) {
			break
		}
		s.now = at.Add(time.Millisecond)
		s.step()
		all = append(all, s.effects...)
	}
	s.now = end
	s.step()
	s.effects = append(all, s.effects...)
}

// why is the last condition asked for of a pod.
func (s *stage) why(name string) (reason, text string) {
	x := s.core.Explain("ns", name)
	return x.Reason, x.Message
}

// member is a pod of a group.
func member(name, group, role string, cpu int64, created time.Time) *cluster.PodFact {
	p := podOf(name, cpu, 0, created)
	p.Claim = &cluster.Claim{App: group, AppFrom: "the test", Role: role, Group: group}
	return p
}

// flinkJob is a job of one JobManager of 1 core and some TaskManagers of 2.
func flinkJob(name string, taskManagers int) *cluster.GroupFact {
	template := func(role string, cpu int64) *cluster.PodFact {
		p := member("template", name, role, cpu, time.Time{})
		p.UID, p.Name = "", ""
		return p
	}
	return &cluster.GroupFact{
		Namespace: "ns", ID: name, Origin: cluster.FromObject, Source: "FlinkDeployment " + name, Min: 1 + taskManagers,
		Roles: []cluster.RoleFact{
			{Role: "jobmanager", Min: 1, Count: 1, First: true, Template: template("jobmanager", 1000)},
			{Role: "taskmanager", Min: taskManagers, Count: taskManagers, Template: template("taskmanager", 2000)},
		},
	}
}

func gangOf(name string, least int) *cluster.GroupFact {
	return &cluster.GroupFact{Namespace: "ns", ID: name, Origin: cluster.FromPodGroup, Source: "PodGroup " + name, Min: least}
}

func TestAGangStartsWholeOrNotAtAll(t *testing.T) {
	s := newStage(t, core.Config{}, 4000, 4000)
	s.step(core.GroupSet{Group: gangOf("g", 3)}, core.PodSet{Pod: member("a", "g", "", 3000, s.now)}, core.PodSet{Pod: member("b", "g", "", 3000, s.now)})
	require.Empty(t, s.on)
	reason, text := s.why("a")
	require.Equal(t, core.ReasonWaitingForGang, reason)
	require.Contains(t, text, "1 of the 3 pods does not exist yet")

	s.step(core.PodSet{Pod: member("c", "g", "", 3000, s.now)})
	require.Empty(t, s.on, "two of three have room")
	for _, name := range []string{"a", "b", "c"} {
		reason, text = s.why(name)
		require.Equal(t, core.ReasonUnschedulable, reason, name)
		require.Contains(t, text, "There is room for 2 of the 3 that ask for 3 cpu", name)
	}

	s.step(core.PodSet{Pod: podOf("alone", 4000, 0, s.now)})
	require.Len(t, s.on, 1, "what does not fit blocks nobody")
	s.step(core.NodeSet{Node: nodeOf("n02", 4000)})
	require.Len(t, s.on, 1)
	s.step(core.NodeSet{Node: nodeOf("n03", 4000)})
	require.Len(t, s.on, 4, "all three at once")
	require.Equal(t, 1, countEvents(s.effects, "Scheduled", "a"))
}

func countEvents(effects []core.Effect, reason, pod string) (n int) {
	for _, e := range effects {
		if a, ok := e.(core.Announce); ok && a.Reason == reason && a.Pod.Name == pod {
			n++
		}
	}
	return n
}

// TestAJobManagerDoesNotStartWithoutItsTaskManagers is scenario 1 of two jobs that contend for room for one and a half.
func TestAJobManagerDoesNotStartWithoutItsTaskManagers(t *testing.T) {
	s := newStage(t, core.Config{}, 8000, 8000)
	s.step(core.GroupSet{Group: flinkJob("one", 4)}, core.GroupSet{Group: flinkJob("two", 4)})
	s.step(core.PodSet{Pod: member("jm-one", "one", "jobmanager", 1000, s.now)}, core.PodSet{Pod: member("jm-two", "two", "jobmanager", 1000, s.now.Add(time.Second))})
	require.Contains(t, s.on, "jm-one")
	require.NotContains(t, s.on, "jm-two")
	require.Equal(t, 4+4, s.core.Stats().Expected, "room is kept for those of the first, and wanted for those of the second")
	_, text := s.why("jm-two")
	require.Contains(t, text, "1 jobmanager with 1 cpu, 4 taskmanager with 2 cpu")

	// A flood of small pods finds what is left, and nothing of what is kept.
	for i := range 20 {
		s.step(core.PodSet{Pod: podOf(fmt.Sprint("small", i), 1000, 0, s.now)})
	}
	require.Len(t, s.on, 1+7)

	s.now = s.now.Add(40 * time.Second)
	for i := range 4 {
		s.step(core.PodSet{Pod: member(fmt.Sprint("one-taskmanager-1-", i), "one", "taskmanager", 2000, s.now)})
	}
	require.Len(t, s.on, 1+7+4, "the real ones take the rooms")
	require.EqualValues(t, 4, s.core.Stats().Arrived)
	require.NotContains(t, s.on, "jm-two")
}

func TestRoomIsKeptForALimitedTime(t *testing.T) {
	s := newStage(t, core.Config{HoldFor: time.Minute}, 9000)
	s.step(core.GroupSet{Group: flinkJob("job", 4)}, core.PodSet{Pod: member("jm", "job", "jobmanager", 1000, s.now)})
	ready := *s.facts["jm"]
	ready.Node, ready.Scheduled, ready.Ready = "n00", s.now, s.now.Add(30*time.Second)
	s.wait(30 * time.Second)
	s.step(core.PodSet{Pod: &ready}, core.PodSet{Pod: podOf("other", 8000, 0, s.now)})
	s.wait(59 * time.Second)
	require.NotContains(t, s.on, "other")
	s.wait(2 * time.Second)
	require.Contains(t, s.on, "other", "the room of those that did not come within a minute of the JobManager's being ready")
	require.EqualValues(t, 1, s.core.Stats().Lapsed)
}

func TestAReplacementComesBeforeNewJobs(t *testing.T) {
	s := newStage(t, core.Config{HoldFor: time.Minute}, 8000, 8000)
	s.step(core.GroupSet{Group: flinkJob("job", 7)}, core.PodSet{Pod: member("jm", "job", "jobmanager", 1000, s.now)})
	for i := range 7 {
		s.step(core.PodSet{Pod: member(fmt.Sprint("tm", i), "job", "taskmanager", 2000, s.now)})
	}
	require.Len(t, s.on, 8)
	s.step(core.PodSet{Pod: podOf("eager", 2000, 0, s.now.Add(-time.Hour))})
	require.NotContains(t, s.on, "eager")
	s.step(core.PodGone{UID: "tm3"})
	require.NotContains(t, s.on, "eager", "the room is kept for the one that replaces it")
	s.step(core.PodSet{Pod: member("tm-new", "job", "taskmanager", 2000, s.now)})
	require.Contains(t, s.on, "tm-new")

	// A node goes, and with it more than one can replace: the replacements wait, and come first when there is room.
	gone := s.on["tm-new"]
	var events []core.Event
	lost := 0
	for name, node := range s.on {
		if node == gone && strings.HasPrefix(name, "tm") && s.facts[name] != nil {
			events = append(events, core.PodGone{UID: types.UID(name)})
			lost++
		}
	}
	s.step(append(events, core.NodeGone{Name: gone})...)
	for i := range lost {
		s.step(core.PodSet{Pod: member(fmt.Sprint("again", i), "job", "taskmanager", 2000, s.now)})
	}
	s.step(core.NodeSet{Node: nodeOf("n09", int64(2000*lost))})
	require.NotContains(t, s.on, "eager")
	require.Contains(t, s.on, fmt.Sprint("again", lost-1))
}

func TestAnUpgradeGetsItsRoomBack(t *testing.T) {
	s := newStage(t, core.Config{ReentryFor: time.Minute}, 9000)
	s.step(core.GroupSet{Group: flinkJob("job", 4)}, core.PodSet{Pod: member("jm", "job", "jobmanager", 1000, s.now)})
	for i := range 4 {
		s.step(core.PodSet{Pod: member(fmt.Sprint("tm", i), "job", "taskmanager", 2000, s.now)})
	}
	s.step(core.PodSet{Pod: podOf("other", 3000, 0, s.now)})
	for _, name := range []string{"jm", "tm0", "tm1", "tm2", "tm3"} {
		s.step(core.PodGone{UID: types.UID(name)})
	}
	s.wait(50 * time.Second)
	require.NotContains(t, s.on, "other")
	s.step(core.PodSet{Pod: member("jm2", "job", "jobmanager", 1000, s.now)})
	for i := range 4 {
		s.step(core.PodSet{Pod: member(fmt.Sprint("tm-b", i), "job", "taskmanager", 2000, s.now)})
	}
	require.Contains(t, s.on, "jm2")
	require.Contains(t, s.on, "tm-b3")
	for _, name := range []string{"jm2", "tm-b0", "tm-b1", "tm-b2", "tm-b3"} {
		s.step(core.PodGone{UID: types.UID(name)})
	}
	s.wait(61 * time.Second)
	require.Contains(t, s.on, "other", "the claim ends")
}

func TestAPodLargerThanForeseenIsTakenAllTheSame(t *testing.T) {
	s := newStage(t, core.Config{}, 8000, 8000)
	s.step(core.GroupSet{Group: flinkJob("job", 4)}, core.PodSet{Pod: member("jm", "job", "jobmanager", 1000, s.now)})
	for i := range 4 {
		s.step(core.PodSet{Pod: member(fmt.Sprint("tm", i), "job", "taskmanager", 3000, s.now)})
	}
	require.Len(t, s.on, 5)
	require.Zero(t, s.core.Stats().Expected)
}

func TestWhatIsOwedAfterARestartGoesFirst(t *testing.T) {
	s := newStage(t, core.Config{}, 9000)
	job := flinkJob("job", 4)
	jm := member("jm", "job", "jobmanager", 1000, s.now.Add(-time.Minute))
	jm.Node, jm.Scheduled = "n00", s.now.Add(-time.Minute)
	next := core.New(core.Config{})
	effects := next.Step(s.now, []core.Event{
		core.NodeSet{Node: nodeOf("n00", 9000)}, core.PodSet{Pod: podOf("other", 2000, 0, s.now.Add(-time.Hour))}, core.PodSet{Pod: jm}, core.GroupSet{Group: job}, core.Lead{On: true},
	})
	require.NoError(t, next.Verify())
	require.Empty(t, binds(effects))
	require.Equal(t, 4, next.Stats().Expected)
}

func TestGroupsThatContradictThemselvesAreTold(t *testing.T) {
	s := newStage(t, core.Config{}, 8000)
	bad := gangOf("bad", 2)
	bad.Faults = []string{"minMember 5 is more than its 3 pods"}
	s.step(core.GroupSet{Group: bad}, core.PodSet{Pod: member("a", "bad", "", 1000, s.now)}, core.PodSet{Pod: member("b", "bad", "", 1000, s.now)})
	reason, text := s.why("a")
	require.Equal(t, core.ReasonInvalidGroup, reason)
	require.Contains(t, text, "minMember 5 is more than its 3 pods")
	s.step(core.GroupGone{Namespace: "ns", ID: "bad", Origin: cluster.FromPodGroup})
	s.wait(2 * time.Minute)
	require.Len(t, s.on, 2, "nobody tells of the group any more, so they start as they come")
}

func TestAPodWaitsForItsPodGroup(t *testing.T) {
	s := newStage(t, core.Config{}, 8000)
	pod := member("a", "podgroup/g", "", 1000, s.now)
	pod.Claim.Awaits = cluster.AwaitsAlways
	soon := member("b", "flink/x", "jobmanager", 1000, s.now)
	soon.Claim.Awaits = cluster.AwaitsSoon
	s.step(core.PodSet{Pod: pod}, core.PodSet{Pod: soon})
	require.Empty(t, s.on)
	s.wait(11 * time.Second)
	require.Equal(t, map[string]string{"b": "n00"}, s.on, "ten seconds are enough for a ConfigMap")
	s.step(core.GroupSet{Group: gangOf("podgroup/g", 1)})
	require.Contains(t, s.on, "a")
}

func TestAGangIsHeldToItsQueueAsAWhole(t *testing.T) {
	s := newStage(t, core.Config{}, 64000)
	tree := cluster.DefaultTree()
	_ = tree
	s.step(core.GroupSet{Group: gangOf("g", 3)})
	for i := range 5 {
		s.step(core.PodSet{Pod: member(fmt.Sprint("p", i), "g", "", 1000, s.now)})
	}
	require.Len(t, s.on, 5, "those beyond the least come as they may")
}

// TestAGangIsNotStarvedByAStreamOfSmallPods: a full cluster of one-pod jobs that end and are followed by others never has room for a gang; nodes are drained for it.
func TestAGangIsNotStarvedByAStreamOfSmallPods(t *testing.T) {
	for _, after := range []time.Duration{0, time.Minute} {
		s := newStage(t, core.Config{StarvationAfter: after}, 8000, 8000, 8000, 8000)
		job := 0
		ends := map[string]time.Time{}
		small := func() {
			name := fmt.Sprint("small", job)
			s.step(core.PodSet{Pod: podOf(name, 2000, 0, s.now)})
			ends[name] = s.now.Add(time.Duration(20+(job*7)%20) * time.Second)
			job++
		}
		for range 24 {
			small()
		}
		s.step(core.GroupSet{Group: gangOf("g", 6)})
		for i := range 6 {
			s.step(core.PodSet{Pod: member(fmt.Sprint("g", i), "g", "", 4000, s.now)})
		}
		for range 180 {
			s.wait(time.Second)
			for i := range job {
				name := fmt.Sprint("small", i)
				if end, lives := ends[name]; lives && s.on[name] != "" && !end.After(s.now) {
					delete(ends, name)
					s.step(core.PodGone{UID: types.UID(name)})
					small()
				}
			}
		}
		placed := 0
		for i := range 6 {
			if s.on[fmt.Sprint("g", i)] != "" {
				placed++
			}
		}
		if after == 0 {
			require.Zero(t, placed, "without draining it starves: the comparison means something")
		} else {
			require.Equal(t, 6, placed)
			require.NotZero(t, s.core.Stats().Drains)
		}
	}
}

func TestTheJobManagerIsStartedFirstForAnAutoscaler(t *testing.T) {
	s := newStage(t, core.Config{}, 4000)
	tree := treeWith(func(q *cluster.QueueSpec) {
		q.Gang = cluster.GangSpec{ScaleUp: cluster.ScaleUpStartFirst, StartFirstAfter: 30 * time.Second}
	})
	s.step(core.QueuesSet{Tree: tree}, core.GroupSet{Group: flinkJob("job", 4)}, core.PodSet{Pod: member("jm", "job", "jobmanager", 1000, s.now)})
	s.wait(29 * time.Second)
	require.Empty(t, s.on)
	s.wait(2 * time.Second)
	require.Equal(t, map[string]string{"jm": "n00"}, s.on)
	for i := range 4 {
		s.step(core.PodSet{Pod: member(fmt.Sprint("tm", i), "job", "taskmanager", 2000, s.now)})
	}
	require.Len(t, s.on, 1, "the others start whole or not at all still")
	for i := range 4 {
		reason, _ := s.why(fmt.Sprint("tm", i))
		require.Equal(t, core.ReasonUnschedulable, reason, "an autoscaler acts on it")
	}
	s.step(core.NodeSet{Node: nodeOf("n01", 8000)})
	require.Len(t, s.on, 5)
}

// treeWith is a tree of one queue, root.default.
func treeWith(change func(*cluster.QueueSpec)) *cluster.Tree {
	tree := cluster.DefaultTree()
	change(tree.Root)
	return tree
}

func TestTaskManagersOfOneScaleStepAreBoundTogether(t *testing.T) {
	s := newStage(t, core.Config{}, 20000)
	job := flinkJob("job", 1)
	job.Together = true
	s.step(core.GroupSet{Group: job}, core.PodSet{Pod: member("jm", "job", "jobmanager", 1000, s.now)}, core.PodSet{Pod: member("tm0", "job", "taskmanager", 2000, s.now)})
	require.Len(t, s.on, 2)
	for i := range 4 {
		s.wait(300 * time.Millisecond)
		s.step(core.PodSet{Pod: member(fmt.Sprint("new", i), "job", "taskmanager", 2000, s.now)})
		require.Len(t, s.on, 2)
	}
	s.wait(1100 * time.Millisecond)
	require.Len(t, s.on, 6)
	require.Equal(t, 4, len(binds(s.effects)), "in one step")
	for i := range 8 {
		s.step(core.PodSet{Pod: member(fmt.Sprint("more", i), "job", "taskmanager", 2000, s.now)})
	}
	s.wait(1100 * time.Millisecond)
	require.Len(t, s.on, 6+4, "as many as fit")
}

func TestAGangStaysInOneZone(t *testing.T) {
	zoned := func(name, zone string, cpu int64) core.NodeSet {
		n := nodeOf(name, cpu)
		n.Labels = map[string]string{"zone": zone}
		return core.NodeSet{Node: n}
	}
	for _, required := range []bool{true, false} {
		s := newStage(t, core.Config{})
		s.step(zoned("a1", "a", 4000), zoned("a2", "a", 4000), zoned("b1", "b", 4000), zoned("b2", "b", 1000))
		g := gangOf("g", 2)
		g.Topology = &cluster.GroupTopology{Key: "zone", Required: required}
		s.step(core.GroupSet{Group: g}, core.PodSet{Pod: member("p0", "g", "", 2000, s.now)}, core.PodSet{Pod: member("p1", "g", "", 2000, s.now)})
		require.Equal(t, map[string]string{"p0": "b1", "p1": "b1"}, s.on, "the zone that is left with the least")
		h := gangOf("h", 3)
		h.Topology = g.Topology
		s.step(core.GroupSet{Group: h})
		for i := range 3 {
			s.step(core.PodSet{Pod: member(fmt.Sprint("q", i), "h", "", 3000, s.now)})
		}
		require.Equal(t, 2, len(s.on))
		s.step(zoned("b3", "b", 4000))
		if required {
			require.Equal(t, 2, len(s.on), "two fit in zone a and one in b")
			_, text := s.why("q0")
			require.Contains(t, text, "All must run where zone has one value")
		} else {
			require.Equal(t, 5, len(s.on))
		}
	}
}

// TestAHeadStartIsNotTakenForABegunJob: after a restart a JobManager that runs alone is followed by its TaskManagers as a whole only.
func TestAHeadStartIsNotTakenForABegunJob(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	jm := member("jm", "job", "jobmanager", 1000, now.Add(-time.Minute))
	jm.Node, jm.Scheduled = "n00", now.Add(-time.Minute)
	s := newStage(t, core.Config{}, 5000)
	s.step(core.Lead{On: false}, core.PodSet{Pod: jm}, core.GroupSet{Group: flinkJob("job", 4)})
	s.step(core.Lead{On: true})
	for i := range 4 {
		s.step(core.PodSet{Pod: member(fmt.Sprint("tm", i), "job", "taskmanager", 2000, s.now)})
	}
	require.Empty(t, s.on)
	s.step(core.NodeSet{Node: nodeOf("n01", 4000)})
	require.Len(t, s.on, 4)
}

// TestAFinishedJobWhoseJobManagerLivesOnDoesNotCountAsRunning is scenario 12.
func TestAFinishedJobWhoseJobManagerLivesOnDoesNotCountAsRunning(t *testing.T) {
	s := newStage(t, core.Config{}, 20000)
	tree := treeWith(func(q *cluster.QueueSpec) { q.MaxApps = 1 })
	s.step(core.QueuesSet{Tree: tree}, core.GroupSet{Group: flinkJob("old", 1)}, core.PodSet{Pod: member("jm", "old", "jobmanager", 1000, s.now)}, core.PodSet{Pod: member("tm", "old", "taskmanager", 2000, s.now)})
	require.Len(t, s.on, 2)
	s.step(core.GroupSet{Group: flinkJob("new", 1)}, core.PodSet{Pod: member("jm-new", "new", "jobmanager", 1000, s.now)}, core.PodSet{Pod: member("tm-new", "new", "taskmanager", 2000, s.now)})
	require.Len(t, s.on, 2)
	over := flinkJob("old", 1)
	over.Over, over.Finished, over.Why = true, true, "the job is FINISHED"
	s.step(core.PodGone{UID: "tm"}, core.GroupSet{Group: over})
	require.Len(t, s.on, 4)
	s.step(core.GroupSet{Group: flinkJob("old", 1)}, core.PodGone{UID: "jm"})
	require.Len(t, s.on, 4)
}

// TestNoMemberIsBoundBeforeTheVolumesOfAllArePrepared also has the volumes of one fail: it is tried again by itself, and the others wait for it.
func TestNoMemberIsBoundBeforeTheVolumesOfAllArePrepared(t *testing.T) {
	s := newStage(t, core.Config{}, 8000)
	claim := &cluster.VolumeClaimFact{Namespace: "ns", Name: "data", UID: "data", Class: "fast", ResourceVersion: "1"}
	with := member("a", "g", "", 1000, s.now)
	with.Needs = &cluster.Needs{Claims: []cluster.ClaimUse{{Name: "data"}}}
	s.step(core.StorageClassSet{Class: &cluster.StorageClassFact{Name: "fast", Provisioner: "example.com/disk", Driver: "example.com/disk", Waits: true}}, core.VolumeClaimSet{Claim: claim})
	s.step(core.GroupSet{Group: gangOf("g", 2)}, core.PodSet{Pod: with}, core.PodSet{Pod: member("b", "g", "", 1000, s.now)})
	require.Empty(t, s.on)
	serial := uint64(0)
	for _, e := range s.effects {
		if p, ok := e.(core.PrepareVolumes); ok {
			serial = p.Serial
		}
	}
	require.NotZero(t, serial)
	provisioned := *claim
	provisioned.Selected, provisioned.SelectedNode, provisioned.Bound, provisioned.Volume, provisioned.ResourceVersion = true, "n00", true, "pv", "2"
	s.step(core.VolumesDone{UID: "a", Serial: serial, Stored: true, Versions: []string{"2"}})
	require.Empty(t, s.on)
	s.step(core.VolumeSet{Volume: &cluster.VolumeFact{Name: "pv", UID: "pv", ClaimRef: &cluster.ClaimRef{Namespace: "ns", Name: "data", UID: "data"}}}, core.VolumeClaimSet{Claim: &provisioned})
	require.Len(t, s.on, 2)
}

// TestWhatIsLeftOverOfAJobKeepsNoRoom: its ConfigMap goes later than its pods.
func TestWhatIsLeftOverOfAJobKeepsNoRoom(t *testing.T) {
	s := newStage(t, core.Config{}, 9000)
	job := flinkJob("job", 4)
	job.Origin = cluster.FromConfigMap
	s.step(core.GroupSet{Group: job}, core.PodSet{Pod: member("jm", "job", "jobmanager", 1000, s.now)}, core.PodSet{Pod: podOf("other", 9000, 0, s.now)})
	s.step(core.PodGone{UID: "jm"})
	require.Contains(t, s.on, "other")
}

// refuse answers all binds of the last effects with a refusal.
func (s *stage) refuse() (n int) {
	s.t.Helper()
	var events []core.Event
	for _, e := range s.effects {
		if b, ok := e.(core.Bind); ok {
			events = append(events, core.BindDone{UID: b.Pod.UID, Node: b.Node, Outcome: core.Refused, Message: "no"})
		}
	}
	s.step(events...)
	return len(events)
}

func TestARefusedMemberBacksOff(t *testing.T) {
	s := newStage(t, core.Config{BackoffInitial: 2 * time.Second}, 8000)
	s.mute = true
	s.step(core.GroupSet{Group: gangOf("g", 2)}, core.PodSet{Pod: member("a", "g", "", 1000, s.now)}, core.PodSet{Pod: member("b", "g", "", 1000, s.now)})
	require.Equal(t, 2, s.refuse())
	require.Empty(t, binds(s.effects), "it is not tried again at once")
	reason, _ := s.why("a")
	require.Equal(t, core.ReasonSchedulerError, reason)
	s.mute = false
	s.wait(3 * time.Second)
	require.Len(t, s.on, 2)
}

func TestAFailedVolumeUndoesTheWholeGang(t *testing.T) {
	s := newStage(t, core.Config{}, 8000)
	claim := &cluster.VolumeClaimFact{Namespace: "ns", Name: "data", UID: "data", Class: "fast", ResourceVersion: "1"}
	with := member("a", "g", "", 1000, s.now)
	with.Needs = &cluster.Needs{Claims: []cluster.ClaimUse{{Name: "data"}}}
	s.step(core.StorageClassSet{Class: &cluster.StorageClassFact{Name: "fast", Provisioner: "example.com/disk", Driver: "example.com/disk", Waits: true}}, core.VolumeClaimSet{Claim: claim})
	s.step(core.GroupSet{Group: gangOf("g", 3)}, core.PodSet{Pod: with}, core.PodSet{Pod: member("b", "g", "", 1000, s.now)}, core.PodSet{Pod: member("c", "g", "", 1000, s.now)})
	serial := uint64(0)
	for _, e := range s.effects {
		if p, ok := e.(core.PrepareVolumes); ok {
			serial = p.Serial
		}
	}
	s.step(core.VolumesDone{UID: "a", Serial: serial, Stored: false, Message: "quota"})
	require.Empty(t, s.on, "nothing is bound while one of them has no volume")
}

// TestAnUpgradeToMoreThanThereIsRoomForDoesNotBeginInPart: the room that is kept for the return is too little for what comes.
func TestAnUpgradeToMoreThanThereIsRoomForDoesNotBeginInPart(t *testing.T) {
	s := newStage(t, core.Config{}, 9000)
	s.step(core.GroupSet{Group: flinkJob("job", 4)}, core.PodSet{Pod: member("jm", "job", "jobmanager", 1000, s.now)})
	for i := range 4 {
		s.step(core.PodSet{Pod: member(fmt.Sprint("tm", i), "job", "taskmanager", 2000, s.now)})
	}
	s.step(core.GroupSet{Group: flinkJob("job", 8)})
	for _, name := range []string{"jm", "tm0", "tm1", "tm2", "tm3"} {
		s.step(core.PodGone{UID: types.UID(name)})
	}
	s.step(core.PodSet{Pod: member("jm2", "job", "jobmanager", 1000, s.now)})
	require.NotContains(t, s.on, "jm2")
	s.step(core.NodeSet{Node: nodeOf("n01", 8000)})
	require.Contains(t, s.on, "jm2")
}

// TestWhatIsExpectedFollowsWhatIsTold: the size of TaskManagers is known better once the ConfigMap is there.
func TestWhatIsExpectedFollowsWhatIsTold(t *testing.T) {
	s := newStage(t, core.Config{}, 9000, 9000)
	s.step(core.GroupSet{Group: flinkJob("job", 4)}, core.PodSet{Pod: member("jm", "job", "jobmanager", 1000, s.now)})
	require.Contains(t, s.on, "jm")
	larger := flinkJob("job", 4)
	larger.Roles[1].Template.Demand = podOf("x", 4000, 0, s.now).Demand
	s.step(core.GroupSet{Group: larger})
	s.step(core.PodSet{Pod: podOf("other", 1500, 0, s.now)})
	require.NotContains(t, s.on, "other", "4 × 4 and the JobManager leave 1")
	// A webhook adds to the real ones; after an upgrade to another size that is forgotten.
	for i := range 4 {
		s.step(core.PodSet{Pod: member(fmt.Sprint("tm", i), "job", "taskmanager", 4100, s.now)})
	}
	smaller := flinkJob("job", 4)
	s.step(core.GroupSet{Group: smaller})
	for i := range 4 {
		s.step(core.PodGone{UID: types.UID(fmt.Sprint("tm", i))})
	}
	s.step(core.PodSet{Pod: podOf("more", 8000, 0, s.now)})
	require.Contains(t, s.on, "more", "4 × 2 and the JobManager fit on one node")
}

func TestASuspendedGangThatWaitsDoesNotStartInPart(t *testing.T) {
	s := newStage(t, core.Config{}, 4000)
	s.step(core.GroupSet{Group: flinkJob("job", 4)}, core.PodSet{Pod: member("jm", "job", "jobmanager", 1000, s.now)})
	over := flinkJob("job", 4)
	over.Over, over.Why = true, "spec.job.state is suspended"
	s.step(core.GroupSet{Group: over})
	require.Empty(t, s.on)
	s.step(core.GroupGone{Namespace: "ns", ID: "job", Origin: cluster.FromObject})
	require.Empty(t, s.on, "its pods go with what told of it")
	s.wait(2 * time.Minute)
	require.Len(t, s.on, 1, "if they do not, it starts by itself in the end")
}

// TestAScaleStepAfterAnotherIsBoundTogether: the first of its pods may come alone.
func TestAScaleStepAfterAnotherIsBoundTogether(t *testing.T) {
	s := newStage(t, core.Config{}, 20000)
	job := flinkJob("job", 1)
	job.Together = true
	s.step(core.GroupSet{Group: job}, core.PodSet{Pod: member("jm", "job", "jobmanager", 1000, s.now)}, core.PodSet{Pod: member("tm0", "job", "taskmanager", 2000, s.now)})
	s.step(core.PodSet{Pod: member("tm1", "job", "taskmanager", 2000, s.now)})
	s.wait(2 * time.Second)
	require.Len(t, s.on, 3)
	s.wait(time.Minute)
	s.step(core.PodSet{Pod: member("tm2", "job", "taskmanager", 2000, s.now)})
	require.Len(t, s.on, 3)
	s.wait(300 * time.Millisecond)
	s.step(core.PodSet{Pod: member("tm3", "job", "taskmanager", 2000, s.now)}, core.PodSet{Pod: member("tm4", "job", "taskmanager", 2000, s.now)})
	require.Len(t, s.on, 3)
	s.wait(1100 * time.Millisecond)
	require.Len(t, s.on, 6)
}

func TestAJobThatIsGoneAtOnceGetsItsRoomBack(t *testing.T) {
	s := newStage(t, core.Config{ReentryFor: time.Minute}, 9000)
	s.step(core.GroupSet{Group: flinkJob("job", 4)}, core.PodSet{Pod: member("jm", "job", "jobmanager", 1000, s.now)})
	for i := range 4 {
		s.step(core.PodSet{Pod: member(fmt.Sprint("tm", i), "job", "taskmanager", 2000, s.now)})
	}
	s.step(core.PodSet{Pod: podOf("other", 3000, 0, s.now)})
	s.step(core.PodGone{UID: "jm"}, core.PodGone{UID: "tm0"}, core.PodGone{UID: "tm1"}, core.PodGone{UID: "tm2"}, core.PodGone{UID: "tm3"})
	require.NotContains(t, s.on, "other", "nothing of it is left, and its room is kept")
	s.step(core.PodSet{Pod: member("jm2", "job", "jobmanager", 1000, s.now)})
	require.Contains(t, s.on, "jm2")
	require.NotContains(t, s.on, "other")
}

// TestAClaimThatIsMissingHoldsUpNobodyElse: pods that ask for the same of nodes share what is remembered of rooms.
func TestAClaimThatIsMissingHoldsUpNobodyElse(t *testing.T) {
	s := newStage(t, core.Config{}, 8000)
	s.step(core.GroupSet{Group: gangOf("broken", 2)}, core.GroupSet{Group: gangOf("sound", 2)})
	for _, name := range []string{"a", "b"} {
		p := member(name, "broken", "", 1000, s.now)
		p.Needs = &cluster.Needs{Key: "missing", Claims: []cluster.ClaimUse{{Name: "missing"}}}
		s.step(core.PodSet{Pod: p})
	}
	require.Empty(t, s.on)
	s.step(core.PodSet{Pod: member("c", "sound", "", 1000, s.now)}, core.PodSet{Pod: member("d", "sound", "", 1000, s.now)})
	require.Equal(t, map[string]string{"c": "n00", "d": "n00"}, s.on)
}

// TestWhoHasWaitedForASourceDoesNotWaitForThoseWhoCameLater: pods of which nobody ever tells keep coming.
func TestWhoHasWaitedForASourceDoesNotWaitForThoseWhoCameLater(t *testing.T) {
	s := newStage(t, core.Config{}, 64000)
	for i := range 6 {
		p := member(fmt.Sprint("p", i), "volcano/left", "", 1000, s.now)
		p.Claim.Awaits = cluster.AwaitsSoon
		s.step(core.PodSet{Pod: p})
		s.wait(5 * time.Second)
	}
	require.Len(t, s.on, 5, "all that are ten seconds old")
}

// TestAGangThatMustStayInOneZoneStaysThere: a pod that replaces another, and one beyond the least, wait for room there.
func TestAGangThatMustStayInOneZoneStaysThere(t *testing.T) {
	zoned := func(name, zone string, cpu int64) core.NodeSet {
		n := nodeOf(name, cpu)
		n.Labels = map[string]string{"zone": zone}
		return core.NodeSet{Node: n}
	}
	s := newStage(t, core.Config{})
	s.step(zoned("a1", "a", 4000), zoned("a2", "a", 2000), zoned("b1", "b", 16000))
	g := gangOf("g", 3)
	g.Topology = &cluster.GroupTopology{Key: "zone", Required: true}
	s.step(zoned("b1", "b", 1000), core.GroupSet{Group: g})
	for i := range 3 {
		s.step(core.PodSet{Pod: member(fmt.Sprint("p", i), "g", "", 2000, s.now)})
	}
	require.Len(t, s.on, 3)
	s.step(zoned("b1", "b", 16000), core.PodSet{Pod: member("more0", "g", "", 2000, s.now)}, core.PodSet{Pod: member("more1", "g", "", 2000, s.now)})
	require.Len(t, s.on, 3, "there is no room left in zone a")
	reason, text := s.why("more0")
	require.Equal(t, core.ReasonUnschedulable, reason)
	require.Contains(t, text, "must stay where its pods are by label zone")
	gone := s.on["p1"]
	s.step(core.PodGone{UID: "p1"})
	s.wait(3 * time.Second)
	require.Equal(t, gone, s.on["more0"])
	require.NotContains(t, s.on, "more1")
	s.step(zoned("a3", "a", 2000))
	s.wait(3 * time.Second)
	require.Equal(t, "a3", s.on["more1"])

	job := flinkJob("job", 2)
	job.Topology = g.Topology
	s.step(zoned("c1", "c", 3000), zoned("c2", "c", 2000), core.NodeGone{Name: "b1"}, core.GroupSet{Group: job}, core.PodSet{Pod: member("jm", "job", "jobmanager", 1000, s.now)})
	for i := range 2 {
		s.step(core.PodSet{Pod: member(fmt.Sprint("tm", i), "job", "taskmanager", 2000, s.now)})
	}
	require.Len(t, s.on, 5+3)
	s.step(zoned("b1", "b", 16000), core.NodeGone{Name: "c2"}, core.PodGone{UID: "tm0"}, core.PodGone{UID: "tm1"})
	s.step(core.PodSet{Pod: member("tm2", "job", "taskmanager", 2000, s.now)}, core.PodSet{Pod: member("tm3", "job", "taskmanager", 2000, s.now)})
	on := 0
	for _, name := range []string{"tm2", "tm3"} {
		require.NotEqual(t, "b1", s.on[name])
		if s.on[name] != "" {
			on++
		}
	}
	require.Equal(t, 1, on)
	s.step(zoned("c3", "c", 2000))
	s.wait(3 * time.Second)
	require.Contains(t, []string{s.on["tm2"], s.on["tm3"]}, "c3")
}
