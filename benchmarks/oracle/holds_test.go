package oracle_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
	v1 "k8s.io/api/core/v1"
	apires "k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/kubernetes/pkg/scheduler/framework"

	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
	"github.com/sluice-scheduler/sluice/pkg/core/resource"
)

// TestBoundPodsHoldWhatUpstreamCounts lets bound pods be resized in every way that a status can tell of — granted, deferred, infeasible, half done, of containers,
// sidecars, init containers and whole pods — and holds the node's account against that of kube-scheduler's own NodeInfo after each.
func TestBoundPodsHoldWhatUpstreamCounts(t *testing.T) {
	const pods, changes = 3000, 5
	differs := map[string]int{}
	for seed := range uint64(pods) {
		r := resizer{rand.New(rand.NewPCG(seed, 37))}
		state := cluster.New()
		state.SetNode(cluster.ReadNode(&v1.Node{ObjectMeta: metav1.ObjectMeta{Name: "n"}, Status: v1.NodeStatus{Allocatable: v1.ResourceList{
			"cpu": apires.MustParse("100"), "memory": apires.MustParse("1Ti"), "example.com/gpu": apires.MustParse("100"), "hugepages-2Mi": apires.MustParse("1Ti"),
		}}}))
		p := r.pod()
		for change := range changes {
			p = p.DeepCopy()
			r.resize(p)
			f := cluster.ReadPod(p, "sluice")
			state.SetPod(f)
			want := framework.NewNodeInfo(p).Requested
			used := state.Node("n").Used
			have := func(name string) int64 {
				slot, _ := state.Space.Slot(name)
				return used.At(slot)
			}
			msg := fmt.Sprintf("seed %d, change %d: %+v\n%+v", seed, change, p.Spec, p.Status)
			require.Equal(t, want.GetMilliCPU(), have(resource.CPU), msg)
			require.Equal(t, want.GetMemory(), have(resource.Memory), msg)
			require.Equal(t, want.GetScalarResources()["example.com/gpu"], have("example.com/gpu"), msg)
			require.Equal(t, want.GetScalarResources()["hugepages-2Mi"], have("hugepages-2Mi"), msg)
			require.NoError(t, state.Verify())
			if f.Holds != nil {
				differs[resizeReason(p)]++
			}
		}
	}
	t.Logf("held otherwise than the spec asks, by what the kubelet says of the resize: %v", differs)
	for _, reason := range []string{"", v1.PodReasonDeferred, v1.PodReasonInfeasible} {
		require.Greater(t, differs[reason], pods/10, "the cases hardly reach %q", reason)
	}
}

func resizeReason(p *v1.Pod) string {
	for _, c := range p.Status.Conditions {
		if c.Type == v1.PodResizePending {
			return c.Reason
		}
	}
	return ""
}

// resizer makes bound pods and changes what they ask for and what their kubelet says.
type resizer struct{ *rand.Rand }

func (r resizer) amounts(names ...string) v1.ResourceList {
	list := v1.ResourceList{}
	for _, name := range names {
		if r.IntN(4) > 0 {
			list[v1.ResourceName(name)] = *apires.NewMilliQuantity(int64(r.IntN(8))*500, apires.DecimalSI)
		}
	}
	return list
}

func (r resizer) pod() *v1.Pod {
	p := &v1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "p", UID: types.UID("p")}, Spec: v1.PodSpec{NodeName: "n"}}
	always := v1.ContainerRestartPolicyAlways
	for i := range 1 + r.IntN(3) {
		p.Spec.Containers = append(p.Spec.Containers, v1.Container{Name: fmt.Sprintf("c%d", i)})
	}
	for i := range r.IntN(4) {
		c := v1.Container{Name: fmt.Sprintf("i%d", i)}
		if r.IntN(2) == 0 {
			c.RestartPolicy = &always
		}
		p.Spec.InitContainers = append(p.Spec.InitContainers, c)
	}
	if r.IntN(3) == 0 {
		p.Spec.Resources = &v1.ResourceRequirements{}
	}
	if r.IntN(4) == 0 {
		p.Spec.Overhead = r.amounts("cpu", "memory")
	}
	return p
}

// resize draws what the pod asks for, what its kubelet has granted and done, and what it says of the rest.
func (r resizer) resize(p *v1.Pod) {
	p.Status = v1.PodStatus{}
	p.Status.ContainerStatuses = r.containers(p.Spec.Containers)
	p.Status.InitContainerStatuses = r.containers(p.Spec.InitContainers)
	if p.Spec.Resources != nil {
		p.Spec.Resources.Requests = r.amounts("cpu", "memory", "hugepages-2Mi")
	}
	if r.IntN(3) == 0 {
		p.Status.AllocatedResources = r.amounts("cpu", "memory", "hugepages-2Mi")
	}
	if r.IntN(3) == 0 {
		p.Status.Resources = &v1.ResourceRequirements{Requests: r.amounts("cpu", "memory", "hugepages-2Mi")}
	}
	switch r.IntN(4) {
	case 0:
		p.Status.Conditions = []v1.PodCondition{{Type: v1.PodResizePending, Status: v1.ConditionTrue, Reason: v1.PodReasonDeferred}}
	case 1:
		p.Status.Conditions = []v1.PodCondition{{Type: v1.PodResizePending, Status: v1.ConditionTrue, Reason: v1.PodReasonInfeasible}}
	case 2:
		p.Status.Conditions = []v1.PodCondition{{Type: v1.PodResizeInProgress, Status: v1.ConditionTrue}}
	}
}

func (r resizer) containers(list []v1.Container) (statuses []v1.ContainerStatus) {
	for i := range list {
		list[i].Resources.Requests = r.amounts("cpu", "memory", "example.com/gpu")
		s := v1.ContainerStatus{Name: list[i].Name}
		if r.IntN(2) == 0 {
			s.AllocatedResources = r.amounts("cpu", "memory", "example.com/gpu")
		}
		if r.IntN(2) == 0 {
			s.Resources = &v1.ResourceRequirements{Requests: r.amounts("cpu", "memory", "example.com/gpu")}
		}
		if r.IntN(5) > 0 {
			statuses = append(statuses, s)
		}
	}
	return statuses
}
