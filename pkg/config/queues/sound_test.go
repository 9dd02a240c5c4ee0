package queues_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
	"github.com/sluice-scheduler/sluice/pkg/core/resource"
)

// requireSound holds what the core may rely on of a tree. It is written from the promises of cluster.Tree, not from the code that makes one.
func requireSound(t *testing.T, tree *cluster.Tree) {
	t.Helper()
	require.NotEmpty(t, tree.Hash)
	require.Equal(t, "root", tree.Root.Name)
	require.Empty(t, tree.Root.Max)
	require.Empty(t, tree.Root.Guaranteed)
	seen := map[*cluster.QueueSpec]bool{}
	soundQueue(t, tree.Root, nil, seen)
	for i := range tree.Rules {
		soundRule(t, &tree.Rules[i])
	}
}

func soundQueue(t *testing.T, q *cluster.QueueSpec, above []*cluster.QueueSpec, seen map[*cluster.QueueSpec]bool) {
	require.False(t, seen[q], "queue %s stands in the tree twice", q.Name)
	seen[q] = true
	require.Regexp(t, regexp.MustCompile(`^[a-z0-9_:#/@-]{1,64}$`), q.Name)
	soundSpec(t, q)
	require.Equal(t, q.Parent, q.Template != nil, "%s: parents have a template, leaves none", q.Name)
	require.True(t, q.Parent || len(q.Children) == 0, "%s is a leaf with something below", q.Name)
	soundQuota(t, q, above)
	soundLimits(t, q)
	names := map[string]bool{}
	for _, c := range q.Children {
		require.False(t, names[c.Name], "%s twice in %s", c.Name, q.Name)
		names[c.Name] = true
		soundQueue(t, c, append(slices.Clone(above), q), seen)
	}
}

func soundSpec(t *testing.T, q *cluster.QueueSpec) {
	for _, a := range []resource.Amounts{q.Guaranteed, q.Max, q.Weights} {
		soundAmounts(t, a)
	}
	require.GreaterOrEqual(t, q.Weight, int64(1))
	require.LessOrEqual(t, q.Weight, int64(1000))
	for _, w := range q.Weights {
		require.Positive(t, w.Value)
	}
	require.GreaterOrEqual(t, q.MaxApps, 0)
	require.Contains(t, []cluster.AppSort{cluster.SortFIFO, cluster.SortFair}, q.Sort)
	require.Positive(t, q.Preemption.Delay)
	require.GreaterOrEqual(t, q.Preemption.QuotaDelay.Nanoseconds(), int64(0))
	for _, g := range q.Guaranteed {
		for _, m := range q.Max {
			require.True(t, g.Name != m.Name || g.Value <= m.Value, "%s guarantees more than its max", q.Name)
		}
	}
	if q.Template != nil {
		require.Empty(t, q.Template.Name)
		require.Empty(t, q.Template.Children)
		soundSpec(t, q.Template)
	}
}

func soundAmounts(t *testing.T, a resource.Amounts) {
	for i, x := range a {
		require.NotEmpty(t, x.Name)
		require.NotEqual(t, "vcore", x.Name)
		require.True(t, x.Value >= 0 && x.Value <= resource.Limit)
		require.True(t, i == 0 || a[i-1].Name < x.Name, "not sorted: %v", a)
	}
}

// soundQuota looks from each queue up and down, one resource at a time.
func soundQuota(t *testing.T, q *cluster.QueueSpec, above []*cluster.QueueSpec) {
	for _, m := range q.Max {
		var sum int64
		for _, c := range q.Children {
			sum += c.Guaranteed.Get(m.Name)
		}
		require.LessOrEqual(t, sum, m.Value, "%s of %s", m.Name, q.Name)
		for _, up := range above {
			for _, most := range up.Max {
				require.True(t, most.Name != m.Name || m.Value <= most.Value, "%s: max above that of %s", q.Name, up.Name)
			}
		}
	}
	for _, up := range above {
		require.True(t, up.MaxApps == 0 || q.MaxApps <= up.MaxApps || slices.ContainsFunc(above, func(x *cluster.QueueSpec) bool { return x.MaxApps == 0 }))
	}
}

func soundLimits(t *testing.T, q *cluster.QueueSpec) {
	users, groups := []string{}, []string{}
	for _, l := range q.Limits {
		soundAmounts(t, l.Max)
		require.NotEmpty(t, append(slices.Clone(l.Users), l.Groups...))
		require.True(t, l.MaxApps > 0 || len(l.Max) > 0, "a limit of nothing")
		users, groups = append(users, l.Users...), append(groups, l.Groups...)
	}
	for _, names := range [][]string{users, groups} {
		slices.Sort(names)
		require.Len(t, slices.Compact(slices.Clone(names)), len(names), "named twice: %v", names)
	}
}

func soundRule(t *testing.T, r *cluster.Rule) {
	require.Contains(t, []cluster.RuleKind{cluster.RuleProvided, cluster.RuleUser, cluster.RuleFixed, cluster.RuleTag}, r.Kind)
	named := r.Kind == cluster.RuleFixed || r.Kind == cluster.RuleTag
	require.Equal(t, named, r.Value != "", "%v", r)
	require.False(t, strings.HasPrefix(r.Value, "root.") && r.Kind == cluster.RuleFixed && r.Parent != nil)
	if r.Filter != nil {
		for _, names := range [][]string{r.Filter.Users, r.Filter.Groups} {
			if len(names) == 1 {
				require.NotPanics(t, func() { regexp.MustCompile(names[0]) })
			}
		}
	}
	if r.Parent != nil {
		soundRule(t, r.Parent)
	}
}
