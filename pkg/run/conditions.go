package run

import (
	"context"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/sluice-scheduler/sluice/pkg/core"
	"github.com/sluice-scheduler/sluice/pkg/kube"
)

// Shares of the writes that conditions get while binds are waiting too: one after so many binds.
const (
	conditionAfter = 9
	// Once the first condition in turn has waited for overdue, every second write is one: people and autoscalers are to
	// read within 10 s why a pod waits.
	conditionAfterOverdue = 1
	overdue               = 4 * time.Second
)

// conditionWrite is the newest condition of one pod on its way out. An older one that has not been written is forgotten.
//
//	queued ── in flight ──┬── Done, or refused ──> written, or dropped
//	  ^  │        ^       ├── a newer one came meanwhile ──> queued
//	  │  │        │       ├── Busy: gate ──> queued
//	  │  │ Bind   │       └── Unknown ──> waits ──> queued
//	  │  v        └─ a Bind that comes now waits for the end
//	  │ dropped
//	held: its Bind is not answered ── Bound ──> dropped, else ──> queued
type conditionWrite struct {
	newest   core.Condition
	queued   time.Time
	waiting  bool // stands in the queue
	flying   bool
	changed  bool // a newer one came while it was in flight
	held     bool
	dropped  bool
	bind     *bind // waits until it is no longer in flight
	failures int
}

type conditions struct {
	ready queue[*conditionWrite]
	all   map[types.UID]*conditionWrite
	// passed is how many binds were sent since the last condition.
	passed int
}

func (o *Outbox) addCondition(e core.Condition, now time.Time) {
	w := o.conditions.all[e.Pod.UID]
	if w == nil {
		w = &conditionWrite{queued: now, held: o.binds.all[e.Pod.UID] != nil}
		o.conditions.all[e.Pod.UID] = w
		if !w.held {
			o.conditions.enqueue(w)
		}
	}
	if old := w.newest; !e.Nominates && old.Nominates { // it may not have been written
		e.Nominates, e.Nominated = true, old.Nominated
	}
	w.newest, w.changed = e, w.flying
}

func (c *conditions) enqueue(w *conditionWrite) {
	w.waiting = true
	c.ready.push(w)
}

// holdForCondition makes way for a bind: the pod's condition is dropped, unless it is in flight; then the bind waits for its end, for
// else the condition might be written after the bind.
func (o *Outbox) holdForCondition(b *bind) bool {
	w := o.conditions.all[b.Pod.UID]
	switch {
	case w == nil:
		return false
	case w.flying:
		w.bind = b
		return true
	}
	o.dropCondition(w)
	return false
}

func (o *Outbox) dropCondition(w *conditionWrite) {
	w.dropped = true
	delete(o.conditions.all, w.newest.Pod.UID)
	o.cfg.Metrics.moot.Inc()
}

// releaseCondition decides what becomes of a condition that came while the pod's bind was under way.
func (o *Outbox) releaseCondition(uid types.UID, bound bool) {
	w := o.conditions.all[uid]
	switch {
	case w == nil || w.flying:
		return
	case bound:
		o.dropCondition(w)
	case w.held:
		w.held = false
		o.conditions.enqueue(w)
	}
}

// turn reports whether a condition goes next.
func (c *conditions) turn(now time.Time, bindsWait bool) bool {
	for !c.ready.empty() && c.ready.peek().dropped {
		c.ready.pop()
	}
	if c.ready.empty() {
		return false
	}
	return !bindsWait || c.passed >= shareFor(now, c.ready.peek().queued)
}

// shareFor is after how many binds something goes that people are to read, and that has been queued since then.
func shareFor(now, queued time.Time) int {
	if now.Sub(queued) > overdue {
		return conditionAfterOverdue
	}
	return conditionAfter
}

func (o *Outbox) sendCondition(time.Time) {
	w := o.conditions.ready.pop()
	o.conditions.passed = 0
	w.waiting, w.flying, w.changed = false, true, false
	o.inFlight++
	o.limit.used(o.inFlight)
	set := w.newest
	o.send(kindCondition, func(ctx context.Context) kube.Answer { return o.cfg.Teller.Condition(ctx, set) },
		func(now time.Time, a kube.Answer, _ time.Duration) {
			o.inFlight--
			w.flying = false
			o.settleCondition(w, now, a)
		})
}

func (o *Outbox) settleCondition(w *conditionWrite, now time.Time, a kube.Answer) {
	if b := w.bind; b != nil {
		w.bind = nil
		if !b.answered { // it may have been recalled
			o.yieldToBind(w, b)
			return
		}
	}
	switch {
	case a.Verdict == kube.Busy:
		w.waiting = true
		o.conditions.ready.unpop(w)
	case a.Verdict == kube.Unknown:
		w.failures++
		o.later.add(now.Add(backoff(w.failures)), func() {
			if !w.dropped && !w.held && !w.waiting {
				o.conditions.enqueue(w)
			}
		})
	case w.changed && a.Verdict != kube.Gone:
		w.queued = now
		o.conditions.enqueue(w)
	default:
		if a.Verdict != kube.Done {
			o.log.Info("a pod's condition was refused", "pod", name(w.newest.Pod), "error", a.Err)
		}
		delete(o.conditions.all, w.newest.Pod.UID)
	}
}

// yieldToBind lets the bind go that waited for the condition to end. A newer condition that came meanwhile is held until the bind is
// answered.
func (o *Outbox) yieldToBind(w *conditionWrite, b *bind) {
	if w.changed {
		w.held = true
	} else {
		delete(o.conditions.all, w.newest.Pod.UID)
	}
	o.binds.ready.push(b)
}
