package objects_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"

	"github.com/sluice-scheduler/sluice/pkg/app/flink/objects"
	"github.com/sluice-scheduler/sluice/pkg/app/flink/spec"
	"github.com/sluice-scheduler/sluice/pkg/manifest"
)

// shared is the folder with the Flink operator's own examples, or "" where it does not exist.
func shared() string {
	for _, dir := range []string{os.Getenv("SLUICE_SHARED"), filepath.Join("..", "..", "..", "..", "..", "shared")} {
		if path := filepath.Join(dir, "flink-operator", "examples"); dir != "" {
			if info, err := os.Stat(path); err == nil && info.IsDir() {
				return path
			}
		}
	}
	return ""
}

// TestOperatorExamples resolves every manifest of the operator's examples and checks what a user reading it expects.
func TestOperatorExamples(t *testing.T) {
	dir := shared()
	if dir == "" {
		t.Skip("the operator's examples are not here; set SLUICE_SHARED to the folder that has flink-operator/examples")
	}
	want := map[string]struct {
		taskManagers, slots int64
		cpu, memory         string
		mode                spec.Mode
	}{
		"autoscaling-example":                   {1, 4, "1", "2Gi", spec.Native},
		"basic-checkpoint-ha-example":           {1, 2, "1", "2Gi", spec.Native},
		"basic-reactive-example":                {1, 2, "1", "2Gi", spec.Standalone},
		"basic-session-deployment-example":      {0, 1, "1", "2Gi", spec.Native},
		"basic-session-deployment-only-example": {0, 2, "1", "2Gi", spec.Native},
		"basic-example":                         {1, 2, "1", "2Gi", spec.Native},
		"flink-example-wordcount-batch":         {1, 2, "500m", "1Gi", spec.Native},
		"pod-template-example":                  {1, 2, "1", "2Gi", spec.Native},
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.yaml"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	found := map[string]*spec.Cluster{}
	for _, file := range files {
		data, err := os.ReadFile(file)
		require.NoError(t, err)
		all, err := manifest.Read(filepath.Base(file), data)
		require.NoError(t, err)
		for _, o := range all {
			if o.GetKind() != "FlinkDeployment" {
				continue
			}
			c, err := spec.ResolveObject(o.Unstructured)
			require.NoError(t, err, o.Where())
			found[c.ID] = c
		}
	}
	require.Len(t, found, len(want))
	for name, w := range want {
		c := found[name]
		require.NotNil(t, c, name)
		require.Equal(t, w.taskManagers, c.TaskManagers, name)
		require.Equal(t, w.slots, c.Slots, name)
		require.Equal(t, w.mode, c.Mode, name)
		owner := objects.JobManager(c)
		main := last(objects.TaskManager(c, owner, 1, 1).Spec.Containers)
		require.Equal(t, spec.MainContainer, main.Name)
		require.Equal(t, w.cpu, main.Resources.Requests.Cpu().String(), name)
		require.Equal(t, w.memory, main.Resources.Requests.Memory().String(), name)
		_, err := objects.ConfigMaps(c, owner)
		require.NoError(t, err)
	}
	templated := objects.JobManager(found["pod-template-example"]).Spec.Template.Spec
	require.Equal(t, "busybox", templated.InitContainers[0].Name)
	require.Equal(t, "fluentbit", templated.Containers[0].Name)
	require.Len(t, last(templated.Containers).VolumeMounts, 4)
	tm := objects.TaskManager(found["flink-example-wordcount-batch"], objects.JobManager(found["basic-example"]), 1, 1)
	storage := last(tm.Spec.Containers).Resources.Requests[corev1.ResourceEphemeralStorage]
	require.Equal(t, "2Gi", storage.String())
}

func last(containers []corev1.Container) corev1.Container { return containers[len(containers)-1] }
