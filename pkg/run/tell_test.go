package run

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/types"

	"github.com/sluice-scheduler/sluice/pkg/core"
	"github.com/sluice-scheduler/sluice/pkg/kube"
)

func messages(p *stored) (out []string) {
	for _, c := range p.conditions {
		out = append(out, c.Message)
	}
	return out
}

func TestOnlyTheNewestConditionIsWritten(t *testing.T) {
	within(t, 1, func(t *testing.T, w *world) {
		w.script = func(request) fate { return fate{takes: time.Second} }
		w.Put([]core.Effect{conditionOf("other", "x"), conditionOf("a", "1"), conditionOf("a", "2")})
		time.Sleep(100 * time.Millisecond)
		w.Put([]core.Effect{conditionOf("a", "3")})
		time.Sleep(1500 * time.Millisecond) // now 3 is in flight
		w.Put([]core.Effect{conditionOf("a", "4"), conditionOf("a", "5")})
		w.settle()
		require.Equal(t, []string{"3", "5"}, messages(w.pods["a"]))
	})
}

// TestANewerConditionKeepsANominationThatIsNotWritten, and one that says something of it replaces it.
func TestANewerConditionKeepsANominationThatIsNotWritten(t *testing.T) {
	within(t, 1, func(t *testing.T, w *world) {
		w.script = func(request) fate { return fate{takes: time.Second} }
		nominating := func(uid types.UID, note, node string) core.Condition {
			c := conditionOf(uid, note)
			c.Nominates, c.Nominated = true, node
			return c
		}
		keeps, replaces := nominating("a", "2", "n1"), nominating("b", "2", "")
		w.Put([]core.Effect{conditionOf("other", "x"), nominating("a", "1", "n1"), conditionOf("a", "2"), nominating("b", "1", "n1"), replaces})
		w.settle()
		require.Equal(t, []core.Condition{keeps}, w.pods["a"].conditions)
		require.Equal(t, []core.Condition{replaces}, w.pods["b"].conditions)
	})
}

func TestABindDropsTheConditionThatWaits(t *testing.T) {
	within(t, 1, func(t *testing.T, w *world) {
		w.script = func(request) fate { return fate{takes: time.Second} }
		w.Put([]core.Effect{conditionOf("other", "x"), conditionOf("a", "1")})
		time.Sleep(100 * time.Millisecond)
		w.Put([]core.Effect{bindOf("a", "n1")})
		w.settle()
		require.Equal(t, core.Bound, w.outcome("a"))
		require.Empty(t, w.pods["a"].conditions)
	})
}

// A condition in flight ends before the pod's bind is sent, for the API server may carry out two requests in any order.
func TestABindWaitsForTheConditionInFlight(t *testing.T) {
	within(t, 8, func(t *testing.T, w *world) {
		w.script = func(r request) fate {
			if r.kind == kindCondition {
				return fate{takes: 3 * time.Second}
			}
			return fate{}
		}
		w.Put([]core.Effect{conditionOf("a", "1")})
		time.Sleep(time.Second)
		start := time.Now()
		w.Put([]core.Effect{bindOf("a", "n1"), bindOf("b", "n1")})
		time.Sleep(10 * time.Millisecond)
		w.gather()
		require.Equal(t, core.Bound, w.outcome("b"), "others do not wait")
		w.settle()
		require.Equal(t, core.Bound, w.outcome("a"))
		require.Equal(t, kindBind, w.requests[len(w.requests)-1].kind)
		require.GreaterOrEqual(t, w.requests[len(w.requests)-1].at.Sub(start), 2*time.Second)
	})
}

func TestABindThatWaitsForAConditionCanBeRecalled(t *testing.T) {
	within(t, 8, func(t *testing.T, w *world) {
		w.script = func(request) fate { return fate{takes: 3 * time.Second} }
		w.Put([]core.Effect{conditionOf("a", "1")})
		time.Sleep(time.Second)
		w.Put([]core.Effect{bindOf("a", "n1"), core.Recall{UID: "a"}, conditionOf("a", "2")})
		w.settle()
		require.Equal(t, core.Recalled, w.outcome("a"))
		require.Equal(t, []string{"1", "2"}, messages(w.pods["a"]))
	})
}

// A condition that comes while the bind is under way is written if the bind fails, and dropped if it succeeds.
func TestAConditionWaitsForTheBindUnderWay(t *testing.T) {
	for _, refused := range []bool{true, false} {
		t.Run(fmt.Sprint("refused: ", refused), func(t *testing.T) {
			within(t, 8, func(t *testing.T, w *world) {
				w.pods["a"] = &stored{gone: refused}
				w.script = func(request) fate { return fate{takes: time.Second} }
				w.Put([]core.Effect{bindOf("a", "n1")})
				time.Sleep(100 * time.Millisecond)
				w.Put([]core.Effect{conditionOf("a", "1")})
				time.Sleep(500 * time.Millisecond)
				synctest.Wait()
				require.Zero(t, w.count(kindCondition))
				w.settle()
				want := 0
				if refused {
					want = 1
				}
				require.Len(t, w.pods["a"].conditions, want)
			})
		})
	}
}

func TestConditionsGetTheirTenthWhileBindsWait(t *testing.T) {
	within(t, 4, func(t *testing.T, w *world) {
		w.script = func(request) fate { return fate{takes: 4 * time.Millisecond} }
		w.Put(bindsOf(1000))
		for i := range 50 {
			w.Put([]core.Effect{conditionOf(types.UID(fmt.Sprint("c", i)), "x")})
		}
		w.settle()
		var seen, passed int
		for _, r := range w.requests {
			if r.kind == kindBind {
				passed++
				continue
			}
			seen++
			require.LessOrEqual(t, passed, conditionAfter+4, "before condition %d", seen)
			require.Positive(t, passed, "binds go first")
			if passed = 0; seen == 50 {
				return
			}
		}
		require.Fail(t, "not all conditions were written")
	})
}

// Under a load of binds that lasts, the first condition of each of many pods is written within ten seconds.
func TestFirstConditionsAreWrittenWithinTenSeconds(t *testing.T) {
	within(t, 4, func(t *testing.T, w *world) {
		w.script = func(request) fate { return fate{takes: 4 * time.Millisecond} } // a thousand requests a second
		w.Put(bindsOf(40_000))
		for i := range 3000 {
			w.Put([]core.Effect{conditionOf(types.UID(fmt.Sprint("c", i)), "x")})
		}
		time.Sleep(10 * time.Second)
		require.Equal(t, 3000, w.count(kindCondition))
	})
}

func TestConditionsAreRetriedUnlessRefused(t *testing.T) {
	within(t, 8, func(t *testing.T, w *world) {
		w.script = func(r request) fate {
			switch {
			case r.uid == "flaky" && r.nth < 4:
				return failed(kube.Unknown, 0)
			case r.uid == "busy" && r.nth == 1:
				return failed(kube.Busy, time.Second)
			case r.uid == "gone":
				return failed(kube.Gone, 0)
			case r.uid == "conflict":
				return failed(kube.Conflict, 0)
			}
			return fate{}
		}
		for _, uid := range []types.UID{"flaky", "busy", "gone", "conflict"} {
			w.Put([]core.Effect{conditionOf(uid, "x")})
		}
		w.settle()
		require.Len(t, w.pods["flaky"].conditions, 1)
		require.Len(t, w.pods["busy"].conditions, 1)
		require.Equal(t, 4+2+1+1, w.count(kindCondition))
	})
}

func TestEventsNeverDelayABind(t *testing.T) {
	within(t, 4, func(t *testing.T, w *world) {
		w.script = func(request) fate { return fate{takes: 10 * time.Millisecond} }
		for i := range 200 {
			w.Put([]core.Effect{announceOf("e", fmt.Sprint(i))})
		}
		w.Put(bindsOf(100))
		w.settle()
		var last time.Time
		for _, r := range w.requests {
			if r.kind == kindBind {
				last = r.at
			}
		}
		early := 0
		for _, r := range w.requests {
			if r.kind == kindEvent && r.at.Before(last) {
				early++
			}
		}
		require.LessOrEqual(t, early, 4, "only what was in flight before the binds came")
		require.Len(t, w.pods["e"].events, 200)
	})
}

// Pods come every 20 ms and each gets an event. Events wait for a rest, but not for ever.
func TestEventsTrailTheBinds(t *testing.T) {
	for name, c := range map[string]struct {
		pods     int
		least    time.Duration // after its pod came, an event is sent
		most     time.Duration
		inArrive int // how many events are sent while pods still come
	}{
		"a single pod":      {pods: 1, least: eventsRest, most: eventsRest + 10*time.Millisecond},
		"for five seconds":  {pods: 250, least: eventsRest, most: 5*time.Second + eventsRest + 100*time.Millisecond},
		"for forty seconds": {pods: 2000, least: eventsRest, most: eventsOverdue + 100*time.Millisecond, inArrive: 1490},
	} {
		t.Run(name, func(t *testing.T) {
			within(t, 8, func(t *testing.T, w *world) {
				came := map[string]time.Time{}
				for i := range c.pods {
					time.Sleep(20 * time.Millisecond)
					note := fmt.Sprint(i)
					came[note] = time.Now()
					w.Put([]core.Effect{bindOf(types.UID(note), "n"), announceOf("e", note)})
				}
				end := time.Now()
				w.settle()
				early := 0
				for _, r := range w.requests {
					if r.kind != kindEvent {
						continue
					}
					waited := r.at.Sub(came[r.note])
					require.GreaterOrEqual(t, waited, c.least)
					require.LessOrEqual(t, waited, c.most)
					if r.at.Before(end) {
						early++
					}
				}
				require.InDelta(t, c.inArrive, early, 20)
				require.Len(t, w.pods["e"].events, c.pods)
			})
		})
	}
}

func TestNoEventIsLost(t *testing.T) {
	within(t, 4, func(t *testing.T, w *world) {
		n := 0
		w.script = func(r request) fate {
			n++
			switch {
			case r.note == "nowhere":
				return failed(kube.Gone, 0)
			case r.note == "refused":
				return failed(kube.Refused, 0)
			case n%5 == 1:
				return failed(kube.Unknown, 0)
			case n%5 == 2:
				return fate{lose: true}
			case n%40 == 3:
				return failed(kube.Busy, 2*time.Second)
			}
			return fate{}
		}
		for i := range 300 {
			w.Put([]core.Effect{announceOf("e", fmt.Sprint(i))})
		}
		w.Put([]core.Effect{announceOf("f", "nowhere"), announceOf("g", "refused")})
		w.settle()
		require.Len(t, w.pods["e"].events, 300)
		tries := map[string]int{}
		for _, r := range w.requests {
			tries[r.note]++
		}
		require.Equal(t, 1, tries["nowhere"])
		require.Equal(t, refusedTries, tries["refused"])
	})
}
