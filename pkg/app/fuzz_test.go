package app

import (
	"maps"
	"slices"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// FuzzIdentify reads pods with arbitrary labels, annotations, owners and ConfigMaps: there is always an application, everything can be
// shown, and neither the order of maps nor that of owners matters.
func FuzzIdentify(f *testing.F) {
	f.Add([]byte("\x00\x06nightly\x08\x03abc"), "p", true)
	f.Add([]byte("\x11\x0ctaskmanager-\x21\x04Deploy\x05orders\xff\xfe"), "orders-taskmanager-1-1", false)
	f.Add([]byte{}, "", true)
	f.Add([]byte("\x1e\x08a\x00b\xc3\x28cd\x02\x04{}{}"), "\xff", true)
	f.Fuzz(func(t *testing.T, data []byte, name string, trust bool) {
		pod := arbitraryPod(data, name)
		c := Identify(pod, trust)
		require.NotEmpty(t, c.App)
		require.NotEmpty(t, c.AppFrom)
		for _, shown := range append([]string{c.App, c.AppFrom, c.Role, c.Queue, c.QueueFrom, c.User}, c.Groups...) {
			require.True(t, utf8.ValidString(shown) && printable(shown), "%q", shown)
			require.LessOrEqual(t, len(shown), 4*longest)
		}
		require.Equal(t, c.Queue == "", c.QueueFrom == "")
		require.True(t, utf8.ValidString(c.Group) && printable(c.Group) && len(c.Group) <= 4*longest, "%q", c.Group)
		if g := c.Gang; g != nil {
			require.Equal(t, []string{pod.Namespace, c.Group}, []string{g.Namespace, g.ID})
			require.True(t, g.Source != "" && g.Key != "" && g.Min >= 0)
			sum := 0
			for i := range g.Roles {
				sum += g.Roles[i].Min
			}
			require.True(t, len(g.Roles) == 0 || sum == g.Min, "%d of %d", sum, g.Min)
		}
		require.True(t, trust || c.User == "" && c.Groups == nil)

		again := Identify(reordered(pod), trust)
		require.Equal(t, c, again)
		require.Equal(t, c.Key(), again.Key())
		require.NotEmpty(t, Alone(pod).App)
	})
}

// TestNamespacesAreReadWhateverTheyHold is the same for namespaces, over a few thousand of them.
func TestNamespacesAreReadWhateverTheyHold(t *testing.T) {
	names := []string{QueueName, namespaceParent, namespaceQuota, namespaceGuaranteed, namespaceMaxApps, namespaceMaxCPU, namespaceMaxMemory, "x"}
	values := []string{
		"", " ", "1", "-1", "9999999999999999999", "{", "{}", "null", "[]", `{"cpu":"1"}`, `{"cpu":"1e99"}`, `{"":"1"}`, `{"memory":""}`, "root.a", "\x00\xff",
	}
	for _, first := range names {
		for _, a := range values {
			for _, second := range names {
				for _, b := range values {
					ns := &v1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "n", Annotations: map[string]string{first: a, second: b}}}
					f := ReadNamespace(ns)
					require.Equal(t, f, ReadNamespace(ns))
					for _, amount := range slices.Concat(f.Max, f.Guaranteed) {
						require.GreaterOrEqual(t, amount.Value, int64(0))
						require.NotEmpty(t, amount.Name)
					}
					require.GreaterOrEqual(t, f.MaxApps, 0)
					for _, fault := range f.Faults {
						require.True(t, printable(fault), "%q", fault)
					}
				}
			}
		}
	}
}

// arbitraryPod builds a pod from bytes: an opcode says what the next string becomes.
func arbitraryPod(data []byte, name string) *v1.Pod {
	keys := slices.Concat(appNames, queueNames, roleNames, []string{
		RoleName, UserAnnotation, GroupsAnnotation, yunikornUser, "type", "app", "component", "app.kubernetes.io/component", "ray.io/cluster",
		"ray.io/originated-from-crd", "ray.io/originated-from-cr-name", "jobset.sigs.k8s.io/jobset-name", "pod-template-hash",
		"training.kubeflow.org/job-name", "training.kubeflow.org/operator-name", "leaderworkerset.sigs.k8s.io/worker-index",
		GroupName, MinMembers, GroupTopology, GroupTopologyRequired, taskGroups, taskGroupName, taskPolicy, kueueTotal, "ray.io/node-type", "ray.io/group",
	})
	words := []string{
		"jobmanager", "taskmanager", "flink-native-kubernetes", "driver", "flink-config", "apps/v1", "ReplicaSet", "Deployment", "Job", "v1", "Node", "all", "3", "driver=1,executor=4",
		`[{"name": "a", "minMember": 3, "minResource": {"cpu": "1"}}, {"name": "b", "minMember": 1}]`, "true",
	}
	pod := &v1.Pod{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{}, Annotations: map[string]string{}}}
	next := func() (op int, word string) {
		if len(data) < 2 {
			data = nil
			return 0, ""
		}
		op = int(data[0])
		n := min(int(data[1]), len(data)-2)
		word = string(data[2 : 2+n])
		if data[1] > 200 {
			n, word = 0, words[int(data[1])%len(words)]
		}
		data = data[2+n:]
		return op, word
	}
	for len(data) > 0 {
		op, word := next()
		switch op % 8 {
		case 0, 1, 2:
			pod.Labels[keys[op/8%len(keys)]] = word
		case 3, 4:
			pod.Annotations[keys[op/8%len(keys)]] = word
		case 5, 6:
			_, kind := next()
			_, owner := next()
			yes := op%3 == 0
			pod.OwnerReferences = append(pod.OwnerReferences, metav1.OwnerReference{APIVersion: word, Kind: kind, Name: owner, Controller: &yes})
		case 7:
			pod.Spec.SchedulingGroup = &v1.PodSchedulingGroup{PodGroupName: &word}
			pod.Spec.Volumes = append(pod.Spec.Volumes, v1.Volume{VolumeSource: v1.VolumeSource{
				ConfigMap: &v1.ConfigMapVolumeSource{LocalObjectReference: v1.LocalObjectReference{Name: word}},
			}})
		}
	}
	return pod
}

// reordered is the pod with its maps filled in another order and its owners reversed.
func reordered(pod *v1.Pod) *v1.Pod {
	p := pod.DeepCopy()
	for _, m := range []*map[string]string{&p.Labels, &p.Annotations} {
		other := map[string]string{}
		for _, k := range slices.Backward(slices.Sorted(maps.Keys(*m))) {
			other[k] = (*m)[k]
		}
		*m = other
	}
	slices.Reverse(p.OwnerReferences)
	return p
}
