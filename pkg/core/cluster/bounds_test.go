package cluster

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/types"

	"github.com/sluice-scheduler/sluice/pkg/core/resource"
)

func cpus(n int64) resource.Amounts { return resource.Amounts{{Name: "cpu", Value: n}} }

func boundOf(t *testing.T, a *Account) int64 {
	t.Helper()
	most, ok := a.Bound(resource.SlotCPU)
	require.True(t, ok, a.Who)
	return most
}

// TestAMaxIsLoweredBelowUse: what runs stays in the account, which refuses until enough is given back.
func TestAMaxIsLoweredBelowUse(t *testing.T) {
	s := grove(t, treeOf(&QueueSpec{Name: "a", Max: cpus(9)}), "a")
	s.TakeRelieved()
	change(t, s, treeOf(&QueueSpec{Name: "a", Max: cpus(1)}))
	a := s.QueueByName("root.a")
	require.EqualValues(t, 2, a.Used.At(resource.SlotCPU))
	require.EqualValues(t, 1, boundOf(t, &a.Account))
	_, refuses := a.Refuses(resource.Vector{0, 1})
	require.True(t, refuses)
	require.Contains(t, s.TakeRelieved(), &a.Account, "who waits for it looks again")
}

// TestLimitsChange: users' and groups' accounts come and go with the limits, and hold what they should.
func TestLimitsChange(t *testing.T) {
	withLimits := func(limits ...Limit) *Tree {
		tree := treeOf(&QueueSpec{Name: "a"}, &QueueSpec{Name: "b"})
		tree.Root.Limits = limits
		return tree
	}
	s := grove(t, withLimits(), "a", "b")
	require.Empty(t, s.root.members)

	change(t, s, withLimits(Limit{Users: []string{"*"}, Max: cpus(3)}))
	ann := s.root.members["user:ann"]
	require.EqualValues(t, 4, ann.Used.At(resource.SlotCPU))
	require.Equal(t, 2, ann.Apps)
	require.EqualValues(t, 3, boundOf(t, ann))

	change(t, s, withLimits(Limit{Users: []string{"ann"}, Max: cpus(7)}, Limit{Users: []string{"*"}, Max: cpus(3)}, Limit{Groups: []string{"*"}, MaxApps: 2}))
	require.EqualValues(t, 7, boundOf(t, s.root.members["user:ann"]))
	require.True(t, s.root.members["group:*"].Full())

	change(t, s, withLimits(Limit{Users: []string{"bob"}, Max: cpus(1)}))
	require.Empty(t, s.root.members)
}

// TestUnknownUsersAreOneMember: where a limit is for all users, it is not for want of a name that it can be passed by.
func TestUnknownUsersAreOneMember(t *testing.T) {
	tree := treeOf(&QueueSpec{Name: "a"}, &QueueSpec{Name: "b"})
	tree.Root.Limits = []Limit{{Users: []string{"ann"}, Max: cpus(9)}, {Users: []string{"*"}, Max: cpus(3)}}
	s := grove(t, tree)
	s.SetNode(&NodeFact{Name: "n", Allocatable: cpus(100)})
	var last *Pod
	for _, q := range []string{"a", "b"} {
		last = s.SetPod(&PodFact{
			UID: types.UID(q), Name: q, Ours: true, Node: "n", Claim: &Claim{App: q, Queue: q},
			Demand: &Demand{Key: "cpu", Requests: cpus(1)},
		})
	}
	s.Rehome(100)
	require.NoError(t, s.Verify())
	require.Len(t, s.root.Members(), 1)
	unknown := s.root.Members()["user (unknown)"]
	require.NotNil(t, unknown)
	require.Equal(t, "user (unknown) in queue root", unknown.Who)
	require.EqualValues(t, 2, unknown.Used.At(resource.SlotCPU))
	require.EqualValues(t, 3, boundOf(t, unknown))
	require.Contains(t, last.App.Ledger.Accounts, unknown)

	tree = treeOf(&QueueSpec{Name: "a"}, &QueueSpec{Name: "b"})
	tree.Root.Limits = []Limit{{Users: []string{"ann"}, Max: cpus(9)}}
	s.SetTree(tree)
	s.Rehome(100)
	require.Empty(t, s.root.Members(), "a limit that names users is not for those who are not known")
}

// TestAGroupsOwnLimitComesBeforeTheOneForAll: also where that stands earlier, as the limits of root do before those of the partition.
func TestAGroupsOwnLimitComesBeforeTheOneForAll(t *testing.T) {
	limits := []Limit{{Groups: []string{"ops", "*"}}, {Groups: []string{"dev"}}}
	require.Equal(t, []string{"group:dev"}, membersOf(limits, "ann", []string{"dev"}))
	require.Equal(t, []string{"group:ops"}, membersOf(limits, "ann", []string{"dev", "ops"}))
	require.Equal(t, []string{"group:*"}, membersOf(limits, "ann", []string{"web"}))
}

// TestATemplateChanges: queues that rules made follow it, at once or when they are made again.
func TestATemplateChanges(t *testing.T) {
	made := func(template *QueueSpec) *Tree {
		tree := treeOf()
		tree.Root.Template, tree.Rules = template, []Rule{{Kind: RuleUser, Create: true}}
		return tree
	}
	s := grove(t, made(&QueueSpec{Max: cpus(5), Guaranteed: cpus(2)}), "any")
	ann := s.QueueByName("root.ann")
	require.True(t, ann.Dynamic)
	require.EqualValues(t, 5, boundOf(t, &ann.Account))
	owed, _ := s.root.Owed(resource.SlotCPU)
	require.EqualValues(t, 2, owed)

	change(t, s, made(&QueueSpec{Max: cpus(6)}))
	require.EqualValues(t, 6, boundOf(t, &ann.Account))
	_, isOwed := s.root.Owed(resource.SlotCPU)
	require.False(t, isOwed)

	change(t, s, made(nil))
	require.Same(t, ann, s.QueueByName("root.ann"), "it stayed")
	require.Empty(t, ann.Max)
	s.RemovePod("any")
	require.Nil(t, s.QueueByName("root.ann"))
	require.NoError(t, s.Verify())
}

// TestANamespaceBoundsItsQueue: as long as applications are there for their namespace, and only then.
func TestANamespaceBoundsItsQueue(t *testing.T) {
	tree := treeOf()
	tree.Rules = []Rule{{Kind: RuleProvided, Create: true}, {Kind: RuleTag, Value: "namespace", Create: true}}
	tree.Root.Template = &QueueSpec{Max: cpus(9)}
	s := New()
	s.SetTree(tree)
	s.SetNode(&NodeFact{Name: "n", Allocatable: cpus(100)})
	pod := func(name, queue string) {
		s.SetPod(&PodFact{UID: types.UID(name), Namespace: "ns", Name: name, Ours: true, Demand: &Demand{Key: "any"}, Claim: &Claim{App: name, Queue: queue}})
	}
	s.SetNamespace(&NamespaceFact{Name: "ns", Max: cpus(4), MaxApps: 3})
	pod("by-namespace", "")
	s.Rehome(100)
	q := s.QueueByName("root.ns")
	require.EqualValues(t, 4, boundOf(t, &q.Account))
	require.Equal(t, 3, q.MaxApps)

	pod("by-name", "ns")
	require.Same(t, q, s.App("ns", "by-name").Queue())
	require.EqualValues(t, 4, boundOf(t, &q.Account))
	s.RemovePod("by-namespace")
	require.EqualValues(t, 9, boundOf(t, &q.Account), "nobody is there for the namespace")
	require.Equal(t, 0, q.MaxApps)

	pod("by-namespace", "")
	require.EqualValues(t, 4, boundOf(t, &q.Account))
	s.SetNamespace(&NamespaceFact{Name: "ns", Max: cpus(5)})
	s.Rehome(100)
	require.EqualValues(t, 5, boundOf(t, &q.Account))
	s.RemoveNamespace("ns")
	s.Rehome(100)
	require.EqualValues(t, 9, boundOf(t, &q.Account))
	require.NoError(t, s.Verify())
}

// TestTheOlderApplicationHasThePath: two need one path as a leaf and as a parent; whoever came first, the older has it, and the other gets it when that
// has gone.
func TestTheOlderApplicationHasThePath(t *testing.T) {
	for _, order := range [][]string{{"old", "young"}, {"young", "old"}} {
		tree := treeOf(&QueueSpec{Name: "default"})
		tree.Rules = []Rule{{Kind: RuleProvided, Create: true}}
		s := New()
		s.SetTree(tree)
		for _, name := range order {
			f := &PodFact{UID: types.UID(name), Name: name, Ours: true, Demand: &Demand{Key: "any"}, Claim: &Claim{App: name, Queue: "p"}}
			if name == "young" {
				f.Created, f.Claim.Queue = f.Created.Add(1), "p.x"
			}
			s.SetPod(f)
			s.Rehome(100)
			require.NoError(t, s.Verify())
		}
		require.Equal(t, "root.p", s.App("", "old").Queue().Name)
		require.Equal(t, "root.default", s.App("", "young").Queue().Name)
		s.RemovePod("old")
		s.Rehome(100)
		require.Equal(t, "root.p.x", s.App("", "young").Queue().Name)
		require.NoError(t, s.Verify())
	}
}

// TestABoundHoldsOfWhatNobodyOffers: wherever it is written, and of what was placed before, too.
func TestABoundHoldsOfWhatNobodyOffers(t *testing.T) {
	gpus := resource.Amounts{{Name: "gpu", Value: 4}}
	inTemplate := treeOf()
	inTemplate.Root.Template, inTemplate.Rules = &QueueSpec{Max: gpus}, []Rule{{Kind: RuleProvided, Create: true}}
	inLimit := treeOf(&QueueSpec{Name: "a", Limits: []Limit{{Users: []string{"*"}, Max: gpus}}})
	ofSpace := treeOf()
	ofSpace.Rules = []Rule{{Kind: RuleTag, Value: "namespace", Create: true}}
	for name, tree := range map[string]*Tree{
		"a queue": treeOf(&QueueSpec{Name: "a", Max: gpus}), "a template": inTemplate, "a limit": inLimit, "a namespace": ofSpace,
	} {
		t.Run(name, func(t *testing.T) {
			s := New()
			pod := func(name, node string, asks int64) *Pod {
				d := &Demand{Key: name, Requests: resource.Amounts{{Name: "gpu", Value: asks}}}
				return s.SetPod(&PodFact{UID: types.UID(name), Namespace: "a", Name: name, Ours: true, Node: node, Demand: d, Claim: &Claim{App: "app", Queue: "a", User: "ann"}})
			}
			pod("placed", "somewhere", 3)
			waits := pod("waits", "", 2)
			s.SetTree(tree)
			s.SetNamespace(&NamespaceFact{Name: "a", Max: gpus})
			s.Rehome(100)
			require.NoError(t, s.Verify())
			refusing := 0
			for _, a := range waits.App.Ledger.Accounts {
				if _, refuses := a.Refuses(waits.Shape.Request); refuses {
					refusing++
				}
			}
			require.Equal(t, 1, refusing)
		})
	}
}

// TestWhoIsNotConcernedIsNotLookedAt: where one is kept from his path, others come and go, and only what could change that has all looked at again.
func TestWhoIsNotConcernedIsNotLookedAt(t *testing.T) {
	tree := treeOf(&QueueSpec{Name: "default"})
	tree.Rules = []Rule{{Kind: RuleProvided, Create: true}}
	s := New()
	s.SetTree(tree)
	pod := func(name, app, queue string, second int) {
		s.SetPod(&PodFact{
			UID: types.UID(name), Name: name, Ours: true, Demand: &Demand{Key: "any"},
			Created: time.Unix(int64(second), 0), Claim: &Claim{App: app, Queue: queue},
		})
	}
	pod("leaf", "leaf", "p", 10)
	pod("more", "leaf-too", "p", 11)
	pod("blocked", "blocked", "p.x", 20)
	s.Rehome(100)
	require.Equal(t, "root.default", s.App("", "blocked").Queue().Name)
	quiet := func(what string) {
		t.Helper()
		require.False(t, s.again || s.rehoming > 0, what)
		require.NoError(t, s.Verify())
	}
	quiet("all are home")
	pod("other", "other", "q.r", 30)
	quiet("another with its own path comes")
	pod("older", "older", "", 1)
	quiet("so does an older one")
	pod("next", "other", "q.r", 29)
	quiet("and is older than it was")
	s.RemovePod("other")
	s.RemovePod("next")
	quiet("and goes, with its queue")
	pod("late", "late", "p.y", 40)
	quiet("one comes that is kept from the same path, after all who are there")
	require.Equal(t, "root.default", s.App("", "late").Queue().Name)
	s.RemovePod("late")
	quiet("and goes")

	pod("early", "early", "p.z", 5)
	require.True(t, s.again, "one comes before those who are in its way")
	for s.Rehome(1) {
	}
	quiet("and all are home again")
	require.Equal(t, "root.p.z", s.App("", "early").Queue().Name)
	require.Equal(t, "root.p.x", s.App("", "blocked").Queue().Name)
	require.Equal(t, "root.default", s.App("", "leaf").Queue().Name)
	s.RemovePod("early")
	require.True(t, s.again, "one in the way goes")
	for s.Rehome(1) {
	}
	require.Equal(t, "root.p", s.App("", "leaf").Queue().Name)
	require.Equal(t, "root.default", s.App("", "blocked").Queue().Name)
	quiet("and they are")
}

// TestANewResourceConcernsWhoHoldsIt: and nobody else.
func TestANewResourceConcernsWhoHoldsIt(t *testing.T) {
	s := New()
	pod := func(name string, asks, holds resource.Amounts) {
		s.SetPod(&PodFact{UID: types.UID(name), Name: name, Node: "n", Holds: holds, Demand: &Demand{Key: name, Requests: asks}})
	}
	gpu := resource.Amounts{{Name: "gpu", Value: 1}}
	pod("plain", cpus(1), nil)
	pod("was-given", cpus(1), gpu)
	pod("asks", gpu, nil)
	var names []string
	for _, p := range s.uncounted() {
		names = append(names, p.Fact.Name)
	}
	require.Equal(t, []string{"asks", "was-given"}, names)
	s.SetNode(&NodeFact{Name: "n", Allocatable: gpu})
	slot, _ := s.Space.Slot("gpu")
	require.EqualValues(t, 2, s.Node("n").Used.At(slot))
	require.NoError(t, s.Verify())
}

// TestANamespaceConcernsItsApplications: what nobody reads of it concerns nobody, and the rest no others.
func TestANamespaceConcernsItsApplications(t *testing.T) {
	tree := treeOf(&QueueSpec{Name: "default"}, &QueueSpec{Name: "a"}, &QueueSpec{Name: "b"})
	tree.Rules = []Rule{{Kind: RuleProvided}, {Kind: RuleTag, Value: "namespace.Team"}}
	s := New()
	s.SetTree(tree)
	for _, space := range []string{"here", "there"} {
		s.SetPod(&PodFact{UID: types.UID(space), Namespace: space, Name: space, Ours: true, Demand: &Demand{Key: "any"}, Claim: &Claim{App: "app"}})
	}
	s.Rehome(100)
	marked := func(space string) bool { return s.App(space, "app").Why == "looked at?" }
	set := func(f *NamespaceFact) (concerned bool) {
		f.Name = "here"
		s.App("here", "app").Why, s.App("there", "app").Why = "looked at?", "looked at?"
		s.SetNamespace(f)
		require.False(t, s.again)
		require.True(t, marked("there"))
		return !marked("here")
	}
	note := func(key, value string) map[string]string { return map[string]string{key: value} }
	require.False(t, set(&NamespaceFact{ResourceVersion: "1", Annotations: note("color", "red"), Faults: []string{"any"}}))
	require.False(t, set(&NamespaceFact{ResourceVersion: "2", Annotations: note("color", "blue")}))
	require.True(t, set(&NamespaceFact{Annotations: note("team", "a")}))
	require.Equal(t, "root.a", s.App("here", "app").Queue().Name)
	require.False(t, set(&NamespaceFact{Annotations: note("TEAM", "a")}))
	require.True(t, set(&NamespaceFact{Annotations: note("team", "a"), Queue: "b"}))
	require.Equal(t, "root.b", s.App("here", "app").Queue().Name)
	require.True(t, set(&NamespaceFact{Queue: "b", Max: cpus(1)}))
	require.False(t, set(&NamespaceFact{Queue: "b", Max: cpus(1)}))
	s.RemoveNamespace("here")
	require.False(t, marked("here"))
	require.Equal(t, "root.default", s.App("here", "app").Queue().Name)
}
