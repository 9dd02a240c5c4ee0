package run

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/sluice-scheduler/sluice/pkg/core"
	"github.com/sluice-scheduler/sluice/pkg/kube"
)

// Binder binds pods and reads how a bind ended.
type Binder interface {
	Bind(context.Context, core.Bind) kube.Answer
	Look(context.Context, core.PodRef) (kube.Sight, kube.Answer)
}

// Preparer does what is to be done for a pod's volume claims. It returns the versions at which that is stored. To ask again does no harm.
type Preparer interface {
	Prepare(context.Context, core.PrepareVolumes) (versions []string, a kube.Answer)
}

// Teller writes why pods wait and what has become of them.
type Teller interface {
	Condition(context.Context, core.Condition) kube.Answer
	GroupStatus(context.Context, core.GroupStatus) kube.Answer
	Announce(context.Context, kube.Notice) kube.Answer
}

// OutboxConfig says how to write. All fields are required.
type OutboxConfig struct {
	Binder   Binder
	Preparer Preparer
	Teller   Teller
	// Answers takes the BindDones and VolumesDones.
	Answers kube.Sink
	// MinInFlight and MaxInFlight bound the binds, preparations of volumes and condition writes in flight.
	MinInFlight, MaxInFlight int
	// EventsInFlight is how many event writes may be in flight beside them.
	EventsInFlight int
	// Timeout bounds each request.
	Timeout time.Duration
	Metrics *Metrics
	Log     *slog.Logger
}

// Outbox carries out effects. Put hands them over; Run does the work. What is sent next is chosen in this order, while the gate is
// open and there is room in flight:
//
//  1. binds, in the order in which they were decided, and reads of binds whose answer was lost; preparations of volumes, in turn with them
//  2. conditions of pods and the status of groups: when there is no bind to send, and else one for every nine binds (one for every bind once they have waited
//     too long)
//  3. events: when there is nothing else to send and no bind has been under way for a moment, or when they have waited for long; within a
//     limit of their own
type Outbox struct {
	cfg  OutboxConfig
	log  *slog.Logger
	mail mail
	// writers make the requests.
	writers *writers

	// All below belongs to the goroutine of Run.
	ctx        context.Context
	gate       gate
	limit      *limit
	later      later
	binds      binds
	volumes    preparations
	conditions conditions
	statuses   statuses
	events     events
	inFlight   int // binds, reads, preparations, conditions and statuses
}

// NewOutbox returns an empty outbox.
func NewOutbox(cfg OutboxConfig) *Outbox {
	o := &Outbox{cfg: cfg, log: cfg.Log, writers: newWriters(), limit: newLimit(cfg.MinInFlight, cfg.MaxInFlight)}
	o.mail.signal = make(chan struct{}, 1)
	o.binds.all = map[types.UID]*bind{}
	o.volumes.all = map[types.UID]*preparation{}
	o.conditions.all = map[types.UID]*conditionWrite{}
	o.statuses.all = map[types.UID]*statusWrite{}
	o.events.topics = map[topicKey]*topic{}
	return o
}

// mail is what others hand to the goroutine of Run.
type mail struct {
	mu      sync.Mutex
	effects []core.Effect
	notices []kube.Notice
	answers []func(now time.Time)
	idle    []chan struct{}
	signal  chan struct{}
}

// Put hands over effects in their order. It does not wait.
func (o *Outbox) Put(effects []core.Effect) {
	if len(effects) == 0 {
		return
	}
	o.mail.mu.Lock()
	o.mail.effects = append(o.mail.effects, effects...)
	o.mail.mu.Unlock()
	notify(o.mail.signal)
}

// Announce hands over an event that no effect of the core asks for. It does not wait.
func (o *Outbox) Announce(n kube.Notice) {
	o.mail.mu.Lock()
	o.mail.notices = append(o.mail.notices, n)
	o.mail.mu.Unlock()
	notify(o.mail.signal)
}

// Run sends until the context ends; then it breaks off what is in flight. Use Drain before, to end in order.
func (o *Outbox) Run(ctx context.Context) {
	o.ctx = ctx
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		o.takeMail()
		now := time.Now()
		o.later.ripe(now)
		o.dispatch(now)
		o.report()
		timer.Reset(o.sleep(now))
		select {
		case <-o.mail.signal:
		case <-timer.C:
		case <-ctx.Done():
			o.writers.wait() // they end with the context; afterwards nothing is written any more
			return
		}
	}
}

// takeMail takes in answers and effects, and tells those who wait for it when all is done.
func (o *Outbox) takeMail() {
	m := &o.mail
	m.mu.Lock()
	effects, notices, answers, idle := m.effects, m.notices, m.answers, m.idle
	m.effects, m.notices, m.answers, m.idle = nil, nil, nil, nil
	m.mu.Unlock()

	now := time.Now()
	for _, settle := range answers {
		settle(now)
	}
	for _, e := range effects {
		o.accept(e, now)
	}
	for _, n := range notices {
		o.addEvent(n, now)
	}
	if len(idle) == 0 {
		return
	}
	if o.idle() {
		for _, ready := range idle {
			close(ready)
		}
		return
	}
	m.mu.Lock()
	m.idle = append(m.idle, idle...)
	m.mu.Unlock()
}

func (o *Outbox) accept(e core.Effect, now time.Time) {
	switch e := e.(type) {
	case core.Bind:
		o.addBind(e, now)
	case core.Recall:
		o.recall(e.UID)
		o.recallPreparation(e.UID)
	case core.PrepareVolumes:
		o.addPreparation(e, now)
	case core.Condition:
		o.addCondition(e, now)
	case core.GroupStatus:
		o.addStatus(e, now)
	case core.Announce:
		o.addEvent(kube.Notice{Announce: e}, now)
	case core.AnnounceObject:
		o.addObjectEvent(e, now)
	default:
		panic(fmt.Sprintf("effect of unknown type %T", e))
	}
}

// dispatch sends all that may be sent.
func (o *Outbox) dispatch(now time.Time) {
	if !o.gate.open(now) {
		return
	}
	for o.inFlight < o.limit.allowed() {
		binds := o.binds.ready.len()+o.volumes.ready.len() > 0
		switch {
		case o.statusTurn(now, binds):
			o.sendStatus()
		case o.conditions.turn(now, binds):
			o.sendCondition(now)
		case o.volumes.turn(o.binds.ready.len() > 0):
			o.sendPreparation()
		case o.binds.ready.len() > 0:
			o.sendBind(now)
		default:
			o.dispatchEvents(now)
			return
		}
	}
}

// send has a request made and has settle called with its answer by the goroutine of Run.
func (o *Outbox) send(kind string, request func(context.Context) kube.Answer, settle func(now time.Time, a kube.Answer, took time.Duration)) {
	start := time.Now()
	o.writers.do(o.ctx, func() {
		ctx, cancel := context.WithTimeout(o.ctx, o.cfg.Timeout)
		a := request(ctx)
		cancel()
		took := time.Since(start)
		o.cfg.Metrics.wrote(kind, a.Verdict, took)
		o.mail.mu.Lock()
		o.mail.answers = append(o.mail.answers, func(now time.Time) {
			o.heed(now, a)
			settle(now, a, took)
		})
		o.mail.mu.Unlock()
		notify(o.mail.signal)
	})
}

// heed draws from an answer what concerns all requests.
func (o *Outbox) heed(now time.Time, a kube.Answer) {
	switch {
	case a.Verdict == kube.Busy || a.After > 0:
		if o.gate.open(now) {
			o.log.Warn("the API server asks for patience or cannot be reached; all writes pause", "after", a.After, "error", a.Err)
		}
		o.gate.shut(now, a.After)
	case a.Verdict != kube.Unknown:
		o.gate.worked()
	}
}

// sleep is how long nothing can happen unless there is mail.
func (o *Outbox) sleep(now time.Time) time.Duration {
	wait := time.Hour
	if at, ok := o.later.next(); ok {
		wait = min(wait, at.Sub(now))
	}
	if !o.gate.open(now) {
		wait = min(wait, o.gate.until.Sub(now))
	}
	if !o.events.ready.empty() {
		if due := o.eventsDue(); due.After(now) { // else they wait for an answer
			wait = min(wait, due.Sub(now))
		}
	}
	return max(wait, 0)
}

func (o *Outbox) report() {
	m := o.cfg.Metrics
	m.limit.Set(float64(o.limit.allowed()))
	m.inFlight.Set(float64(o.inFlight))
	m.outbox.WithLabelValues(kindBind).Set(float64(len(o.binds.all)))
	m.outbox.WithLabelValues(kindVolumes).Set(float64(len(o.volumes.all)))
	m.outbox.WithLabelValues(kindCondition).Set(float64(len(o.conditions.all)))
	m.outbox.WithLabelValues(kindGroup).Set(float64(len(o.statuses.all)))
	m.outbox.WithLabelValues(kindEvent).Set(float64(o.events.owed))
}

func (o *Outbox) idle() bool {
	return len(o.binds.all) == 0 && len(o.volumes.all) == 0 && len(o.conditions.all) == 0 && len(o.statuses.all) == 0 && o.events.owed == 0
}

// Drain waits until everything handed over so far has been carried out, or the context ends; then it returns an error.
func (o *Outbox) Drain(ctx context.Context) error {
	ready := make(chan struct{})
	o.mail.mu.Lock()
	o.mail.idle = append(o.mail.idle, ready)
	o.mail.mu.Unlock()
	notify(o.mail.signal)
	select {
	case <-ready:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("write what is owed to the API server: %w", context.Cause(ctx))
	}
}
