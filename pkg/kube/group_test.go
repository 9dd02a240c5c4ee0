package kube

import (
	"encoding/json"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	schedulingv1beta1 "k8s.io/api/scheduling/v1beta1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/sluice-scheduler/sluice/pkg/core"
	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
)

func groupRef(name string) cluster.ObjectRef {
	return cluster.ObjectRef{APIVersion: "scheduling.k8s.io/v1beta1", Kind: "PodGroup", Namespace: "default", Name: name, UID: "uid-g"}
}

// podGroup is one that says so.
func podGroup(conditions ...metav1.Condition) *schedulingv1beta1.PodGroup {
	return &schedulingv1beta1.PodGroup{
		ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "g", UID: "uid-g", ResourceVersion: "7"},
		Status:     schedulingv1beta1.PodGroupStatus{Conditions: conditions},
	}
}

func initially(status metav1.ConditionStatus, reason, message string) metav1.Condition {
	return metav1.Condition{
		Type: "PodGroupInitiallyScheduled", Status: status, Reason: reason, Message: message, ObservedGeneration: 2,
		LastTransitionTime: metav1.NewTime(time.Unix(1_800_000_000, 0)),
	}
}

const groupPath = "/apis/scheduling.k8s.io/v1beta1/namespaces/default/podgroups/g"

// groupServer has the given group and says yes to all patches.
func groupServer(t *testing.T, g *schedulingv1beta1.PodGroup) (*Client, func() []seen) {
	return serve(t, func(w http.ResponseWriter, _ *http.Request) { reply(w, 200, g) })
}

func TestAGroupThatIsScheduledIsToldWithoutLooking(t *testing.T) {
	c, saw := groupServer(t, podGroup())
	set := core.GroupStatus{Group: groupRef("g"), Scheduled: true, Message: "3 of 3", ObservedGeneration: 2}
	require.Equal(t, Answer{}, c.GroupStatus(within(t), set))
	require.Len(t, saw(), 1)
	r := saw()[0]
	require.Equal(t, "PATCH "+groupPath+"/status", r.method+" "+r.path)
	require.Equal(t, "application/strategic-merge-patch+json", r.contentType)
	var g schedulingv1beta1.PodGroup
	require.NoError(t, json.Unmarshal(r.body, &g), "it has the form of a PodGroup")
	require.EqualValues(t, "uid-g", g.UID)
	require.Empty(t, g.ResourceVersion)
	require.Len(t, g.Status.Conditions, 1)
	got := g.Status.Conditions[0]
	require.WithinDuration(t, time.Now(), got.LastTransitionTime.Time, time.Minute)
	got.LastTransitionTime = metav1.Time{}
	require.Equal(t, metav1.Condition{Type: "PodGroupInitiallyScheduled", Status: "True", Reason: "Scheduled", Message: "3 of 3", ObservedGeneration: 2}, got)
}

func TestAGroupThatIsNotScheduledIsReadBeforeItIsTold(t *testing.T) {
	set := core.GroupStatus{Group: groupRef("g"), Reason: core.ReasonUnschedulable, Message: "no room", ObservedGeneration: 2}
	for name, c := range map[string]struct {
		old     *schedulingv1beta1.PodGroup
		written bool
		verdict Verdict
		since   bool // the time of the old condition stays
	}{
		"nothing is said":        {old: podGroup(), written: true},
		"something else is said": {old: podGroup(initially("False", "SchedulerError", "no room")), written: true, since: true},
		"the same is said":       {old: podGroup(initially("False", "Unschedulable", "no room"))},
		"it is final":            {old: podGroup(initially("True", "Scheduled", "once"))},
		"another of its name": {old: func() *schedulingv1beta1.PodGroup {
			g := podGroup()
			g.UID = "uid-other"
			return g
		}(), verdict: Gone},
	} {
		t.Run(name, func(t *testing.T) {
			client, saw := groupServer(t, c.old)
			require.Equal(t, c.verdict, client.GroupStatus(within(t), set).Verdict)
			require.Equal(t, "GET "+groupPath, saw()[0].method+" "+saw()[0].path)
			if !c.written {
				require.Len(t, saw(), 1)
				return
			}
			require.Len(t, saw(), 2)
			var g schedulingv1beta1.PodGroup
			require.NoError(t, json.Unmarshal(saw()[1].body, &g))
			require.Equal(t, "7", g.ResourceVersion, "what somebody else writes meanwhile is not overwritten")
			got := g.Status.Conditions[0]
			require.Equal(t, []string{"False", "Unschedulable", "no room"}, []string{string(got.Status), got.Reason, got.Message})
			require.Equal(t, c.since, got.LastTransitionTime.Unix() == 1_800_000_000)
		})
	}
}

func TestMissingRightsToGroupsAreNoted(t *testing.T) {
	what := schema.GroupResource{Group: "scheduling.k8s.io", Resource: "podgroups"}
	allowed := false
	c, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if !allowed {
			status(apierrors.NewForbidden(what, "g", errors.New(`User "x" cannot patch resource "podgroups/status" in API group "scheduling.k8s.io"`)))(w, r)
			return
		}
		reply(w, 200, podGroup())
	})
	set := core.GroupStatus{Group: groupRef("g"), Scheduled: true}
	require.Equal(t, Refused, c.GroupStatus(within(t), set).Verdict)
	require.Equal(t, []string{"podgroups/status"}, c.MissingGroupRights())
	require.Empty(t, c.MissingRights())
	allowed = true
	require.Equal(t, Done, c.GroupStatus(within(t), set).Verdict)
	require.Empty(t, c.MissingGroupRights())
}
