package run

import (
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/sluice-scheduler/sluice/pkg/core"
	"github.com/sluice-scheduler/sluice/pkg/kube"
)

const (
	// topicApart is how long the next event of an object and reason waits after the one before. Of those that come meanwhile the newest is written.
	topicApart = 10 * time.Second
	// topicSame is how long the same event is not written again. API servers keep events for an hour.
	topicSame = 10 * time.Minute
)

// topicKey is an object and the reason for which it is spoken of.
type topicKey struct {
	uid                   types.UID
	kind, namespace, name string
	reason                string
}

// topic is what was last said of it, and what is about to be.
type topic struct {
	key  topicKey
	last core.AnnounceObject
	at   time.Time
	// next is on its way and may still be replaced; nil if nothing is.
	next *eventWrite
}

// addObjectEvent says something of an object, unless that was said just now.
func (o *Outbox) addObjectEvent(e core.AnnounceObject, now time.Time) {
	key := topicKey{e.Object.UID, e.Object.Kind, e.Object.Namespace, e.Object.Name, e.Reason}
	t := o.events.topics[key]
	if t == nil {
		t = &topic{key: key}
		o.events.topics[key] = t
	}
	switch {
	case t.next != nil:
		t.next.Notice = noticeOf(e, t.next.Notice)
	case t.last == e && now.Sub(t.at) < topicSame:
		return
	default:
		t.next = o.queueTopic(e, t, now)
	}
	t.last = e
}

// queueTopic queues the event when that of its topic before is old enough.
func (o *Outbox) queueTopic(e core.AnnounceObject, t *topic, now time.Time) *eventWrite {
	w := &eventWrite{topic: t}
	o.events.owed++
	enqueue := func(now time.Time) {
		o.events.serial++
		w.Notice.At, w.Notice.Serial = now, o.events.serial
		o.events.ready.push(w)
	}
	w.Notice = noticeOf(e, kube.Notice{})
	if due := t.at.Add(topicApart); now.Before(due) {
		o.later.add(due, func() { enqueue(due) })
	} else {
		enqueue(now)
	}
	return w
}

// leave notes that the event of a topic is sent as it is. A topic of which nothing more is said is forgotten.
func (o *Outbox) leave(w *eventWrite, now time.Time) {
	t := w.topic
	if t == nil {
		return
	}
	t.next, t.at, w.topic = nil, now, nil
	o.later.add(now.Add(topicSame), func() {
		if t.next == nil && t.at.Equal(now) {
			delete(o.events.topics, t.key)
		}
	})
}

// noticeOf puts an event about an object into a notice, which keeps when it was and its number.
func noticeOf(e core.AnnounceObject, n kube.Notice) kube.Notice {
	n.APIVersion, n.Kind = e.Object.APIVersion, e.Object.Kind
	n.Announce = core.Announce{
		Pod:  core.PodRef{UID: e.Object.UID, Namespace: e.Object.Namespace, Name: e.Object.Name},
		Type: e.Type, Reason: e.Reason, Action: e.Action, Note: e.Note,
	}
	return n
}
