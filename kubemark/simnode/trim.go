package simnode

import (
	corev1 "k8s.io/api/core/v1"
)

// trimPod keeps what a simulated kubelet reads of a pod. What is dropped of the spec does
// not matter when the status is written: the API server takes the spec from its store.
func trimPod(o any) (any, error) {
	pod, ok := o.(*corev1.Pod)
	if !ok {
		return o, nil
	}
	pod.ManagedFields = nil
	s := pod.Spec
	pod.Spec = corev1.PodSpec{
		NodeName: s.NodeName, NodeSelector: s.NodeSelector, Affinity: onlyNodeAffinity(s.Affinity),
		Tolerations: s.Tolerations, HostNetwork: s.HostNetwork, Overhead: s.Overhead, Resources: s.Resources,
		InitContainers: trimContainers(s.InitContainers), Containers: trimContainers(s.Containers),
	}
	return pod, nil
}

// onlyNodeAffinity drops the terms about other pods, which a kubelet does not heed.
func onlyNodeAffinity(a *corev1.Affinity) *corev1.Affinity {
	if a == nil || a.NodeAffinity == nil {
		return nil
	}
	return &corev1.Affinity{NodeAffinity: a.NodeAffinity}
}

// trimContainers keeps names, images, amounts and ports.
func trimContainers(list []corev1.Container) []corev1.Container {
	out := make([]corev1.Container, len(list))
	for i, c := range list {
		out[i] = corev1.Container{
			Name: c.Name, Image: c.Image, Resources: c.Resources, Ports: c.Ports, RestartPolicy: c.RestartPolicy,
		}
	}
	return out
}

// trimNode drops what is large and not read.
func trimNode(o any) (any, error) {
	if n, ok := o.(*corev1.Node); ok {
		n.ManagedFields, n.Status.Images = nil, nil
	}
	return o, nil
}

// hostIP is a node's internal address.
func hostIP(n *corev1.Node) string {
	for _, a := range n.Status.Addresses {
		if a.Type == corev1.NodeInternalIP {
			return a.Address
		}
	}
	return ""
}
