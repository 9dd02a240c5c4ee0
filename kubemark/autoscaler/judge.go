package autoscaler

import (
	"cmp"
	"slices"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	resourcehelper "k8s.io/component-helpers/resource"

	"github.com/sluice-scheduler/sluice/kubemark/simnode"
)

// waits says whether a pod is one for which the cluster is to grow.
func waits(p *corev1.Pod, schedulers []string) bool {
	return p.Spec.NodeName == "" && p.Status.NominatedNodeName == "" && p.DeletionTimestamp == nil &&
		p.Annotations[Consumes] == "" && unschedulable(p) && slices.Contains(schedulers, p.Spec.SchedulerName) && !ofDaemonSet(p)
}

func unschedulable(p *corev1.Pod) bool {
	for _, c := range p.Status.Conditions {
		if c.Type == corev1.PodScheduled {
			return c.Status == corev1.ConditionFalse && c.Reason == corev1.PodReasonUnschedulable
		}
	}
	return false
}

func ofDaemonSet(p *corev1.Pod) bool {
	return slices.ContainsFunc(p.OwnerReferences, func(r metav1.OwnerReference) bool { return r.Kind == "DaemonSet" })
}

// largestFirst orders pods as the autoscaler fills nodes: by what they ask for, the largest first, then by name, so that equal clusters grow equally.
func largestFirst(pods []*corev1.Pod) {
	weight := func(p *corev1.Pod) float64 {
		r := resourcehelper.PodRequests(p, resourcehelper.PodResourcesOptions{})
		return float64(r.Cpu().MilliValue())/1000 + float64(r.Memory().Value())/(4<<30)
	}
	slices.SortFunc(pods, func(a, b *corev1.Pod) int {
		return cmp.Or(cmp.Compare(weight(b), weight(a)), cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name))
	})
}

// squeeze places the pods on nodes that are there, or will be, and returns those for which there is no room.
func squeeze(pods []*corev1.Pod, rooms []*simnode.Room) (left []*corev1.Pod) {
	for _, p := range pods {
		if !slices.ContainsFunc(rooms, func(r *simnode.Room) bool { return r.Place(p) }) {
			left = append(left, p)
		}
	}
	return left
}

// option is what a group could do for pods that have no room.
type option struct {
	group  int
	nodes  int
	helped []*corev1.Pod
	left   []*corev1.Pod
	waste  float64 // the mean share of the new nodes that stays free
}

// imagine fills new nodes of a group with pods, the first that takes a pod first, and as many as the group may still have.
func imagine(group int, template *corev1.Node, room int, pods []*corev1.Pod) option {
	o := option{group: group}
	var rooms []*simnode.Room
	for _, p := range pods {
		if squeezed := squeeze([]*corev1.Pod{p}, rooms); len(squeezed) == 0 {
			o.helped = append(o.helped, p)
			continue
		}
		if next := simnode.NewRoom(template); len(rooms) < room && next.Place(p) {
			rooms = append(rooms, next)
			o.helped = append(o.helped, p)
			continue
		}
		o.left = append(o.left, p)
	}
	o.nodes = len(rooms)
	for _, r := range rooms {
		o.waste += r.Free() / float64(len(rooms))
	}
	return o
}

// better prefers the group that helps more pods, then the one of which less is wasted, then the first: the autoscaler's expander "least-waste", but it does not leave pods behind for it.
func (o option) better(than option) bool {
	return cmp.Or(cmp.Compare(len(o.helped), len(than.helped)), cmp.Compare(than.waste, o.waste)) > 0
}
