package local_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// namespace makes a namespace for one test and removes it afterwards.
func namespace(t *testing.T) string {
	t.Helper()
	name := strings.ToLower(strings.NewReplacer("/", "-", "_", "-").Replace(t.Name()))
	require.NoError(t, shared.CreateNamespace(t.Context(), name))
	t.Cleanup(func() {
		zero := int64(0)
		_ = shared.Client().CoreV1().Pods(name).DeleteCollection(context.Background(),
			metav1.DeleteOptions{GracePeriodSeconds: &zero}, metav1.ListOptions{})
		_ = shared.Client().CoreV1().Namespaces().Delete(context.Background(), name, metav1.DeleteOptions{})
	})
	return name
}

// pod makes a pod for a node; requests are written name=quantity.
func pod(name, node string, requests ...string) *corev1.Pod {
	list := corev1.ResourceList{}
	for _, r := range requests {
		k, v, _ := strings.Cut(r, "=")
		list[corev1.ResourceName(k)] = resource.MustParse(v)
	}
	limits := corev1.ResourceList{}
	for k, v := range list {
		if strings.Contains(string(k), "/") {
			limits[k] = v
		}
	}
	grace := int64(1)
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec: corev1.PodSpec{
			NodeName: node, SchedulerName: "nobody", TerminationGracePeriodSeconds: &grace,
			Containers: []corev1.Container{{
				Name: "main", Image: "registry.example/app:1",
				Resources: corev1.ResourceRequirements{Requests: list, Limits: limits},
			}},
		},
	}
}

// create makes a pod in the API.
func create(t *testing.T, ns string, p *corev1.Pod) *corev1.Pod {
	t.Helper()
	p, err := shared.Client().CoreV1().Pods(ns).Create(t.Context(), p, metav1.CreateOptions{})
	require.NoError(t, err)
	return p
}

// await waits until a pod satisfies a condition and returns it.
func await(t *testing.T, ns, name string, what string, ok func(*corev1.Pod) bool) *corev1.Pod {
	t.Helper()
	var last *corev1.Pod
	require.Eventually(t, func() bool {
		p, err := shared.Client().CoreV1().Pods(ns).Get(t.Context(), name, metav1.GetOptions{})
		if err != nil {
			return false
		}
		last = p
		return ok(p)
	}, 60*time.Second, 50*time.Millisecond, "pod %s/%s: %s", ns, name, what)
	return last
}

// awaitPhase waits until a pod is in a phase.
func awaitPhase(t *testing.T, ns, name string, phase corev1.PodPhase) *corev1.Pod {
	t.Helper()
	return await(t, ns, name, string(phase), func(p *corev1.Pod) bool { return p.Status.Phase == phase })
}

// awaitGone waits until a pod is no longer in the API.
func awaitGone(t *testing.T, ns, name string) {
	t.Helper()
	require.Eventually(t, func() bool {
		_, err := shared.Client().CoreV1().Pods(ns).Get(t.Context(), name, metav1.GetOptions{})
		return apierrors.IsNotFound(err)
	}, 60*time.Second, 50*time.Millisecond, "pod %s/%s is still there", ns, name)
}

// bothKinds are a hollow and a simulated node of the same size: 4 CPUs, 8 GiB, 10 pods, 2 GPUs.
func bothKinds() map[string]string {
	return map[string]string{"hollow": sharedHollow[0].Name(), "simulated": "gpu-0"}
}

func TestPodsRunAndGo(t *testing.T) {
	ns := namespace(t)
	pods := shared.Client().CoreV1().Pods(ns)
	for kind, node := range bothKinds() {
		bound := pod(kind+"-bound", "", "cpu=100m")
		create(t, ns, bound)
		require.NoError(t, pods.Bind(t.Context(), &corev1.Binding{
			ObjectMeta: metav1.ObjectMeta{Name: bound.Name}, Target: corev1.ObjectReference{Kind: "Node", Name: node},
		}, metav1.CreateOptions{}))
		create(t, ns, pod(kind+"-named", node, "cpu=100m"))
		for _, name := range []string{kind + "-bound", kind + "-named"} {
			p := await(t, ns, name, "Running and ready", ready)
			require.NotNil(t, p.Status.StartTime)
			require.NotEmpty(t, p.Status.PodIP)
			require.NotEmpty(t, p.Status.HostIP)
			require.Len(t, p.Status.ContainerStatuses, 1)
			require.NotNil(t, p.Status.ContainerStatuses[0].State.Running)
			require.NoError(t, pods.Delete(t.Context(), name, metav1.DeleteOptions{}))
			awaitGone(t, ns, name)
		}
	}
}

// ready tells whether a pod runs and all conditions that a kubelet and a scheduler set are true.
func ready(p *corev1.Pod) bool {
	if p.Status.Phase != corev1.PodRunning {
		return false
	}
	true_ := map[corev1.PodConditionType]bool{}
	for _, c := range p.Status.Conditions {
		true_[c.Type] = c.Status == corev1.ConditionTrue
	}
	for _, kind := range []corev1.PodConditionType{corev1.PodInitialized, corev1.PodReady, corev1.ContainersReady, corev1.PodScheduled} {
		if !true_[kind] {
			return false
		}
	}
	return true
}

// A pod that does not fit fails on a simulated node as on real kubelet code: the same
// phase, reason and message.
func TestRejectionsAgree(t *testing.T) {
	withPort := func(p *corev1.Pod) *corev1.Pod {
		p.Spec.Containers[0].Ports = []corev1.ContainerPort{{ContainerPort: 80, HostPort: 8080}}
		return p
	}
	withSelector := func(p *corev1.Pod) *corev1.Pod {
		p.Spec.NodeSelector = map[string]string{"example.com/no-such": "label"}
		return p
	}
	for _, tc := range []struct {
		name, reason string
		first        *corev1.Pod
		second       *corev1.Pod
	}{
		{"cpu", "OutOfcpu", pod("a", "", "cpu=3"), pod("b", "", "cpu=1001m")},
		{"memory", "OutOfmemory", pod("a", "", "memory=5Gi"), pod("b", "", "memory=4Gi")},
		{"gpu", "OutOfexample.com/gpu", pod("a", "", "example.com/gpu=1"), pod("b", "", "example.com/gpu=2")},
		{"cpu-before-memory", "OutOfcpu", pod("a", "", "cpu=3", "memory=5Gi"), pod("b", "", "cpu=3", "memory=5Gi")},
		{"ports", "NodePorts", withPort(pod("a", "")), withPort(pod("b", ""))},
		{"affinity", "NodeAffinity", pod("a", ""), withSelector(pod("b", ""))},
	} {
		t.Run(tc.name, func(t *testing.T) {
			ns := namespace(t)
			messages := map[string]string{}
			for kind, node := range bothKinds() {
				first, second := tc.first.DeepCopy(), tc.second.DeepCopy()
				first.Name, second.Name = kind+"-a", kind+"-b"
				first.Spec.NodeName, second.Spec.NodeName = node, node
				create(t, ns, first)
				awaitPhase(t, ns, first.Name, corev1.PodRunning)
				create(t, ns, second)
				p := awaitPhase(t, ns, second.Name, corev1.PodFailed)
				require.Equal(t, tc.reason, p.Status.Reason, kind)
				messages[kind] = p.Status.Message
				for _, name := range []string{first.Name, second.Name} {
					require.NoError(t, shared.Client().CoreV1().Pods(ns).Delete(t.Context(), name, metav1.DeleteOptions{}))
					awaitGone(t, ns, name)
				}
			}
			require.Equal(t, messages["hollow"], messages["simulated"])
		})
	}
}

func TestTooManyPods(t *testing.T) {
	ns := namespace(t)
	messages := map[string]string{}
	for kind, node := range bothKinds() {
		for i := range 10 {
			create(t, ns, pod(kind+"-"+string(rune('a'+i)), node))
		}
		for i := range 10 {
			awaitPhase(t, ns, kind+"-"+string(rune('a'+i)), corev1.PodRunning)
		}
		create(t, ns, pod(kind+"-more", node))
		p := awaitPhase(t, ns, kind+"-more", corev1.PodFailed)
		require.Equal(t, "OutOfpods", p.Status.Reason)
		messages[kind] = p.Status.Message
	}
	require.Equal(t, messages["hollow"], messages["simulated"])
	require.GreaterOrEqual(t, sharedFleet.Stats().Rejected["OutOfpods"], 1)
}

func TestSimulatedPodsFinish(t *testing.T) {
	ns := namespace(t)
	good, bad, wrong := pod("good", "sim-3", "cpu=32"), pod("bad", "sim-4"), pod("wrong", "sim-5")
	good.Annotations = map[string]string{"sluice.dev/run-for": "300ms"}
	bad.Annotations = map[string]string{"sluice.dev/run-for": "300ms", "sluice.dev/exit-code": "3"}
	wrong.Annotations = map[string]string{"sluice.dev/run-for": "soon"}
	for _, p := range []*corev1.Pod{good, bad, wrong} {
		create(t, ns, p)
	}
	p := awaitPhase(t, ns, "good", corev1.PodSucceeded)
	require.EqualValues(t, 0, p.Status.ContainerStatuses[0].State.Terminated.ExitCode)
	require.NotNil(t, p.Status.StartTime)
	p = awaitPhase(t, ns, "bad", corev1.PodFailed)
	require.EqualValues(t, 3, p.Status.ContainerStatuses[0].State.Terminated.ExitCode)
	p = awaitPhase(t, ns, "wrong", corev1.PodFailed)
	require.Contains(t, p.Status.Message, `"soon" is not a duration such as 30s`)

	// What has finished holds no room: the next pod takes the whole node.
	create(t, ns, pod("next", "sim-3", "cpu=32"))
	awaitPhase(t, ns, "next", corev1.PodRunning)
}
