package flink

import (
	"time"

	"k8s.io/apimachinery/pkg/types"
)

// ledger reckons, from when pods appear, get a node and vanish, what jobs wasted that had started only in part.
//
// A job's TaskManagers are wasted while all of its minimum exist and not all of it have a node: each that has one waits for the others in vain. For a job that starts once
// that is the sum, over its TaskManagers, of the time from when the TaskManager had its node, or the last of them existed if that was later, until the last had its node. The ledger
// also counts what a job wastes that never starts.
type ledger struct {
	jobs map[string]*account
	// partialAfter is how long a job may be bound in part before that counts.
	partialAfter time.Duration
}

// account is one job's.
type account struct {
	// min is how many pods, TaskManagers and JobManager, the job needs.
	min     int
	members map[types.UID]*member
	// bound and workers are how many of them have a node; workers leaves out the JobManager.
	bound, workers int
	// at is up to when it has been reckoned.
	at time.Time
	// wasted is in TaskManager-seconds.
	wasted float64
	// since is when it came to be bound in part; zero while it is not.
	since   time.Time
	partial time.Duration // the longest time that it was
	started time.Time     // when its minimum was first bound
}

type member struct{ worker, bound bool }

func newLedger() *ledger { return &ledger{jobs: map[string]*account{}, partialAfter: time.Second} }

// expect says how many pods a job needs. Pods of jobs that nobody expects are not looked at.
func (l *ledger) expect(job string, min int) {
	l.jobs[job] = &account{min: min, members: map[types.UID]*member{}}
}

// see takes in a pod as it is: there, with or without a node, or gone.
func (l *ledger) see(job string, uid types.UID, worker, bound, gone bool, at time.Time) {
	a := l.jobs[job]
	if a == nil {
		return
	}
	a.reckon(at)
	m := a.members[uid]
	switch {
	case gone && m == nil:
		return
	case gone:
		delete(a.members, uid)
		a.add(m, -1)
	case m == nil:
		m = &member{worker: worker, bound: bound}
		a.members[uid] = m
		a.add(m, 1)
	case bound && !m.bound:
		a.add(m, -1)
		m.bound = true
		a.add(m, 1)
	}
	a.mark(at)
}

// add counts a member in or out.
func (a *account) add(m *member, n int) {
	if m.bound {
		a.bound += n
		if m.worker {
			a.workers += n
		}
	}
}

// inPart says whether all of the minimum exist and only some of its workers are bound.
func (a *account) inPart() bool {
	return len(a.members) >= a.min && a.workers > 0 && a.bound < a.min
}

// reckon carries the account on to a time.
func (a *account) reckon(at time.Time) {
	if !at.After(a.at) {
		return
	}
	if a.inPart() {
		a.wasted += at.Sub(a.at).Seconds() * float64(a.workers)
	}
	a.at = at
}

// mark notes, after a change, when a job began to be bound in part, and when it has started.
func (a *account) mark(at time.Time) {
	switch {
	case a.inPart() && a.since.IsZero():
		a.since = at
	case !a.inPart() && !a.since.IsZero():
		a.partial = max(a.partial, at.Sub(a.since))
		a.since = time.Time{}
	}
	if a.started.IsZero() && a.bound >= a.min {
		a.started = at
	}
}

// tally is what the jobs wasted in all.
type tally struct {
	wasted  float64       // TaskManager-seconds
	partial int           // jobs that were bound in part for longer than they may be
	longest time.Duration // that a job was bound in part
	started int           // jobs whose minimum has been bound
	vain    int           // JobManagers that hold room now and whose jobs do not have their minimum
}

// vain counts the JobManagers that hold room now and whose jobs do not have their minimum.
func (l *ledger) vain() (n int) {
	for _, a := range l.jobs {
		if a.bound > a.workers && a.bound < a.min {
			n++
		}
	}
	return n
}

// close reckons everything up to a time.
func (l *ledger) close(at time.Time) (t tally) {
	for _, a := range l.jobs {
		a.reckon(at)
		if !a.since.IsZero() {
			a.partial = max(a.partial, at.Sub(a.since))
		}
		t.wasted += a.wasted
		t.longest = max(t.longest, a.partial)
		if a.partial > l.partialAfter {
			t.partial++
		}
		if !a.started.IsZero() {
			t.started++
		}
	}
	t.vain = l.vain()
	return t
}
