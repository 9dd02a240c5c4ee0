package run

import (
	"context"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/sluice-scheduler/sluice/pkg/core"
	"github.com/sluice-scheduler/sluice/pkg/kube"
)

// doubtFor is for how long a bind whose answer was lost may still be carried out by the server: its default limit on a request
// (--request-timeout). A refusal within that time says nothing about the earlier try.
const doubtFor = time.Minute

// bind is one Bind on its way to its BindDone. It is always for the same node, whatever happens, so that no answer that comes late can
// bind the pod to two.
//
//	           ┌───────── Busy: gate ─────────┐
//	           v                              │
//	waiting ──> queued ── POST in flight ─────┴─ Done ─────────────────────────────> Bound
//	for its       │  ^         │      └── Refused, Gone, nothing in doubt ──────────> Refused
//	condition     │  │         │ Unknown (in doubt from now on), Conflict, or refused while in doubt
//	              │  │         v
//	            Recall │      GET ── on our node ─────────────────────────────────────> Bound
//	              │  │         │├── gone, another UID, elsewhere, being deleted ──────> Refused
//	              v  │         │├── unbound, was refused, nothing in doubt any more ──> Refused
//	          Recalled └───────┘└── unbound, was refused, in doubt: GET again later
//	                   unbound, not refused
type bind struct {
	core.Bind
	accepted time.Time
	// look: the next request is a GET.
	look bool
	// sent: a POST is in flight, or one may have been carried out. Such a bind cannot be recalled.
	sent bool
	// doubted is when a POST was last found to have been lost; zero if none was.
	doubted time.Time
	// refusal is the definite answer to the last POST.
	refusal  error
	failures int
	// answered: its BindDone has been given; where it still stands in a queue it is passed over.
	answered bool
}

type binds struct {
	ready queue[*bind]
	all   map[types.UID]*bind // owed a BindDone
	last  time.Time           // when one came or was answered
}

func (o *Outbox) addBind(e core.Bind, now time.Time) {
	b := &bind{Bind: e, accepted: now}
	if o.binds.all[e.Pod.UID] != nil {
		panic(fmt.Sprintf("second bind of pod %s/%s before the first was answered", e.Pod.Namespace, e.Pod.Name))
	}
	o.binds.all[e.Pod.UID] = b
	o.binds.last = now
	if !o.holdForCondition(b) {
		o.binds.ready.push(b)
	}
}

// recall answers a bind that no server has seen.
func (o *Outbox) recall(uid types.UID) {
	if b := o.binds.all[uid]; b != nil && !b.sent && b.doubted.IsZero() {
		o.answer(b, core.Recalled, "")
	}
}

// sendBind sends the next bind, or the read that decides one.
func (o *Outbox) sendBind(now time.Time) {
	b := o.binds.ready.pop()
	if b.answered {
		return
	}
	o.inFlight++
	o.limit.used(o.inFlight)
	o.conditions.passed++
	if b.look {
		o.sendLook(b)
		return
	}
	b.sent = true
	o.send(kindBind, func(ctx context.Context) kube.Answer { return o.cfg.Binder.Bind(ctx, b.Bind) },
		func(now time.Time, a kube.Answer, took time.Duration) {
			o.inFlight--
			o.judge(now, a, took)
			o.settleBind(b, now, a)
		})
}

// judge lets the limit learn from an answer.
func (o *Outbox) judge(now time.Time, a kube.Answer, took time.Duration) {
	switch {
	case a.Verdict == kube.Unknown, a.Verdict == kube.Busy && a.After > 0:
		o.limit.overloaded()
	case a.Verdict != kube.Busy:
		o.limit.answered(now, took)
	}
}

func (o *Outbox) settleBind(b *bind, now time.Time, a kube.Answer) {
	switch a.Verdict {
	case kube.Done:
		o.answer(b, core.Bound, "")
	case kube.Busy:
		b.sent = false
		o.binds.ready.unpop(b)
	case kube.Unknown:
		b.doubted, b.refusal = now, nil
		o.lookLater(b, now)
	default:
		b.refusal = a.Err
		if a.Verdict != kube.Conflict && !b.inDoubt(now) {
			o.answer(b, core.Refused, message(a.Err))
			return
		}
		b.look = true
		o.binds.ready.unpop(b)
	}
}

func (b *bind) inDoubt(now time.Time) bool {
	return !b.doubted.IsZero() && now.Sub(b.doubted) < doubtFor
}

func (o *Outbox) lookLater(b *bind, now time.Time) {
	b.failures++
	b.look = true
	o.log.Debug("it is not known whether a bind was carried out; asking", "pod", name(b.Pod), "node", b.Node, "failures", b.failures)
	o.later.add(now.Add(backoff(b.failures)), func() { o.binds.ready.unpop(b) })
}

func (o *Outbox) sendLook(b *bind) {
	var sight kube.Sight
	o.send(kindLook, func(ctx context.Context) (a kube.Answer) {
		sight, a = o.cfg.Binder.Look(ctx, b.Pod)
		return a
	}, func(now time.Time, a kube.Answer, _ time.Duration) {
		o.inFlight--
		switch a.Verdict {
		case kube.Done:
			o.settleLook(b, now, sight)
		case kube.Busy:
			o.binds.ready.unpop(b)
		default:
			o.lookLater(b, now)
		}
	})
}

func (o *Outbox) settleLook(b *bind, now time.Time, s kube.Sight) {
	switch {
	case !s.Exists:
		o.answer(b, core.Refused, "the pod is gone")
	case s.Node == b.Node:
		o.answer(b, core.Bound, "")
	case s.Node != "":
		o.answer(b, core.Refused, "the pod has been bound to node "+s.Node+" by somebody else")
	case s.Deleting:
		o.answer(b, core.Refused, "the pod is being deleted")
	case b.refusal == nil:
		b.look = false
		o.binds.ready.unpop(b)
	case b.inDoubt(now):
		o.lookLater(b, now)
	default:
		o.answer(b, core.Refused, message(b.refusal))
	}
}

// answer gives the BindDone.
func (o *Outbox) answer(b *bind, outcome core.Outcome, message string) {
	b.answered = true
	o.binds.last = time.Now()
	delete(o.binds.all, b.Pod.UID)
	switch outcome {
	case core.Bound:
		o.cfg.Metrics.bound(time.Since(b.accepted), time.Since(b.Created))
		o.log.Debug("bound", "pod", name(b.Pod), "node", b.Node)
	case core.Refused:
		o.log.Info("bind refused", "pod", name(b.Pod), "node", b.Node, "why", message)
	case core.Recalled:
		o.log.Debug("bind recalled", "pod", name(b.Pod), "node", b.Node)
	}
	o.releaseCondition(b.Pod.UID, outcome == core.Bound)
	o.cfg.Answers.Put(core.BindDone{UID: b.Pod.UID, Node: b.Node, Outcome: outcome, Message: message})
}

func message(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func name(p core.PodRef) string { return p.Namespace + "/" + p.Name }
