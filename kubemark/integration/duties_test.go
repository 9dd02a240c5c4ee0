package integration

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sluice-scheduler/sluice/kubemark/simnode"
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// TestWhatIsWritten holds everything that Sluice writes about a pod that waits and one that is placed, field by field, and that it writes
// each thing once: not again when an attempt fails the same way, and not again after a restart.
func TestWhatIsWritten(t *testing.T) {
	s := newScene(t, "duties")
	fleet := s.simulate(simnode.Group{Count: 3, CPU: "4", Pods: 10}, simnode.Options{})
	o := s.observe(false)
	sluice := s.sluice(options{config: "retryAfter: 1s\nstatus: {countsEvery: 0s}\n"})
	sluice.awaitLeading()

	const message = "0/3 nodes are available: 3 Insufficient cpu."
	s.create(pod("waits", cpu("5")))
	o.awaitPods(1, "the pod says why it waits", waitsFor(corev1.PodReasonUnschedulable, message))
	waiting := o.all()["waits"]
	c := scheduled(waiting)
	require.Equal(s, waiting.Generation, c.ObservedGeneration)
	require.False(s, c.LastTransitionTime.IsZero())
	require.Empty(s, waiting.Status.NominatedNodeName)
	require.Equal(s, corev1.PodPending, waiting.Status.Phase)
	s.onlyEvent(waiting, corev1.EventTypeWarning, "FailedScheduling", "Scheduling", message)

	attempts := sluice.metric("scheduler_schedule_attempts_total", `result="unschedulable"`, `profile="sluice"`)
	for i, node := range fleet.Names() { // each change makes Sluice look at the node again
		patch := fmt.Sprintf(`{"metadata":{"labels":{"changed":"%d"}}}`, i)
		_, err := s.client.CoreV1().Nodes().Patch(s.ctx, node, types.MergePatchType, []byte(patch), metav1.PatchOptions{})
		require.NoError(s, err)
	}
	s.eventually("the pod is tried again", func() error {
		if again := sluice.metric("scheduler_schedule_attempts_total", `result="unschedulable"`); again <= attempts {
			return fmt.Errorf("%v attempts, as before", again)
		}
		return nil
	})
	require.NoError(s, sluice.Stop())
	require.NoError(s, sluice.Restart(s.ctx))
	sluice.awaitLeading()

	s.create(pod("placed", cpu("3"))) // is written later than anything about the other would have been
	o.awaitPods(2, "the other is placed", byName(map[string]func(*corev1.Pod) error{
		"waits": waitsFor(corev1.PodReasonUnschedulable, message),
	}))
	placed := o.all()["placed"]
	require.Empty(s, placed.Status.NominatedNodeName)
	require.Equal(s, corev1.ConditionTrue, scheduled(placed).Status)
	s.onlyEvent(placed, corev1.EventTypeNormal, "Scheduled", "Binding",
		fmt.Sprintf("Successfully assigned duties/placed to %s", placed.Spec.NodeName))
	s.onlyEvent(waiting, corev1.EventTypeWarning, "FailedScheduling", "Scheduling", message)
	require.Equal(s, waiting.ResourceVersion, o.all()["waits"].ResourceVersion, "the pod that waits was written again")
	require.Len(s, s.patches()["waits"], 1)
	require.Empty(s, s.patches()["placed"], "a pod that is placed at once needs no condition of ours")
	s.onlyTouches("waits", "PodScheduled")
	s.told(sluice, waiting, message, placed)
}

// told checks that the API tells of the two pods what their objects say.
func (s *scene) told(sluice *instance, waiting *corev1.Pod, message string, placed *corev1.Pod) {
	s.Helper()
	pod := sluice.ask("pods/" + s.name + "/waits")
	since, err := time.Parse(time.RFC3339, pod["since"].(string))
	require.NoError(s, err)
	require.WithinDuration(s, time.Now(), since, 2*patience)
	for key, want := range map[string]any{
		"leading": true, "uid": string(waiting.UID), "standing": "parked", "queue": "root.default", "reason": corev1.PodReasonUnschedulable,
		"message": message, "nodes": 3.0, "refusals": []any{map[string]any{"reason": "Insufficient cpu", "nodes": 3.0}},
	} {
		require.Equal(s, want, pod[key], key)
	}
	pod = sluice.ask("pods/" + s.name + "/placed")
	require.Equal(s, []any{"bound", placed.Spec.NodeName}, []any{pod["standing"], pod["node"]})
	queue := sluice.ask("queues/root.default")["queue"].(map[string]any)
	require.Equal(s, []any{1.0, 1.0}, []any{queue["pods"], queue["pendingPods"]})
	require.Equal(s, map[string]any{"weight": 1.0, "used": "3", "pending": "5", "fair": "8"}, queue["resources"].(map[string]any)["cpu"])
}

// onlyEvent checks that there is one event about the pod, and all its fields.
func (s *scene) onlyEvent(p *corev1.Pod, kind, reason, action, note string) {
	s.Helper()
	var about []eventsv1.Event
	s.eventually("there is an event about pod "+p.Name, func() error {
		all, err := s.client.EventsV1().Events(s.name).List(s.ctx, metav1.ListOptions{})
		if err != nil {
			return err
		}
		about = nil
		for _, e := range all.Items {
			if e.Regarding.UID == p.UID {
				about = append(about, e)
			}
		}
		if len(about) == 0 {
			return fmt.Errorf("there is none among %d", len(all.Items))
		}
		return nil
	})
	require.Len(s, about, 1, "events about pod %s", p.Name)
	e := about[0]
	require.Equal(s, []string{kind, reason, action, note}, []string{e.Type, e.Reason, e.Action, e.Note})
	require.Equal(s, "sluice", e.ReportingController)
	require.NotEmpty(s, e.ReportingInstance)
	require.Equal(s, corev1.ObjectReference{APIVersion: "v1", Kind: "Pod", Namespace: s.name, Name: p.Name, UID: p.UID}, e.Regarding)
	require.WithinDuration(s, time.Now(), e.EventTime.Time, 2*patience)
}

// onlyTouches checks that the patches of a pod's status name its UID, the one condition, and nothing else.
func (s *scene) onlyTouches(pod, condition string) {
	s.Helper()
	for _, e := range s.patches()[pod] {
		var patch struct {
			Metadata map[string]string
			Status   map[string]json.RawMessage
		}
		require.NoError(s, json.Unmarshal(e.RequestObject, &patch))
		require.Len(s, patch.Metadata, 1)
		require.NotEmpty(s, patch.Metadata["uid"])
		require.Len(s, patch.Status, 1, string(e.RequestObject))
		var conditions []corev1.PodCondition
		require.NoError(s, json.Unmarshal(patch.Status["conditions"], &conditions))
		require.Len(s, conditions, 1)
		require.EqualValues(s, condition, conditions[0].Type)
	}
}
