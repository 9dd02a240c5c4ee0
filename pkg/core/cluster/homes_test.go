package cluster

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/types"

	"github.com/sluice-scheduler/sluice/pkg/core/resource"
)

// forest is what the homes below are sought in: leaves root.a.x, root.b and root.ops (for members of ops alone), parents root.a, root.users and
// root.teams.
func forest(rules ...Rule) *Tree {
	everybody := ACL{Everybody: true}
	return &Tree{Rules: rules, Root: &QueueSpec{Name: "root", Parent: true, Children: []*QueueSpec{
		{Name: "a", Parent: true, Submit: everybody, Children: []*QueueSpec{{Name: "x"}}},
		{Name: "b", Submit: everybody},
		{Name: "ops", Submit: ACL{Groups: []string{"ops"}}, Admin: ACL{Users: []string{"dana"}}},
		{Name: "teams", Parent: true, Submit: everybody, Template: &QueueSpec{MaxApps: 2}},
		{Name: "users", Parent: true, Submit: everybody},
	}}}
}

// TestHomes: where one application belongs.
func TestHomes(t *testing.T) {
	provided := Rule{Kind: RuleProvided}
	users := &Rule{Kind: RuleFixed, Value: "users"}
	for name, c := range map[string]struct {
		rules []Rule
		claim Claim
		space NamespaceFact
		want  string
	}{
		"no rules: what is named":                   {claim: Claim{Queue: "root.b"}, want: "root.b"},
		"without root":                              {claim: Claim{Queue: "a.x"}, want: "root.a.x"},
		"case does not matter":                      {claim: Claim{Queue: "Root.A.X"}, want: "root.a.x"},
		"no rules: what the namespace names":        {space: NamespaceFact{Queue: "B"}, want: "root.b"},
		"the pod's word comes before":               {claim: Claim{Queue: "a.x"}, space: NamespaceFact{Queue: "b"}, want: "root.a.x"},
		"a parent takes no applications":            {claim: Claim{Queue: "root.a"}},
		"nor does what there is not":                {claim: Claim{Queue: "root.zzz"}},
		"nothing is named and no default":           {},
		"an ACL":                                    {claim: Claim{Queue: "ops", User: "ann"}},
		"a member passes it":                        {claim: Claim{Queue: "ops", User: "ann", Groups: []string{"ops"}}, want: "root.ops"},
		"so does an admin":                          {claim: Claim{Queue: "ops", User: "dana"}, want: "root.ops"},
		"user, made":                                {rules: []Rule{{Kind: RuleUser, Create: true, Parent: users}}, claim: Claim{User: "Ann.B"}, want: "root.users.ann_dot_b"},
		"user, not made":                            {rules: []Rule{{Kind: RuleUser, Parent: users}}, claim: Claim{User: "ann"}},
		"no user, next rule":                        {rules: []Rule{{Kind: RuleUser, Create: true, Parent: users}, {Kind: RuleFixed, Value: "root.b"}}, want: "root.b"},
		"made where nobody is admitted":             {rules: []Rule{{Kind: RuleUser, Create: true}}, claim: Claim{User: "ann"}},
		"fixed below a parent that is made":         {rules: []Rule{{Kind: RuleFixed, Value: "deep", Create: true, Parent: &Rule{Kind: RuleTag, Value: "namespace", Create: true, Parent: users}}}, want: "root.users.ns.deep"},
		"fixed below a parent that is not":          {rules: []Rule{{Kind: RuleFixed, Value: "deep", Create: true, Parent: &Rule{Kind: RuleTag, Value: "namespace", Parent: users}}}},
		"a parent that is a leaf":                   {rules: []Rule{{Kind: RuleUser, Create: true, Parent: &Rule{Kind: RuleFixed, Value: "b"}}}, claim: Claim{User: "ann"}},
		"tag: the namespace":                        {rules: []Rule{{Kind: RuleTag, Value: "Namespace", Create: true, Parent: &Rule{Kind: RuleFixed, Value: "teams"}}}, want: "root.teams.ns"},
		"tag: an annotation":                        {rules: []Rule{{Kind: RuleTag, Value: "namespace.Team", Create: true, Parent: users}}, space: NamespaceFact{Annotations: map[string]string{"team": "Red"}}, want: "root.users.red"},
		"tag: a full path":                          {rules: []Rule{{Kind: RuleTag, Value: "namespace.team"}}, space: NamespaceFact{Annotations: map[string]string{"team": "root.a.x"}}, want: "root.a.x"},
		"tag: the parent that a namespace names":    {rules: []Rule{{Kind: RuleTag, Value: "namespace", Create: true, Parent: &Rule{Kind: RuleTag, Value: "namespace.parentqueue"}}}, space: NamespaceFact{Parent: "root.users"}, want: "root.users.ns"},
		"a full path needs no parent":               {rules: []Rule{{Kind: RuleProvided, Parent: users}}, claim: Claim{Queue: "root.b"}, want: "root.b"},
		"a filter lets in":                          {rules: []Rule{{Kind: RuleFixed, Value: "root.ops", Filter: &Filter{Groups: []string{"ops"}}}, provided}, claim: Claim{Queue: "b", User: "u", Groups: []string{"ops"}}, want: "root.ops"},
		"a filter keeps out":                        {rules: []Rule{{Kind: RuleFixed, Value: "root.ops", Filter: &Filter{Groups: []string{"ops"}}}, provided}, claim: Claim{Queue: "b", User: "u"}, want: "root.b"},
		"a filter that denies":                      {rules: []Rule{{Kind: RuleFixed, Value: "root.a.x", Filter: &Filter{Deny: true, Users: []string{"^a.*"}}}, provided}, claim: Claim{Queue: "b", User: "ann"}, want: "root.b"},
		"a pattern is unanchored":                   {rules: []Rule{{Kind: RuleFixed, Value: "root.b", Filter: &Filter{Users: []string{"n+"}}}}, claim: Claim{User: "ann"}, want: "root.b"},
		"a name with a colon is a name":             {rules: []Rule{{Kind: RuleFixed, Value: "root.b", Filter: &Filter{Users: []string{"system:sa:bot"}}}}, claim: Claim{User: "system:sa:bot"}, want: "root.b"},
		"and matches no other":                      {rules: []Rule{{Kind: RuleFixed, Value: "root.b", Filter: &Filter{Users: []string{"system:sa:bot"}}}}, claim: Claim{User: "system:sa:bot-2"}},
		"nor does one with a slash":                 {rules: []Rule{{Kind: RuleFixed, Value: "root.b", Filter: &Filter{Users: []string{"team/a.b#1"}}}}, claim: Claim{User: "team/a.b#12"}},
		"a filter in a parent rule":                 {rules: []Rule{{Kind: RuleUser, Create: true, Parent: &Rule{Kind: RuleFixed, Value: "users", Filter: &Filter{Groups: []string{"^ops$"}}}}}, claim: Claim{User: "ann", Groups: []string{"ops"}}, want: "root.users.ann"},
		"a name that cannot be leaves nothing made": {rules: []Rule{{Kind: RuleProvided, Create: true}}, claim: Claim{Queue: "users.p.not a name"}},
		"an empty part":                             {rules: []Rule{{Kind: RuleProvided, Create: true}}, claim: Claim{Queue: "users..p"}},
		"deep, made":                                {rules: []Rule{{Kind: RuleProvided, Create: true}}, claim: Claim{Queue: "users.p.q.r"}, want: "root.users.p.q.r"},
		"not below a leaf":                          {rules: []Rule{{Kind: RuleProvided, Create: true}}, claim: Claim{Queue: "b.c"}},
	} {
		t.Run(name, func(t *testing.T) {
			s := New()
			s.SetTree(forest(c.rules...))
			queues := len(s.queues) - len(s.freeQueues)
			c.space.Name, c.claim.App = "ns", "app"
			s.SetNamespace(&c.space)
			foreseen := s.Foresee("ns", &c.claim)
			require.Equal(t, queues, len(s.queues)-len(s.freeQueues), "to foresee makes nothing")
			p := s.SetPod(&PodFact{UID: "p", Namespace: "ns", Name: "p", Ours: true, Demand: &Demand{Key: "any"}, Claim: &c.claim})
			s.Rehome(100)
			require.NoError(t, s.Verify())
			if c.want == "" {
				require.Nil(t, p.App.Queue(), p.App.Why)
				require.NotEmpty(t, p.App.Fault)
				require.Nil(t, foreseen)
			} else {
				require.NotNil(t, foreseen)
				require.True(t, strings.HasPrefix(c.want+".", foreseen.Name+"."), "%s is not on the way to %s", foreseen.Name, c.want)
				require.NotNil(t, p.App.Queue(), p.App.Fault)
				require.Equal(t, c.want, p.App.Queue().Name)
			}
			s.RemovePod("p")
			require.Equal(t, queues, len(s.queues)-len(s.freeQueues), "what was made has gone")
			require.NoError(t, s.Verify())
		})
	}
}

// grove is a state with a node and one running pod per queue that is named, each an application of its own.
func grove(t *testing.T, tree *Tree, queues ...string) *State {
	s := New()
	s.SetTree(tree)
	s.SetNode(&NodeFact{Name: "n", Allocatable: resource.Amounts{{Name: "cpu", Value: 100}, {Name: "pods", Value: 100}}})
	for _, q := range queues {
		s.SetPod(&PodFact{
			UID: types.UID(q), Name: q, Ours: true, Node: "n", Claim: &Claim{App: q, Queue: q, User: "ann"},
			Demand: &Demand{Key: "cpu", Requests: resource.Amounts{{Name: "cpu", Value: 2}}},
		})
	}
	s.Rehome(100)
	require.NoError(t, s.Verify())
	return s
}

// change sets another tree and looks at all applications.
func change(t *testing.T, s *State, tree *Tree) {
	t.Helper()
	s.SetTree(tree)
	require.NoError(t, s.Verify(), "before anybody is looked at")
	for s.Rehome(1) {
		require.NoError(t, s.Verify(), "while some are")
	}
	require.NoError(t, s.Verify())
	require.EqualValues(t, 2*len(s.Apps()), s.root.Used.At(resource.SlotCPU), "no use is lost")
}

func treeOf(children ...*QueueSpec) *Tree {
	return &Tree{Root: &QueueSpec{Name: "root", Parent: true, Submit: ACL{Everybody: true}, Children: children}}
}

// TestATreeChangesUnderRunningPods: what becomes of them.
func TestATreeChangesUnderRunningPods(t *testing.T) {
	leaf := func(name string) *QueueSpec { return &QueueSpec{Name: name} }
	parent := func(name string, children ...*QueueSpec) *QueueSpec {
		return &QueueSpec{Name: name, Parent: true, Children: children}
	}
	for name, c := range map[string]struct {
		trees []*Tree
		want  map[string]string
	}{
		"a queue goes, and there is no other":   {[]*Tree{treeOf(leaf("a"), leaf("b")), treeOf(leaf("b"))}, map[string]string{"a": "root.~a", "b": "root.b"}},
		"a queue goes, and there is a default":  {[]*Tree{treeOf(leaf("a")), treeOf(leaf("default"))}, map[string]string{"a": "root.default"}},
		"it comes back while it drains":         {[]*Tree{treeOf(leaf("a")), treeOf(leaf("b")), treeOf(leaf("a"))}, map[string]string{"a": "root.a"}},
		"a leaf becomes a parent":               {[]*Tree{treeOf(leaf("a")), treeOf(parent("a", leaf("x")))}, map[string]string{"a": "root.a.~a"}},
		"and a leaf again":                      {[]*Tree{treeOf(leaf("a")), treeOf(parent("a", leaf("x"))), treeOf(leaf("a"))}, map[string]string{"a": "root.a"}},
		"a parent becomes a leaf":               {[]*Tree{treeOf(parent("a", leaf("x"))), treeOf(leaf("a"))}, map[string]string{"a.x": "root.~x"}},
		"a queue within a queue goes":           {[]*Tree{treeOf(parent("a", leaf("x"), leaf("y"))), treeOf(parent("a", leaf("y")))}, map[string]string{"a.x": "root.a.~x", "a.y": "root.a.y"}},
		"the queue around what drains goes too": {[]*Tree{treeOf(parent("a", leaf("x"))), treeOf(parent("a")), treeOf(leaf("b"))}, map[string]string{"a.x": "root.~x"}},
		"all goes":                              {[]*Tree{treeOf(leaf("a"), leaf("b")), treeOf()}, map[string]string{"a": "root.~a", "b": "root.~b"}},
	} {
		t.Run(name, func(t *testing.T) {
			var queues []string
			for q := range c.want {
				queues = append(queues, q)
			}
			s := grove(t, c.trees[0], queues...)
			for _, tree := range c.trees[1:] {
				change(t, s, tree)
			}
			for q, want := range c.want {
				at := s.App("", q).Queue()
				require.Equal(t, want, at.Name)
				require.EqualValues(t, 2, at.Used.At(resource.SlotCPU))
				require.Equal(t, at.Spec.Name[0] == '~', at.Draining)
				s.RemovePod(types.UID(q))
				require.NoError(t, s.Verify())
			}
			for _, q := range s.QueueSlots() {
				require.True(t, q == nil || !q.Draining, "what drained has gone: %v", q)
			}
		})
	}
}
