package jobmanager

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// rest lets time pass in small steps, as a shell does that wakes when it is told to.
func (w *world) rest(d time.Duration) *world {
	for end := w.now.Add(d); w.now.Before(end); {
		next := w.step().Wake
		if next == 0 || w.now.Add(next).After(end) {
			next = end.Sub(w.now)
		}
		w.after(next)
	}
	w.settle()
	return w
}

// place lets the n oldest pods that wait have a node and run.
func (w *world) place(n int) *world {
	for _, name := range w.names() {
		if p := w.pods[name]; n > 0 && !p.Scheduled {
			p.Scheduled, p.Running = true, true
			n--
		}
	}
	w.settle()
	return w
}

func (w *world) placed() (n int) {
	for _, p := range w.pods {
		if p.Running {
			n++
		}
	}
	return n
}

func TestSlotsThatDoNotComeInTime(t *testing.T) {
	w := newWorld(t, 10).started().place(5)
	at, ok := w.state.Deadline(w.rules)
	require.True(t, ok)
	require.Equal(t, w.now.Add(5*time.Minute), at)
	w.rest(299 * time.Second)
	require.Zero(t, w.state.Counts().SlotTimeouts)
	require.Len(t, w.pods, 10)
	w.after(time.Second)
	d := w.step()
	require.Len(t, d.Delete, 5, "those without a node are cancelled")
	require.Empty(t, d.Create, "nothing is asked for before the restart")
	require.Equal(t, time.Second, d.Wake, "the restart comes before the idle ones are given up")
	require.Equal(t, Restarting, w.state.Phase())
	require.Equal(t, Counts{SlotTimeouts: 1}, w.state.Counts())
	w.after(time.Second)
	d = w.step()
	require.Len(t, d.Create, 5, "the others are kept and used")
	require.Equal(t, taskManager(1, 11), d.Create[0].Name, "by new names of the same attempt")
	at, _ = w.state.Deadline(w.rules)
	require.Equal(t, w.now.Add(5*time.Minute), at, "the clock begins anew")
	w.place(5)
	require.Equal(t, Running, w.state.Phase())
	_, ok = w.state.Deadline(w.rules)
	require.False(t, ok)
}

func TestHalfStartedJobGivesItsTaskManagersUpWhenTheDelayIsLong(t *testing.T) {
	w := newWorld(t, 4)
	w.rules.Restart.Delay = time.Minute
	w.started().place(2)
	w.rest(5*time.Minute + time.Second)
	require.Len(t, w.pods, 2)
	w.rest(30 * time.Second)
	require.Empty(t, w.pods, "idle for half a minute")
	w.rest(30 * time.Second)
	require.Len(t, w.pods, 4)
}

func TestDelaysOfRestartsGrowAndCalmDown(t *testing.T) {
	r := DefaultRules().Restart
	require.Equal(t, time.Second, r.after(0))
	require.Equal(t, 1500*time.Millisecond, r.after(1))
	require.Equal(t, 2250*time.Millisecond, r.after(2))
	require.Equal(t, time.Minute, r.after(100))
	require.Equal(t, 7*time.Second, Restart{Delay: 7 * time.Second}.after(100))

	w := newWorld(t, 1).started().place(1)
	lose := func() {
		for name := range w.pods {
			delete(w.pods, name)
		}
		w.settle()
		w.place(1)
	}
	lose()
	w.rest(time.Second)
	require.Equal(t, Running, w.state.Phase())
	lose()
	w.rest(time.Second)
	require.Equal(t, Restarting, w.state.Phase())
	w.rest(time.Second)
	require.Equal(t, Running, w.state.Phase())
	w.rest(time.Hour)
	lose()
	w.rest(time.Second)
	require.Equal(t, Running, w.state.Phase(), "after a calm hour the delay is a second again")
}

func TestJobWithoutCheckpointsFailsForGood(t *testing.T) {
	w := newWorld(t, 3)
	w.rules.Restart.Never = true
	w.started().place(3)
	delete(w.pods, taskManager(1, 2))
	w.settle()
	require.Equal(t, Failed, w.state.Phase())
	require.Equal(t, Failed, w.stored.Outcome)
	require.Equal(t, w.now, w.stored.Ended)
	w.rest(30 * time.Second)
	require.Empty(t, w.pods, "its TaskManagers are idle")
	w.boot()
	w.leader.Restarts++
	w.rest(time.Minute)
	require.Equal(t, Failed, w.state.Phase(), "neither simulator nor JobManager begin it again")
	require.Len(t, w.made, 3)
}

func TestRestartsAreCounted(t *testing.T) {
	w := newWorld(t, 1)
	w.rules.Restart = Restart{Attempts: 2, Delay: time.Second}
	w.started()
	w.rest(5 * time.Minute).rest(time.Second)
	require.Equal(t, 1, w.state.Counts().SlotTimeouts)
	w.rest(5 * time.Minute).rest(time.Second)
	require.Len(t, w.pods, 1)
	w.rest(5 * time.Minute)
	require.Equal(t, 3, w.state.Counts().SlotTimeouts)
	require.Equal(t, Failed, w.state.Phase())
	require.Empty(t, w.pods)
}

func TestScheduledTaskManagerThatNeverRunsIsReplaced(t *testing.T) {
	w := newWorld(t, 2).started()
	w.rest(4 * time.Minute)
	w.pods[taskManager(1, 1)].Scheduled = true
	w.pods[taskManager(1, 2)].Scheduled, w.pods[taskManager(1, 2)].Running = true, true
	w.rules.SlotTimeout = time.Hour
	w.rest(5*time.Minute - time.Second)
	require.Contains(t, w.names(), taskManager(1, 1), "the clock runs from when it got its node")
	w.rest(time.Second)
	require.Equal(t, []string{taskManager(1, 2), taskManager(1, 3)}, w.names())
	require.Equal(t, Counts{Unregistered: 1}, w.state.Counts())
}

func TestUnscheduledTaskManagerHasNoRegistrationTimeout(t *testing.T) {
	w := newWorld(t, 2)
	w.rules.SlotTimeout = 100 * time.Hour
	w.started().rest(24 * time.Hour)
	require.Equal(t, []string{taskManager(1, 1), taskManager(1, 2)}, w.names())
}

func TestTaskManagersWithoutJobManagerExit(t *testing.T) {
	w := newWorld(t, 3).started().place(2)
	w.leader = Leader{}
	w.rest(5*time.Minute - time.Second)
	require.Len(t, w.pods, 3)
	w.rest(time.Second)
	require.Equal(t, []string{taskManager(1, 3)}, w.names(), "one that never ran just waits")
	w.leader = Leader{Pod: "jm-b"}
	w.rest(2 * time.Second)
	require.Equal(t, []string{taskManager(2, 1), taskManager(2, 2), taskManager(2, 3)}, w.names())
}

func TestSlotTimerBeginsAnewWithAJobManager(t *testing.T) {
	w := newWorld(t, 2).started()
	w.rest(4 * time.Minute)
	w.leader = Leader{Pod: "jm-b"}
	w.rest(4 * time.Minute)
	require.Zero(t, w.state.Counts().SlotTimeouts)
	w.rest(2 * time.Minute)
	require.Equal(t, 1, w.state.Counts().SlotTimeouts)
}

func TestAdaptiveJobRunsWithWhatItHas(t *testing.T) {
	w := newWorld(t, 8)
	w.rules.Mode, w.rules.Min = Adaptive, 3
	w.started().place(2)
	w.rest(time.Hour)
	require.Equal(t, Waiting, w.state.Phase(), "below its minimum it waits, as long as it takes")
	w.place(1).rest(9 * time.Second)
	require.Equal(t, Waiting, w.state.Phase())
	w.rest(time.Second)
	require.Equal(t, Running, w.state.Phase())
	require.Len(t, w.pods, 8, "it still wants the others")
	w.place(2).rest(29 * time.Second)
	require.Zero(t, w.state.Counts().Rescales)
	w.place(1).rest(2 * time.Second)
	require.Equal(t, 1, w.state.Counts().Rescales, "one restart for all that came within the interval")
	w.rest(time.Minute)
	require.Equal(t, Running, w.state.Phase())
	require.Equal(t, 6, w.state.job.with)
	require.Zero(t, w.state.Counts().SlotTimeouts)
}

func TestAdaptiveJobWithAllRunsAtOnce(t *testing.T) {
	w := newWorld(t, 4)
	w.rules.Mode = Adaptive
	w.started().place(4)
	require.Equal(t, Running, w.state.Phase())
	delete(w.pods, taskManager(1, 1))
	w.settle()
	require.Equal(t, Restarting, w.state.Phase(), "it always restarts whole")
	w.rest(11 * time.Second)
	require.Equal(t, Running, w.state.Phase(), "with the other three")
}

// standalone is a world in which others make the TaskManagers.
func standalone(t *testing.T, n int) *world {
	w := newWorld(t, n)
	w.rules.Made, w.rules.Mode = true, Reactive
	w.rules.Stabilization, w.rules.ScaleInterval = 0, 0
	return w
}

func (w *world) arrive(names ...string) *world {
	for _, name := range names {
		w.pods[name] = &Pod{Name: name, Scheduled: true, Running: true}
	}
	w.settle()
	return w
}

func TestReactiveJobRestartsPerArrival(t *testing.T) {
	w := standalone(t, 2).arrive("a", "b")
	w.rest(2 * time.Second)
	require.Equal(t, Running, w.state.Phase())
	w.arrive("c", "d")
	w.arrive("e", "f")
	w.rest(2 * time.Second)
	require.Equal(t, Counts{Rescales: 1}, w.state.Counts(), "four together cost one restart")
	require.Equal(t, Running, w.state.Phase())
	for _, name := range []string{"g", "h"} {
		w.arrive(name).rest(2 * time.Second)
	}
	require.Equal(t, 3, w.state.Counts().Rescales, "two that come one after the other cost two")
	delete(w.pods, "a")
	w.rest(3 * time.Second)
	require.Equal(t, 1, w.state.Counts().Restarts)
	require.Equal(t, Running, w.state.Phase())
	require.Empty(t, w.made, "it makes none itself")
	require.Len(t, w.pods, 7)
}

func TestStandaloneStreamingJobWaitsForAll(t *testing.T) {
	w := standalone(t, 3)
	w.rules.Mode = Streaming
	w.arrive("a", "b").rest(time.Hour)
	require.Equal(t, Waiting, w.state.Phase())
	require.Equal(t, Counts{}, w.state.Counts(), "it does not wait for slots against a clock")
	w.arrive("c")
	require.Equal(t, Running, w.state.Phase())
}

func TestBatchJobWorksWithAnyNumber(t *testing.T) {
	w := newWorld(t, 5)
	w.rules.Mode = Batch
	w.rules.Work = Work{Stages: 2, Tasks: 10, Slots: 2, TaskTime: time.Minute}
	w.started()
	w.rest(time.Minute)
	require.Equal(t, Waiting, w.state.Phase())
	w.place(1)
	require.Equal(t, Running, w.state.Phase(), "one TaskManager makes progress")
	w.rest(4 * time.Minute)
	require.Equal(t, 2, w.state.job.batch.undone)
	require.Len(t, w.pods, 1, "the others are not needed for what is left")
	w.rest(time.Minute)
	require.Len(t, w.pods, 5, "the next stage wants all again")
	w.place(3).rest(time.Minute)
	require.Equal(t, 2, w.state.job.batch.undone)
	w.rest(29 * time.Second)
	require.Equal(t, 4, w.placed())
	w.rest(time.Second)
	require.Equal(t, 1, w.placed(), "idle ones are given up after half a minute")
	w.rest(30 * time.Second)
	require.Equal(t, Finished, w.state.Phase())
	w.rest(30 * time.Second)
	require.Empty(t, w.pods)
	require.Equal(t, Counts{}, w.state.Counts())
}

func TestBatchTasksOfALostTaskManagerAreDoneAgain(t *testing.T) {
	w := newWorld(t, 2)
	w.rules.Mode = Batch
	w.rules.Work = Work{Stages: 1, Tasks: 2, Slots: 1, TaskTime: time.Minute}
	w.started().place(2)
	w.rest(30 * time.Second)
	delete(w.pods, taskManager(1, 2))
	w.settle()
	w.place(1)
	require.Equal(t, Running, w.state.Phase())
	require.Zero(t, w.state.Restarts(), "the job does not restart")
	w.rest(59 * time.Second)
	require.Equal(t, 1, w.state.job.batch.undone)
	w.rest(time.Second)
	require.Equal(t, Finished, w.state.Phase())
}

func TestBatchJobWithoutAnyTaskManagerTimesOut(t *testing.T) {
	w := newWorld(t, 4)
	w.rules.Mode = Batch
	w.rules.Work = Work{Stages: 1, Tasks: 4, Slots: 1, TaskTime: time.Minute}
	w.started().rest(5 * time.Minute)
	require.Equal(t, 1, w.state.Counts().SlotTimeouts)
	w.rest(time.Second).place(1)
	require.Equal(t, Running, w.state.Phase())
	w.rest(time.Hour)
	require.Equal(t, 1, w.state.Counts().SlotTimeouts)
	require.Equal(t, Finished, w.state.Phase())
}

func TestStreamingJobWithAnEnd(t *testing.T) {
	w := newWorld(t, 2)
	w.rules.Work.RunFor = 10 * time.Minute
	w.started().place(2)
	w.rest(4 * time.Minute)
	delete(w.pods, taskManager(1, 1))
	w.settle()
	w.rest(time.Minute).place(1)
	w.rest(6*time.Minute - time.Second)
	require.Equal(t, Running, w.state.Phase(), "it goes on from where it was")
	w.rest(time.Second)
	require.Equal(t, Finished, w.state.Phase())
	require.Equal(t, Finished, w.stored.Outcome)
	w.rest(30 * time.Second)
	require.Empty(t, w.pods)
}

func TestFasterClocks(t *testing.T) {
	r := DefaultRules().Faster(10)
	require.Equal(t, 30*time.Second, r.SlotTimeout)
	require.Equal(t, 100*time.Millisecond, r.Restart.Delay)
	require.Equal(t, 3*time.Second, r.SeenWithin)
	require.Equal(t, 10, r.MaxFailures)
}
