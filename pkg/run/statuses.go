package run

import (
	"context"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/sluice-scheduler/sluice/pkg/core"
	"github.com/sluice-scheduler/sluice/pkg/kube"
)

// statusWrite is the newest status of one PodGroup on its way out. An older one that has not been written is forgotten, unless it was the final one.
//
//	queued ── in flight ──┬── Done ──> written, or queued if a newer one came meanwhile
//	  ^                   ├── Gone, or refused or in conflict 8 times ──> dropped
//	  └── after a wait ───┴── else; at once if Busy
type statusWrite struct {
	newest core.GroupStatus
	queued time.Time
	// waiting: it stands in the queue, or will later. flying: it is in flight, and changed if a newer one came meanwhile.
	waiting, flying, changed bool
	failures                 int
}

type statuses struct {
	ready queue[*statusWrite]
	all   map[types.UID]*statusWrite
}

func (o *Outbox) addStatus(e core.GroupStatus, now time.Time) {
	w := o.statuses.all[e.Group.UID]
	if w == nil {
		w = &statusWrite{newest: e, queued: now}
		o.statuses.all[e.Group.UID] = w
		o.statuses.enqueue(w)
		return
	}
	if w.newest.Scheduled && !e.Scheduled {
		return
	}
	w.newest, w.changed = e, w.flying
}

func (s *statuses) enqueue(w *statusWrite) {
	w.waiting = true
	s.ready.push(w)
}

// statusTurn reports whether a status goes next. They share what conditions get: who was queued first goes first.
func (o *Outbox) statusTurn(now time.Time, bindsWait bool) bool {
	if o.statuses.ready.empty() {
		return false
	}
	queued := o.statuses.ready.peek().queued
	if c := o.conditions.ready; !c.empty() && c.peek().queued.Before(queued) {
		return false
	}
	return !bindsWait || o.conditions.passed >= shareFor(now, queued)
}

func (o *Outbox) sendStatus() {
	w := o.statuses.ready.pop()
	o.conditions.passed = 0
	w.waiting, w.flying, w.changed = false, true, false
	o.inFlight++
	o.limit.used(o.inFlight)
	set := w.newest
	o.send(kindGroup, func(ctx context.Context) kube.Answer { return o.cfg.Teller.GroupStatus(ctx, set) },
		func(now time.Time, a kube.Answer, _ time.Duration) {
			o.inFlight--
			w.flying = false
			o.settleStatus(w, now, a)
		})
}

func (o *Outbox) settleStatus(w *statusWrite, now time.Time, a kube.Answer) {
	if a.Verdict != kube.Done {
		w.failures++
	}
	switch {
	case a.Verdict == kube.Busy:
		w.failures--
		w.waiting = true
		o.statuses.ready.unpop(w)
	case a.Verdict == kube.Done && w.changed:
		w.queued, w.failures = now, 0
		o.statuses.enqueue(w)
	case a.Verdict == kube.Done:
		delete(o.statuses.all, w.newest.Group.UID)
	case a.Verdict == kube.Gone, a.Verdict != kube.Unknown && w.failures >= refusedTries:
		o.log.Info("the status of a PodGroup cannot be written", "group", w.newest.Group.Namespace+"/"+w.newest.Group.Name, "error", a.Err)
		delete(o.statuses.all, w.newest.Group.UID)
	default:
		w.waiting = true
		o.later.add(now.Add(backoff(w.failures)), func() { o.statuses.ready.push(w) })
	}
}
