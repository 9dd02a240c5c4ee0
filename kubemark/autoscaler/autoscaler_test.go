package autoscaler

import (
	"context"
	"fmt"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes/fake"

	"github.com/sluice-scheduler/sluice/kubemark/simnode"
)

// pod is one that waits for nodes, with requests as pairs of names and amounts.
func pod(name string, requests ...string) *corev1.Pod {
	list := corev1.ResourceList{}
	for i := 0; i < len(requests); i += 2 {
		list[corev1.ResourceName(requests[i])] = resource.MustParse(requests[i+1])
	}
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: name, UID: types.UID(name)},
		Spec: corev1.PodSpec{SchedulerName: "sluice", Containers: []corev1.Container{{
			Name: "main", Resources: corev1.ResourceRequirements{Requests: list},
		}}},
		Status: corev1.PodStatus{Conditions: []corev1.PodCondition{{
			Type: corev1.PodScheduled, Status: corev1.ConditionFalse, Reason: corev1.PodReasonUnschedulable, Message: "whatever",
		}}},
	}
}

// world is a cluster of client-go's fake, whose fleet makes Node objects.
type world struct {
	t      *testing.T
	client *fake.Clientset
	a      *Autoscaler
	made   map[string]int
}

func (w *world) Add(ctx context.Context, g simnode.Group, n int) (names []string, err error) {
	for range n {
		node, err := g.Template()
		require.NoError(w.t, err)
		node.Name = fmt.Sprintf("%s-%d", g.Name, w.made[g.Name])
		w.made[g.Name]++
		if _, err := w.client.CoreV1().Nodes().Create(ctx, node, metav1.CreateOptions{}); err != nil {
			return nil, err
		}
		names = append(names, node.Name)
	}
	return names, nil
}

func (w *world) Remove(ctx context.Context, name string) error {
	return w.client.CoreV1().Nodes().Delete(ctx, name, metav1.DeleteOptions{})
}

func (w *world) create(pods ...*corev1.Pod) {
	for _, p := range pods {
		_, err := w.client.CoreV1().Pods(p.Namespace).Create(context.Background(), p, metav1.CreateOptions{})
		require.NoError(w.t, err)
	}
}

func (w *world) nodes() int {
	list, err := w.client.CoreV1().Nodes().List(context.Background(), metav1.ListOptions{})
	require.NoError(w.t, err)
	return len(list.Items)
}

var (
	gpus = Group{Template: simnode.Group{Name: "gpu", CPU: "16", Extended: map[string]string{"nvidia.com/gpu": "4"}}, Max: 3}
	cpus = Group{Template: simnode.Group{Name: "cpu", CPU: "8"}, Max: 10}
)

// play runs a test in virtual time.
func play(t *testing.T, o Options, test func(w *world)) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{t: t, client: fake.NewClientset(), made: map[string]int{}}
		o.Log = slog.New(slog.DiscardHandler)
		var err error
		w.a, err = Start(context.Background(), w.client, w, o)
		require.NoError(t, err)
		defer w.a.Stop()
		synctest.Wait()
		test(w)
	})
}

func TestWhoWaitsForNodes(t *testing.T) {
	for name, spoil := range map[string]func(p *corev1.Pod){
		"":                     func(*corev1.Pod) {},
		"has a node":           func(p *corev1.Pod) { p.Spec.NodeName = "n" },
		"has a nominated node": func(p *corev1.Pod) { p.Status.NominatedNodeName = "n" },
		"is being deleted":     func(p *corev1.Pod) { p.DeletionTimestamp = &metav1.Time{} },
		"of a quota":           func(p *corev1.Pod) { p.Status.Conditions[0].Reason = "QuotaExceeded" },
		"not judged yet":       func(p *corev1.Pod) { p.Status.Conditions = nil },
		"another scheduler's":  func(p *corev1.Pod) { p.Spec.SchedulerName = "volcano" },
		"of a DaemonSet":       func(p *corev1.Pod) { p.OwnerReferences = []metav1.OwnerReference{{Kind: "DaemonSet"}} },
	} {
		p := pod("p", "cpu", "1")
		spoil(p)
		require.Equal(t, name == "", waits(p, []string{"sluice"}), name)
	}
}

func TestGroupGrowsFromZeroForDevices(t *testing.T) {
	play(t, Options{Groups: []Group{cpus, gpus}, Delay: 30 * time.Second}, func(w *world) {
		for i := range 5 {
			w.create(pod(fmt.Sprintf("p-%d", i), "cpu", "1", "nvidia.com/gpu", "1"))
		}
		time.Sleep(39 * time.Second)
		require.Zero(t, w.nodes(), "machines take their time")
		time.Sleep(2 * time.Second)
		require.Equal(t, map[string]int{"gpu": 2}, w.made, "five GPUs need two nodes")
		time.Sleep(5 * time.Minute)
		require.Equal(t, map[string]int{"gpu": 2}, w.made, "those who wait fit on what has come")
		events, err := w.client.CoreV1().Events("default").List(context.Background(), metav1.ListOptions{})
		require.NoError(t, err)
		require.Len(t, events.Items, 5)
		require.Equal(t, "TriggeredScaleUp", events.Items[0].Reason)
	})
}

func TestGroupDoesNotGrowBeyondItsMax(t *testing.T) {
	play(t, Options{Groups: []Group{gpus}}, func(w *world) {
		for i := range 50 {
			w.create(pod(fmt.Sprintf("p-%02d", i), "nvidia.com/gpu", "1"))
		}
		w.create(pod("too-large", "nvidia.com/gpu", "5"))
		time.Sleep(time.Minute)
		require.Equal(t, map[string]int{"gpu": 3}, w.made)
	})
}

func TestPlainPodsGetTheNodesThatWasteLeast(t *testing.T) {
	play(t, Options{Groups: []Group{gpus, cpus}}, func(w *world) {
		w.create(pod("a", "cpu", "7"), pod("b", "cpu", "1"))
		time.Sleep(time.Minute)
		require.Equal(t, map[string]int{"cpu": 1}, w.made)
	})
}

func TestTaintsAndSelectorsOfTemplatesAreHeeded(t *testing.T) {
	tainted := cpus
	tainted.Template.Name = "tainted"
	tainted.Template.Taints = []corev1.Taint{{Key: "dedicated", Effect: corev1.TaintEffectNoSchedule}}
	tainted.Template.Labels = map[string]string{"pool": "tainted"}
	play(t, Options{Groups: []Group{tainted}}, func(w *world) {
		plain, tolerant, wrong := pod("plain", "cpu", "1"), pod("tolerant", "cpu", "1"), pod("wrong", "cpu", "1")
		tolerant.Spec.Tolerations = []corev1.Toleration{{Operator: corev1.TolerationOpExists}}
		wrong.Spec.Tolerations = tolerant.Spec.Tolerations
		wrong.Spec.NodeSelector = map[string]string{"pool": "other"}
		w.create(plain, wrong)
		time.Sleep(time.Minute)
		require.Empty(t, w.made)
		w.create(tolerant)
		time.Sleep(time.Minute)
		require.Equal(t, map[string]int{"tainted": 1}, w.made)
	})
}

func TestEmptyNodesGo(t *testing.T) {
	least := cpus
	least.Min = 1
	play(t, Options{Groups: []Group{least}}, func(w *world) {
		require.Equal(t, 1, w.nodes(), "the minimum is there from the start")
		w.create(pod("a", "cpu", "8"), pod("b", "cpu", "8"), pod("c", "cpu", "8"))
		time.Sleep(15 * time.Second)
		require.Equal(t, 3, w.nodes())
		ctx := context.Background()
		b, err := w.client.CoreV1().Pods("default").Get(ctx, "b", metav1.GetOptions{})
		require.NoError(t, err)
		b.Spec.NodeName = "cpu-2"
		_, err = w.client.CoreV1().Pods("default").Update(ctx, b, metav1.UpdateOptions{})
		require.NoError(t, err)
		for _, name := range []string{"a", "c"} {
			require.NoError(t, w.client.CoreV1().Pods("default").Delete(ctx, name, metav1.DeleteOptions{}))
		}
		time.Sleep(9 * time.Minute)
		require.Equal(t, 3, w.nodes())
		time.Sleep(2 * time.Minute)
		require.Equal(t, 1, w.nodes(), "only the one with a pod is left")
		require.Equal(t, Stats{Added: 2, Removed: 2}, w.a.Stats())
		require.NoError(t, w.client.CoreV1().Pods("default").Delete(ctx, "b", metav1.DeleteOptions{}))
		time.Sleep(time.Hour)
		require.Equal(t, 1, w.nodes(), "and the minimum stays")
	})
}

func TestParseGroup(t *testing.T) {
	g, err := ParseGroup("name=gpu,max=10,cpu=16,memory=64Gi,pods=30,nvidia.com/gpu=8")
	require.NoError(t, err)
	require.Equal(t, Group{Max: 10, Template: simnode.Group{
		Name: "gpu", CPU: "16", Memory: "64Gi", Pods: 30, Extended: map[string]string{"nvidia.com/gpu": "8"},
	}}, g)
	for text, fault := range map[string]string{
		"max=3":                "each needs a name",
		"name=a,max=x":         `max: "x" is not a number`,
		"name=a,min=2":         "give 0 ≤ min ≤ max",
		"name=a,max=1,cpu=big": "is not a quantity",
		"name=a,gpus=8":        `unknown key "gpus"`,
		"name":                 "key=value",
	} {
		_, err := ParseGroup(text)
		require.ErrorContains(t, err, fault, text)
	}
}
