package run

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sluice-scheduler/sluice/pkg/core"
)

// Decider is the core as the loop drives it.
type Decider interface {
	Step(now time.Time, events []core.Event) []core.Effect
	Wake() (time.Time, bool)
	Subject() core.Subject
}

// Reporter is the core as others look at it between steps.
type Reporter interface {
	Stats() core.Stats
	Dump() string
}

// LoopConfig says what the loop joins. All fields are required.
type LoopConfig struct {
	Decider  Decider
	Reporter Reporter
	Inbox    *Inbox
	// Out takes the effects of each step and does not wait.
	Out     func([]core.Effect)
	Metrics *Metrics
	Log     *slog.Logger
}

// statsEvery is how old the published Stats may become while the loop is busy; at rest they are current.
const statsEvery = 100 * time.Millisecond

// stuckAfter is how long a step may take before the process counts as hanging. Steps take milliseconds; the one that takes in a large
// cluster takes seconds.
const stuckAfter = 2 * time.Minute

// ErrLoopEnded is what questions get that come after the loop has ended.
var ErrLoopEnded = errors.New("the loop has ended")

// Loop owns the core: it alone calls it, on the goroutine of Run.
//
//	asleep ── events, a question, or the core's Wake ──> take all events ── Step ──> effects out ── answer questions ──┐
//	  ^                                                    ^                 └ panic ──> Run returns *Panic           │
//	  │                                                    └──────────── Wake says "now" ─────────────────────────────┤
//	  └───────────────────────────────────────────────────────────────────────────────────────────────────────────────┘
type Loop struct {
	cfg   LoopConfig
	stats atomic.Pointer[core.Stats]
	// busySince is when the step under way began, as Unix nanoseconds; 0 between steps.
	busySince atomic.Int64

	mu        sync.Mutex
	questions []func()
	asked     chan struct{}
	ended     chan struct{}

	last      time.Time // now of the last step
	published time.Time
}

// NewLoop prepares a loop.
func NewLoop(cfg LoopConfig) *Loop {
	l := &Loop{cfg: cfg, asked: make(chan struct{}, 1), ended: make(chan struct{})}
	l.stats.Store(&core.Stats{})
	return l
}

// Panic is how Run ends when the core panicked.
type Panic struct {
	// Subject is what the core was busy with; its Kind may be empty.
	Subject core.Subject
	Value   any
	Stack   []byte
	At      time.Time
}

// Error says what happened and to whom.
func (p *Panic) Error() string {
	return fmt.Sprintf("the core panicked over %s: %v", describe(p.Subject), p.Value)
}

func describe(s core.Subject) string {
	switch {
	case s.Kind == "":
		return "no object in particular"
	case s.Namespace == "":
		return s.Kind + " " + s.Name
	}
	return s.Kind + " " + s.Namespace + "/" + s.Name
}

// Run steps the core until the context ends, and then returns nil; or until the core panics, and then returns a *Panic.
func (l *Loop) Run(ctx context.Context) error {
	defer close(l.ended)
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		questions := l.takeQuestions() // before the events, so that the answers reflect all that was put in before they were asked
		if err := l.step(l.cfg.Inbox.Take()); err != nil {
			return err
		}
		for _, answer := range questions {
			answer()
		}
		wait, now := l.untilWake()
		if now && ctx.Err() == nil {
			l.publish(false)
			continue
		}
		l.publish(true)
		timer.Reset(wait)
		select {
		case <-l.cfg.Inbox.Signal():
		case <-l.asked:
		case <-timer.C:
		case <-ctx.Done():
			return nil
		}
	}
}

// step steps the core and hands out what it decided.
func (l *Loop) step(events []core.Event) (err error) {
	start := time.Now()
	if start.Before(l.last) {
		start = l.last // the clock was set back
	}
	l.last = start
	l.busySince.Store(start.UnixNano())
	defer l.busySince.Store(0)
	defer func() {
		if why := recover(); why != nil {
			err = &Panic{Subject: l.cfg.Decider.Subject(), Value: why, Stack: debug.Stack(), At: start}
		}
	}()
	effects := l.cfg.Decider.Step(start, events)
	l.cfg.Out(effects)
	l.cfg.Metrics.stepped(time.Since(start), len(events))
	return nil
}

// untilWake returns how long the loop may sleep, or that it may not.
func (l *Loop) untilWake() (wait time.Duration, now bool) {
	at, ok := l.cfg.Decider.Wake()
	if !ok {
		return time.Hour, false
	}
	wait = time.Until(at)
	return wait, wait <= 0
}

func (l *Loop) publish(atRest bool) {
	if now := time.Now(); atRest || now.Sub(l.published) >= statsEvery {
		s := l.cfg.Reporter.Stats()
		l.stats.Store(&s)
		l.published = now
	}
}

// Stats returns the newest published Stats. They are shared: do not change them.
func (l *Loop) Stats() *core.Stats { return l.stats.Load() }

func (l *Loop) takeQuestions() []func() {
	l.mu.Lock()
	defer l.mu.Unlock()
	q := l.questions
	l.questions = nil
	return q
}

// ask has f called between two steps, after all events that were put in before have been taken in.
func (l *Loop) ask(ctx context.Context, f func()) error {
	done := make(chan struct{})
	l.mu.Lock()
	l.questions = append(l.questions, func() {
		defer close(done)
		if ctx.Err() == nil {
			f()
		}
	})
	l.mu.Unlock()
	notify(l.asked)
	select {
	case <-done:
		return ctx.Err()
	case <-l.ended:
		return ErrLoopEnded
	case <-ctx.Done():
		return fmt.Errorf("wait for the loop: %w", ctx.Err())
	}
}

// Dump returns the state of the core as text. It holds up the loop for as long as writing it takes.
func (l *Loop) Dump(ctx context.Context) (string, error) {
	return question(ctx, l, l.cfg.Reporter.Dump)
}

// Sync waits until all events that were put in before have been taken in and their effects handed out.
func (l *Loop) Sync(ctx context.Context) error { return l.ask(ctx, func() {}) }

// Check returns an error if a step has been under way for so long that the loop must be hanging.
func (l *Loop) Check() error {
	since := l.busySince.Load()
	if since == 0 {
		return nil
	}
	if took := time.Since(time.Unix(0, since)); took > stuckAfter {
		return fmt.Errorf("one step of the core has been under way for %s", took.Round(time.Second))
	}
	return nil
}
