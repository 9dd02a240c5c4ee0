package integration

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sluice-scheduler/sluice/kubemark/flink/crds"
	"github.com/sluice-scheduler/sluice/kubemark/local"
	"github.com/sluice-scheduler/sluice/kubemark/simnode"
	corev1 "k8s.io/api/core/v1"
	schedulingv1beta1 "k8s.io/api/scheduling/v1beta1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
	"sigs.k8s.io/yaml"
)

// podGroup makes a PodGroup of which at least so many pods start together.
func (s *scene) podGroup(name string, least int32) *schedulingv1beta1.PodGroup {
	s.Helper()
	g, err := s.client.SchedulingV1beta1().PodGroups(s.name).Create(s.ctx, &schedulingv1beta1.PodGroup{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec: schedulingv1beta1.PodGroupSpec{SchedulingPolicy: schedulingv1beta1.PodGroupSchedulingPolicy{
			Gang: &schedulingv1beta1.GangSchedulingPolicy{MinCount: least},
		}},
	}, metav1.CreateOptions{})
	require.NoError(s, err)
	return g
}

// member puts a pod into a PodGroup.
func member(of string) func(*corev1.Pod) {
	return func(p *corev1.Pod) { p.Spec.SchedulingGroup = &corev1.PodSchedulingGroup{PodGroupName: &of} }
}

// onNodes is how many pods of a name beginning so are on nodes.
func (s *scene) onNodes(prefix string) (n int) {
	s.Helper()
	pods, err := s.client.CoreV1().Pods(s.name).List(s.ctx, metav1.ListOptions{})
	require.NoError(s, err)
	for i := range pods.Items {
		if p := &pods.Items[i]; strings.HasPrefix(p.Name, prefix) && p.Spec.NodeName != "" {
			n++
		}
	}
	return n
}

func (s *scene) awaitOnNodes(prefix string, want int) {
	s.Helper()
	s.eventually(fmt.Sprintf("%d pods %s are bound", want, prefix), func() error {
		if n := s.onNodes(prefix); n != want {
			return fmt.Errorf("%d are", n)
		}
		return nil
	})
}

// awaitWaits waits until a pod says why it waits, in words that hold all parts.
func (s *scene) awaitWaits(name string, parts ...string) {
	s.Helper()
	s.eventually(name+" waits and says why: "+strings.Join(parts, ", "), func() error {
		p, err := s.client.CoreV1().Pods(s.name).Get(s.ctx, name, metav1.GetOptions{})
		if err != nil {
			return err
		}
		c := scheduled(p)
		if c.Status != corev1.ConditionFalse || !holds(c.Message, parts) {
			return fmt.Errorf("it says %+v", c)
		}
		return nil
	})
}

// TestPodGroups: the members of a PodGroup start when there are enough of them and all have room, and not before.
func TestPodGroups(t *testing.T) {
	s := newScene(t, "podgroups")
	s.simulate(simnode.Group{Count: 2, CPU: "4", Pods: 10}, simnode.Options{})
	s.sluice(options{}).awaitLeading()

	s.create(several("early", 2, cpu("1"), member("early"))...) // before their PodGroup
	s.awaitWaits("early-0", "waits for podgroup/early")
	s.podGroup("early", 3)
	s.podGroup("large", 3)
	s.create(several("large", 3, cpu("3"), member("large"))...)
	s.create(pod("single", cpu("1")))
	s.awaitOnNodes("single", 1)
	require.Zero(s, s.onNodes("early"), "one is missing")
	s.create(pod("early-2", cpu("1"), member("early")))
	s.awaitOnNodes("early", 3)
	s.awaitWaits("large-0")
	require.Zero(s, s.onNodes("large"), "two would have had room")
	s.awaitStatus("early", metav1.ConditionTrue, "Scheduled")
	s.awaitStatus("large", metav1.ConditionFalse, "Unschedulable")

	s.remove("early-1")
	s.create(pod("later", cpu("1"), member("early"))) // of a group that runs
	s.awaitOnNodes("later", 1)
	s.awaitStatus("early", metav1.ConditionTrue, "Scheduled")
}

// awaitStatus waits until the status of a PodGroup says whether it has been scheduled.
func (s *scene) awaitStatus(group string, status metav1.ConditionStatus, reason string) {
	s.Helper()
	s.eventually("PodGroup "+group+" says "+reason, func() error {
		g, err := s.client.SchedulingV1beta1().PodGroups(s.name).Get(s.ctx, group, metav1.GetOptions{})
		if err != nil {
			return err
		}
		c := meta.FindStatusCondition(g.Status.Conditions, schedulingv1beta1.PodGroupInitiallyScheduled)
		if c == nil || c.Status != status || c.Reason != reason || c.ObservedGeneration != g.Generation {
			return fmt.Errorf("it says %+v", c)
		}
		return nil
	})
}

// awaitWarning waits for a warning about an object of the scene's namespace.
func (s *scene) awaitWarning(kind, name string, parts ...string) {
	s.Helper()
	s.eventually("there is a warning about "+kind+" "+name, func() error {
		list, err := s.client.CoreV1().Events(s.name).List(s.ctx, metav1.ListOptions{FieldSelector: "involvedObject.kind=" + kind})
		if err != nil {
			return err
		}
		said := []string{}
		for _, e := range list.Items {
			if e.Type == corev1.EventTypeWarning && e.InvolvedObject.Name == name && holds(e.Message, parts) {
				require.NotEmpty(s, e.InvolvedObject.UID)
				return nil
			}
			said = append(said, e.Message)
		}
		return fmt.Errorf("it has %q", said)
	})
}

var (
	definitions = schema.GroupVersionResource{Group: "apiextensions.k8s.io", Version: "v1", Resource: "customresourcedefinitions"}
	deployments = schema.GroupVersionResource{Group: "flink.apache.org", Version: "v1beta1", Resource: "flinkdeployments"}
)

// define installs the definition of FlinkDeployments, and returns what removes it.
func (s *scene) define(d dynamic.Interface) (remove func()) {
	s.Helper()
	text, err := crds.Files.ReadFile("flinkdeployments.yaml")
	require.NoError(s, err)
	crd := &unstructured.Unstructured{}
	require.NoError(s, yaml.Unmarshal(text, &crd.Object))
	_, err = d.Resource(definitions).Create(s.ctx, crd, metav1.CreateOptions{})
	require.NoError(s, err)
	removed := false
	remove = func() {
		if !removed {
			require.NoError(s, d.Resource(definitions).Delete(context.Background(), crd.GetName(), metav1.DeleteOptions{}))
		}
		removed = true
	}
	s.Cleanup(remove)
	return remove
}

// undefine removes the definition that an earlier scene may have left, with what there is of it.
func (s *scene) undefine(d dynamic.Interface) {
	s.Helper()
	const name = "flinkdeployments.flink.apache.org"
	s.eventually("there is no definition of FlinkDeployments", func() error {
		err := d.Resource(definitions).Delete(s.ctx, name, metav1.DeleteOptions{})
		switch {
		case apierrors.IsNotFound(err):
			return nil
		case err != nil:
			return err
		}
		return errors.Join(fmt.Errorf("%s is on its way out", name), s.freeAll(d))
	})
}

// freeAll lets FlinkDeployments go whose operator is not there any more.
func (s *scene) freeAll(d dynamic.Interface) error {
	all, err := d.Resource(deployments).List(s.ctx, metav1.ListOptions{})
	if err != nil {
		return err
	}
	for i := range all.Items {
		o := &all.Items[i]
		_, e := d.Resource(deployments).Namespace(o.GetNamespace()).Patch(s.ctx, o.GetName(), types.MergePatchType, []byte(`{"metadata":{"finalizers":null}}`), metav1.PatchOptions{})
		err = errors.Join(err, e)
	}
	return err
}

// flinkDeployment is one whose TaskManagers ask for 3 cores each.
func (s *scene) flinkDeployment(name string, parallelism int64, memory string) *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "flink.apache.org/v1beta1", "kind": "FlinkDeployment", "metadata": map[string]any{"namespace": s.name, "name": name},
		"spec": map[string]any{
			"image": "flink:1.20", "flinkVersion": "v1_20", "serviceAccount": "flink",
			"flinkConfiguration": map[string]any{"taskmanager.numberOfTaskSlots": "1"},
			"podTemplate":        map[string]any{"spec": map[string]any{"schedulerName": "sluice"}},
			"jobManager":         map[string]any{"resource": map[string]any{"cpu": int64(1), "memory": "2048m"}},
			"taskManager":        map[string]any{"resource": map[string]any{"cpu": int64(3), "memory": memory}},
			"job":                map[string]any{"jarURI": "local:///job.jar", "parallelism": parallelism, "state": "running", "upgradeMode": "stateless"},
		},
	}}
}

// flinkPod is a pod of a native Flink cluster.
func flinkPod(cluster, component string, cpus string) func(*corev1.Pod) {
	return func(p *corev1.Pod) {
		p.Labels = map[string]string{"app": cluster, "component": component, "type": "flink-native-kubernetes"}
		p.Spec.Containers[0].Name = "flink-main-container"
		p.Spec.Containers[0].Args = []string{"bash", "-c", "kubernetes-" + component + ".sh kubernetes-application "}
		cpu(cpus)(p)
		asks(corev1.ResourceMemory, "2Gi")(p)
	}
}

// TestKindsThatComeLater: Sluice starts in a cluster without FlinkDeployments. When they come it reads them, and a JobManager waits until its TaskManagers have room, which do
// not exist; when they go it lets JobManagers be.
func TestKindsThatComeLater(t *testing.T) {
	s := newScene(t, "later")
	s.simulate(simnode.Group{Count: 1, CPU: "4", Memory: "16Gi", Pods: 10}, simnode.Options{})
	d, err := dynamic.NewForConfig(shared.RESTConfig())
	require.NoError(s, err)
	s.undefine(d)
	sluice := s.sluice(options{})
	sluice.awaitLeading()
	ready, err := sluice.page("/readyz?verbose")
	require.NoError(s, err)
	require.NotContains(s, ready, "flinkdeployments", "what is not there is nobody's concern")

	remove := s.define(d)
	sluice.logged("what flinkdeployments.flink.apache.org tell of gangs is heeded")
	_, err = d.Resource(deployments).Namespace(s.name).Create(s.ctx, s.flinkDeployment("orders", 2, "2048m"), metav1.CreateOptions{})
	require.NoError(s, err)
	_, err = d.Resource(deployments).Namespace(s.name).Create(s.ctx, s.flinkDeployment("absurd", 2, "64m"), metav1.CreateOptions{})
	require.NoError(s, err)
	s.awaitWarning("FlinkDeployment", "absurd", "it cannot be read", "is too small") // told after the other
	s.create(pod("orders-jm", flinkPod("orders", "jobmanager", "1")))
	s.awaitWaits("orders-jm")
	require.Zero(s, s.onNodes("orders-jm"), "its TaskManagers have no room")

	patch := []byte(`{"spec":{"job":{"parallelism":1}}}`)
	_, err = d.Resource(deployments).Namespace(s.name).Patch(s.ctx, "orders", types.MergePatchType, patch, metav1.PatchOptions{})
	require.NoError(s, err)
	s.awaitOnNodes("orders-jm", 1)
	s.create(pod("filler", cpu("1")))
	s.awaitWaits("filler", "Insufficient cpu")
	s.create(pod("orders-taskmanager-1-1", flinkPod("orders", "taskmanager", "3")))
	s.awaitOnNodes("orders-taskmanager", 1)

	remove()
	sluice.logged("does not serve flinkdeployments.flink.apache.org any more")
}

// TestAJobManagerWaitsForItsConfigMap, which Flink makes after it, and for the room that its TaskManagers need according to that.
func TestAJobManagerWaitsForItsConfigMap(t *testing.T) {
	s := newScene(t, "flinkmap")
	s.simulate(simnode.Group{Count: 1, CPU: "5", Memory: "16Gi", Pods: 10}, simnode.Options{})
	sluice := s.sluice(options{})
	sluice.awaitLeading()
	start := time.Now()
	s.create(pod("clicks-jm", flinkPod("clicks", "jobmanager", "1")))
	time.Sleep(time.Second)
	require.Zero(s, s.onNodes("clicks-jm"), "its ConfigMap is not there yet")

	config := &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Name: "flink-config-clicks", Labels: map[string]string{"app": "clicks", "type": "flink-native-kubernetes"}},
		Data:       map[string]string{"flink-conf.yaml": flinkConf(2)},
	}
	_, err := s.client.CoreV1().ConfigMaps(s.name).Create(s.ctx, config, metav1.CreateOptions{})
	require.NoError(s, err)
	s.awaitWaits("clicks-jm", "taskmanager")
	time.Sleep(max(0, 15*time.Second-time.Since(start)))
	require.Zero(s, s.onNodes("clicks-jm"), "two TaskManagers have no room")

	config.Data["flink-conf.yaml"] = flinkConf(1)
	_, err = s.client.CoreV1().ConfigMaps(s.name).Update(s.ctx, config, metav1.UpdateOptions{})
	require.NoError(s, err)
	s.awaitOnNodes("clicks-jm", 1)

	alone := time.Now()
	s.create(pod("alone-jm", flinkPod("alone", "jobmanager", "100m"))) // somebody forgot its ConfigMap
	s.awaitOnNodes("alone-jm", 1)
	require.GreaterOrEqual(s, time.Since(alone), 8*time.Second)
}

// flinkConf is a configuration that asks for so many TaskManagers of 3 cores.
func flinkConf(parallelism int) string {
	return fmt.Sprintf("kubernetes.cluster-id: clicks\nparallelism.default: %d\ntaskmanager.numberOfTaskSlots: 1\nkubernetes.taskmanager.cpu: 3\n"+
		"taskmanager.memory.process.size: 2048m\nexecution.runtime-mode: STREAMING\n", parallelism)
}

// TestWithoutPodGroups: a cluster with Kubernetes' defaults has no PodGroups, and Sluice misses nothing.
func TestWithoutPodGroups(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 2*patience)
	defer cancel()
	plain, err := local.Start(ctx, local.Options{
		Dir: filepath.Join(t.TempDir(), "plain"), Progress: io.Discard,
		FeatureGates: map[string]bool{"GenericWorkload": false}, RuntimeConfig: map[string]string{"scheduling.k8s.io/v1beta1": "false"},
	})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, plain.Stop()) })
	_, err = plain.Client().SchedulingV1beta1().PodGroups("default").List(ctx, metav1.ListOptions{})
	require.Error(t, err)
	fleet, err := plain.Simulate(ctx, simnode.Options{Groups: []simnode.Group{{Name: "n", Count: 1, CPU: "4", Pods: 10}}})
	require.NoError(t, err)
	t.Cleanup(fleet.Stop)
	sluice, err := plain.StartSluice(ctx, local.SluiceOptions{Binary: sluiceBinary})
	require.NoError(t, err)

	s := &scene{T: t, ctx: ctx, name: "default", client: plain.Client()}
	i := &instance{Sluice: sluice, scene: s, name: "plain"}
	s.create(pod("single", cpu("1")))
	s.awaitOnNodes("single", 1)
	ready, err := i.page("/readyz?verbose")
	require.NoError(t, err)
	require.NotContains(t, ready, "podgroups")
	require.NotContains(t, i.log(), "podgroups")
	require.NotContains(t, i.log(), "level=WARN")
}
