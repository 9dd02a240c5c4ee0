package kube

import (
	"context"
	"encoding/json"
	"time"

	schedulingv1beta1 "k8s.io/api/scheduling/v1beta1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"

	"github.com/sluice-scheduler/sluice/pkg/core"
)

// podGroups are the resource of groups that the API itself knows.
const podGroups = "podgroups"

// GroupStatus sets the condition PodGroupInitiallyScheduled of a PodGroup, provided that it still is the one with that UID. True is final and is
// written without looking. What would make it False is written under the version that was read, and not at all where it is True or says the same.
func (c *Client) GroupStatus(ctx context.Context, set core.GroupStatus) Answer {
	want := metav1.Condition{
		Type: schedulingv1beta1.PodGroupInitiallyScheduled, Status: metav1.ConditionTrue, Reason: core.ReasonScheduled, Message: set.Message,
		ObservedGeneration: set.ObservedGeneration, LastTransitionTime: metav1.NewTime(time.Now()),
	}
	if set.Scheduled {
		return c.patchGroup(ctx, set, map[string]any{"uid": set.Group.UID}, want)
	}
	want.Status, want.Reason = metav1.ConditionFalse, set.Reason
	found := &schedulingv1beta1.PodGroup{}
	if err := c.groupRights.heed(podGroups, false, c.at(c.core.RESTClient().Get(), set, "").Do(ctx).Into(found)); err != nil {
		return answerOf(err)
	}
	if found.UID != set.Group.UID {
		return Answer{Verdict: Gone, Err: contradiction("PodGroup " + set.Group.Namespace + "/" + set.Group.Name + " has been replaced")}
	}
	if old := meta.FindStatusCondition(found.Status.Conditions, want.Type); old != nil {
		if old.Status == metav1.ConditionTrue {
			return Answer{}
		}
		if old.Status == want.Status {
			want.LastTransitionTime = old.LastTransitionTime
		}
		if *old == want {
			return Answer{}
		}
	}
	return c.patchGroup(ctx, set, unchanged(set.Group.UID, found.ResourceVersion), want)
}

// at addresses a PodGroup, or a part of it.
func (c *Client) at(r *rest.Request, set core.GroupStatus, part string) *rest.Request {
	return r.MaxRetries(0).AbsPath("/apis", set.Group.APIVersion).Namespace(set.Group.Namespace).Resource(podGroups).Name(set.Group.Name).SubResource(part)
}

// patchGroup sets the condition; others stay, for they merge by their type.
func (c *Client) patchGroup(ctx context.Context, set core.GroupStatus, metadata map[string]any, want metav1.Condition) Answer {
	body, err := json.Marshal(map[string]any{"metadata": metadata, "status": map[string]any{"conditions": []metav1.Condition{want}}})
	if err != nil {
		return Answer{Verdict: Refused, Err: err}
	}
	err = c.at(c.core.RESTClient().Patch(types.StrategicMergePatchType), set, "status").Body(body).Do(ctx).Error()
	return answerOf(c.groupRights.heed(podGroups+"/status", true, err))
}

// MissingGroupRights names the resources of PodGroups that GroupStatus was not allowed to read or to patch when it last tried.
func (c *Client) MissingGroupRights() []string { return c.groupRights.list() }
