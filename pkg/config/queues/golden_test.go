package queues_test

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/sluice-scheduler/sluice/pkg/config/queues"
	"github.com/sluice-scheduler/sluice/pkg/config/strict"
	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
)

var rewrite = flag.Bool("rewrite", false, "write the golden files anew")

// Each file in testdata/faults is refused with exactly the text beside it. A new kind of fault is a new file and a run with -rewrite.
func TestFaultsAreReportedAsWritten(t *testing.T) {
	forEach(t, "testdata/faults/*.yaml", func(t *testing.T, data []byte) string {
		loaded, err := queues.Parse("queues.yaml", data)
		require.Nil(t, loaded)
		require.Error(t, err)
		requireInside(t, data, err)
		return err.Error() + "\n"
	})
}

// Each file in testdata/loads loads, and the text beside it shows its tree and its warnings. Those named yunikorn-* have the form of YuniKorn's
// documentation and load there too.
func TestFilesLoadAsWritten(t *testing.T) {
	forEach(t, "testdata/loads/*.yaml", func(t *testing.T, data []byte) string {
		loaded, err := queues.Parse("queues.yaml", data)
		require.NoError(t, err)
		requireSound(t, loaded.Tree)
		again, err := queues.Parse("queues.yaml", data)
		require.NoError(t, err)
		require.Empty(t, cmp.Diff(loaded, again), "reading twice gives the same")
		return dump(loaded)
	})
}

func forEach(t *testing.T, pattern string, result func(*testing.T, []byte) string) {
	t.Helper()
	files, err := filepath.Glob(pattern)
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		name := strings.TrimSuffix(file, ".yaml")
		t.Run(filepath.Base(name), func(t *testing.T) {
			data, err := os.ReadFile(file)
			require.NoError(t, err)
			got := result(t, data)
			if *rewrite {
				require.NoError(t, os.WriteFile(name+".txt", []byte(got), 0o644))
			}
			want, err := os.ReadFile(name + ".txt")
			require.NoError(t, err, "run the test with -rewrite and look at what it wrote")
			require.Empty(t, cmp.Diff(string(want), got), "if this is meant, run the test with -rewrite")
		})
	}
}

// requireInside holds what is true of every refusal: it is of type Faults, an error is among them, and each has a place inside the file, in order.
func requireInside(t *testing.T, data []byte, err error) {
	t.Helper()
	var faults strict.Faults
	require.True(t, errors.As(err, &faults), "%T", err)
	require.Less(t, len(faults.Warnings()), len(faults))
	line, column := 1, 1
	for _, f := range faults {
		require.NotEmpty(t, f.Message)
		require.Contains(t, string(data), f.Source)
		require.LessOrEqual(t, f.Column, len([]rune(f.Source))+1)
		require.True(t, f.Line > line || f.Line == line && f.Column >= column, "out of order: %v", faults)
		line, column = f.Line, f.Column
	}
}

// dump shows what was loaded, one line per queue, leaving out what is as by default.
func dump(l *queues.Loaded) string {
	var b strings.Builder
	dumpQueue(&b, l.Tree.Root, "")
	for _, r := range l.Tree.Rules {
		fmt.Fprintf(&b, "rule %s\n", rule(&r))
	}
	if l.NodeOrder != nil {
		fmt.Fprintf(&b, "node order %+v\n", *l.NodeOrder)
	}
	if len(l.Warnings) > 0 {
		fmt.Fprintf(&b, "\n%v\n", l.Warnings)
	}
	return b.String()
}

func dumpQueue(b *strings.Builder, q *cluster.QueueSpec, indent string) {
	fmt.Fprintf(b, "%s%s%s\n", indent, q.Name, describe(q))
	for _, l := range q.Limits {
		fmt.Fprintf(b, "%s  limit %q users=%v groups=%v max=(%v) apps=%d\n", indent, l.About, l.Users, l.Groups, l.Max, l.MaxApps)
	}
	if q.Template != nil && describe(q.Template) != "" {
		fmt.Fprintf(b, "%s  template:%s\n", indent, describe(q.Template))
	}
	for _, c := range q.Children {
		dumpQueue(b, c, indent+"  ")
	}
}

func describe(q *cluster.QueueSpec) string {
	var b strings.Builder
	show := func(is bool, format string, args ...any) {
		if is {
			fmt.Fprintf(&b, " "+format, args...)
		}
	}
	show(q.Parent, "parent")
	show(len(q.Guaranteed) > 0, "guaranteed=(%v)", q.Guaranteed)
	show(len(q.Max) > 0, "max=(%v)", q.Max)
	show(q.Weight != 1 || len(q.Weights) > 0, "weight=%d(%v)", q.Weight, q.Weights)
	show(q.MaxApps > 0, "apps=%d", q.MaxApps)
	show(q.Sort != cluster.SortFIFO, "%s", q.Sort)
	show(q.PriorityDisabled, "priority-disabled")
	show(q.Strict, "strict")
	show(q.PriorityFence || q.PriorityOffset != 0, "fence=%v offset=%d", q.PriorityFence, q.PriorityOffset)
	show(q.PriorityFirst, "priority-first")
	show(q.Gang != cluster.GangSpec{}, "gang=%s/%v", q.Gang.ScaleUp, q.Gang.StartFirstAfter)
	show(q.NodeOrder != "", "order=%s", q.NodeOrder)
	show(acl(q.Submit) != "", "submit=%s", acl(q.Submit))
	show(acl(q.Admin) != "", "admin=%s", acl(q.Admin))
	show(q.Preemption.Disabled, "no-preemption")
	show(q.Preemption.Fence, "preemption-fence")
	show(q.Preemption.Delay.String() != "30s", "delay=%v", q.Preemption.Delay)
	show(q.Preemption.QuotaDelay > 0, "quota-delay=%v", q.Preemption.QuotaDelay)
	return b.String()
}

func acl(a cluster.ACL) string {
	switch {
	case a.Everybody:
		return "*"
	case len(a.Users)+len(a.Groups) == 0:
		return ""
	}
	return fmt.Sprintf("%v/%v", a.Users, a.Groups)
}

func rule(r *cluster.Rule) string {
	s := fmt.Sprintf("%s %q create=%v", r.Kind, r.Value, r.Create)
	if r.Filter != nil {
		s += fmt.Sprintf(" filter=%+v", *r.Filter)
	}
	if r.Parent != nil {
		s += " below (" + rule(r.Parent) + ")"
	}
	return s
}
