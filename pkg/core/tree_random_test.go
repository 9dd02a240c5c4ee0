package core_test

import (
	"fmt"
	"slices"

	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
	"github.com/sluice-scheduler/sluice/pkg/core/resource"
)

// The words that random trees, claims and namespaces are made of. A name is either that of leaves or that of parents wherever rules may make a queue
// of it: which of two applications comes first would matter otherwise.
var (
	someUsers  = []string{"", "ann", "bob", "eve", "svc:bob"}
	someGroups = [][]string{nil, {"dev"}, {"dev", "ops"}, {"ops"}}
	someWants  = []string{
		"", "", "root.a", "a", "b", "root.a.x", "A.X", "root.a.y", "b.x", "a.x.y", "root.default", "root", "nope", "dyn", "root.a.dyn", "par.leaf",
		"x..y", "bad name", "par.bad name", ".", "root.a.x.y.x",
	}
	someSpaces = []string{"ns", "ns2"}
)

func pick[T any](s *bytesSource, list []T) T { return list[s.below(len(list))] }

// tree makes a tree of queues; it need not be one that a configuration would be allowed to say.
func (s *bytesSource) tree() *cluster.Tree {
	t := &cluster.Tree{Hash: fmt.Sprint(s.below(256))}
	t.Root = s.queueSpec("root", 0)
	t.Root.Parent, t.Root.Max, t.Root.Guaranteed = true, nil, nil
	if s.below(4) > 0 {
		t.Root.Submit = cluster.ACL{Everybody: true}
	}
	nested := s.chance(2)
	for range s.below(4) {
		t.Rules = append(t.Rules, s.rule(nested))
	}
	return t
}

func (s *bytesSource) queueSpec(name string, depth int) *cluster.QueueSpec {
	q := &cluster.QueueSpec{Name: name, Weight: int64(1 + s.below(3)), Sort: cluster.SortFIFO}
	s.bounds(q)
	if s.chance(4) {
		q.Weights = resource.Amounts{{Name: "cpu", Value: int64(1 + s.below(5))}}
	}
	q.PriorityDisabled, q.PriorityFence, q.Strict = s.chance(5), s.chance(5), s.chance(5)
	q.PriorityOffset = int32(s.below(3) - 1)
	s.acls(q)
	for range max(0, s.below(4)-1) {
		q.Limits = append(q.Limits, s.limit())
	}
	q.Parent = depth == 0 || depth < 4 && s.chance(3)
	if !q.Parent {
		return q
	}
	q.PriorityFirst, q.Strict = s.chance(5), false
	if s.chance(3) {
		q.Template = &cluster.QueueSpec{Weight: 1, Sort: cluster.SortFIFO}
		s.bounds(q.Template)
	}
	names := []string{"x", "y"}
	if depth == 0 {
		names = []string{"a", "b", "default", "users"}
	}
	for _, name := range names {
		if s.below(4) > 0 {
			q.Children = append(q.Children, s.queueSpec(name, depth+1))
		}
	}
	return q
}

func (s *bytesSource) bounds(q *cluster.QueueSpec) {
	q.Guaranteed, q.Max = s.amounts(), s.amounts()
	q.MaxApps = max(0, s.below(6)-2)
	if s.chance(3) {
		q.Sort = cluster.SortFair
	}
}

// amounts are some of some resources, zeros included, sorted by name.
func (s *bytesSource) amounts() (a resource.Amounts) {
	if s.chance(2) {
		return nil
	}
	if s.below(3) > 0 {
		a = append(a, resource.Amount{Name: "cpu", Value: int64(s.below(7)) * 1000})
	}
	if s.chance(4) {
		a = append(a, resource.Amount{Name: "example.com/gpu", Value: int64(s.below(2))})
	}
	if s.chance(5) {
		a = append(a, resource.Amount{Name: "pods", Value: int64(s.below(4))})
	}
	return a
}

func (s *bytesSource) acls(q *cluster.QueueSpec) {
	if s.chance(6) {
		q.Submit = cluster.ACL{Users: []string{"ann"}, Groups: []string{"ops"}}
	}
	if s.chance(8) {
		q.Admin = cluster.ACL{Users: []string{"bob"}}
	}
}

func (s *bytesSource) limit() cluster.Limit {
	l := cluster.Limit{Max: s.amounts(), MaxApps: s.below(3)}
	switch s.below(6) {
	case 0:
		l.Users = []string{"ann"}
	case 1:
		l.Groups = []string{"dev"}
	case 2:
		l.Users, l.Groups = []string{"*"}, []string{"*"}
	case 3:
		l.Users, l.Groups = []string{"bob", "eve"}, []string{"ops"}
	case 4:
		l.Users = []string{"*"}
	case 5:
		l.Groups = []string{"*", "dev"}
	}
	return l
}

// rule makes a placement rule; nested says whether namespaces are parents in this tree or leaves.
func (s *bytesSource) rule(nested bool) cluster.Rule {
	r := cluster.Rule{Create: s.chance(2)}
	switch s.below(5) {
	case 0, 1:
		r.Kind = cluster.RuleProvided
	case 2:
		r.Kind = cluster.RuleUser
		r.Parent = s.parentRule(nested)
	case 3:
		r.Kind, r.Value = cluster.RuleFixed, pick(s, []string{"root.b", "a.x", "root.fix", "fix"})
		if r.Value == "fix" {
			r.Parent = s.parentRule(nested)
		}
	case 4:
		r.Kind, r.Value = cluster.RuleTag, pick(s, []string{"namespace", "Namespace", "namespace.team"})
		if nested && r.Value != "namespace.team" {
			r.Value = "namespace.team"
		}
		r.Parent = s.parentRule(false)
	}
	if s.chance(3) {
		r.Filter = pick(s, []*cluster.Filter{
			{Users: []string{"ann"}},
			{Deny: true, Groups: []string{"ops"}},
			{Users: []string{"^(ann|bob)$"}},
			{Users: []string{"svc:bob"}},
			{Users: []string{"b+"}},
			{Deny: true, Users: []string{"bob", "eve"}},
		})
	}
	return r
}

func (s *bytesSource) parentRule(nested bool) *cluster.Rule {
	switch s.below(4) {
	case 0:
		return &cluster.Rule{Kind: cluster.RuleFixed, Value: pick(s, []string{"users", "root.a", "grp"}), Create: s.chance(2)}
	case 1:
		return &cluster.Rule{Kind: cluster.RuleTag, Value: "namespace.parentqueue", Create: s.chance(2)}
	case 2:
		if nested {
			return &cluster.Rule{Kind: cluster.RuleTag, Value: "namespace", Create: s.chance(2)}
		}
	}
	return nil
}

func (s *bytesSource) namespace() *cluster.NamespaceFact {
	f := &cluster.NamespaceFact{Name: pick(s, someSpaces), Max: s.amounts(), Guaranteed: s.amounts(), MaxApps: s.below(3)}
	if s.chance(4) {
		f.Queue, f.QueueFrom = pick(s, []string{"root.a", "B", "dyn", "a.x"}), "annotation sluice.dev/queue"
	}
	if s.chance(2) {
		f.Parent = pick(s, []string{"root.a", "grp", "root.grp.deep"})
	}
	if s.chance(2) {
		f.Labels = map[string]string{"team": pick(s, someTeams)}
	}
	if s.chance(3) {
		f.Annotations = map[string]string{"Team": pick(s, []string{"red", "blue.green"})}
	}
	return f
}

// claim is what a pod claims; pods of one application may contradict each other.
func (s *bytesSource) claim() *cluster.Claim {
	c := &cluster.Claim{App: fmt.Sprintf("app-%d", s.below(5)), AppFrom: "label sluice.dev/app"}
	if c.Queue = pick(s, someWants); c.Queue != "" {
		c.QueueFrom = pick(s, []string{"label sluice.dev/queue", "label queue"})
	}
	c.User = pick(s, someUsers)
	if c.User != "" {
		c.Groups = slices.Clone(pick(s, someGroups))
	}
	return c
}
