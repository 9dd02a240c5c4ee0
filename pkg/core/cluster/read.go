package cluster

import (
	"time"

	v1 "k8s.io/api/core/v1"
	reqs "k8s.io/component-helpers/resource"
	corev1helpers "k8s.io/component-helpers/scheduling/corev1"

	"github.com/sluice-scheduler/sluice/pkg/core/resource"
)

// ReadPod makes the fact of a pod; scheduler is the schedulerName we serve. The pod is not kept and may be reused.
func ReadPod(pod *v1.Pod, scheduler string) *PodFact {
	demand, pin := ReadDemand(pod)
	f := &PodFact{
		UID:             pod.UID,
		Namespace:       pod.Namespace,
		Name:            pod.Name,
		ResourceVersion: pod.ResourceVersion,
		Created:         pod.CreationTimestamp.Time,
		Generation:      pod.Generation,
		Priority:        corev1helpers.PodPriority(pod),
		Ours:            pod.Spec.SchedulerName == scheduler,
		Node:            pod.Spec.NodeName,
		Nominated:       pod.Status.NominatedNodeName,
		Pin:             pin,
		Deleting:        pod.DeletionTimestamp != nil,
		Gated:           len(pod.Spec.SchedulingGates) > 0,
		Terminal:        pod.Status.Phase == v1.PodSucceeded || pod.Status.Phase == v1.PodFailed,
		Started:         pod.Status.StartTime != nil,
		Demand:          demand,
		Labels:          PackLabels(pod.Labels),
		Needs:           ReadNeeds(pod),
		Liking:          Extra{}.readLiking(pod),
		Said:            readCondition(pod),
	}
	if f.Node != "" {
		f.Holds = heldAmounts(pod, demand.Requests)
		if f.Ours {
			f.Scheduled, f.Ready = since(pod, v1.PodScheduled), since(pod, v1.PodReady)
		}
	}
	return f
}

// since is the time since when a pod has a condition; zero if it has not.
func since(pod *v1.Pod, condition v1.PodConditionType) time.Time {
	for i := range pod.Status.Conditions {
		c := &pod.Status.Conditions[i]
		if c.Type == condition && c.Status == v1.ConditionTrue {
			return c.LastTransitionTime.Time
		}
	}
	return time.Time{}
}

// heldAmounts is what a bound pod holds: the larger of what its spec asks for and what its status says it was given, so that a resize under way
// is counted in full. It is nil when that equals the spec.
func heldAmounts(pod *v1.Pod, asked resource.Amounts) resource.Amounts {
	held, _ := resource.FromList(reqs.PodRequests(pod, reqs.PodResourcesOptions{
		UseStatusResources: true,
		InPlacePodLevelResourcesVerticalScalingEnabled: true,
	}))
	if held.Equal(asked) {
		return nil
	}
	if held == nil {
		return resource.Amounts{}
	}
	return held
}

func readCondition(pod *v1.Pod) Condition {
	for i := range pod.Status.Conditions {
		c := &pod.Status.Conditions[i]
		if c.Type == v1.PodScheduled && c.Status == v1.ConditionFalse {
			return Condition{Digest: Digest(c.Reason, c.Message, c.ObservedGeneration), Since: c.LastTransitionTime.Time}
		}
	}
	return Condition{}
}

// ReadNode makes the fact of a node. The node is not kept; its label map is shared with the fact.
func ReadNode(node *v1.Node) *NodeFact {
	f := &NodeFact{
		Name:            node.Name,
		UID:             node.UID,
		ResourceVersion: node.ResourceVersion,
		Labels:          node.Labels,
		Unschedulable:   node.Spec.Unschedulable,
		Features:        declaredFeatures(&node.Status),
	}
	for i := range node.Spec.Taints {
		switch node.Spec.Taints[i].Effect {
		case v1.TaintEffectNoSchedule, v1.TaintEffectNoExecute:
			f.Taints = append(f.Taints, node.Spec.Taints[i])
		case v1.TaintEffectPreferNoSchedule:
			f.SoftTaints = append(f.SoftTaints, node.Spec.Taints[i])
		}
	}
	f.Allocatable, f.Faults = resource.FromList(node.Status.Allocatable)
	return f
}
