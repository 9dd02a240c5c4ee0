package cluster

import (
	"testing"

	"github.com/stretchr/testify/require"
	v1 "k8s.io/api/core/v1"
	apires "k8s.io/apimachinery/pkg/api/resource"

	"github.com/sluice-scheduler/sluice/pkg/core/resource"
)

func ofCPU(quantity string) v1.ResourceList {
	return v1.ResourceList{"cpu": apires.MustParse(quantity)}
}

func asking(name, quantity string) v1.Container {
	return v1.Container{Name: name, Resources: v1.ResourceRequirements{Requests: ofCPU(quantity)}}
}

// stands is the status of a container: what the kubelet has granted it, and what it runs with; empty leaves it out.
func stands(name, granted, runs string) v1.ContainerStatus {
	s := v1.ContainerStatus{Name: name}
	if granted != "" {
		s.AllocatedResources = ofCPU(granted)
	}
	if runs != "" {
		s.Resources = &v1.ResourceRequirements{Requests: ofCPU(runs)}
	}
	return s
}

func pending(reason string) []v1.PodCondition {
	return []v1.PodCondition{{Type: v1.PodResizePending, Status: v1.ConditionTrue, Reason: reason}}
}

// TestWhatABoundPodHolds while it is resized: the most of what it asks for, was granted and runs with; what it asks for does not count once the kubelet says that the
// node can never give it. (benchmarks/oracle holds random pods against kube-scheduler's own account.)
func TestWhatABoundPodHolds(t *testing.T) {
	always := v1.ContainerRestartPolicyAlways
	sidecar := asking("side", "3")
	sidecar.RestartPolicy = &always
	for name, c := range map[string]struct {
		spec   v1.PodSpec
		status v1.PodStatus
		want   int64 // thousandths of a CPU
	}{
		"not resized": {
			v1.PodSpec{Containers: []v1.Container{asking("a", "1")}},
			v1.PodStatus{ContainerStatuses: []v1.ContainerStatus{stands("a", "1", "1")}},
			1000,
		},
		"its kubelet says nothing yet": {
			v1.PodSpec{Containers: []v1.Container{asking("a", "1")}},
			v1.PodStatus{},
			1000,
		},
		"more is wanted, and not granted yet": {
			v1.PodSpec{Containers: []v1.Container{asking("a", "2")}},
			v1.PodStatus{ContainerStatuses: []v1.ContainerStatus{stands("a", "1", "1")}},
			2000,
		},
		"deferred: it may come at any time": {
			v1.PodSpec{Containers: []v1.Container{asking("a", "2")}},
			v1.PodStatus{ContainerStatuses: []v1.ContainerStatus{stands("a", "1", "1")}, Conditions: pending(v1.PodReasonDeferred)},
			2000,
		},
		"infeasible: it never comes": {
			v1.PodSpec{Containers: []v1.Container{asking("a", "200")}},
			v1.PodStatus{ContainerStatuses: []v1.ContainerStatus{stands("a", "1", "1")}, Conditions: pending(v1.PodReasonInfeasible)},
			1000,
		},
		"infeasible while an earlier one is being carried out": {
			v1.PodSpec{Containers: []v1.Container{asking("a", "200")}},
			v1.PodStatus{ContainerStatuses: []v1.ContainerStatus{stands("a", "3", "1")}, Conditions: pending(v1.PodReasonInfeasible)},
			3000,
		},
		"less is wanted and granted, but not done": {
			v1.PodSpec{Containers: []v1.Container{asking("a", "1")}},
			v1.PodStatus{ContainerStatuses: []v1.ContainerStatus{stands("a", "1", "2")}},
			2000,
		},
		"one grows while another shrinks": {
			v1.PodSpec{Containers: []v1.Container{asking("a", "3"), asking("b", "1")}},
			v1.PodStatus{ContainerStatuses: []v1.ContainerStatus{stands("a", "1", "1"), stands("b", "2", "2")}},
			4000,
		},
		"a sidecar grows": {
			v1.PodSpec{Containers: []v1.Container{asking("a", "1")}, InitContainers: []v1.Container{sidecar}},
			v1.PodStatus{
				ContainerStatuses:     []v1.ContainerStatus{stands("a", "1", "1")},
				InitContainerStatuses: []v1.ContainerStatus{stands("side", "2", "2")},
			},
			4000,
		},
		"a sidecar grows, which is infeasible": {
			v1.PodSpec{Containers: []v1.Container{asking("a", "1")}, InitContainers: []v1.Container{sidecar}},
			v1.PodStatus{
				ContainerStatuses:     []v1.ContainerStatus{stands("a", "1", "1")},
				InitContainerStatuses: []v1.ContainerStatus{stands("side", "2", "2")}, Conditions: pending(v1.PodReasonInfeasible),
			},
			3000,
		},
		"an init container that asks for more than the rest shrinks": {
			v1.PodSpec{Containers: []v1.Container{asking("a", "1")}, InitContainers: []v1.Container{asking("init", "2")}},
			v1.PodStatus{
				ContainerStatuses:     []v1.ContainerStatus{stands("a", "1", "1")},
				InitContainerStatuses: []v1.ContainerStatus{stands("init", "5", "5")},
			},
			5000,
		},
		"the pod as a whole grows": {
			v1.PodSpec{Resources: &v1.ResourceRequirements{Requests: ofCPU("4")}, Containers: []v1.Container{asking("a", "1")}},
			v1.PodStatus{AllocatedResources: ofCPU("2"), Resources: &v1.ResourceRequirements{Requests: ofCPU("2")}},
			4000,
		},
		"the pod as a whole grows, which is infeasible; its overhead stays": {
			v1.PodSpec{
				Resources: &v1.ResourceRequirements{Requests: ofCPU("400")}, Containers: []v1.Container{asking("a", "1")}, Overhead: ofCPU("500m"),
			},
			v1.PodStatus{
				AllocatedResources: ofCPU("2"), Resources: &v1.ResourceRequirements{Requests: ofCPU("2")}, Conditions: pending(v1.PodReasonInfeasible),
			},
			2500,
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := &v1.Pod{Spec: c.spec, Status: c.status}
			p.UID, p.Spec.NodeName = "p", "n"
			s := New()
			s.SetPod(ReadPod(p, "sluice"))
			slot, _ := s.Space.Slot(resource.CPU)
			require.Equal(t, c.want, s.Node("n").Used.At(slot))
			require.NoError(t, s.Verify())

			p.Spec.NodeName = ""
			require.Nil(t, ReadPod(p, "sluice").Holds, "who is not bound holds nothing, whatever its status says")
		})
	}
}
