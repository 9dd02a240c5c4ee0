package core_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sluice-scheduler/sluice/pkg/core"
	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
	"github.com/sluice-scheduler/sluice/pkg/core/resource"
)

// TestSurveyOfATree: two leaves owed 3 each of 9 cores both want 9; the odd core goes to the first by name.
func TestSurveyOfATree(t *testing.T) {
	c := surveyed()
	got := c.Queues()
	require.True(t, got.Leading)
	require.Equal(t, "tree", got.Hash)
	require.EqualValues(t, 9000, got.Capacity.Get("cpu"))
	root, a, b := got.Root, got.Root.Children[0], got.Root.Children[1]

	require.Equal(t, []string{"root", "root.a", "root.b"}, []string{root.Name, a.Name, b.Name})
	require.Equal(t, [3]bool{false, true, true}, [3]bool{root.Leaf, a.Leaf, b.Leaf})
	require.Equal(t, core.ResourceStatus{Name: "cpu", Guaranteed: amount(3000), Weight: 1, Used: 5000, Pending: 4000, Fair: 5000}, a.Resources[0])
	require.Equal(t, core.ResourceStatus{Name: "cpu", Guaranteed: amount(3000), Max: amount(4000), Headroom: amount(0), Weight: 2, Used: 4000, Pending: 5000, Fair: 4000},
		b.Resources[0])
	require.Equal(t, core.ResourceStatus{Name: "cpu", Guaranteed: amount(6000), Weight: 1, Used: 9000, Pending: 9000, Fair: 9000}, root.Resources[0])
	require.Equal(t, [4]int{9, 9, 9, 0}, [4]int{root.Pods, root.Apps, root.PendingPods, root.MaxApps})
	require.Equal(t, [4]int{4, 4, 5, 7}, [4]int{b.Pods, b.Apps, b.PendingPods, b.MaxApps})
	require.Equal(t, []core.MemberStatus{{
		Who: "user ann", Pods: 4, Apps: 4, MaxApps: 6, Used: resource.Amounts{{Name: "cpu", Value: 4000}, {Name: "pods", Value: 4}},
		Max: resource.Amounts{{Name: "cpu", Value: 8000}, {Name: "memory", Value: 0}},
	}}, b.Members)
}

// TestHeadroomIsTheLeastOfThePath: below a parent with a max of 4, of which x holds 3, y may take 1, whatever its own max; where nothing on the path is
// bounded there is no headroom, and where a max was lowered below what is used it is negative.
func TestHeadroomIsTheLeastOfThePath(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	tree := func(most int64) core.QueuesSet {
		p := maxCPU("p", most)
		p.Parent, p.Children = true, []*cluster.QueueSpec{{Name: "x"}, maxCPU("y", 3000)}
		return leavesOf(p, &cluster.QueueSpec{Name: "free"})
	}
	c := core.New(core.Config{})
	c.Step(now, []core.Event{
		core.Lead{On: true},
		tree(4000),
		core.NodeSet{Node: nodeOf("n", 9000)},
		core.PodSet{Pod: inQueue("p.x", "a", 3000, now)},
		core.PodSet{Pod: inQueue("p.y", "b", 2000, now)},
		core.PodSet{Pod: inQueue("free", "c", 1000, now)},
	})
	rooms := func() map[string]*int64 {
		all := map[string]*int64{}
		var look func(core.QueueStatus)
		look = func(q core.QueueStatus) {
			require.Equal(t, "cpu", q.Resources[0].Name)
			all[q.Name] = q.Resources[0].Headroom
			for _, child := range q.Children {
				look(child)
			}
		}
		look(c.Queues().Root)
		return all
	}
	one, less := amount(1000), amount(-1000)
	require.Equal(t, map[string]*int64{"root": nil, "root.free": nil, "root.p": one, "root.p.x": one, "root.p.y": one}, rooms())
	c.Step(now, []core.Event{tree(2000)})
	require.Equal(t, map[string]*int64{"root": nil, "root.free": nil, "root.p": less, "root.p.x": less, "root.p.y": less}, rooms())
}

// TestSnapshotKeepsWhatItWas: a survey is of the moment when the snapshot was taken, whatever the core does meanwhile.
func TestSnapshotKeepsWhatItWas(t *testing.T) {
	c := surveyed()
	want := c.Queues()
	s := c.QueueSnapshot()
	now := time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC)
	events := []core.Event{core.QueuesSet{Tree: cluster.DefaultTree()}, core.NodeGone{Name: "n"}}
	for i := range 9 {
		events = append(events, core.PodGone{UID: podOf(fmt.Sprint("a-", i), 0, 0, now).UID})
	}
	c.Step(now, events)
	require.NotEqual(t, want, c.Queues())
	require.Equal(t, want, s.Survey())
	require.Equal(t, want, s.Survey(), "and again")
}

// surveyed is a core with 9 cores, full, of which a and b both want 9.
func surveyed() *core.Core {
	ann := &cluster.Limit{Users: []string{"ann"}, MaxApps: 6, Max: resource.Amounts{{Name: "cpu", Value: 8000}, {Name: "memory", Value: 0}}}
	three := resource.Amounts{{Name: "cpu", Value: 3000}}
	everybody := cluster.ACL{Everybody: true}
	tree := &cluster.Tree{Hash: "tree", Root: &cluster.QueueSpec{Name: "root", Parent: true, Weight: 1, Submit: everybody, Children: []*cluster.QueueSpec{
		{Name: "a", Weight: 1, Guaranteed: three},
		{
			Name: "b", Weight: 1, Guaranteed: three, Max: resource.Amounts{{Name: "cpu", Value: 4000}}, MaxApps: 7, Limits: []cluster.Limit{*ann},
			Weights: resource.Amounts{{Name: "cpu", Value: 2}},
		},
	}}}
	c := core.New(core.Config{})
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	events := []core.Event{core.QueuesSet{Tree: tree}, core.Lead{On: true}, core.NodeSet{Node: nodeOf("n", 9000)}}
	for i := range 9 {
		for _, queue := range []string{"a", "b"} {
			p := podOf(fmt.Sprint(queue, "-", i), 1000, 0, now)
			p.Claim = &cluster.Claim{App: p.Name, Queue: "root." + queue, QueueFrom: "test", User: "ann"}
			events = append(events, core.PodSet{Pod: p})
		}
	}
	c.Step(now, events)
	return c
}

func amount(v int64) *int64 { return &v }

// BenchmarkQueues surveys 10,000 leaves in which 100,000 pods wait, of few shapes and each of its own. What holds up the loop is the snapshot alone.
func BenchmarkQueues(b *testing.B) {
	for _, shapes := range []int{200, 100_000} {
		c := crowded(b, shapes)
		b.Run(fmt.Sprintf("snapshot/shapes=%d", shapes), func(b *testing.B) {
			for b.Loop() {
				c.QueueSnapshot()
			}
		})
		b.Run(fmt.Sprintf("survey/shapes=%d", shapes), func(b *testing.B) {
			s := c.QueueSnapshot()
			for b.Loop() {
				s.Survey()
			}
		})
	}
}

// BenchmarkExplain explains one of 100,000 pods.
func BenchmarkExplain(b *testing.B) {
	c := crowded(b, 200)
	for b.Loop() {
		c.Explain("ns", "p-7-70707")
	}
}

func crowded(b *testing.B, shapes int) *core.Core {
	b.Helper()
	const parents, leaves, pods = 100, 100, 100_000
	root := &cluster.QueueSpec{Name: "root", Parent: true, Weight: 1, Submit: cluster.ACL{Everybody: true}}
	for i := range parents {
		p := &cluster.QueueSpec{Name: fmt.Sprint("p", i), Parent: true, Weight: 1}
		for j := range leaves {
			p.Children = append(p.Children, &cluster.QueueSpec{
				Name: fmt.Sprint("q", j), Weight: int64(1 + j%3), Guaranteed: resource.Amounts{{Name: "cpu", Value: int64(1000 * j)}},
				Max: resource.Amounts{{Name: "cpu", Value: 1_000_000}, {Name: "memory", Value: 1 << 40}},
			})
		}
		root.Children = append(root.Children, p)
	}
	c := core.New(core.Config{})
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	events := []core.Event{core.QueuesSet{Tree: &cluster.Tree{Root: root}}}
	for i := range 100 {
		events = append(events, core.NodeSet{Node: nodeOf(fmt.Sprint("n", i), 64_000)})
	}
	for i := range pods {
		p := podOf(fmt.Sprintf("p-%d-%d", i%10, i), int64(1000+i%shapes), 0, now)
		p.Claim = &cluster.Claim{App: fmt.Sprint("app-", i/2), Queue: fmt.Sprintf("root.p%d.q%d", i%parents, i/parents%leaves), QueueFrom: "test"}
		events = append(events, core.PodSet{Pod: p})
	}
	c.Step(now, events)
	require.Equal(b, pods, c.Queues().Root.PendingPods)
	return c
}
