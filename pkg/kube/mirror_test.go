package kube

import (
	"context"
	"fmt"
	"log/slog"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	apires "k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/cache"

	"github.com/sluice-scheduler/sluice/pkg/core"
	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
)

type podMirror = mirror[*cluster.PodFact]

func newPodMirror() (*podMirror, *sink, *[]string) {
	s, vanished := &sink{}, &[]string{}
	p := pods{newReader("sluice", false, quietLog()), func(f *cluster.PodFact) { *vanished = append(*vanished, f.Name) }, nil}
	return newMirror(p, s, func(int) {}), s, vanished
}

// A pod in its stages, as the API server tells them.
func at(p *v1.Pod, change func(*v1.Pod)) *v1.Pod {
	p = p.DeepCopy()
	change(p)
	return p
}

func started(p *v1.Pod)  { p.Status.StartTime = &metav1.Time{Time: time.Unix(5, 0)} }
func deleting(p *v1.Pod) { p.DeletionTimestamp = &metav1.Time{Time: time.Unix(6, 0)} }
func foreign(p *v1.Pod)  { p.Spec.SchedulerName = "default-scheduler" }

func TestMirrorTellsWhatChanges(t *testing.T) {
	m, s, _ := newPodMirror()
	a := pod("a", "1", "")
	require.NoError(t, m.Add(a))
	require.NoError(t, m.Update(at(a, func(p *v1.Pod) { p.ResourceVersion, p.Status.Message = "2", "noise" })))
	require.NoError(t, m.Update(at(a, func(p *v1.Pod) { p.Spec.NodeName = "n1" })))
	require.NoError(t, m.Update(at(pod("a", "1", "n1"), started)))
	require.NoError(t, m.Delete(pod("a", "1", "n1")))
	require.NoError(t, m.Delete(pod("a", "1", "n1")))
	require.Equal(t, []string{"pod 1 on ", "pod 1 on n1", "pod 1 on n1", "pod 1 gone"}, words(s.take()))
}

func TestAPodCreatedAnewUnderItsNameIsAnother(t *testing.T) {
	m, s, _ := newPodMirror()
	require.NoError(t, m.Add(pod("a", "1", "n1")))
	require.NoError(t, m.Update(pod("a", "2", "")))
	require.NoError(t, m.Replace([]any{pod("a", "3", "")}, ""))
	require.Equal(t, []string{"pod 1 on n1", "pod 1 gone", "pod 2 on ", "pod 2 gone", "pod 3 on "}, words(s.take()))
}

func TestRelistTellsTheDifference(t *testing.T) {
	m, s, _ := newPodMirror()
	require.NoError(t, m.Replace([]any{pod("a", "1", ""), pod("b", "2", ""), pod("c", "3", "")}, ""))
	require.Len(t, s.take(), 3)
	require.NoError(t, m.Replace([]any{pod("b", "2", ""), pod("c", "3", "n1"), pod("d", "4", "")}, ""))
	require.Equal(t, []string{"pod 1 gone", "pod 3 on n1", "pod 4 on "}, words(s.take()))
	require.NoError(t, m.Replace(nil, ""))
	require.Equal(t, []string{"pod 2 gone", "pod 3 gone", "pod 4 gone"}, words(s.take()))
}

// An initial stream goes through a store of client-go's, which keys what the transform returns.
func TestStreamedObjectsAreFactsBeforeTheyAreKept(t *testing.T) {
	m, s, _ := newPodMirror()
	store := cache.NewStore(cache.DeletionHandlingMetaNamespaceKeyFunc, cache.WithTransformer(m.Transformer()))
	require.NoError(t, store.Add(pod("a", "1", "")))
	require.NoError(t, store.Add(pod("b", "2", "n1")))
	require.NoError(t, store.Update(pod("b", "2", "n2")))
	require.NoError(t, store.Add(pod("c", "3", "")))
	require.NoError(t, store.Delete(pod("c", "3", "")))
	for _, o := range store.List() {
		require.IsType(t, &item[*cluster.PodFact]{}, o)
		accessor, err := meta.Accessor(o)
		require.NoError(t, err)
		require.Equal(t, "default", accessor.GetNamespace())
	}
	require.NoError(t, m.Replace(store.List(), "7"))
	require.ElementsMatch(t, []string{"pod 1 on ", "pod 2 on n2"}, words(s.take()))
}

func TestMirrorRefusesWhatItDoesNotKnow(t *testing.T) {
	m, s, _ := newPodMirror()
	require.Error(t, m.Add(&v1.Secret{}))
	require.Error(t, m.Delete("a"))
	require.Error(t, m.Replace([]any{3}, ""))
	require.Empty(t, s.take())
}

func TestOnlyPodsThatMayHaveBeenRefusedAreAskedAfter(t *testing.T) {
	for name, c := range map[string]struct {
		known, last *v1.Pod
		asked       bool
	}{
		"bound, not started":          {pod("a", "1", "n1"), pod("a", "1", "n1"), true},
		"bound, seen in a relist":     {pod("a", "1", "n1"), nil, true},
		"unbound":                     {pod("a", "1", ""), pod("a", "1", ""), false},
		"started":                     {at(pod("a", "1", "n1"), started), nil, false},
		"started at last":             {pod("a", "1", "n1"), at(pod("a", "1", "n1"), started), false},
		"being deleted":               {at(pod("a", "1", "n1"), deleting), nil, false},
		"deleted at last":             {pod("a", "1", "n1"), at(pod("a", "1", "n1"), deleting), false},
		"of another scheduler":        {at(pod("a", "1", "n1"), foreign), nil, false},
		"another one of its name ran": {pod("a", "1", "n1"), at(pod("a", "2", "n1"), started), true},
	} {
		t.Run(name, func(t *testing.T) {
			m, s, vanished := newPodMirror()
			require.NoError(t, m.Add(c.known))
			if c.last == nil {
				require.NoError(t, m.Replace(nil, ""))
			} else {
				require.NoError(t, m.Delete(c.last))
			}
			require.Equal(t, "pod 1 gone", words(s.take())[1])
			require.Equal(t, c.asked, len(*vanished) == 1)
		})
	}
}

// Whatever a fact comes to hold, a change of it is told.
func TestEveryChangeOfAPodFactIsNews(t *testing.T) {
	fact := newReader("sluice", false, quietLog()).pod(pod("a", "1", ""))
	same := *fact
	same.ResourceVersion = "2"
	require.True(t, samePod(fact, &same))
	for i := range reflect.TypeFor[cluster.PodFact]().NumField() {
		changed := *fact
		field := reflect.ValueOf(&changed).Elem().Field(i)
		name := reflect.TypeFor[cluster.PodFact]().Field(i).Name
		switch {
		case name == "ResourceVersion":
			continue
		case field.Type() == reflect.TypeFor[time.Time]():
			field.Set(reflect.ValueOf(time.Unix(9, 0)))
		case name == "Said":
			changed.Said.Digest++
		case name == "Demand":
			changed.Demand = &cluster.Demand{}
		case name == "Liking":
			changed.Liking = &cluster.Liking{}
		case name == "Labels":
			changed.Labels = cluster.PackLabels(map[string]string{"a": "label"})
		case name == "Needs":
			changed.Needs = &cluster.Needs{Key: "a claim"}
		case name == "Claim":
			changed.Claim = &cluster.Claim{App: "another"}
		case field.Kind() == reflect.String:
			field.SetString("changed")
		case field.Kind() == reflect.Bool:
			field.SetBool(!field.Bool())
		case field.CanInt():
			field.SetInt(field.Int() + 1)
		case field.Kind() == reflect.Slice:
			field.Set(reflect.MakeSlice(field.Type(), 1, 1))
		default:
			require.Fail(t, "say here how to change "+name)
		}
		require.False(t, samePod(fact, &changed), name)
	}
}

// TestThatAPodIsReadyIsNoNews: every pod becomes ready some time after it was bound, and only groups ask for it.
func TestThatAPodIsReadyIsNoNews(t *testing.T) {
	m, s, _ := newPodMirror()
	bound := at(pod("a", "1", "n1"), started)
	require.NoError(t, m.Add(bound))
	require.NoError(t, m.Update(at(bound, ready)))
	require.Equal(t, []string{"pod 1 on n1"}, words(s.take()))
	inGroup := at(bound, func(p *v1.Pod) {
		group := "g"
		p.Name, p.UID, p.Spec.SchedulingGroup = "b", "2", &v1.PodSchedulingGroup{PodGroupName: &group}
	})
	require.NoError(t, m.Add(inGroup))
	require.NoError(t, m.Update(at(inGroup, ready)))
	require.NoError(t, m.Update(at(at(inGroup, ready), func(p *v1.Pod) { p.Status.Message = "noise" })))
	require.Equal(t, []string{"pod 2 on n1", "pod 2 on n1"}, words(s.take()))
	f := cluster.ReadPod(at(bound, ready), "sluice")
	require.Equal(t, []int64{7, 8}, []int64{f.Scheduled.Unix(), f.Ready.Unix()})
	f = cluster.ReadPod(at(at(bound, ready), foreign), "sluice")
	require.True(t, f.Scheduled.IsZero() && f.Ready.IsZero())
}

func ready(p *v1.Pod) {
	p.Status.Conditions = []v1.PodCondition{
		{Type: v1.PodScheduled, Status: v1.ConditionTrue, LastTransitionTime: metav1.NewTime(time.Unix(7, 0))},
		{Type: v1.PodReady, Status: v1.ConditionTrue, LastTransitionTime: metav1.NewTime(time.Unix(8, 0))},
	}
}

func TestNodesWithoutNewsAreNotTold(t *testing.T) {
	s := &sink{}
	m := newMirror(nodes{newReader("sluice", false, quietLog())}, s, func(int) {})
	n := node("n1")
	n.Labels = map[string]string{"pool": "batch"}
	n.Status.Allocatable = v1.ResourceList{"cpu": apires.MustParse("4")}
	require.NoError(t, m.Add(n))
	heartbeat := n.DeepCopy()
	heartbeat.ResourceVersion = "2"
	heartbeat.Status.Conditions = []v1.NodeCondition{{Type: v1.NodeReady, LastHeartbeatTime: metav1.Now()}}
	require.NoError(t, m.Update(heartbeat))
	require.Equal(t, []string{"node n1"}, words(s.take()))
	heartbeat = heartbeat.DeepCopy()
	heartbeat.Labels["pool"] = "other"
	require.NoError(t, m.Update(heartbeat))
	again := heartbeat.DeepCopy()
	again.UID = "new"
	require.NoError(t, m.Update(again))
	require.NoError(t, m.Delete(again))
	require.Equal(t, []string{"node n1", "node n1 gone", "node n1", "node n1 gone"}, words(s.take()))
}

func TestPodsThatAskForTheSameShareADemand(t *testing.T) {
	r := newReader("sluice", false, quietLog())
	var facts []*cluster.PodFact
	for i := range 3000 {
		p := pod(fmt.Sprint("p", i), fmt.Sprint(i), "")
		p.Spec.Containers = []v1.Container{{Resources: v1.ResourceRequirements{Requests: v1.ResourceList{
			"cpu": *apires.NewMilliQuantity(int64(100+i%30), apires.DecimalSI),
		}}}}
		facts = append(facts, r.pod(p))
	}
	distinct := map[*cluster.Demand]bool{}
	for _, f := range facts {
		distinct[f.Demand] = true
	}
	require.Len(t, distinct, 30)
	require.Equal(t, 30, r.demands.size())

	clear(distinct)
	clear(facts[1:])
	require.Eventually(t, func() bool { runtime.GC(); return r.demands.size() == 1 }, 10*time.Second, time.Millisecond)
	require.Same(t, facts[0].Demand, r.demands.share(facts[0].Demand.Key, &cluster.Demand{}))
	runtime.KeepAlive(facts)
}

func TestPodsOfOneApplicationShareAClaim(t *testing.T) {
	r := newReader("sluice", true, quietLog())
	member := func(i int) *cluster.PodFact {
		p := pod(fmt.Sprint("orders-taskmanager-1-", i), fmt.Sprint(i), "")
		p.Labels = map[string]string{"app": "orders", "component": "taskmanager", "type": "flink-native-kubernetes"}
		p.Annotations = map[string]string{"sluice.dev/user": "ann"}
		return r.pod(p)
	}
	first := member(0)
	require.Equal(t, "flink/orders", first.Claim.App)
	require.Equal(t, "taskmanager", first.Claim.Role)
	require.Equal(t, "ann", first.Claim.User)
	for i := range 1000 {
		require.Same(t, first.Claim, member(i).Claim)
	}
	require.Equal(t, 1, r.claims.size())
	r.trustUser = false
	require.Empty(t, member(1).Claim.User)
	require.Nil(t, r.pod(at(pod("b", "2", ""), foreign)).Claim, "pods of others are only counted")
}

func TestAPodThatComesToNameAnotherQueueIsNews(t *testing.T) {
	m, s, _ := newPodMirror()
	a := pod("a", "1", "")
	require.NoError(t, m.Add(a))
	require.NoError(t, m.Update(at(a, func(p *v1.Pod) { p.Annotations = map[string]string{"noise": "1"} })))
	require.NoError(t, m.Update(at(a, func(p *v1.Pod) { p.Labels = map[string]string{"queue": "root.a"} })))
	events := s.take()
	require.Len(t, events, 2)
	require.Equal(t, "root.a", events[1].(core.PodSet).Pod.Claim.Queue)
}

func TestNamespacesWithoutNewsAreNotTold(t *testing.T) {
	s := &sink{}
	m := newMirror(namespaces{newReader("sluice", false, quietLog())}, s, func(int) {})
	ns := namespace("lab", "root.a")
	require.NoError(t, m.Add(ns))
	again := ns.DeepCopy()
	again.ResourceVersion, again.Status.Phase = "2", v1.NamespaceTerminating
	require.NoError(t, m.Update(again))
	require.NoError(t, m.Update(namespace("lab", "root.b")))
	require.NoError(t, m.Delete(again))
	require.Equal(t, []string{"namespace lab: root.a", "namespace lab: root.b", "namespace lab gone"}, words(s.take()))
}

// TestFaultsOfANamespaceAreLoggedOncePerChange: not with every update of it, nor when all is read anew.
func TestFaultsOfANamespaceAreLoggedOncePerChange(t *testing.T) {
	log := &safeBuffer{}
	m := newMirror(namespaces{newReader("sluice", false, slog.New(slog.NewTextHandler(log, nil)))}, &sink{}, func(int) {})
	with := func(queue, quota string) *v1.Namespace {
		ns := namespace("lab", queue)
		ns.Annotations["yunikorn.apache.org/namespace.maxApps"] = quota
		return ns
	}
	said := func() int { return strings.Count(log.String(), `level=WARN msg="annotations of a namespace`) }
	require.NoError(t, m.Replace([]any{with("root.a", "many"), namespace("sound", "root.a")}, ""))
	require.NoError(t, m.Update(with("root.b", "many")))
	require.NoError(t, m.Replace([]any{with("root.b", "many"), namespace("sound", "root.a")}, ""))
	require.Equal(t, 1, said())
	require.Contains(t, log.String(), `namespace=lab faults="annotation yunikorn.apache.org/namespace.maxApps is ignored: \"many\" is not a whole number from 0"`)
	require.NoError(t, m.Update(with("root.b", "-1")))
	require.Equal(t, 2, said())
	require.NoError(t, m.Update(with("root.b", "1")))
	require.Equal(t, 2, said())
	require.NoError(t, m.Update(with("root.b", "-1")))
	require.Equal(t, 3, said())
}

func TestAnObjectThatCannotBeReadIsHeld(t *testing.T) {
	s := &sink{}
	r := newReader("sluice", false, quietLog())
	r.readPod = func(*v1.Pod, string) *cluster.PodFact { panic("absurd") }
	r.readNode = func(*v1.Node) *cluster.NodeFact { panic("absurd") }
	r.readNamespace = func(*v1.Namespace) *cluster.NamespaceFact { panic("absurd") }
	require.NoError(t, newMirror(pods{r, nil, nil}, s, func(int) {}).Add(pod("a", "1", "")))
	require.NoError(t, newMirror(nodes{r}, s, func(int) {}).Add(node("n1")))
	require.NoError(t, newMirror(namespaces{r}, s, func(int) {}).Add(namespace("lab", "root.a")))
	events := s.take()
	require.EqualValues(t, 3, r.unreadable.Load())
	require.Equal(t, "pod/a", events[0].(core.PodSet).Pod.Claim.App)
	require.True(t, events[1].(core.NodeSet).Node.Unschedulable)
	require.Equal(t, []string{"cannot be read: absurd"}, events[2].(core.NamespaceSet).Namespace.Faults)

	c := core.New(core.Config{})
	sound := node("n2")
	sound.Status.Allocatable = v1.ResourceList{"cpu": apires.MustParse("4"), "pods": apires.MustParse("10")}
	events = append(events, core.Lead{On: true}, core.NodeSet{Node: cluster.ReadNode(sound)})
	var told []core.Condition
	for _, e := range c.Step(time.Unix(100, 0), events) {
		require.IsNotType(t, core.Bind{}, e, "it must not be placed")
		if set, ok := e.(core.Condition); ok {
			told = append(told, set)
		}
	}
	require.NoError(t, c.Verify())
	require.Len(t, told, 1)
	require.Contains(t, told[0].Message, "cannot be read: absurd")
}

func TestAbsurdObjectsAreReadWithoutHarm(t *testing.T) {
	r := newReader("sluice", false, quietLog())
	r.pod(&v1.Pod{})
	r.node(&v1.Node{})
	r.namespace(&v1.Namespace{})
	p := pod("a", "1", "n1")
	p.Spec.NodeSelector = map[string]string{"": strings.Repeat("x", 1<<16), "\x00": "\xff"}
	p.Spec.Affinity = &v1.Affinity{NodeAffinity: &v1.NodeAffinity{RequiredDuringSchedulingIgnoredDuringExecution: &v1.NodeSelector{
		NodeSelectorTerms: []v1.NodeSelectorTerm{{}, {MatchExpressions: []v1.NodeSelectorRequirement{{Key: "k", Operator: "Near", Values: nil}}}},
	}}}
	p.Spec.Containers = []v1.Container{{Resources: v1.ResourceRequirements{Requests: v1.ResourceList{
		"cpu": apires.MustParse("1e30"), "memory": apires.MustParse("-5"), "": apires.MustParse("9E"),
	}}}}
	require.NotNil(t, r.pod(p).Demand)
	require.Zero(t, r.unreadable.Load())
}

func TestVerifierAsksAndTells(t *testing.T) {
	s := &sink{}
	looks := make(chan types.UID, 10)
	v := newVerifier(func(_ context.Context, p core.PodRef) (Sight, Answer) {
		defer func() { looks <- p.UID }()
		switch p.UID {
		case "error":
			return Sight{}, Answer{Verdict: Unknown}
		case "done":
			return Sight{Exists: true}, Answer{}
		}
		return Sight{Exists: true, Failed: string(p.UID)}, Answer{}
	}, s, quietLog())
	for _, uid := range []types.UID{"OutOfcpu", "OutOfnvidia.com/gpu", "NodePorts", "Evicted", "error", "done"} {
		v.check(t.Context(), &cluster.PodFact{UID: uid, Node: "n1"})
	}
	for range 6 {
		<-looks
	}
	require.Eventually(t, func() bool { return v.waiting.Load() == 0 }, 10*time.Second, time.Millisecond)
	require.ElementsMatch(t, []core.Event{
		core.PodRejected{UID: "OutOfcpu", Node: "n1", Reason: "OutOfcpu"},
		core.PodRejected{UID: "OutOfnvidia.com/gpu", Node: "n1", Reason: "OutOfnvidia.com/gpu"},
		core.PodRejected{UID: "NodePorts", Node: "n1", Reason: "NodePorts"},
	}, s.take())
}

func BenchmarkSamePod(b *testing.B) {
	r := newReader("sluice", false, quietLog())
	p := at(pod("a", "1", "n1"), started)
	x, y := r.pod(p), r.pod(p)
	b.ReportAllocs()
	for b.Loop() {
		samePod(x, y)
	}
}

func BenchmarkReadPod(b *testing.B) {
	r := newReader("sluice", false, quietLog())
	p := at(pod("a", "1", "n1"), started)
	b.ReportAllocs()
	for b.Loop() {
		r.pod(p)
	}
}

// TestSeveralSchedulersPodsAreOurs where several names are served.
func TestSeveralSchedulersPodsAreOurs(t *testing.T) {
	r := newReader("sluice", false, quietLog())
	r.others = []string{"default-scheduler"}
	for name, ours := range map[string]bool{"sluice": true, "default-scheduler": true, "volcano": false} {
		p := pod("a", "1", "")
		p.Spec.SchedulerName = name
		f := r.pod(p)
		require.Equal(t, ours, f.Ours, name)
		require.Equal(t, ours, f.Claim != nil, name)
		require.Equal(t, ours, r.heldPod(p, "cannot be read").Ours, name)
	}
}
