package kube

import (
	"cmp"
	"context"
	"fmt"
	"hash/fnv"
	"strings"
	"unicode/utf8"

	v1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Limits of the API server's validation (k8s.io/kubernetes/pkg/apis/core/validation/events.go).
const (
	maxNote     = 1024
	maxInstance = 128
	maxName     = 253
)

// Reporter writes events in the name of one scheduler process.
type Reporter struct {
	client     *Client
	controller string
	instance   string
}

// Reporter returns a writer of events whose reportingController is controller, the schedulerName, and whose reportingInstance is
// instance, which is unique to this process.
func (c *Client) Reporter(controller, instance string) *Reporter {
	return &Reporter{client: c, controller: controller, instance: cut(instance, maxInstance, "")}
}

// Announce writes the event. If it is sent again because its answer was lost, it is still one event.
func (r *Reporter) Announce(ctx context.Context, n Notice) Answer {
	err := r.client.teller.post(ctx, to{namespace: n.Pod.Namespace, resource: "events"}, r.event(n))
	if apierrors.IsAlreadyExists(err) {
		return Answer{}
	}
	return answerOf(err)
}

func (r *Reporter) event(n Notice) *eventsv1.Event {
	return &eventsv1.Event{
		ObjectMeta:          metav1.ObjectMeta{Namespace: n.Pod.Namespace, Name: r.name(n)},
		EventTime:           metav1.NewMicroTime(n.At),
		ReportingController: r.controller,
		ReportingInstance:   r.instance,
		Action:              n.Action,
		Reason:              n.Reason,
		Type:                n.Type,
		Note:                cut(n.Note, maxNote, " ..."),
		Regarding: v1.ObjectReference{
			APIVersion: cmp.Or(n.APIVersion, "v1"), Kind: cmp.Or(n.Kind, "Pod"), Namespace: n.Pod.Namespace, Name: n.Pod.Name, UID: n.Pod.UID,
		},
	}
}

// name is the pod's name and a number that depends on nothing but the notice and who reports it.
func (r *Reporter) name(n Notice) string {
	h := fnv.New64a()
	fmt.Fprintf(h, "%q %q %d %d", r.instance, n.Pod.UID, n.At.UnixNano(), n.Serial)
	base := strings.TrimRight(cut(n.Pod.Name, maxName-17, ""), "-.")
	return fmt.Sprintf("%s.%016x", base, h.Sum64())
}

// cut shortens s to at most limit bytes, the last of which are end if it had to. It does not cut through a character.
func cut(s string, limit int, end string) string {
	if len(s) <= limit {
		return s
	}
	n := limit - len(end)
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n] + end
}
