package objects_test

import (
	"os"
	"testing"

	"k8s.io/apimachinery/pkg/types"

	"github.com/sluice-scheduler/sluice/pkg/app/flink/objects"
	"github.com/sluice-scheduler/sluice/pkg/app/flink/spec"
	"github.com/sluice-scheduler/sluice/pkg/manifest"
)

// FuzzManifest promises that no text makes the simulator panic: it is refused with a reason, or it yields objects
// that a Kubernetes API server could at least be asked to create.
func FuzzManifest(f *testing.F) {
	for _, file := range manifests(f) {
		data, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Add([]byte("apiVersion: a\nkind: FlinkDeployment\nmetadata: {name: a}\nspec: {flinkVersion: v2_0, flinkConfiguration: {'': 1, '.': 2, 'a..b': 3}, podTemplate: {spec: {containers: [null, {}]}}}\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		all, err := manifest.Read("fuzz.yaml", data)
		if err != nil && len(all) > 0 {
			t.Fatal("objects beside an error")
		}
		for _, o := range all {
			_, _ = spec.DecodeSessionJob(o.Unstructured)
			if c, err := spec.ResolveObject(o.Unstructured); err == nil {
				check(t, c)
			}
		}
	})
}

func check(t *testing.T, c *spec.Cluster) {
	owner := objects.JobManager(c)
	owner.UID = types.UID("owner")
	if _, err := objects.ConfigMaps(c, owner); err != nil {
		t.Fatalf("a resolved cluster has no configuration: %v", err)
	}
	objects.Services(c, owner)
	objects.StandaloneTaskManagers(c)
	pod := objects.TaskManager(c, owner, 1, 1)
	main := last(pod.Spec.Containers)
	if main.Name != spec.MainContainer || main.Resources.Requests.Cpu().Sign() <= 0 || main.Resources.Requests.Memory().Sign() < 0 {
		t.Fatalf("not a TaskManager: %v", main.Resources.Requests)
	}
	if c.TaskManagers < 0 || c.TaskManagers > spec.MaxParallelism || c.Slots < 1 || c.JobManagers < 1 {
		t.Fatalf("absurd demand: %d TaskManagers of %d slots, %d JobManagers", c.TaskManagers, c.Slots, c.JobManagers)
	}
}
