package run

import (
	"context"
	"time"

	"github.com/sluice-scheduler/sluice/pkg/kube"
)

// Events trail the binds: while pods are being bound, the time of the API server goes to binds and to those who create pods.
const (
	// eventsRest is how long no bind must have been under way before events are sent. Pods that arrive one by one in short order count as one go.
	eventsRest = 100 * time.Millisecond
	// eventsOverdue is when an event no longer waits for such a rest, only for its turn. It bounds how far events trail while pods keep arriving.
	eventsOverdue = 10 * time.Second
)

// refusedTries is how often an event is sent that is refused for a reason that may pass, as rights that are not loaded yet.
const refusedTries = 8

// eventWrite is one event on its way out.
//
//	queued ── in flight ──┬── Done ──> written
//	  ^                   ├── Gone: there is nowhere to write it ──> dropped
//	  │                   ├── Refused, 8 times ──> dropped
//	  └── after a wait ───┴── else
type eventWrite struct {
	kube.Notice
	failures int
	// topic is that of an event about an object, until it is sent.
	topic *topic
}

type events struct {
	ready    queue[*eventWrite]
	owed     int // queued, waiting or in flight
	inFlight int
	serial   uint64
	topics   map[topicKey]*topic
}

func (o *Outbox) addEvent(n kube.Notice, now time.Time) {
	o.events.serial++
	o.events.owed++
	n.At, n.Serial = now, o.events.serial
	o.events.ready.push(&eventWrite{Notice: n})
}

// eventsDue is when the first event in turn may be sent, unless something happens before. There must be one.
func (o *Outbox) eventsDue() time.Time {
	overdue := o.events.ready.peek().At.Add(eventsOverdue)
	if rested := o.binds.last.Add(eventsRest); len(o.binds.all) == 0 && rested.Before(overdue) {
		return rested
	}
	return overdue
}

// dispatchEvents sends the events that are due as long as there is room for them. It is called when there is nothing else to send.
func (o *Outbox) dispatchEvents(now time.Time) {
	for o.events.inFlight < o.cfg.EventsInFlight && !o.events.ready.empty() && !o.eventsDue().After(now) {
		w := o.events.ready.pop()
		o.leave(w, now)
		o.events.inFlight++
		o.send(kindEvent, func(ctx context.Context) kube.Answer { return o.cfg.Teller.Announce(ctx, w.Notice) },
			func(now time.Time, a kube.Answer, _ time.Duration) {
				o.events.inFlight--
				o.settleEvent(w, now, a)
			})
	}
}

func (o *Outbox) settleEvent(w *eventWrite, now time.Time, a kube.Answer) {
	switch {
	case a.Verdict == kube.Done:
		o.events.owed--
		return
	case a.Verdict == kube.Busy:
		o.events.ready.unpop(w)
		return
	}
	w.failures++
	if a.Verdict == kube.Gone || a.Verdict != kube.Unknown && w.failures >= refusedTries {
		o.events.owed--
		o.cfg.Metrics.eventsDropped.Inc()
		o.log.Debug("an event cannot be written", "object", name(w.Pod), "reason", w.Reason, "error", a.Err)
		return
	}
	o.cfg.Metrics.eventsRetried.Inc()
	o.later.add(now.Add(backoff(w.failures)), func() { o.events.ready.push(w) })
}
