package gang

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
	"github.com/sluice-scheduler/sluice/pkg/manifest"
)

var rewrite = flag.Bool("rewrite", false, "write the golden files anew")

// TestGolden reads all objects of each file of testdata and compares what is told in the end with the golden file beside it.
func TestGolden(t *testing.T) {
	files, err := filepath.Glob("testdata/*.yaml")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			golden(t, strings.TrimSuffix(file, ".yaml")+".golden", describe(inAnyOrder(t, readObjects(t, file))))
		})
	}
}

// TestOperatorExamples does the same with the examples of Flink's operator, where they are at hand.
func TestOperatorExamples(t *testing.T) {
	dir := shared()
	if dir == "" {
		t.Skip("the operator's examples are not here; set SLUICE_SHARED to the folder that has flink-operator/examples")
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.yaml"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	var out strings.Builder
	for _, file := range files {
		fmt.Fprintf(&out, "# %s\n%s\n", filepath.Base(file), describe(inAnyOrder(t, readObjects(t, file))))
	}
	golden(t, "testdata/operator-examples.golden", out.String())
}

// TestDemoExamples does the same with the examples of our own demo.
func TestDemoExamples(t *testing.T) {
	files, err := filepath.Glob("../../../kubemark/flink/examples/*.yaml")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	var out strings.Builder
	for _, file := range files {
		fmt.Fprintf(&out, "# %s\n%s\n", filepath.Base(file), describe(inAnyOrder(t, readObjects(t, file))))
	}
	golden(t, "testdata/demo-examples.golden", out.String())
}

// shared is the folder with the Flink operator's own examples, or "" where it does not exist.
func shared() string {
	for _, dir := range []string{os.Getenv("SLUICE_SHARED"), filepath.Join("..", "..", "..", "..", "shared")} {
		path := filepath.Join(dir, "flink-operator", "examples")
		if info, err := os.Stat(path); dir != "" && err == nil && info.IsDir() {
			return path
		}
	}
	return ""
}

func readObjects(t testing.TB, file string) (all []metav1.Object) {
	t.Helper()
	data, err := os.ReadFile(file)
	require.NoError(t, err)
	read, err := manifest.Read(filepath.Base(file), data)
	require.NoError(t, err)
	for _, o := range read {
		all = append(all, o.Unstructured)
	}
	return all
}

// inAnyOrder gives the objects to Sources in several orders, some of them twice, some after they were gone, and returns what is told, which is always the same.
func inAnyOrder(t *testing.T, all []metav1.Object) map[subject]*cluster.GroupFact {
	t.Helper()
	want := toldOf(t, all, nil)
	for seed := range uint64(5) {
		require.Equal(t, want, toldOf(t, all, rand.New(rand.NewPCG(seed, 0))))
	}
	return want
}

func toldOf(t *testing.T, all []metav1.Object, random *rand.Rand) map[subject]*cluster.GroupFact {
	s, told := NewSources(), map[subject]*cluster.GroupFact{}
	take := func(changes []Change) {
		for _, c := range changes {
			at := subject{c.Namespace, c.ID, c.Origin}
			if c.Fact == nil {
				require.Contains(t, told, at)
				delete(told, at)
				continue
			}
			require.Equal(t, at, subject{c.Fact.Namespace, c.Fact.ID, c.Fact.Origin})
			require.NotEqual(t, told[at], c.Fact, "nothing is told twice")
			told[at] = c.Fact
		}
	}
	all = slices.Clone(all)
	if random != nil {
		random.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
		for _, o := range all[:len(all)/2] {
			take(s.Set(reader.Read(o)))
			if p := reader.Read(o); p != nil && random.IntN(2) == 0 {
				take(s.Gone(p.Key))
			}
		}
	}
	for _, o := range all {
		take(s.Set(reader.Read(o)))
	}
	return told
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

var origins = map[cluster.Origin]string{
	cluster.FromPodGroup: "podgroup", cluster.FromGroupLabels: "labels", cluster.FromObject: "object", cluster.FromConfigMap: "configmap",
	cluster.FromControllers: "controllers",
}

// describe writes what is told for people to review.
func describe(told map[subject]*cluster.GroupFact) string {
	var all []subject
	for at := range told {
		all = append(all, at)
	}
	slices.SortFunc(all, compareSubjects)
	var b strings.Builder
	for _, at := range all {
		fact(&b, told[at])
	}
	return b.String()
}

func fact(b *strings.Builder, f *cluster.GroupFact) {
	fmt.Fprintf(b, "%s/%s by %s: min %d%s\n", f.Namespace, f.ID, origins[f.Origin], f.Min, marks(f))
	fmt.Fprintf(b, "  from     %s\n", f.Source)
	if f.Object != (cluster.ObjectRef{}) {
		fmt.Fprintf(b, "  object   %s %s %s\n", f.Object.APIVersion, f.Object.Kind, f.Object.Name)
	}
	for i := range f.Roles {
		r := &f.Roles[i]
		fmt.Fprintf(b, "  role     %s min %d of %d%s\n", r.Role, r.Min, r.Count, map[bool]string{true: ", starts the others"}[r.First])
		if r.Template != nil {
			shape(b, r.Template)
		}
	}
	if f.Topology != nil {
		fmt.Fprintf(b, "  topology %s%s\n", f.Topology.Key, map[bool]string{true: ", required"}[f.Topology.Required])
	}
	for _, w := range f.Warnings {
		fmt.Fprintf(b, "  warning  %s\n", w)
	}
	for _, w := range f.Faults {
		fmt.Fprintf(b, "  fault    %s\n", w)
	}
}

func marks(f *cluster.GroupFact) string {
	var parts []string
	for _, m := range []struct {
		is   bool
		word string
	}{
		{f.Together, "together"},
		{f.Soft, "soft"},
		{f.Twice, "twice"},
		{f.Patience > 0, "patience " + f.Patience.String()},
		{f.Priority != nil, "own priority"},
		{f.Scheduled, "scheduled"},
		{f.Over && f.Finished, "finished: " + f.Why},
		{f.Over && !f.Finished, "over: " + f.Why},
	} {
		if m.is {
			parts = append(parts, m.word)
		}
	}
	if len(parts) == 0 {
		return ""
	}
	return "; " + strings.Join(parts, "; ")
}

func shape(b *strings.Builder, p *cluster.PodFact) {
	d := p.Demand
	fmt.Fprintf(b, "           %s", d.Requests)
	if d.Affinity != nil {
		fmt.Fprintf(b, "; nodes by %s", strings.Join(d.LabelKeys, " "))
	}
	for _, t := range d.Tolerations {
		if !strings.HasPrefix(t.Key, "node.kubernetes.io/") {
			fmt.Fprintf(b, "; tolerates %s", t.Key)
		}
	}
	if len(d.Ports) > 0 {
		fmt.Fprintf(b, "; %d ports of its node", len(d.Ports))
	}
	if d.Topology != nil {
		fmt.Fprint(b, "; minds other pods")
	}
	for _, fault := range d.Faults {
		fmt.Fprintf(b, "; fault %s", fault)
	}
	fmt.Fprintf(b, "; ours %t; app %s", p.Ours, p.Claim.App)
	if p.Claim.Queue != "" {
		fmt.Fprintf(b, "; queue %s", p.Claim.Queue)
	}
	fmt.Fprintln(b)
}
