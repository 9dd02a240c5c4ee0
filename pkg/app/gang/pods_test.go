package gang

import (
	"bufio"
	"bytes"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/yaml"
	sigsyaml "sigs.k8s.io/yaml"

	"github.com/sluice-scheduler/sluice/pkg/app"
	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
)

// TestPodsOfEnginesAreInTheGroupsToldOf reads pods as the engines really write them (testdata of package app) and expects their groups and roles among those
// that objects of the same names tell of.
func TestPodsOfEnginesAreInTheGroupsToldOf(t *testing.T) {
	told := map[string][]string{}
	for _, file := range []string{"ray", "sets", "kubeflow", "flink", "spark", "jobs", "flink-plain"} {
		for at, f := range toldOf(t, readObjects(t, "testdata/"+file+".yaml"), nil) {
			told[at.id] = append(told[at.id], "")
			for _, r := range f.Roles {
				told[at.id] = append(told[at.id], r.Role)
			}
		}
	}
	found := 0
	for _, pod := range pods(t, "engines", "flink", "flink-standalone", "spark", "groups") {
		c := app.Identify(pod, false)
		roles, known := told[c.Group]
		if c.Group == "" || !known {
			continue
		}
		found++
		role := c.Role
		if len(roles) == 1 {
			role = ""
		}
		require.Contains(t, roles, role, "%s in %s", pod.Name, c.Group)
		started := c.Role == app.Executor || c.Role == app.TaskManager && pod.Labels["type"] == "flink-native-kubernetes"
		require.Equal(t, started, c.Awaits == cluster.AwaitsNothing, "%s: whom another pod has started waits for nothing", pod.Name)
	}
	require.Greater(t, found, 12)
}

func pods(t *testing.T, files ...string) (all []*v1.Pod) {
	t.Helper()
	for _, file := range files {
		data, err := os.ReadFile(filepath.Join("..", "testdata", file+".yaml"))
		require.NoError(t, err)
		reader := yaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(data)))
		for document, err := reader.Read(); err != io.EOF; document, err = reader.Read() {
			require.NoError(t, err)
			pod := &v1.Pod{}
			require.NoError(t, sigsyaml.Unmarshal(document, pod))
			all = append(all, pod)
		}
	}
	return all
}

func TestWantedConfigMaps(t *testing.T) {
	pod := func(labels map[string]string, names ...string) *v1.Pod {
		p := &v1.Pod{ObjectMeta: metav1.ObjectMeta{Labels: labels}}
		for _, name := range names {
			p.Spec.Volumes = append(p.Spec.Volumes, v1.Volume{Name: "v", VolumeSource: v1.VolumeSource{
				ConfigMap: &v1.ConfigMapVolumeSource{LocalObjectReference: v1.LocalObjectReference{Name: name}},
			}})
		}
		return p
	}
	require.Equal(t, []string{"spark-drv-1-conf-map"}, Wanted(pod(map[string]string{"spark-role": "driver"}, "spark-drv-1-conf-map", "other", "spark-drv-1-conf-map")))
	require.Empty(t, Wanted(pod(map[string]string{"spark-role": "executor"}, "spark-drv-1-conf-map")))
	require.Equal(t, []string{"flink-config"}, Wanted(pod(map[string]string{"app": "flink", "component": "jobmanager"}, "flink-config", "other")))
	require.Empty(t, Wanted(pod(nil, "flink-config")))
}

// TestKindsAreAllRead makes sure that nothing is watched in vain, and nothing that is read is not watched.
func TestKindsAreAllRead(t *testing.T) {
	names := map[string]bool{}
	for _, k := range Kinds {
		require.NotEmpty(t, k.Without)
		require.True(t, slices.ContainsFunc(sources, func(s source) bool { return s.kind.Group == k.Group && s.kind.Kind == k.Kind }), k.Kind)
		names[k.Group+k.Version+k.Resource] = true
	}
	require.Len(t, names, len(Kinds), "each once")
	for _, s := range sources {
		require.Contains(t, Kinds, s.kind)
	}
}
