package queues_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/sluice-scheduler/sluice/pkg/config/queues"
	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
	"github.com/sluice-scheduler/sluice/pkg/core/order"
)

func parse(t *testing.T, text string) *queues.Loaded {
	t.Helper()
	loaded, err := queues.Parse("queues.yaml", []byte(text))
	require.NoError(t, err)
	requireSound(t, loaded.Tree)
	return loaded
}

func TestDefaultIsWhatTheShortestFileSays(t *testing.T) {
	requireSound(t, queues.Default())
	loaded := parse(t, "queues: [{name: default}]\n")
	require.Empty(t, loaded.Warnings)
	want := queues.Default()
	want.Hash = loaded.Tree.Hash
	require.Empty(t, cmp.Diff(want, loaded.Tree))

	queues.Default().Root.Children[0].Name = "changed"
	require.Equal(t, "default", queues.Default().Root.Children[0].Name, "each call gives a tree of its own")
}

func TestHashIsOfTheFile(t *testing.T) {
	a, b := parse(t, "queues: [{name: a}]\n"), parse(t, "queues: [{name: a}] # another file\n")
	require.Len(t, a.Tree.Hash, 12)
	require.NotEqual(t, a.Tree.Hash, b.Tree.Hash)
	require.Equal(t, a.Tree.Hash, parse(t, "queues: [{name: a}]\n").Tree.Hash)
}

// Whoever writes no ACL is let in by our form and kept out by YuniKorn's, and both do what an ACL says.
func TestWhoMaySubmit(t *testing.T) {
	partition := func(text string) string {
		return "partitions:\n- name: default\n  " + strings.ReplaceAll(text, "\n", "\n  ")
	}
	for _, c := range []struct {
		text           string
		short, yunikor bool
	}{
		{"queues: [{name: a}]", true, false},
		{"queues: [{name: root, queues: [{name: a}]}]", true, false},
		{"queues: [{name: root, submitacl: , queues: [{name: a}]}]", true, false},
		{"queues: [{name: root, submitacl: '', queues: [{name: a}]}]", false, false},
		{"queues: [{name: root, submitacl: '*', queues: [{name: a}]}]", true, true},
		{"queues: [{name: root, submitacl: ' staff', queues: [{name: a}]}]", false, false},
		{"queues: [{name: root, submitacl: 'eve staff', queues: [{name: a}]}]", true, true},
		{"queues: [{name: a, submitacl: '*'}]", true, false},
	} {
		require.Equal(t, c.short, parse(t, c.text).Tree.Root.Submit.Allows("eve", nil), c.text)
		require.Equal(t, c.yunikor, parse(t, partition(c.text)).Tree.Root.Submit.Allows("eve", nil), c.text)
	}
	root := parse(t, "queues: [{name: root, submitacl: 'a,b,a g1,g2', adminacl: ' *', queues: [{name: a}]}]").Tree.Root
	require.Equal(t, cluster.ACL{Users: []string{"a", "b"}, Groups: []string{"g1", "g2"}}, root.Submit)
	require.Equal(t, cluster.ACL{Everybody: true}, root.Admin)
}

func TestNodeSortPolicyBecomesAnOrder(t *testing.T) {
	for text, want := range map[string]order.Evaluator{
		"{type: fair}":       {Kind: order.LeastAllocated, Weight: 1},
		"{type: ''}":         {Kind: order.LeastAllocated, Weight: 1},
		"{type: Binpacking}": {Kind: order.MostAllocated, Weight: 1},
		"{type: binpacking, resourceweights: {vcore: 4, memory: 1}}": {
			Kind: order.MostAllocated, Weight: 1, Resources: []order.Resource{{Name: "cpu", Weight: 4}, {Name: "memory", Weight: 1}},
		},
	} {
		got := parse(t, "queues: [{name: a}]\nnodesortpolicy: "+text).NodeOrder
		require.Equal(t, queues.OrderName, got.Name)
		require.Empty(t, cmp.Diff(want, got.Evaluators[0]))
		require.Equal(t, order.Default().Evaluators[1:], got.Evaluators[1:])
	}
	require.Nil(t, parse(t, "queues: [{name: a}]\n").NodeOrder)
}

// The same contents give the same tree in either form, if the ACLs are written.
func TestBothFormsGiveTheSameTree(t *testing.T) {
	files, err := filepath.Glob("testdata/loads/yunikorn-*.yaml")
	require.NoError(t, err)
	compared := 0
	for _, file := range files {
		data, err := os.ReadFile(file)
		require.NoError(t, err)
		_, inner, _ := strings.Cut(string(data), "partitions:\n")
		inner, _, _ = strings.Cut(inner, "\nchecksum")
		inner = strings.Replace(inner, "  - ", "    ", 1)
		inner = strings.Replace(inner, "    name: default\n", "", 1)
		if strings.Contains(inner, "max: {memory: 0}") || !strings.Contains(inner, "- name: root\n        submitacl: '*'") {
			continue
		}
		long, short := parse(t, string(data)), parse(t, inner)
		short.Tree.Hash = long.Tree.Hash
		require.Empty(t, cmp.Diff(long.Tree, short.Tree), file)
		require.Empty(t, cmp.Diff(long.NodeOrder, short.NodeOrder), file)
		compared++
	}
	require.GreaterOrEqual(t, compared, 4)
}

func TestWarningsAreTheSameEachTime(t *testing.T) {
	var text strings.Builder
	text.WriteString("queues:\n- name: a\n  resources:\n    max: {")
	for i := range 40 {
		fmt.Fprintf(&text, "odd%d: 1, ", i)
	}
	text.WriteString("memory: 9E}\n")
	first := parse(t, text.String()).Warnings.Error()
	for range 20 {
		require.Equal(t, first, parse(t, text.String()).Warnings.Error())
	}
	require.Contains(t, first, "41 warnings in queues.yaml; the file is usable")
}

func TestAFileThatCannotBeReadIsNamed(t *testing.T) {
	_, err := queues.Load("/nowhere/queues.yaml")
	require.ErrorContains(t, err, "/nowhere/queues.yaml")
	file := filepath.Join(t.TempDir(), "queues.yaml")
	require.NoError(t, os.WriteFile(file, []byte("queues: [{name: a}]"), 0o600))
	loaded, err := queues.Load(file)
	require.NoError(t, err)
	require.Equal(t, "a", loaded.Tree.Root.Children[0].Name)

	_, err = queues.Parse("queues.yaml", make([]byte, queues.MaxBytes+1))
	require.ErrorContains(t, err, "more than the 1048576 that are allowed")
}
