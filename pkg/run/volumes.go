package run

import (
	"context"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/sluice-scheduler/sluice/pkg/core"
	"github.com/sluice-scheduler/sluice/pkg/kube"
)

// prepareFor is for how long a preparation is tried that is not refused for good. By then the core has other plans, or will have them soon.
const prepareFor = 2 * time.Minute

// preparation is one PrepareVolumes on its way to its VolumesDone. Every try does what has not been done yet, so one whose answer was lost is made again.
//
//	queued ── in flight ── Done ─────────────────────────────────────────────> stored
//	  ^           │  │ └── Refused, Gone ──────────────────────────────────────> not stored
//	  │  Busy     │  │ Conflict, Unknown: it was changed meanwhile, or is not known
//	  └───────────┘  └── later ── tried for too long ────────────────────────────> not stored
//
// Of one pod only one is under way. A newer one takes the place of an older that waits; if that is in flight it follows when that is back, which is answered
// to nobody then. One that is recalled is answered at once if it waits; if it is in flight, when that is back, however it went.
type preparation struct {
	newest   core.PrepareVolumes
	accepted time.Time
	failures int
	// waiting: it is queued, or will be later. flying: it is in flight.
	waiting, flying bool
	// recalled: it is not to be made any more; where it still stands in a queue it is passed over.
	recalled bool
}

// recalled is why a preparation was not made that had been asked back in time.
const recalled = "recalled"

type preparations struct {
	ready queue[*preparation]
	all   map[types.UID]*preparation
	// passed: a preparation has been sent since the last bind.
	passed bool
}

// turn reports whether a preparation is to be sent next; with binds to send they take turns.
func (p *preparations) turn(binds bool) bool {
	if p.ready.empty() {
		return false
	}
	p.passed = !p.passed
	return !binds || p.passed
}

func (o *Outbox) addPreparation(e core.PrepareVolumes, now time.Time) {
	p := o.volumes.all[e.Pod.UID]
	if p == nil {
		p = &preparation{}
		o.volumes.all[e.Pod.UID] = p
	}
	p.newest, p.accepted, p.failures, p.recalled = e, now, 0, false
	if !p.waiting && !p.flying {
		o.queuePreparation(p)
	}
}

// recallPreparation sees to it that nothing more is written for a pod's claims than is on its way.
func (o *Outbox) recallPreparation(uid types.UID) {
	p := o.volumes.all[uid]
	if p == nil {
		return
	}
	p.recalled = true
	if p.waiting {
		o.prepared(p, core.VolumesDone{Message: recalled})
	}
}

func (o *Outbox) queuePreparation(p *preparation) {
	p.waiting = true
	o.volumes.ready.push(p)
}

func (o *Outbox) sendPreparation() {
	p := o.volumes.ready.pop()
	if p.recalled {
		return
	}
	o.inFlight++
	o.limit.used(o.inFlight)
	o.conditions.passed++
	p.waiting, p.flying = false, true
	sent := p.newest
	var versions []string
	o.send(kindVolumes, func(ctx context.Context) (a kube.Answer) {
		versions, a = o.cfg.Preparer.Prepare(ctx, sent)
		return a
	}, func(now time.Time, a kube.Answer, took time.Duration) {
		o.inFlight--
		p.flying = false
		o.judge(now, a, took)
		switch {
		case p.newest.Serial == sent.Serial:
			o.settlePreparation(p, now, a, versions)
		case p.recalled:
			o.prepared(p, core.VolumesDone{Message: recalled})
		default:
			o.queuePreparation(p)
		}
	})
}

func (o *Outbox) settlePreparation(p *preparation, now time.Time, a kube.Answer, versions []string) {
	switch {
	case a.Verdict == kube.Done:
		o.prepared(p, core.VolumesDone{Stored: true, Versions: versions})
	case p.recalled:
		o.prepared(p, core.VolumesDone{Message: message(a.Err)})
	case a.Verdict == kube.Busy:
		p.waiting = true
		o.volumes.ready.unpop(p)
	case a.Verdict != kube.Conflict && a.Verdict != kube.Unknown:
		o.prepared(p, core.VolumesDone{Message: message(a.Err)})
	case now.Sub(p.accepted) > prepareFor:
		o.prepared(p, core.VolumesDone{Message: fmt.Sprintf("tried %d times: %s", p.failures+1, message(a.Err))})
	default:
		p.failures++
		p.waiting = true
		o.later.add(now.Add(backoff(p.failures)), func() { o.volumes.ready.push(p) })
	}
}

// prepared gives the VolumesDone.
func (o *Outbox) prepared(p *preparation, done core.VolumesDone) {
	e := p.newest
	delete(o.volumes.all, e.Pod.UID)
	done.UID, done.Serial = e.Pod.UID, e.Serial
	switch {
	case done.Stored:
		o.log.Debug("volumes are being prepared", "pod", name(e.Pod), "node", e.Node, "bindings", len(e.Bindings), "provisions", len(e.Provisions))
	case p.recalled:
		o.log.Debug("preparation of volumes recalled", "pod", name(e.Pod), "node", e.Node)
	default:
		o.log.Info("volumes could not be prepared", "pod", name(e.Pod), "node", e.Node, "why", done.Message)
	}
	o.cfg.Answers.Put(done)
}
