package gang

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/sluice-scheduler/sluice/pkg/app"
	"github.com/sluice-scheduler/sluice/pkg/app/flink/objects"
	"github.com/sluice-scheduler/sluice/pkg/app/flink/spec"
	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
	"github.com/sluice-scheduler/sluice/pkg/core/resource"
)

// orders is a FlinkDeployment of eight slots in four TaskManagers with a device, a sidecar and a place of their own.
const orders = `
apiVersion: flink.apache.org/v1beta1
kind: FlinkDeployment
metadata: {name: orders, namespace: rt, uid: 11111111-2222-3333-4444-555555555555, generation: 1}
spec:
  flinkVersion: v1_20
  flinkConfiguration:
    taskmanager.numberOfTaskSlots: "2"
    external-resources: gpu
    external-resource.gpu.amount: 1
    external-resource.gpu.kubernetes.config-key: nvidia.com/gpu
  podTemplate: {spec: {schedulerName: sluice}}
  jobManager: {resources: {requests: {cpu: 1, memory: 1024m}}}
  taskManager:
    resources: {requests: {cpu: 2, memory: 2048m}}
    podTemplate: {spec: {tolerations: [{key: gpu, operator: Exists}], nodeSelector: {pool: gpu}, containers: [{name: log, resources: {limits: {cpu: 100m}}}]}}
  job: {jarURI: x, parallelism: 8}
`

func deployment(t *testing.T, text string) *unstructured.Unstructured {
	t.Helper()
	u := &unstructured.Unstructured{}
	require.NoError(t, yaml.Unmarshal([]byte(text), &u.Object))
	return u
}

func theFact(t *testing.T, changes []Change) *cluster.GroupFact {
	t.Helper()
	require.Len(t, changes, 1)
	require.NotNil(t, changes[0].Fact)
	return changes[0].Fact
}

// created is a pod as the API server stores it: what it fills in where it matters to placement.
func created(pod *v1.Pod) *v1.Pod {
	for _, taint := range []string{v1.TaintNodeNotReady, v1.TaintNodeUnreachable} {
		seconds := int64(300)
		pod.Spec.Tolerations = append(pod.Spec.Tolerations, v1.Toleration{Key: taint, Operator: v1.TolerationOpExists, Effect: v1.TaintEffectNoExecute, TolerationSeconds: &seconds})
	}
	for i := range pod.Spec.Containers {
		request(&pod.Spec.Containers[i].Resources)
	}
	return pod
}

// What is inferred from the object, and from the ConfigMaps alone, is what the JobManager then asks for, to the last detail of its shape.
func TestInferredPodsAreThoseThatCome(t *testing.T) {
	u := deployment(t, orders)
	c, err := spec.ResolveObject(u)
	require.NoError(t, err)
	owner := objects.JobManager(c)
	worker := created(objects.TaskManager(c, owner, 3, 17))
	claim := app.Identify(worker, false)
	manager := created(&v1.Pod{ObjectMeta: owner.Spec.Template.ObjectMeta, Spec: owner.Spec.Template.Spec})

	byObject := theFact(t, NewSources().Set(reader.Read(u)))
	maps, err := objects.ConfigMaps(c, owner)
	require.NoError(t, err)
	s := NewSources()
	var last []Change
	for _, m := range maps {
		last = append(last, s.Set(reader.Read(m))...)
	}
	byMaps := last[len(last)-1].Fact
	for _, f := range []*cluster.GroupFact{byObject, byMaps} {
		require.Equal(t, claim.Group, f.ID)
		require.Equal(t, 5, f.Min)
		r := f.Roles[1]
		require.Equal(t, claim.Role, r.Role)
		require.Equal(t, 4, r.Min)
		require.Equal(t, cluster.ReadPod(worker, "sluice").Demand.Key, r.Template.Demand.Key)
		require.Equal(t, "cpu=2100 memory=2147483648 nvidia.com/gpu=1", r.Template.Demand.Requests.String())
	}
	require.Equal(t, cluster.ReadPod(manager, "sluice").Demand.Key, byObject.Roles[0].Template.Demand.Key)
	require.Equal(t, app.Identify(manager, false).Group, byObject.ID)
}

// The ConfigMap comes after the JobManager's pod, which waits for it a while (flink.md §9, 3); no FlinkDeployment is needed.
func TestAConfigMapThatComesLater(t *testing.T) {
	pod := &v1.Pod{ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{"app": "clicks", "component": "jobmanager", "type": "flink-native-kubernetes"}}}
	claim := app.Identify(pod, false)
	require.Equal(t, cluster.AwaitsSoon, claim.Awaits)

	m := &v1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Namespace: "rt", Name: "flink-config-clicks", Labels: map[string]string{"app": "clicks", "type": "flink-native-kubernetes"}},
		Data:       map[string]string{"flink-conf.yaml": "execution.target: kubernetes-application\nparallelism.default: 6\ntaskmanager.numberOfTaskSlots: 4\n"},
	}
	f := theFact(t, NewSources().Set(reader.Read(m)))
	require.Equal(t, []any{claim.Group, 3, true}, []any{f.ID, f.Min, f.Soft}, "a parallelism set in code is not seen, so the number is a guess")
	require.Empty(t, Wanted(pod), "its ConfigMaps are watched")
}

// Blue/green needs room for two, and says so before it hurts (flink.md §9, 8).
func TestBlueGreenNeedsTwice(t *testing.T) {
	u := deployment(t, orders)
	require.False(t, theFact(t, NewSources().Set(reader.Read(u))).Twice)
	u.SetOwnerReferences([]metav1.OwnerReference{{APIVersion: "flink.apache.org/v1beta1", Kind: "FlinkBlueGreenDeployment", Name: "shop"}})
	f := theFact(t, NewSources().Set(reader.Read(u)))
	require.True(t, f.Twice)
	require.Contains(t, f.Warnings[0], "room for twice 1 JobManager and 4 TaskManagers")
}

// A finished job is owed nothing although its JobManager lives on for a day (flink.md §9, 12), until its spec changes or it is upgraded.
func TestAFinishedJobIsOver(t *testing.T) {
	u := deployment(t, orders)
	status := func(state string, seen int64, reconciliation string) {
		u.Object["status"] = map[string]any{
			"observedGeneration": seen, "jobStatus": map[string]any{"state": state}, "reconciliationStatus": map[string]any{"state": reconciliation},
		}
	}
	s := NewSources()
	require.False(t, theFact(t, s.Set(reader.Read(u))).Over)
	status("RUNNING", 1, "DEPLOYED")
	require.Empty(t, s.Set(reader.Read(u)), "a status that tells nothing new of the group changes nothing")
	status("FINISHED", 1, "DEPLOYED")
	require.True(t, theFact(t, s.Set(reader.Read(u))).Over)
	status("FINISHED", 1, "UPGRADING")
	require.False(t, theFact(t, s.Set(reader.Read(u))).Over)
	status("FINISHED", 1, "DEPLOYED")
	require.True(t, theFact(t, s.Set(reader.Read(u))).Over)
	u.SetGeneration(2)
	require.False(t, theFact(t, s.Set(reader.Read(u))).Over)
	now := metav1.Now()
	u.SetDeletionTimestamp(&now)
	require.Equal(t, "it is being deleted", theFact(t, s.Set(reader.Read(u))).Why)
}

// What has ended by itself is told apart from what is suspended or is being deleted, for that may still have pods to come.
func TestWhatIsSuspendedHasNotFinished(t *testing.T) {
	u := deployment(t, orders)
	told := func() [2]bool {
		f := theFact(t, NewSources().Set(reader.Read(u)))
		return [...]bool{f.Over, f.Finished}
	}
	require.Equal(t, [...]bool{false, false}, told())
	for _, state := range ends {
		u.Object["status"] = map[string]any{"jobStatus": map[string]any{"state": state}}
		require.Equal(t, [...]bool{true, true}, told(), state)
	}
	delete(u.Object, "status")
	require.NoError(t, unstructured.SetNestedField(u.Object, "suspended", "spec", "job", "state"))
	require.Equal(t, [...]bool{true, false}, told())
	unstructured.RemoveNestedField(u.Object, "spec", "job", "state")
	now := metav1.Now()
	u.SetDeletionTimestamp(&now)
	require.Equal(t, [...]bool{true, false}, told())
}

// "2048m" is 2 GiB in a FlinkDeployment (flink.md §9, 14).
func TestMemoryIsInFlinksWords(t *testing.T) {
	f := theFact(t, NewSources().Set(reader.Read(deployment(t, orders))))
	require.Equal(t, int64(2<<30), f.Roles[1].Template.Demand.Requests.Get(resource.Memory))
}

// Two clusters of plain manifests whose pods have the label app: flink are two (flink.md §9, 13), and neither is told of before both its controllers are there.
func TestPlainClustersOfOneLabelAreTwo(t *testing.T) {
	controller := func(name, component string, replicas int32, args ...string) *appsv1.Deployment {
		return &appsv1.Deployment{
			ObjectMeta: metav1.ObjectMeta{Namespace: "rt", Name: name + "-" + component},
			Spec: appsv1.DeploymentSpec{Replicas: &replicas, Template: v1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{"app": "flink", "component": component}},
				Spec:       v1.PodSpec{Containers: []v1.Container{{Name: component, Args: args}}},
			}},
		}
	}
	s := NewSources()
	require.Equal(t, 1, theFact(t, s.Set(reader.Read(controller("a", "jobmanager", 1, "standalone-job")))).Min)
	require.Equal(t, 1, theFact(t, s.Set(reader.Read(controller("b", "jobmanager", 1, "standalone-job")))).Min)
	a := theFact(t, s.Set(reader.Read(controller("a", "taskmanager", 3))))
	b := theFact(t, s.Set(reader.Read(controller("b", "taskmanager", 5))))
	require.Equal(t, []any{"flink-standalone/a", 4}, []any{a.ID, a.Min})
	require.Equal(t, []any{"flink-standalone/b", 6}, []any{b.ID, b.Min})
	a = theFact(t, s.Set(reader.Read(controller("a", "taskmanager", 2))))
	require.Equal(t, 3, a.Min, "scaled")
}

// How long a job waits for its slots is Flink's slot.request.timeout; a standalone one does not wait.
func TestPatienceIsFlinksClock(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"": 5 * time.Minute, "slot.request.timeout: 90000": 90 * time.Second, "slot.request.timeout: soon": 5 * time.Minute,
		"jobmanager.scheduler: adaptive": 5 * time.Minute,
		"jobmanager.scheduler: adaptive\njobmanager.adaptive-scheduler.resource-wait-timeout: 1 min": time.Minute,
	} {
		u := deployment(t, orders)
		conf := map[string]any{}
		require.NoError(t, yaml.Unmarshal([]byte(text), &conf))
		u.Object["spec"].(map[string]any)["flinkConfiguration"] = conf
		fact := theFact(t, NewSources().Set(reader.Read(u)))
		require.Equal(t, want, fact.Patience, text)
		clock, ends := "slot.request.timeout", "Flink will fail this slot request"
		if strings.Contains(text, "adaptive") {
			clock, ends = "resource-wait-timeout", "Flink will fail the job for want of slots"
		}
		require.Equal(t, []string{clock, ends}, []string{fact.Clock, fact.Ends}, text)
	}
}

// What a FlinkDeployment leaves open is the operator's default, which is known when its ConfigMap is there; so is what its autoscaler overrides.
func TestOperatorsDefaultsAreInTheConfigMap(t *testing.T) {
	u := deployment(t, orders)
	u.Object["spec"].(map[string]any)["flinkConfiguration"] = map[string]any{}
	s := NewSources()
	require.Equal(t, 9, theFact(t, s.Set(reader.Read(u))).Min)
	m := &v1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Namespace: "rt", Name: "flink-config-orders", Labels: map[string]string{"app": "orders", "type": "flink-native-kubernetes"}},
		Data:       map[string]string{"flink-conf.yaml": "taskmanager.numberOfTaskSlots: 4\ntaskmanager.memory.process.size: 9g\nslot.request.timeout: 1 min\n"},
	}
	told := map[cluster.Origin]*cluster.GroupFact{}
	for _, c := range s.Set(reader.Read(m)) {
		told[c.Origin] = c.Fact
	}
	f := told[cluster.FromObject]
	require.Equal(t, []any{3, time.Minute}, []any{f.Min, f.Patience})
	require.Equal(t, int64(2<<30), f.Roles[1].Template.Demand.Requests.Get(resource.Memory), "what the FlinkDeployment says counts")
	require.NotNil(t, told[cluster.FromConfigMap])

	m.Data["flink-conf.yaml"] += "pipeline.jobvertex-parallelism-overrides: a:2,b:20\n"
	require.Equal(t, 6, s.Set(reader.Read(m))[0].Fact.Min)
	require.Len(t, s.Gone(reader.Read(m).Key), 2)
	require.Len(t, s.Gone(reader.Read(u).Key), 1)
	require.Equal(t, NewSources(), s)
}
