package autoscaler

import (
	"context"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	dynamicfake "k8s.io/client-go/dynamic/fake"
	"k8s.io/client-go/kubernetes/fake"
)

// asking is a world with ProvisioningRequests.
type asking struct {
	*world
	dyn *dynamicfake.FakeDynamicClient
}

func ask(t *testing.T, o Options, test func(w *asking)) {
	synctest.Test(t, func(t *testing.T) {
		w := &asking{
			world: &world{t: t, client: fake.NewClientset(), made: map[string]int{}},
			dyn: dynamicfake.NewSimpleDynamicClientWithCustomListKinds(runtime.NewScheme(),
				map[schema.GroupVersionResource]string{Requests: "ProvisioningRequestList"}),
		}
		o.Log, o.Dynamic = slog.New(slog.DiscardHandler), w.dyn
		var err error
		w.a, err = Start(context.Background(), w.client, w, o)
		require.NoError(t, err)
		defer w.a.Stop()
		synctest.Wait()
		test(w)
	})
}

// request asks for n pods like the given one.
func (w *asking) request(name, class string, n int64, like *corev1.Pod, parameters map[string]any) {
	ctx := context.Background()
	_, err := w.client.CoreV1().PodTemplates("default").Create(ctx, &corev1.PodTemplate{
		ObjectMeta: metav1.ObjectMeta{Name: name}, Template: corev1.PodTemplateSpec{Spec: like.Spec},
	}, metav1.CreateOptions{})
	require.NoError(w.t, err)
	_, err = w.dyn.Resource(Requests).Namespace("default").Create(ctx, &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "autoscaling.x-k8s.io/v1", "kind": "ProvisioningRequest",
		"metadata": map[string]any{
			"name": name, "namespace": "default", "uid": name, "creationTimestamp": time.Now().UTC().Format(time.RFC3339),
		},
		"spec": map[string]any{
			"provisioningClassName": class, "parameters": parameters,
			"podSets": []any{map[string]any{"podTemplateRef": map[string]any{"name": name}, "count": n}},
		},
	}}, metav1.CreateOptions{})
	require.NoError(w.t, err)
}

// conditions are a request's, as "type=status/reason".
func (w *asking) conditions(name string) (all map[string]string) {
	u, err := w.dyn.Resource(Requests).Namespace("default").Get(context.Background(), name, metav1.GetOptions{})
	require.NoError(w.t, err)
	r := &request{}
	require.NoError(w.t, runtime.DefaultUnstructuredConverter.FromUnstructured(u.Object, r))
	all = map[string]string{}
	for _, c := range r.Status.Conditions {
		all[c.Type] = string(c.Status) + "/" + c.Reason
	}
	return all
}

func TestRequestMakesGroupsGrowForAllOrNone(t *testing.T) {
	ask(t, Options{Groups: []Group{gpus}, Delay: 30 * time.Second}, func(w *asking) {
		w.request("too-many", BestEffortAtomic, 13, pod("p", "nvidia.com/gpu", "1"), nil)
		time.Sleep(15 * time.Second)
		require.Empty(t, w.made)
		require.Equal(t, map[string]string{"Accepted": "True/Accepted", "Provisioned": "False/CapacityIsNotFound"}, w.conditions("too-many"))

		w.request("gang", BestEffortAtomic, 12, pod("p", "nvidia.com/gpu", "1"), nil)
		time.Sleep(20 * time.Second)
		require.Empty(t, w.made, "machines take their time")
		require.Equal(t, map[string]string{"Accepted": "True/Accepted"}, w.conditions("gang"))
		time.Sleep(40 * time.Second)
		require.Equal(t, map[string]int{"gpu": 3}, w.made)
		require.Equal(t, "True/CapacityIsFound", w.conditions("gang")["Provisioned"])
		time.Sleep(15 * time.Minute)
		require.Equal(t, "True/BookingExpired", w.conditions("gang")["BookingExpired"])
	})
}

func TestRoomOfARequestIsKeptForItsPods(t *testing.T) {
	one := cpus
	one.Min = 1
	ask(t, Options{Groups: []Group{one}}, func(w *asking) {
		w.request("gang", CheckCapacity, 2, pod("p", "cpu", "4"), nil)
		time.Sleep(15 * time.Second)
		require.Equal(t, "True/CapacityIsFound", w.conditions("gang")["Provisioned"])
		w.create(pod("other", "cpu", "4"))
		time.Sleep(15 * time.Second)
		require.Equal(t, 2, w.nodes(), "another pod gets a node of its own")
		mine := pod("mine", "cpu", "4")
		mine.Annotations = map[string]string{Consumes: "gang"}
		w.create(mine)
		time.Sleep(15 * time.Second)
		require.Equal(t, 2, w.nodes(), "one that consumes the request has its room")
	})
}

func TestRequestsThatCannotBeServed(t *testing.T) {
	ask(t, Options{Groups: []Group{gpus}}, func(w *asking) {
		w.request("once", CheckCapacity, 1, pod("p", "cpu", "1"), map[string]any{"noRetry": "true"})
		w.request("later", BestEffortAtomic, 100, pod("p", "cpu", "16"), map[string]any{"ValidUntilSeconds": "60"})
		w.request("foreign", "queued-provisioning.gke.io", 1, pod("p", "cpu", "1"), nil)
		time.Sleep(15 * time.Second)
		require.Equal(t, "True/CapacityIsNotFound", w.conditions("once")["Failed"])
		require.NotContains(t, w.conditions("later"), "Failed")
		time.Sleep(time.Minute)
		require.Equal(t, "True/CapacityIsNotFound", w.conditions("later")["Failed"])
		require.Empty(t, w.conditions("foreign"))
		require.Empty(t, w.made)
	})
}

func TestStandingConditionIsNotWrittenAgain(t *testing.T) {
	ask(t, Options{Groups: []Group{gpus}}, func(w *asking) {
		w.request("late", CheckCapacity, 1, pod("p", "cpu", "1"), nil)
		time.Sleep(time.Hour)
		writes := 0
		for _, action := range w.dyn.Actions() {
			if action.GetVerb() == "patch" {
				writes++
			}
		}
		require.Equal(t, 2, writes)
	})
}
