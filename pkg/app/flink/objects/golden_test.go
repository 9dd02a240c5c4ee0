package objects_test

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/yaml"

	"github.com/sluice-scheduler/sluice/pkg/app/flink/objects"
	"github.com/sluice-scheduler/sluice/pkg/app/flink/spec"
	"github.com/sluice-scheduler/sluice/pkg/manifest"
)

var rewrite = flag.Bool("rewrite", false, "write the golden files anew")

// cluster resolves the only FlinkDeployment of a manifest, with the identity an API server would have given it.
func cluster(t *testing.T, file string, data []byte) *spec.Cluster {
	t.Helper()
	all, err := manifest.Read(file, data)
	require.NoError(t, err)
	for _, o := range all {
		if o.GetKind() == "FlinkDeployment" {
			o.SetUID("11111111-2222-3333-4444-555555555555")
			o.SetGeneration(3)
			c, err := spec.ResolveObject(o.Unstructured)
			require.NoError(t, err)
			return c
		}
	}
	t.Fatalf("%s has no FlinkDeployment", file)
	return nil
}

// everything renders all objects of a cluster in the order of their creation.
func everything(t *testing.T, c *spec.Cluster) []byte {
	var out bytes.Buffer
	add := func(o any) {
		data, err := yaml.Marshal(o)
		require.NoError(t, err)
		out.WriteString("---\n")
		out.Write(data)
	}
	owner := objects.JobManager(c)
	add(owner)
	if c.Mode == spec.Standalone {
		add(objects.StandaloneTaskManagers(c))
	}
	owner.UID = types.UID("99999999-8888-7777-6666-555555555555")
	maps, err := objects.ConfigMaps(c, owner)
	require.NoError(t, err)
	for _, m := range maps {
		add(m)
	}
	for _, s := range objects.Services(c, owner) {
		add(s)
	}
	if c.Mode == spec.Native {
		add(objects.TaskManager(c, owner, 1, 1))
	}
	return out.Bytes()
}

// manifests are the files of our own: the demo's examples and those of testdata.
func manifests(t testing.TB) []string {
	t.Helper()
	examples, err := filepath.Glob("../../../../kubemark/flink/examples/*.yaml")
	require.NoError(t, err)
	own, err := filepath.Glob("testdata/*.in.yaml")
	require.NoError(t, err)
	require.NotEmpty(t, own)
	require.NotEmpty(t, examples)
	return append(examples, own...)
}

func TestGolden(t *testing.T) {
	inputs := map[string][]byte{}
	for _, file := range manifests(t) {
		data, err := os.ReadFile(file)
		require.NoError(t, err)
		inputs[strings.Replace(filepath.Base(file), ".in.", ".", 1)] = data
	}
	for name, data := range inputs {
		t.Run(name, func(t *testing.T) {
			got := everything(t, cluster(t, name, data))
			golden := filepath.Join("testdata", strings.TrimSuffix(name, ".yaml")+".golden.yaml")
			if *rewrite {
				require.NoError(t, os.WriteFile(golden, got, 0o644))
			}
			want, err := os.ReadFile(golden)
			require.NoError(t, err, "run the test with -rewrite, then read what it wrote")
			require.Empty(t, cmp.Diff(string(want), string(got)))
			require.Equal(t, string(got), string(everything(t, cluster(t, name, data))), "equal input, equal output")
		})
	}
}

func TestTaskManagerNames(t *testing.T) {
	attempt, index, ok := objects.ParseTaskManagerName("orders", objects.TaskManagerName("orders", 12, 345))
	require.True(t, ok)
	require.Equal(t, []int{12, 345}, []int{attempt, index})
	for _, name := range []string{
		"orders", "orders-taskmanager-1", "orders-taskmanager-1-", "orders-taskmanager-01-1", "orders-taskmanager-1-1-1",
		"other-taskmanager-1-1", "orders-taskmanager-1-99999999999999999999", "orders-taskmanager-0-1", "",
	} {
		_, _, ok := objects.ParseTaskManagerName("orders", name)
		require.False(t, ok, name)
	}
}
