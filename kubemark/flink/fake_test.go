package flink

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	dynamicfake "k8s.io/client-go/dynamic/fake"
	"k8s.io/client-go/kubernetes/fake"
	ktesting "k8s.io/client-go/testing"

	"github.com/sluice-scheduler/sluice/kubemark/flink/examples"
	"github.com/sluice-scheduler/sluice/pkg/manifest"
)

// bench is a simulator over client-go's fakes, in virtual time. The test plays Kubernetes: it makes JobManager pods
// and lets pods run. What only a real API server does (garbage collection, admission) is tested in cluster_test.go.
type bench struct {
	t    *testing.T
	kube *fake.Clientset
	dyn  *dynamicfake.FakeDynamicClient
	sim  *Simulator
	stop func()

	answer atomic.Pointer[func() error] // see refuse

	mu    sync.Mutex
	order []string // kind/name of everything created, in order
	uids  int
}

func newBench(t *testing.T) *bench {
	b := &bench{t: t}
	scheme := runtime.NewScheme()
	b.dyn = dynamicfake.NewSimpleDynamicClientWithCustomListKinds(scheme, map[schema.GroupVersionResource]string{
		deployResource: "FlinkDeploymentList", sessionResource: "FlinkSessionJobList",
		blueGreenResource: "FlinkBlueGreenDeploymentList", crdResource: "CustomResourceDefinitionList",
	})
	b.dyn.PrependReactor("create", "*", b.identify)
	b.dyn.PrependReactor("create", "customresourcedefinitions", b.establish)
	b.kube = fake.NewClientset()
	b.kube.Resources = []*metav1.APIResourceList{{GroupVersion: deployResource.GroupVersion().String(), APIResources: []metav1.APIResource{
		{Name: deployResource.Resource}, {Name: sessionResource.Resource}, {Name: blueGreenResource.Resource}, {Name: deployResource.Resource + "/status"},
	}}}
	b.kube.PrependReactor("create", "*", b.identify)
	b.kube.PrependReactor("create", "pods", b.admit)
	return b
}

// identify gives every new object what an API server would: a UID and a time, and notes the order.
func (b *bench) identify(action ktesting.Action) (bool, runtime.Object, error) {
	o := action.(ktesting.CreateAction).GetObject()
	m, err := meta.Accessor(o)
	require.NoError(b.t, err)
	b.mu.Lock()
	b.uids++
	m.SetUID(types.UID(fmt.Sprintf("00000000-0000-0000-0000-%012d", b.uids)))
	m.SetCreationTimestamp(metav1.NewTime(time.Now().Truncate(time.Second)))
	b.order = append(b.order, action.GetResource().Resource+"/"+m.GetName())
	b.mu.Unlock()
	return false, nil, nil
}

func (b *bench) establish(action ktesting.Action) (bool, runtime.Object, error) {
	crd := action.(ktesting.CreateAction).GetObject().(*unstructured.Unstructured)
	_ = unstructured.SetNestedSlice(crd.Object, []any{map[string]any{"type": "Established", "status": "True"}}, "status", "conditions")
	return false, nil, nil
}

// boot starts a simulator process over what exists.
func (b *bench) boot() {
	ctx, cancel := context.WithCancel(context.Background())
	b.sim = newWith(b.kube, b.dyn, Options{Log: slog.New(slog.DiscardHandler)})
	done := make(chan error)
	go func() { done <- b.sim.Run(ctx) }()
	b.stop = func() {
		cancel()
		require.NoError(b.t, <-done)
	}
	time.Sleep(200 * time.Millisecond)
}

// run plays a test in virtual time.
func run(t *testing.T, play func(b *bench)) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.boot()
		play(b)
		b.stop()
		time.Sleep(time.Minute) // let the informers end
	})
}

func (b *bench) apply(text string) {
	all, err := manifest.Read("test.yaml", []byte(text))
	require.NoError(b.t, err)
	for _, o := range all {
		mapping := map[string]schema.GroupVersionResource{
			"FlinkDeployment": deployResource, "FlinkSessionJob": sessionResource, "FlinkBlueGreenDeployment": blueGreenResource,
		}
		if o.GetNamespace() == "" {
			o.SetNamespace("default")
		}
		o.SetGeneration(1)
		_, err := b.dyn.Resource(mapping[o.GetKind()]).Namespace(o.GetNamespace()).
			Create(context.Background(), o.Unstructured, metav1.CreateOptions{})
		require.NoError(b.t, err)
	}
	time.Sleep(time.Second)
}

func (b *bench) applyExample(name string) {
	data, err := examples.Files.ReadFile(name)
	require.NoError(b.t, err)
	b.apply(string(data))
}

// jobManager plays the Deployment and ReplicaSet controllers and a kubelet: a JobManager pod that runs.
func (b *bench) jobManager(cluster, name string) *corev1.Pod {
	d, err := b.kube.AppsV1().Deployments("default").Get(context.Background(), cluster, metav1.GetOptions{})
	require.NoError(b.t, err)
	pod := &corev1.Pod{ObjectMeta: d.Spec.Template.ObjectMeta, Spec: d.Spec.Template.Spec}
	pod.Name, pod.Namespace = name, "default"
	pod, err = b.kube.CoreV1().Pods("default").Create(context.Background(), pod, metav1.CreateOptions{})
	require.NoError(b.t, err)
	b.start(pod)
	time.Sleep(100 * time.Millisecond)
	return pod
}

// start binds a pod and lets it run.
func (b *bench) start(pod *corev1.Pod) {
	pod = pod.DeepCopy()
	pod.Spec.NodeName, pod.Status.Phase = "node", corev1.PodRunning
	pod.Status.Conditions = []corev1.PodCondition{
		{Type: corev1.PodScheduled, Status: corev1.ConditionTrue}, {Type: corev1.PodReady, Status: corev1.ConditionTrue},
	}
	_, err := b.kube.CoreV1().Pods(pod.Namespace).Update(context.Background(), pod, metav1.UpdateOptions{})
	require.NoError(b.t, err)
}

// pods are the names of the TaskManager pods that exist.
func (b *bench) pods() []string {
	var out []string
	for _, p := range b.list() {
		out = append(out, p.Name)
	}
	slices.Sort(out)
	return out
}

func (b *bench) list() []corev1.Pod {
	all, err := b.kube.CoreV1().Pods("default").List(context.Background(), metav1.ListOptions{LabelSelector: "component=taskmanager"})
	require.NoError(b.t, err)
	return all.Items
}

// startAll lets every TaskManager run.
func (b *bench) startAll() {
	for _, p := range b.list() {
		b.start(&p)
	}
	time.Sleep(time.Second)
}

func (b *bench) remove(pod string) {
	require.NoError(b.t, b.kube.CoreV1().Pods("default").Delete(context.Background(), pod, metav1.DeleteOptions{}))
	time.Sleep(5 * time.Second)
}

func (b *bench) status(r schema.GroupVersionResource, name string, path ...string) string {
	u, err := b.dyn.Resource(r).Namespace("default").Get(context.Background(), name, metav1.GetOptions{})
	require.NoError(b.t, err)
	v, _, _ := unstructured.NestedFieldNoCopy(u.Object, append([]string{"status"}, path...)...)
	if v == nil {
		return ""
	}
	return fmt.Sprint(v)
}

func (b *bench) job(name string) Job {
	j, ok := b.sim.Job("default", name)
	require.True(b.t, ok)
	return j
}

// refuse makes the API server answer the creation of TaskManagers with an error, as long as answer returns one.
func (b *bench) refuse(answer func() error) { b.answer.Store(&answer) }

func (b *bench) admit(action ktesting.Action) (bool, runtime.Object, error) {
	answer := b.answer.Load()
	pod, ok := action.(ktesting.CreateAction).GetObject().(*corev1.Pod)
	if answer == nil || !ok || !strings.Contains(pod.Name, "taskmanager") {
		return false, nil, nil
	}
	err := (*answer)()
	return err != nil, nil, err
}

// deployment makes a Deployment that nobody of Flink made.
func (b *bench) deployment(name string) {
	_, err := b.kube.AppsV1().Deployments("default").Create(context.Background(),
		&appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: "default"}}, metav1.CreateOptions{})
	require.NoError(b.t, err)
}

func (b *bench) deploymentUID(name string) types.UID {
	d, err := b.kube.AppsV1().Deployments("default").Get(context.Background(), name, metav1.GetOptions{})
	require.NoError(b.t, err)
	return d.UID
}

// object is a manifest's only object, without applying it.
func (b *bench) object(text string) *unstructured.Unstructured {
	all, err := manifest.Read("test.yaml", []byte(text))
	require.NoError(b.t, err)
	require.Len(b.t, all, 1)
	return all[0].Unstructured
}
