package jobmanager

import (
	"maps"
	"slices"
	"time"
)

// Decide observes and decides. It may be called at any time and any number of times; without a change of what is seen
// it asks for nothing twice.
func (s *State) Decide(now time.Time, seen Seen, rules Rules) Decision {
	d := Decision{}
	s.news = nil
	pods := map[string]Pod{}
	for _, p := range seen.Pods {
		pods[p.Name] = p
	}
	if seen.Leader == (Leader{}) {
		s.mourn(now, pods, rules, &d)
	} else {
		s.lead(now, seen, &d) // 1. is this a new JobManager process?
		s.observe(now, pods, rules, &d)
		need := s.live(now, seen.Wanted, rules, &d)
		if !rules.Made {
			s.release(now, pods, need, rules, &d)
			s.request(now, need, rules, &d)
			s.wakeForPause(now, &d)
		}
	}
	if !s.stored && s.record.Attempt > 0 {
		r := s.record
		d.Record = &r
	}
	slices.Sort(d.Delete)
	slices.Sort(d.LookUp)
	d.News = s.news
	return d
}

// mourn keeps, while no JobManager is ready, what was seen of its workers. Nobody acts on it; but workers that run and find no JobManager for too
// long exit by themselves.
func (s *State) mourn(now time.Time, pods map[string]Pod, rules Rules, d *Decision) {
	s.halt(now)
	for name, w := range s.workers {
		if p, ok := pods[name]; ok {
			w.see(p, now)
		}
	}
	left := rules.Orphaned - now.Sub(s.alone)
	switch {
	case rules.Made || rules.Orphaned <= 0 || s.record.Attempt == 0:
	case left > 0:
		d.wake(left)
	default:
		for name, p := range pods {
			if p.Running && !p.Leaving {
				d.Delete = append(d.Delete, name)
			}
		}
	}
}

// halt notes that there is no JobManager.
func (s *State) halt(now time.Time) {
	if s.job.phase == Running {
		s.job.ran += now.Sub(s.job.began)
	}
	if s.alone.IsZero() {
		s.alone = now
	}
	s.job.phase, s.ready = Starting, time.Time{}
}

// see takes in what is seen of a worker.
func (w *worker) see(p Pod, now time.Time) {
	w.seen, w.running, w.came = true, p.Running, w.came || p.Running
	if p.Scheduled && w.scheduled.IsZero() {
		w.scheduled = now
	}
}

// lead notices the first leader, a leader that the record knows, and a new process.
func (s *State) lead(now time.Time, seen Seen, d *Decision) {
	if !s.ready.IsZero() && s.record.Leader == seen.Leader {
		return
	}
	known := s.record.Leader == seen.Leader
	s.ready, s.alone = now, time.Time{}
	switch {
	case known && !s.led, s.record.Attempt == 0 && slices.ContainsFunc(seen.Pods, func(p Pod) bool { return p.Attempt > 0 }):
		s.adopt(now, seen)
	case known: // the same process became ready again; it still counts on its workers
	case s.record.Attempt == 0:
		s.begin(seen.Leader, 1)
	default:
		s.recover(now, seen, d)
	}
	if s.job.phase == Starting {
		s.job.phase = Waiting
	}
}

// begin starts an attempt. A new process runs the job from its last checkpoint, a batch job from the beginning; what has ended for good stays so.
func (s *State) begin(leader Leader, attempt int) {
	r := s.record
	s.record, s.stored, s.index = Record{Leader: leader, Attempt: attempt, Outcome: r.Outcome, Ended: r.Ended}, false, 0
	s.job = job{phase: Waiting, counts: s.job.counts, ran: s.job.ran}
	s.failures, s.paused, s.led = nil, time.Time{}, true
	s.workers = map[string]*worker{}
	s.tell("JobManager of %s is ready, attempt %d", s.cluster, attempt)
}

// adopt continues the attempt that the pods' names show: the simulator was restarted, the JobManager was not.
func (s *State) adopt(now time.Time, seen Seen) {
	attempt := s.record.Attempt
	for _, p := range seen.Pods {
		attempt = max(attempt, p.Attempt)
	}
	s.begin(seen.Leader, max(attempt, 1))
	s.ready = now.Add(-time.Hour) // the start delay has long passed when there is something to adopt
	if len(seen.Pods) == 0 {
		s.ready = now
	}
	for _, p := range seen.Pods {
		if !p.Leaving {
			s.keep(p, now)
		}
		if p.Attempt == s.record.Attempt {
			s.index = max(s.index, p.Index)
		}
	}
}

// recover is a new JobManager process: it keeps the workers that are scheduled and deletes the others.
func (s *State) recover(now time.Time, seen Seen, d *Decision) {
	attempt := s.record.Attempt
	for _, p := range seen.Pods {
		attempt = max(attempt, p.Attempt)
	}
	s.begin(seen.Leader, attempt+1)
	for _, p := range seen.Pods {
		switch {
		case p.Leaving:
		case p.Scheduled && !p.Terminated:
			s.keep(p, now)
		default:
			d.Delete = append(d.Delete, p.Name)
		}
	}
	s.tell("attempt %d keeps %d TaskManagers and deletes %d that were not scheduled", s.record.Attempt, len(s.workers), len(d.Delete))
}

func (s *State) keep(p Pod, now time.Time) {
	w := &worker{request: Request{Name: p.Name, Attempt: p.Attempt, Index: p.Index}, asked: now}
	w.see(p, now)
	s.workers[p.Name] = w
}

// observe finds the workers that have ended, that never registered, and that were never seen.
func (s *State) observe(now time.Time, pods map[string]Pod, rules Rules, d *Decision) {
	if rules.Made {
		s.meet(now, pods)
	}
	for _, name := range slices.Sorted(maps.Keys(s.workers)) {
		w := s.workers[name]
		p, exists := pods[name]
		switch {
		case exists && p.Terminated:
			s.lost(name, w, now, rules, d)
			if !rules.Made {
				d.Delete = append(d.Delete, name)
			}
		case exists:
			w.see(p, now)
			s.expect(name, w, now, rules, d)
		case w.seen:
			s.lost(name, w, now, rules, d)
		case now.Sub(w.asked) >= rules.SeenWithin:
			d.LookUp = append(d.LookUp, name)
			d.wake(rules.SeenWithin)
		default:
			d.wake(rules.SeenWithin - now.Sub(w.asked))
		}
	}
}

// meet takes on the TaskManagers that others have made.
func (s *State) meet(now time.Time, pods map[string]Pod) {
	for name, p := range pods {
		if _, known := s.workers[name]; !known && !p.Terminated && !p.Leaving {
			s.keep(p, now)
		}
	}
}

// expect gives up a worker that has had a node for too long without ever running. Before it has one it may wait as long as it likes.
func (s *State) expect(name string, w *worker, now time.Time, rules Rules, d *Decision) {
	if w.came || w.scheduled.IsZero() || rules.Made {
		return
	}
	if left := rules.RegistrationTimeout - now.Sub(w.scheduled); left > 0 {
		d.wake(left)
		return
	}
	s.job.counts.Unregistered++
	d.Delete = append(d.Delete, name)
	s.drop(name, w)
	s.fail(now)
	s.tell("TaskManager %s did not register within %s after it was scheduled; asking for another", name, rules.RegistrationTimeout)
}

// lost forgets a worker that ended. If it had run the job restarts, except a batch job, which does its tasks again; else its start has failed.
func (s *State) lost(name string, w *worker, now time.Time, rules Rules, d *Decision) {
	worked := w.tasks > 0
	s.drop(name, w)
	switch {
	case s.over():
	case !w.came:
		s.tell("TaskManager %s ended before it ran; asking for another", name)
		s.fail(now)
	case rules.Mode == Batch && !(worked && rules.Restart.Never):
		s.tell("TaskManager %s ended; its tasks are done again", name)
	case s.job.phase != Restarting:
		s.job.counts.Restarts++
		s.tell("TaskManager %s ended; the whole job restarts", name)
		s.fall(now, rules, d)
	}
}

func (s *State) drop(name string, w *worker) {
	s.putBack(w)
	delete(s.workers, name)
}

func (s *State) fail(now time.Time) {
	s.failures = append(s.failures, now)
}

// wake keeps the earliest time at which to decide again.
func (d *Decision) wake(in time.Duration) {
	if in = max(in, time.Millisecond); d.Wake == 0 || in < d.Wake {
		d.Wake = in
	}
}
