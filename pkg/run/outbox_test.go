package run

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/types"

	"github.com/sluice-scheduler/sluice/pkg/core"
	"github.com/sluice-scheduler/sluice/pkg/kube"
)

func TestEachBindIsAnsweredOnce(t *testing.T) {
	within(t, 64, func(t *testing.T, w *world) {
		w.Put(bindsOf(1000))
		w.settle()
		require.Len(t, w.answers, 1000)
		for uid := range w.answers {
			require.Equal(t, core.Bound, w.outcome(uid))
			require.Len(t, w.pods[uid].binds, 1)
		}
		require.LessOrEqual(t, w.most, 64)
		require.Greater(t, w.most, 16, "the limit grew with the load")
	})
}

func TestBindsGoInTheOrderOfDecision(t *testing.T) {
	within(t, 1, func(t *testing.T, w *world) {
		w.Put(bindsOf(50))
		w.settle()
		for i, r := range w.requests {
			require.EqualValues(t, fmt.Sprintf("p%05d", i), r.uid)
		}
	})
}

// The answer of the first POST is lost, whether or not it was carried out: the pod ends up bound once, to its node, and the
// core hears Bound once.
func TestLostAnswers(t *testing.T) {
	for name, first := range map[string]fate{
		"carried out":          {lose: true},
		"not carried out":      failed(kube.Unknown, 0),
		"carried out at 50 ms": {late: 50 * time.Millisecond},
		"carried out at 300ms": {late: 300 * time.Millisecond},
		"carried out at 20 s":  {late: 20 * time.Second},
		"hangs":                {takes: time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			within(t, 8, func(t *testing.T, w *world) {
				w.script = func(r request) fate {
					if r.kind == kindBind && r.nth == 1 {
						return first
					}
					return fate{}
				}
				w.Put([]core.Effect{bindOf("a", "n1")})
				w.settle()
				require.Equal(t, core.Bound, w.outcome("a"))
				require.Equal(t, []string{"n1"}, w.pods["a"].binds)
				for _, r := range w.requests {
					require.True(t, r.kind == kindLook || r.node == "n1", "always the same node")
				}
			})
		})
	}
}

// While it is not known whether the first POST will still be carried out, a refusal of the second must not free the node.
func TestRefusalWhileInDoubtDoesNotFreeTheNode(t *testing.T) {
	within(t, 8, func(t *testing.T, w *world) {
		w.script = func(r request) fate {
			switch {
			case r.kind == kindBind && r.nth == 1:
				return fate{late: 40 * time.Second}
			case r.kind == kindBind:
				return failed(kube.Refused, 0)
			}
			return fate{}
		}
		w.Put([]core.Effect{bindOf("a", "n1")})
		time.Sleep(39 * time.Second)
		synctest.Wait()
		w.gather()
		require.Empty(t, w.answers, "the node is not free yet")
		w.settle()
		require.Equal(t, core.Bound, w.outcome("a"))
	})
}

func TestDoubtEnds(t *testing.T) {
	within(t, 8, func(t *testing.T, w *world) {
		w.script = func(r request) fate {
			switch {
			case r.kind == kindBind && r.nth == 1:
				return failed(kube.Unknown, 0)
			case r.kind == kindBind:
				return failed(kube.Refused, 0)
			}
			return fate{}
		}
		start := time.Now()
		w.Put([]core.Effect{bindOf("a", "n1")})
		w.settle()
		require.Equal(t, core.Refused, w.outcome("a"))
		require.GreaterOrEqual(t, time.Since(start), doubtFor)
		require.Equal(t, "scripted refused", w.answers["a"][0].Message)
	})
}

func TestDefiniteAnswers(t *testing.T) {
	for name, c := range map[string]struct {
		pod     stored
		script  fate
		outcome core.Outcome
		message string
		looks   int
	}{
		"404":                        {pod: stored{gone: true}, outcome: core.Refused, message: "not found"},
		"403":                        {script: failed(kube.Refused, 0), outcome: core.Refused, message: "scripted refused"},
		"409, bound to our node":     {pod: stored{node: "n1"}, outcome: core.Bound, looks: 1},
		"409, bound elsewhere":       {pod: stored{node: "n2"}, outcome: core.Refused, message: "bound to node n2 by somebody else", looks: 1},
		"409, being deleted":         {pod: stored{deleting: true}, outcome: core.Refused, message: "being deleted", looks: 1},
		"409, and nothing to see":    {script: failed(kube.Conflict, 0), outcome: core.Refused, message: "scripted conflict", looks: 1},
		"409, and another pod there": {pod: stored{gone: true}, script: failed(kube.Conflict, 0), outcome: core.Refused, message: "gone", looks: 1},
	} {
		t.Run(name, func(t *testing.T) {
			within(t, 8, func(t *testing.T, w *world) {
				w.pods["a"] = &c.pod
				w.script = func(r request) fate {
					if r.kind == kindBind {
						return c.script
					}
					return fate{}
				}
				w.Put([]core.Effect{bindOf("a", "n1")})
				w.settle()
				require.Equal(t, c.outcome, w.outcome("a"))
				require.Contains(t, w.answers["a"][0].Message, c.message)
				require.Equal(t, c.looks, w.count(kindLook))
				require.Equal(t, 1, w.count(kindBind))
			})
		})
	}
}

func TestRetryAfterHoldsAllWritersBack(t *testing.T) {
	within(t, 16, func(t *testing.T, w *world) {
		var shut time.Time
		w.script = func(r request) fate {
			if shut.IsZero() && r.kind == kindBind && len(w.requests) > 100 {
				shut = time.Now()
				return failed(kube.Busy, 7*time.Second)
			}
			return fate{}
		}
		w.Put(bindsOf(500))
		for i := range 20 {
			w.Put([]core.Effect{conditionOf(types.UID(fmt.Sprint("c", i)), "x"), announceOf(types.UID(fmt.Sprint("e", i)), "x")})
		}
		w.settle()
		require.Len(t, w.answers, 500)
		until := shut.Add(time.Millisecond) // when the answer arrived
		for _, r := range w.requests {
			require.False(t, r.at.After(until) && r.at.Before(until.Add(7*time.Second)), "%s at %v after the 429", r.kind, r.at.Sub(until))
		}
		for uid := range w.answers {
			require.Equal(t, core.Bound, w.outcome(uid))
		}
		require.Equal(t, 500+1, w.count(kindBind), "only the one that was throttled was sent again")
	})
}

func TestAnAPIServerThatIsDownIsAskedRarely(t *testing.T) {
	within(t, 64, func(t *testing.T, w *world) {
		var down atomic.Bool
		down.Store(true)
		w.script = func(request) fate {
			if down.Load() {
				return failed(kube.Busy, 0)
			}
			return fate{}
		}
		w.Put(bindsOf(300))
		time.Sleep(time.Minute)
		synctest.Wait()
		require.Less(t, w.count(kindBind)+w.count(kindLook), 100)
		down.Store(false)
		time.Sleep(6 * time.Second)
		w.settle()
		require.Len(t, w.answers, 300)
		for uid := range w.answers {
			require.Equal(t, core.Bound, w.outcome(uid))
		}
	})
}

func TestRecall(t *testing.T) {
	within(t, 1, func(t *testing.T, w *world) {
		w.script = func(request) fate { return fate{takes: time.Second} }
		w.Put([]core.Effect{bindOf("sent", "n1"), bindOf("queued", "n1"), bindOf("kept", "n1")})
		time.Sleep(500 * time.Millisecond)
		w.Put([]core.Effect{core.Recall{UID: "sent"}, core.Recall{UID: "queued"}, core.Recall{UID: "unknown"}})
		w.settle()
		require.Equal(t, core.Bound, w.outcome("sent"))
		require.Equal(t, core.Recalled, w.outcome("queued"))
		require.Equal(t, core.Bound, w.outcome("kept"))
		require.Nil(t, w.pods["queued"])
	})
}

// A bind that was throttled has not been carried out and can be recalled; one whose answer was lost cannot.
func TestRecallAfterFailures(t *testing.T) {
	within(t, 4, func(t *testing.T, w *world) {
		w.script = func(r request) fate {
			switch {
			case r.uid == "doubtful" && r.nth == 1:
				return fate{lose: true}
			case r.uid == "throttled" && r.nth == 1:
				return failed(kube.Busy, 5*time.Second)
			}
			return fate{}
		}
		w.Put([]core.Effect{bindOf("doubtful", "n1"), bindOf("throttled", "n1")})
		time.Sleep(time.Second)
		w.Put([]core.Effect{core.Recall{UID: "doubtful"}, core.Recall{UID: "throttled"}})
		w.settle()
		require.Equal(t, core.Bound, w.outcome("doubtful"))
		require.Equal(t, core.Recalled, w.outcome("throttled"))
		require.Nil(t, w.pods["throttled"], "no request of it was carried out")
	})
}

func TestARecalledPodIsBoundAgain(t *testing.T) {
	within(t, 1, func(t *testing.T, w *world) {
		w.script = func(request) fate { return fate{takes: time.Second} }
		w.Put([]core.Effect{bindOf("first", "n1"), bindOf("a", "n1")})
		time.Sleep(500 * time.Millisecond)
		w.Put([]core.Effect{core.Recall{UID: "a"}, bindOf("a", "n2")})
		w.settle()
		require.Len(t, w.answers["a"], 2)
		require.Equal(t, core.Recalled, w.answers["a"][0].Outcome)
		require.Equal(t, core.BindDone{UID: "a", Node: "n2", Outcome: core.Bound}, w.answers["a"][1])
		require.Equal(t, []string{"n2"}, w.pods["a"].binds)
	})
}

func TestInFlightFollowsTheServer(t *testing.T) {
	within(t, 256, func(t *testing.T, w *world) {
		crowded := false
		w.script = func(request) fate {
			took := 5 * time.Millisecond
			if crowded { // it handles 10 at a time and queues the rest
				took = time.Duration(max(w.server.inFlight, 10)) * 20 * time.Millisecond
			}
			return fate{takes: took}
		}
		w.Put(bindsOf(5000))
		w.settle()
		require.Greater(t, w.most, 100)
		crowded, w.most = true, 0
		for i := range 2000 {
			w.Put([]core.Effect{bindOf(types.UID(fmt.Sprint("q", i)), "n")})
		}
		time.Sleep(40 * time.Second)
		w.mu.Lock()
		now := w.server.inFlight
		w.mu.Unlock()
		require.Less(t, now, 60)
		w.settle()
	})
}

func TestShutdownFinishesWhatIsOwed(t *testing.T) {
	within(t, 8, func(t *testing.T, w *world) {
		w.script = func(request) fate { return fate{takes: 20 * time.Millisecond} }
		w.Put(bindsOf(200))
		for i := range 50 {
			w.Put([]core.Effect{conditionOf(types.UID(fmt.Sprint("c", i)), "x"), announceOf(types.UID(fmt.Sprint("e", i)), "x")})
		}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		require.NoError(t, w.Drain(ctx))
		w.gather()
		require.Len(t, w.answers, 200)
		require.Equal(t, 50, w.count(kindCondition))
		require.Equal(t, 50, w.count(kindEvent))
	})
}

func TestShutdownGivesUpAtItsDeadline(t *testing.T) {
	within(t, 8, func(t *testing.T, w *world) {
		w.script = func(request) fate { return failed(kube.Unknown, 0) }
		w.Put(bindsOf(3))
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		start := time.Now()
		require.ErrorIs(t, w.Drain(ctx), context.DeadlineExceeded)
		require.Equal(t, 10*time.Second, time.Since(start))
		w.gather()
		require.Empty(t, w.answers, "what is not known is not answered")
	})
}

// TestWhatNoEffectAsksForIsAnnouncedToo, once each, however often the answer is lost.
func TestWhatNoEffectAsksForIsAnnouncedToo(t *testing.T) {
	within(t, 4, func(t *testing.T, w *world) {
		w.script = func(r request) fate { return fate{lose: r.nth == 1} }
		for _, note := range []string{"one", "two"} {
			w.Outbox.Announce(kube.Notice{Kind: "ConfigMap", Announce: announceOf("m", note)})
		}
		w.settle()
		require.Len(t, w.pods["m"].events, 2, "two serials")
		require.GreaterOrEqual(t, w.count(kindEvent), 3)
	})
}
