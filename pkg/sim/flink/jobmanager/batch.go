package jobmanager

import (
	"maps"
	"slices"
	"time"
)

// batch is how far a batch job is with its stages.
type batch struct {
	stage   int // worked off
	left    int // tasks of the present stage that nobody works on
	undone  int // tasks of the present stage that are not done
	planned bool
}

// toil works off tasks: what is done is counted, free TaskManagers take more, a stage that is done makes way for the next. Stages do not overlap, so
// near the end of one fewer TaskManagers are needed than run.
func (s *State) toil(now time.Time, wanted int, rules Rules, d *Decision) (need int) {
	b, w := &s.job.batch, rules.Work
	if !b.planned {
		b.planned = true
		b.plan(w)
	}
	s.collect(now)
	for b.undone == 0 {
		b.stage++
		if b.stage >= w.Stages {
			s.end(now, Finished)
			return 0
		}
		b.plan(w)
	}
	s.hand(now, rules, d)
	if s.running() == 0 { // all are lost; it waits for one again
		s.job.phase, s.job.asked = Waiting, now
	}
	return min(wanted, (b.undone+max(w.Slots, 1)-1)/max(w.Slots, 1))
}

func (b *batch) plan(w Work) { b.left, b.undone = max(w.Tasks, 1), max(w.Tasks, 1) }

// collect counts the tasks that are done.
func (s *State) collect(now time.Time) {
	for _, w := range s.workers {
		if w.tasks > 0 && !now.Before(w.busy) {
			s.job.batch.undone -= w.tasks
			w.tasks = 0
		}
	}
}

// hand gives tasks to those that are free, by name.
func (s *State) hand(now time.Time, rules Rules, d *Decision) {
	b := &s.job.batch
	for _, name := range slices.Sorted(maps.Keys(s.workers)) {
		w := s.workers[name]
		if w.running && w.tasks == 0 && b.left > 0 {
			w.tasks = min(b.left, max(rules.Work.Slots, 1))
			w.busy = now.Add(rules.Work.TaskTime)
			b.left -= w.tasks
		}
		if w.tasks > 0 {
			d.wake(w.busy.Sub(now))
		}
	}
}

// putBack returns the tasks of a TaskManager that was lost.
func (s *State) putBack(w *worker) {
	s.job.batch.left += w.tasks
	w.tasks = 0
}

// busyUntil orders those that are idle before those that work.
func busyUntil(w *worker) time.Time {
	if w.tasks == 0 {
		return time.Time{}
	}
	return w.busy
}
