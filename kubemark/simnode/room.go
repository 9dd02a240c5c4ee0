package simnode

import (
	"maps"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	resourcehelper "k8s.io/component-helpers/resource"
	schedulinghelper "k8s.io/component-helpers/scheduling/corev1"
	"k8s.io/klog/v2"
)

// Template is a Node object of the group, as an autoscaler imagines the next node to be.
func (g Group) Template() (*corev1.Node, error) {
	g = g.withDefaults()
	g.Count = 1
	if err := g.validate(); err != nil {
		return nil, err
	}
	nodes, err := g.nodes(0, 0, time.Now())
	if err != nil {
		return nil, err
	}
	return nodes[0], nil
}

// Room is a node with what is on it, for whoever asks what would fit there beside it. It answers as kube-scheduler's filters do for resources, node affinity and selector, taints,
// the unschedulable flag and host ports; rules about other pods and volumes it does not know.
type Room struct{ host *host }

// NewRoom is a node without pods.
func NewRoom(node *corev1.Node) *Room { return &Room{host: newHost(node)} }

// Clone is a copy that can be filled without changing the other.
func (r *Room) Clone() *Room {
	return &Room{host: &host{node: r.host.node, residents: maps.Clone(r.host.residents), used: maps.Clone(r.host.used)}}
}

// Take enters a pod that is on the node.
func (r *Room) Take(pod *corev1.Pod) { r.host.adopt(pod) }

// Place enters a pod if it fits.
func (r *Room) Place(pod *corev1.Pod) bool {
	return r.suits(pod) && r.host.admit(pod) == nil
}

// suits is what a scheduler looks at and a kubelet does not.
func (r *Room) suits(pod *corev1.Pod) bool {
	node := r.host.node
	for name := range resourcehelper.PodRequests(pod, resourcehelper.PodResourcesOptions{}) {
		if _, offered := node.Status.Allocatable[name]; !offered && strings.Contains(string(name), "/") {
			return false
		}
	}
	taints := slices.Clone(node.Spec.Taints)
	if node.Spec.Unschedulable {
		taints = append(taints, corev1.Taint{Key: corev1.TaintNodeUnschedulable, Effect: corev1.TaintEffectNoSchedule})
	}
	_, untolerated := schedulinghelper.FindMatchingUntoleratedTaint(klog.Logger{}, taints, pod.Spec.Tolerations,
		func(t *corev1.Taint) bool { return t.Effect != corev1.TaintEffectPreferNoSchedule }, false)
	return !untolerated
}

// Free is the share of what the node offers of its scarcest resource, between 0 and 1, that is not taken: the least over cpu and memory.
func (r *Room) Free() float64 {
	free := 1.0
	for _, name := range []corev1.ResourceName{corev1.ResourceCPU, corev1.ResourceMemory} {
		if have := r.host.capacity(name); have > 0 {
			free = min(free, float64(have-r.host.used[name])/float64(have))
		}
	}
	return free
}
