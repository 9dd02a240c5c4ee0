package run

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sluice-scheduler/sluice/pkg/core"
)

// script is a core that does as told.
type script struct {
	steps   [][]core.Event
	at      []time.Time
	effects func(events []core.Event) []core.Effect
	wake    func() (time.Time, bool)
	subject core.Subject
}

func (s *script) Step(now time.Time, events []core.Event) []core.Effect {
	s.steps, s.at = append(s.steps, events), append(s.at, now)
	if s.effects == nil {
		return nil
	}
	return s.effects(events)
}

func (s *script) Wake() (time.Time, bool) {
	if s.wake == nil {
		return time.Time{}, false
	}
	return s.wake()
}
func (s *script) Subject() core.Subject { return s.subject }
func (s *script) Stats() core.Stats     { return core.Stats{Pods: len(s.steps)} }
func (s *script) Dump() string          { return fmt.Sprint("steps: ", len(s.steps)) }

// looping runs a loop around the script, and ends it after the test.
func looping(t *testing.T, s *script, test func(t *testing.T, l *Loop, inbox *Inbox, out *[]core.Effect)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		inbox := NewInbox()
		var mu sync.Mutex
		var out []core.Effect
		l := NewLoop(LoopConfig{
			Decider: s, Reporter: s, Inbox: inbox, Metrics: NewMetrics("sluice", "test"), Log: slog.New(slog.DiscardHandler),
			Out: func(e []core.Effect) {
				mu.Lock()
				defer mu.Unlock()
				out = append(out, e...)
			},
		})
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- l.Run(ctx) }()
		synctest.Wait()
		test(t, l, inbox, &out)
		cancel()
		require.NoError(t, <-ended)
	})
}

func TestLoopTakesEventsAndHandsOutEffects(t *testing.T) {
	s := &script{effects: func(events []core.Event) (out []core.Effect) {
		for _, e := range events {
			out = append(out, bindOf(e.(core.PodSet).Pod.UID, "n"))
		}
		return out
	}}
	looping(t, s, func(t *testing.T, l *Loop, inbox *Inbox, out *[]core.Effect) {
		inbox.Put(podSet("a", 1), podSet("b", 1))
		synctest.Wait()
		require.Len(t, s.steps, 2, "one at the start, one for the events")
		require.Len(t, *out, 2)
		require.Equal(t, 2, l.Stats().Pods, "published at rest")
	})
}

func TestLoopSleepsUntilItsWake(t *testing.T) {
	s := &script{}
	var due time.Time
	s.wake = func() (time.Time, bool) { return due, !due.IsZero() && len(s.steps) < 4 }
	looping(t, s, func(t *testing.T, _ *Loop, inbox *Inbox, _ *[]core.Effect) {
		start := time.Now()
		due = start.Add(90 * time.Second)
		inbox.Put(core.Lead{On: true})
		time.Sleep(89 * time.Second)
		synctest.Wait()
		require.Len(t, s.steps, 2)
		time.Sleep(2 * time.Second)
		require.Len(t, s.steps, 4, "at its time, and once more as long as the time is past")
		require.Equal(t, due, s.at[2])
	})
}

func TestLoopStepsAtOnceWhenTheBudgetEndedAStep(t *testing.T) {
	s := &script{}
	s.wake = func() (time.Time, bool) { return time.Now(), len(s.steps) < 100 }
	looping(t, s, func(t *testing.T, _ *Loop, _ *Inbox, _ *[]core.Effect) {
		require.Len(t, s.steps, 100)
		require.Equal(t, s.at[0], s.at[99])
	})
}

func TestQuestionsSeeAllThatWasPutInBefore(t *testing.T) {
	s := &script{}
	looping(t, s, func(t *testing.T, l *Loop, inbox *Inbox, _ *[]core.Effect) {
		inbox.Put(podSet("a", 1))
		require.NoError(t, l.Sync(t.Context()))
		synctest.Wait() // until the loop is at rest: it has answered, and may yet look once more
		require.Equal(t, []core.Event{podSet("a", 1)}, s.steps[1])
		before := len(s.steps)
		dump, err := l.Dump(t.Context())
		require.NoError(t, err)
		require.Equal(t, fmt.Sprint("steps: ", before+1), dump)
	})
}

func TestQuestionsEndWithTheirContextOrTheLoop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &script{}
		l := NewLoop(LoopConfig{
			Decider: s, Reporter: s, Inbox: NewInbox(), Out: func([]core.Effect) {},
			Metrics: NewMetrics("sluice", "test"), Log: slog.New(slog.DiscardHandler),
		})
		short, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := l.Dump(short)
		require.ErrorIs(t, err, context.DeadlineExceeded)

		over, end := context.WithCancel(t.Context())
		end()
		require.NoError(t, l.Run(over))
		_, err = l.Dump(t.Context())
		require.ErrorIs(t, err, ErrLoopEnded)
	})
}

func TestLoopReportsAPanicWithItsSubject(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &script{subject: core.Subject{Kind: "pod", UID: "u", Namespace: "ns", Name: "bad"}}
		s.effects = func([]core.Event) []core.Effect { panic("index out of range") }
		l := NewLoop(LoopConfig{
			Decider: s, Reporter: s, Inbox: NewInbox(), Out: func([]core.Effect) {},
			Metrics: NewMetrics("sluice", "test"), Log: slog.New(slog.DiscardHandler),
		})
		var crash *Panic
		require.True(t, errors.As(l.Run(t.Context()), &crash))
		require.Equal(t, s.subject, crash.Subject)
		require.EqualError(t, crash, "the core panicked over pod ns/bad: index out of range")
		require.Contains(t, string(crash.Stack), "loop_test.go")
	})
}

func TestLoopThatHangsIsNotAlive(t *testing.T) {
	s := &script{}
	s.effects = func(events []core.Event) []core.Effect {
		if len(events) > 0 {
			time.Sleep(3 * time.Minute)
		}
		return nil
	}
	looping(t, s, func(t *testing.T, l *Loop, inbox *Inbox, _ *[]core.Effect) {
		require.NoError(t, l.Check())
		inbox.Put(podSet("a", 1))
		time.Sleep(time.Minute)
		require.NoError(t, l.Check())
		time.Sleep(90 * time.Second)
		require.ErrorContains(t, l.Check(), "one step of the core has been under way for 2m30s")
		time.Sleep(time.Minute)
		require.NoError(t, l.Check())
	})
}
