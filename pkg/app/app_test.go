package app

import (
	"bufio"
	"bytes"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/yaml"
	sigsyaml "sigs.k8s.io/yaml"

	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
	"github.com/sluice-scheduler/sluice/pkg/core/resource"
)

var rewrite = flag.Bool("rewrite", false, "write the golden files anew")

// TestGolden reads every object of the files in testdata and compares what is said of it with the golden file beside.
func TestGolden(t *testing.T) {
	files, err := filepath.Glob("testdata/*.yaml")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			var out strings.Builder
			for _, document := range documents(t, file) {
				describe(t, &out, document)
			}
			golden(t, strings.TrimSuffix(file, ".yaml")+".golden", out.String())
		})
	}
}

func golden(t *testing.T, file, got string) {
	t.Helper()
	if *rewrite {
		require.NoError(t, os.WriteFile(file, []byte(got), 0o644))
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err, "run the test with -rewrite and look at what it wrote")
	require.Empty(t, cmp.Diff(string(want), got), "if this is meant, run the test with -rewrite")
}

func documents(t *testing.T, file string) (all [][]byte) {
	t.Helper()
	data, err := os.ReadFile(file)
	require.NoError(t, err)
	reader := yaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(data)))
	for {
		document, err := reader.Read()
		if err == io.EOF {
			return all
		}
		require.NoError(t, err)
		all = append(all, document)
	}
}

func describe(t *testing.T, out *strings.Builder, document []byte) {
	t.Helper()
	var head metav1.TypeMeta
	require.NoError(t, sigsyaml.Unmarshal(document, &head))
	switch head.Kind {
	case "Namespace":
		ns := &v1.Namespace{}
		require.NoError(t, sigsyaml.UnmarshalStrict(document, ns))
		tellNamespace(out, ReadNamespace(ns))
	default:
		pod := &v1.Pod{}
		require.NoError(t, sigsyaml.UnmarshalStrict(document, pod))
		c := Identify(pod, true)
		tellClaim(out, pod.Name, &c)
	}
}

func tellClaim(out *strings.Builder, name string, c *cluster.Claim) {
	fmt.Fprintln(out, name)
	tell(out, "app", c.App, c.AppFrom)
	tell(out, "role", c.Role, "")
	tellGroup(out, c)
	tell(out, "queue", c.Queue, c.QueueFrom)
	tell(out, "user", c.User, "")
	tell(out, "groups", strings.Join(c.Groups, " "), "")
	for _, f := range c.Faults {
		tell(out, "fault", f, "")
	}
}

func tellGroup(out *strings.Builder, c *cluster.Claim) {
	tell(out, "group", c.Group, [...]string{"", "awaited for a while", "awaited for ever"}[c.Awaits])
	if g := c.Gang; g != nil {
		tell(out, "gang", fmt.Sprint("min ", g.Min), g.Source)
		for i := range g.Roles {
			r := &g.Roles[i]
			text := fmt.Sprintf("%s min %d of %d", r.Role, r.Min, r.Count)
			if r.Template != nil {
				text += " of " + r.Template.Demand.Requests.String()
			}
			tell(out, "", text, map[bool]string{true: "starts the others"}[r.First])
		}
		if g.Topology != nil {
			tell(out, "", fmt.Sprint("one ", g.Topology.Key), map[bool]string{true: "required", false: "preferred"}[g.Topology.Required])
		}
		for _, f := range g.Faults {
			tell(out, "", "held: "+f, "")
		}
	}
}

func tellNamespace(out *strings.Builder, f *cluster.NamespaceFact) {
	fmt.Fprintln(out, f.Name)
	tell(out, "queue", f.Queue, f.QueueFrom)
	tell(out, "parent", f.Parent, f.ParentFrom)
	tell(out, "guaranteed", f.Guaranteed.String(), "")
	tell(out, "max", f.Max.String(), "")
	if f.MaxApps != 0 {
		tell(out, "apps", fmt.Sprint(f.MaxApps), "")
	}
	for _, name := range slices.Sorted(maps.Keys(f.Annotations)) {
		tell(out, "tag", name+"="+f.Annotations[name], "")
	}
	for _, fault := range f.Faults {
		tell(out, "fault", fault, "")
	}
}

func tell(out *strings.Builder, what, value, from string) {
	if value == "" {
		return
	}
	fmt.Fprintf(out, "  %-10s %s", what, value)
	if from != "" {
		fmt.Fprintf(out, "   [%s]", from)
	}
	fmt.Fprintln(out)
}

func TestUserAndGroupsAreReadOnlyIfTrusted(t *testing.T) {
	pod := &v1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "p", Annotations: map[string]string{UserAnnotation: "root", yunikornUser: "{"}}}
	c := Identify(pod, false)
	require.Empty(t, c.User)
	require.Empty(t, c.Faults)
	require.Equal(t, "root", Identify(pod, true).User)
}

// The order in which owners are written, and noise in names of pods, change nothing.
func TestOwnersCountWhateverTheirOrder(t *testing.T) {
	yes := true
	refs := []metav1.OwnerReference{
		{APIVersion: "b.example.com/v1", Kind: "B", Name: "x"},
		{APIVersion: "a.example.com/v1", Kind: "A", Name: "y"},
		{APIVersion: "", Kind: "", Name: ""},
	}
	pod := &v1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "p", OwnerReferences: refs}}
	require.Equal(t, "a.a.example.com/y", Identify(pod, true).App)
	slices.Reverse(refs)
	require.Equal(t, "a.a.example.com/y", Identify(pod, true).App)
	refs[2].Controller = &yes
	require.Equal(t, "b.b.example.com/x", Identify(pod, true).App)
}

func TestLongValuesStayDifferentAndShort(t *testing.T) {
	long := strings.Repeat("ü", 4096)
	claim := func(app string) cluster.Claim {
		return Identify(&v1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "p", Annotations: map[string]string{AppName: app, QueueName: app}}}, true)
	}
	a, b := claim(long+"a"), claim(long+"b")
	require.NotEqual(t, a.App, b.App)
	require.Equal(t, a, claim(long+"a"))
	for _, c := range []cluster.Claim{a, b} {
		require.LessOrEqual(t, len(c.App), longest)
		require.LessOrEqual(t, len(c.Queue), longest)
		require.Len(t, c.Faults, 2)
		require.Contains(t, c.Faults[0], "annotation sluice.dev/app is shortened")
	}
	require.Equal(t, strings.Repeat("x", longest), claim(strings.Repeat("x", longest)).App)
}

func TestEqualClaimsHaveEqualKeys(t *testing.T) {
	a := cluster.Claim{App: "a", Groups: []string{"b", "c"}}
	same := cluster.Claim{App: "a", Groups: []string{"b", "c"}}
	require.Equal(t, a.Key(), same.Key())
	for _, other := range []cluster.Claim{
		{App: "a", Groups: []string{"b"}, Faults: []string{"c"}},
		{App: "a", Groups: []string{"bc"}},
		{App: "a"},
		{AppFrom: "a", Groups: []string{"b", "c"}},
	} {
		require.NotEqual(t, a.Key(), other.Key())
	}
}

func TestTagsOfANamespace(t *testing.T) {
	f := ReadNamespace(&v1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "lab", Annotations: map[string]string{
		"Team": "blue", "example.com/team": "red", namespaceParent: "root.labs", namespaceQuota: `{"cpu":"1"}`,
	}}})
	require.Equal(t, "lab", f.Tag("namespace"))
	require.Equal(t, "root.labs", f.Tag("namespace.parentqueue"))
	require.Equal(t, "blue", f.Tag("namespace.TEAM"))
	require.Equal(t, "red", f.Tag("namespace.example.com/team"))
	for _, name := range []string{"", "team", "namespace.", "namespace.other", "namespace." + namespaceQuota} {
		require.Empty(t, f.Tag(name), name)
	}
	require.Equal(t, resource.Amounts{{Name: "cpu", Value: 1000}}, f.Max)
}
