package jobmanager

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// world is a cluster in memory that performs decisions at once: the shell of these tests.
type world struct {
	t      *testing.T
	now    time.Time
	state  *State
	rules  Rules
	leader Leader
	wanted int
	pods   map[string]*Pod
	stored *Record
	made   []string
	booted bool // a simulator that starts anew knows only the names that still exist
}

func newWorld(t *testing.T, wanted int) *world {
	w := &world{
		t: t, now: time.Unix(1000, 0), rules: DefaultRules(), wanted: wanted,
		pods: map[string]*Pod{}, leader: Leader{Pod: "jm-a"},
	}
	w.boot()
	return w
}

func taskManager(attempt, index int) string {
	return fmt.Sprintf("orders-taskmanager-%d-%d", attempt, index)
}

// boot starts a simulator process with what an earlier one has stored.
func (w *world) boot() {
	w.booted = w.state != nil
	w.state = New("orders", taskManager, w.stored)
}

func (w *world) seen() Seen {
	s := Seen{Leader: w.leader, Wanted: w.wanted}
	for _, p := range w.pods {
		s.Pods = append(s.Pods, *p)
	}
	return s
}

func (w *world) step() Decision {
	d := w.state.Decide(w.now, w.seen(), w.rules)
	if d.Record != nil {
		w.stored = d.Record
		w.state.Stored()
	}
	for _, name := range d.Delete {
		delete(w.pods, name)
	}
	for _, r := range d.Create {
		w.pods[r.Name] = &Pod{Name: r.Name, Attempt: r.Attempt, Index: r.Index}
		w.made = append(w.made, r.Name)
	}
	return d
}

// settle steps until nothing is created or deleted any more.
func (w *world) settle() {
	for range 200 {
		d := w.step()
		if len(d.Create)+len(d.Delete) == 0 {
			return
		}
	}
	w.t.Fatal("does not settle")
}

func (w *world) after(d time.Duration) *world { w.now = w.now.Add(d); return w }

func (w *world) run() {
	for _, p := range w.pods {
		p.Scheduled, p.Running = true, true
	}
	w.settle()
}

func (w *world) names() []string {
	var out []string
	for n := range w.pods {
		out = append(out, n)
	}
	slices.Sort(out)
	return out
}

func (w *world) started() *world {
	w.settle()
	w.after(time.Second).settle()
	require.Len(w.t, w.pods, w.wanted)
	return w
}

func TestTaskManagersComeAfterReadyAndDelay(t *testing.T) {
	w := newWorld(t, 8)
	w.leader = Leader{}
	w.settle()
	require.Equal(t, Starting, w.state.Phase())
	w.leader = Leader{Pod: "jm-a"}
	d := w.step()
	require.Empty(t, d.Create)
	require.Equal(t, time.Second, d.Wake)
	require.Equal(t, &Record{Leader: w.leader, Attempt: 1}, d.Record)
	d = w.after(time.Second).step()
	require.Len(t, d.Create, 8)
	require.Equal(t, "orders-taskmanager-1-1", d.Create[0].Name)
	require.Equal(t, Waiting, w.state.Phase())
	w.settle()
	w.run()
	require.Equal(t, Running, w.state.Phase())
	require.Len(t, w.made, 8)
}

func TestLostTaskManagerRestartsTheJobAndIsReplacedOnce(t *testing.T) {
	for how, kill := range map[string]func(w *world){
		"deleted": func(w *world) { delete(w.pods, taskManager(1, 3)) },
		"failed":  func(w *world) { w.pods[taskManager(1, 3)].Terminated = true },
	} {
		t.Run(how, func(t *testing.T) {
			w := newWorld(t, 8).started()
			w.run()
			kill(w)
			w.settle()
			require.Equal(t, Restarting, w.state.Phase())
			require.Equal(t, 1, w.state.Restarts())
			require.NotContains(t, w.names(), taskManager(1, 3))
			require.Contains(t, w.names(), taskManager(1, 9))
			require.Len(t, w.pods, 8)
			w.run()
			require.Equal(t, Restarting, w.state.Phase(), "a restart has its delay")
			w.after(time.Second).settle()
			require.Equal(t, Running, w.state.Phase())
			require.Len(t, w.made, 9, "exactly one replacement")
		})
	}
}

func TestPodBeingDeletedCountsUntilItIsGone(t *testing.T) {
	w := newWorld(t, 2).started()
	w.run()
	w.pods[taskManager(1, 1)].Leaving = true
	w.settle()
	require.Len(t, w.made, 2)
	delete(w.pods, taskManager(1, 1))
	w.settle()
	require.Len(t, w.made, 3)
}

func TestNewJobManagerKeepsScheduledAndDeletesTheRest(t *testing.T) {
	w := newWorld(t, 8).started()
	for i := 1; i <= 5; i++ {
		p := w.pods[taskManager(1, i)]
		p.Scheduled, p.Running = true, true
	}
	w.settle()
	w.leader = Leader{}
	delete(w.pods, taskManager(1, 5)) // dies while nobody leads
	w.settle()
	require.Len(t, w.made, 8, "nobody asks while there is no JobManager")
	w.leader = Leader{Pod: "jm-b"}
	w.settle()
	require.Equal(t, 2, w.state.Attempt())
	require.Equal(t, []string{taskManager(1, 1), taskManager(1, 2), taskManager(1, 3), taskManager(1, 4)}, w.names())
	w.after(time.Second).settle()
	require.Len(t, w.pods, 8)
	require.Equal(t, []string{taskManager(2, 1), taskManager(2, 2), taskManager(2, 3), taskManager(2, 4)}, w.made[8:])
	require.Equal(t, &Record{Leader: w.leader, Attempt: 2}, w.stored)
}

func TestContainerRestartIsANewAttempt(t *testing.T) {
	w := newWorld(t, 2).started()
	w.run()
	w.leader.Restarts = 1
	w.after(time.Minute).settle()
	require.Equal(t, 2, w.state.Attempt())
	require.Len(t, w.made, 2, "both were scheduled and are kept")
}

func TestUnreadyJobManagerKeepsItsAttempt(t *testing.T) {
	w := newWorld(t, 2).started()
	was := w.leader
	w.leader = Leader{}
	w.settle()
	w.leader = was
	w.after(time.Minute).settle()
	require.Equal(t, 1, w.state.Attempt())
	require.Len(t, w.made, 2)
}

func TestSimulatorRestartContinues(t *testing.T) {
	for _, stored := range []bool{true, false} {
		t.Run(fmt.Sprintf("record stored %v", stored), func(t *testing.T) {
			w := newWorld(t, 4).started()
			w.pods[taskManager(1, 2)].Scheduled = true
			delete(w.pods, taskManager(1, 3))
			if !stored {
				w.stored = nil
			}
			w.boot()
			w.settle()
			require.Equal(t, 1, w.state.Attempt())
			require.Equal(t, []string{taskManager(1, 1), taskManager(1, 2), taskManager(1, 4), taskManager(1, 5)}, w.names())
		})
	}
}

func TestSimulatorRestartNoticesAJobManagerRestart(t *testing.T) {
	w := newWorld(t, 3).started()
	w.pods[taskManager(1, 1)].Scheduled = true
	w.leader = Leader{Pod: "jm-b"}
	w.boot()
	w.settle()
	w.after(time.Second).settle()
	require.Equal(t, []string{taskManager(1, 1), taskManager(2, 1), taskManager(2, 2)}, w.names())
}

func TestManyFailedStartsPause(t *testing.T) {
	w := newWorld(t, 1).started()
	fails := 0
	for range 11 {
		for _, p := range w.pods {
			p.Terminated = true
			fails++
		}
		w.step()
	}
	require.Equal(t, 11, fails)
	require.Empty(t, w.pods, "the eleventh failure within a minute pauses requests")
	d := w.after(2999 * time.Millisecond).step()
	require.Empty(t, d.Create)
	require.Equal(t, time.Millisecond, d.Wake)
	w.after(time.Millisecond).step()
	require.Len(t, w.pods, 1)
	for _, p := range w.pods {
		p.Terminated = true
	}
	w.after(time.Second).step()
	require.Empty(t, w.pods, "the next failure pauses again")
	w.after(2 * time.Minute).step()
	require.Len(t, w.pods, 1)
}

func TestFailuresOfRunningTaskManagersDoNotPause(t *testing.T) {
	w := newWorld(t, 20).started()
	w.run()
	for _, p := range w.pods {
		p.Terminated = true
	}
	w.settle()
	require.Len(t, w.pods, 20)
	require.Equal(t, 1, w.state.Restarts(), "one restart for all that died together")
}

func TestNeverSeenIsLookedUp(t *testing.T) {
	w := newWorld(t, 1).started()
	name := taskManager(1, 1)
	delete(w.pods, name)
	w.state.workers[name].seen = false
	d := w.after(time.Second).step()
	require.Empty(t, d.Create)
	d = w.after(3 * time.Second).step()
	require.Equal(t, []string{name}, d.LookUp)
	w.state.Failed(name, w.now)
	d = w.step()
	require.Equal(t, []Request{{taskManager(1, 2), 1, 2}}, d.Create)
}

func TestSurplusLeavesUnscheduledFirst(t *testing.T) {
	w := newWorld(t, 4).started()
	w.pods[taskManager(1, 1)].Scheduled, w.pods[taskManager(1, 1)].Running = true, true
	w.pods[taskManager(1, 4)].Scheduled, w.pods[taskManager(1, 4)].Running = true, true
	w.settle()
	w.wanted = 2
	w.settle()
	require.Equal(t, []string{taskManager(1, 1), taskManager(1, 4)}, w.names())
	w.wanted = 1
	w.settle()
	require.Len(t, w.pods, 2, "a scheduled one is kept for its idle time")
	w.after(30 * time.Second).settle()
	require.Equal(t, []string{taskManager(1, 1)}, w.names())
	w.wanted = 0
	w.settle()
	w.after(29 * time.Second)
	w.wanted = 1
	w.settle()
	w.after(time.Minute).settle()
	require.Len(t, w.pods, 1, "needed again in time")
}

func TestBurstsAreBounded(t *testing.T) {
	w := newWorld(t, 1000)
	w.settle()
	d := w.after(time.Second).step()
	require.Len(t, d.Create, w.rules.Burst)
	w.settle()
	require.Len(t, w.pods, 1000)
	require.Len(t, w.made, 1000)
}

func TestIdleSessionNeverUsesAnIndexTwice(t *testing.T) {
	w := newWorld(t, 1).started()
	w.wanted = 0
	w.settle()
	require.Empty(t, w.pods)
	was := w.leader
	w.leader = Leader{}
	w.settle()
	w.leader, w.wanted = was, 1
	w.settle()
	w.after(time.Second).settle()
	require.Equal(t, []string{taskManager(1, 2)}, w.names())
}
