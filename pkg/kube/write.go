package kube

import (
	"context"
	"encoding/json"
	"time"

	v1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/sluice-scheduler/sluice/pkg/core"
)

// Bind binds the pod to the node, provided that it still is the pod with that UID. The API server refuses with 409 if the pod is bound
// already, being deleted, gated or another one of the same name.
func (c *Client) Bind(ctx context.Context, b core.Bind) Answer {
	body := &v1.Binding{
		ObjectMeta: metav1.ObjectMeta{Namespace: b.Pod.Namespace, Name: b.Pod.Name, UID: b.Pod.UID},
		Target:     v1.ObjectReference{Kind: "Node", Name: b.Node},
	}
	return answerOf(c.binder.post(ctx, to{b.Pod.Namespace, "pods", b.Pod.Name, "binding"}, body))
}

// Sight is what a fresh read of a pod shows.
type Sight struct {
	// Exists: there is a pod of that name and it has that UID. If not, the rest is empty.
	Exists bool
	// Node is spec.nodeName; empty while unbound.
	Node string
	// Deleting: deletionTimestamp is set.
	Deleting bool
	// Failed is status.reason of a pod that has failed, else empty.
	Failed string
}

// Look reads the pod from the store itself, not from a cache that may lag behind.
func (c *Client) Look(ctx context.Context, p core.PodRef) (Sight, Answer) {
	pod := &v1.Pod{}
	err := c.core.RESTClient().Get().MaxRetries(0).
		Namespace(p.Namespace).Resource("pods").Name(p.Name).
		Do(ctx).Into(pod)
	switch {
	case apierrors.IsNotFound(err), err == nil && pod.UID != p.UID:
		return Sight{}, Answer{}
	case err != nil:
		return Sight{}, answerOf(err)
	}
	s := Sight{Exists: true, Node: pod.Spec.NodeName, Deleting: pod.DeletionTimestamp != nil}
	if pod.Status.Phase == v1.PodFailed {
		s.Failed = pod.Status.Reason
	}
	return s, Answer{}
}

// statusPatch is the strategic-merge patch of a pod's status. The conditions merge by their type.
type statusPatch struct {
	Metadata struct {
		UID types.UID `json:"uid"`
	} `json:"metadata"`
	Status struct {
		Conditions []condition `json:"conditions"`
		// NominatedNodeName is left as it is if nil.
		NominatedNodeName *string `json:"nominatedNodeName,omitempty"`
	} `json:"status"`
}

// condition is v1.PodCondition without lastProbeTime, which a patch should leave alone.
type condition struct {
	Type               v1.PodConditionType `json:"type"`
	Status             v1.ConditionStatus  `json:"status"`
	ObservedGeneration int64               `json:"observedGeneration,omitempty"`
	LastTransitionTime metav1.Time         `json:"lastTransitionTime"`
	Reason             string              `json:"reason"`
	Message            string              `json:"message"`
}

// Condition sets the pod's PodScheduled condition to False, and nominates it if that is asked for, provided that it still is the pod with that UID.
func (c *Client) Condition(ctx context.Context, set core.Condition) Answer {
	var p statusPatch
	p.Metadata.UID = set.Pod.UID
	p.Status.Conditions = []condition{{
		Type:               v1.PodScheduled,
		Status:             v1.ConditionFalse,
		ObservedGeneration: set.ObservedGeneration,
		LastTransitionTime: metav1.NewTime(set.Since),
		Reason:             set.Reason,
		Message:            set.Message,
	}}
	if set.Nominates {
		p.Status.NominatedNodeName = &set.Nominated
	}
	body, err := json.Marshal(p)
	if err != nil {
		return Answer{Verdict: Refused, Err: err}
	}
	err = c.core.RESTClient().Patch(types.StrategicMergePatchType).MaxRetries(0).
		Namespace(set.Pod.Namespace).Resource("pods").Name(set.Pod.Name).SubResource("status").
		Body(body).Do(ctx).Error()
	return answerOf(err)
}

// Notice is an event to be written: what to announce, and what makes it one event however often it is sent.
type Notice struct {
	core.Announce
	// APIVersion and Kind are those of the object that it is about, which the announcement names as its pod; empty means a pod.
	APIVersion, Kind string
	// At is when it happened.
	At time.Time
	// Serial tells apart the notices of one Reporter.
	Serial uint64
}
