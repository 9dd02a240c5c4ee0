package simnode

import (
	"fmt"
	"maps"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// kubeletVersion is what the nodes say they run.
const kubeletVersion = "v1.37.2"

// nodes makes the Node objects of a group, the first with this index; before is the number of nodes
// made before them, which keeps addresses apart.
func (g Group) nodes(index, before int, now time.Time) ([]*corev1.Node, error) {
	capacity, err := g.capacity()
	if err != nil {
		return nil, err
	}
	out := make([]*corev1.Node, g.Count)
	for j := range out {
		i := index + j
		name := fmt.Sprintf("%s-%d", g.Name, i)
		out[j] = &corev1.Node{
			ObjectMeta: metav1.ObjectMeta{Name: name, Labels: g.labels(name, i)},
			Spec:       corev1.NodeSpec{ProviderID: "sluice://" + name, Taints: append([]corev1.Taint(nil), g.Taints...)},
			Status: corev1.NodeStatus{
				Capacity: capacity.DeepCopy(), Allocatable: capacity.DeepCopy(),
				Conditions: conditions(now),
				Addresses: []corev1.NodeAddress{
					{Type: corev1.NodeInternalIP, Address: nodeIP(before + j)},
					{Type: corev1.NodeHostName, Address: name},
				},
				NodeInfo: corev1.NodeSystemInfo{
					Architecture: "amd64", OperatingSystem: "linux", KubeletVersion: kubeletVersion,
					ContainerRuntimeVersion: "simulated://1", OSImage: "simulated", KernelVersion: "simulated",
				},
			},
		}
	}
	return out, nil
}

// labels are the labels of the group's i-th node.
func (g Group) labels(name string, i int) map[string]string {
	zone := g.Zones[i%len(g.Zones)]
	region := zone
	if j := strings.LastIndexByte(zone, '-'); j > 0 {
		region = zone[:j]
	}
	labels := map[string]string{
		Label:                          "true",
		corev1.LabelHostname:           name,
		corev1.LabelOSStable:           "linux",
		corev1.LabelArchStable:         "amd64",
		corev1.LabelTopologyZone:       zone,
		corev1.LabelTopologyRegion:     region,
		corev1.LabelInstanceTypeStable: "simulated." + g.Name,
	}
	maps.Copy(labels, g.Labels)
	return labels
}

// conditions are those of a healthy kubelet.
func conditions(now time.Time) []corev1.NodeCondition {
	t := metav1.NewTime(now)
	healthy := func(kind corev1.NodeConditionType, status corev1.ConditionStatus, reason, message string) corev1.NodeCondition {
		return corev1.NodeCondition{
			Type: kind, Status: status, Reason: reason, Message: message, LastHeartbeatTime: t, LastTransitionTime: t,
		}
	}
	return []corev1.NodeCondition{
		healthy(corev1.NodeMemoryPressure, corev1.ConditionFalse, "KubeletHasSufficientMemory", "simulated node has sufficient memory"),
		healthy(corev1.NodeDiskPressure, corev1.ConditionFalse, "KubeletHasNoDiskPressure", "simulated node has no disk pressure"),
		healthy(corev1.NodePIDPressure, corev1.ConditionFalse, "KubeletHasSufficientPID", "simulated node has sufficient process ids"),
		healthy(corev1.NodeReady, corev1.ConditionTrue, "KubeletReady", "simulated node is ready"),
	}
}

// nodeIP is the address of the n-th node of a fleet, in 10.128.0.0/10.
func nodeIP(n int) string { return ip(128, n) }

// podIP is the address of the n-th pod started, in 10.64.0.0/10; after four million they repeat.
func podIP(n int) string { return ip(64, n) }

// ip is the n-th address of 10.base.0.0/10, leaving out the first.
func ip(base, n int) string {
	n = n%(1<<22-1) + 1
	return fmt.Sprintf("10.%d.%d.%d", base+n>>16, n>>8&255, n&255)
}

// usable tells whether the node is ready and nothing that a new node suffers from is left.
func usable(n *corev1.Node) bool {
	for _, t := range n.Spec.Taints {
		if t.Key == corev1.TaintNodeNotReady || t.Key == corev1.TaintNodeUnreachable {
			return false
		}
	}
	for _, c := range n.Status.Conditions {
		if c.Type == corev1.NodeReady {
			return c.Status == corev1.ConditionTrue
		}
	}
	return false
}
