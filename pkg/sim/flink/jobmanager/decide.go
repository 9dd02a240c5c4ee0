package jobmanager

import (
	"cmp"
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
	switch {
	case seen.Leader == (Leader{}):
		s.phase, s.ready = Starting, time.Time{}
		s.note(pods)
	default:
		s.lead(now, seen, &d) // 1. is this a new JobManager process?
		s.observe(now, pods, rules, &d)
		s.release(now, pods, seen.Wanted, rules, &d)
		s.request(now, seen.Wanted, rules, &d)
		s.progress(seen.Wanted)
		s.wakeForPause(now, &d)
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

// note keeps, while no JobManager is ready, what was seen of its workers: nobody acts on it.
func (s *State) note(pods map[string]Pod) {
	for name, w := range s.workers {
		if p, ok := pods[name]; ok {
			w.seen, w.running = true, p.Running
		}
	}
}

// lead notices the first leader, a leader that the record knows, and a new process.
func (s *State) lead(now time.Time, seen Seen, d *Decision) {
	if !s.ready.IsZero() && s.record.Leader == seen.Leader {
		return
	}
	known := s.record.Leader == seen.Leader
	s.ready = now
	switch {
	case known && !s.led, s.record.Attempt == 0 && len(seen.Pods) > 0:
		s.adopt(now, seen)
	case known: // the same process became ready again; it still counts on its workers
	case s.record.Attempt == 0:
		s.begin(seen.Leader, 1)
	default:
		s.recover(now, seen, d)
	}
	if s.phase == Starting {
		s.phase = Waiting
	}
}

// begin starts an attempt.
func (s *State) begin(leader Leader, attempt int) {
	s.record, s.stored, s.index = Record{Leader: leader, Attempt: attempt}, false, 0
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
	s.phase = Waiting
	s.tell("attempt %d keeps %d TaskManagers and deletes %d that were not scheduled", s.record.Attempt, len(s.workers), len(d.Delete))
}

func (s *State) keep(p Pod, now time.Time) {
	s.workers[p.Name] = &worker{
		request: Request{Name: p.Name, Attempt: p.Attempt, Index: p.Index}, asked: now, seen: true, running: p.Running,
	}
}

// observe finds the workers that have ended and those that were never seen.
func (s *State) observe(now time.Time, pods map[string]Pod, rules Rules, d *Decision) {
	for _, name := range slices.Sorted(maps.Keys(s.workers)) {
		w := s.workers[name]
		p, exists := pods[name]
		switch {
		case exists && p.Terminated:
			d.Delete = append(d.Delete, name)
			s.lost(name, w, "terminated", now)
		case exists:
			w.seen, w.running = true, p.Running
		case w.seen:
			s.lost(name, w, "was deleted", now)
		case now.Sub(w.asked) >= rules.SeenWithin:
			d.LookUp = append(d.LookUp, name)
			d.wake(rules.SeenWithin)
		default:
			d.wake(rules.SeenWithin - now.Sub(w.asked))
		}
	}
}

// lost forgets a worker that ended: the job restarts if it was running, else its start has failed.
func (s *State) lost(name string, w *worker, how string, now time.Time) {
	delete(s.workers, name)
	if !w.running {
		s.tell("TaskManager %s %s before it ran; asking for another", name, how)
		s.fail(now)
		return
	}
	if s.phase != Restarting {
		s.restarts++
		s.phase = Restarting
		s.tell("TaskManager %s %s; the whole job restarts", name, how)
	}
}

func (s *State) fail(now time.Time) {
	s.failures = append(s.failures, now)
}

// release gives up workers beyond what is wanted: unscheduled ones at once, others when idle for long enough.
func (s *State) release(now time.Time, pods map[string]Pod, wanted int, rules Rules, d *Decision) {
	surplus := len(s.workers) - wanted
	byAge := slices.SortedFunc(maps.Values(s.workers), func(a, b *worker) int {
		return cmp.Or(-cmp.Compare(a.request.Attempt, b.request.Attempt), -cmp.Compare(a.request.Index, b.request.Index))
	})
	for _, pass := range []bool{false, true} {
		for _, w := range byAge {
			name := w.request.Name
			if _, still := s.workers[name]; !still || pods[name].Scheduled != pass {
				continue
			}
			if surplus <= 0 {
				w.idleSince = time.Time{}
				continue
			}
			surplus--
			s.dismiss(name, w, pass, now, rules, d)
		}
	}
}

func (s *State) dismiss(name string, w *worker, scheduled bool, now time.Time, rules Rules, d *Decision) {
	if !w.seen {
		return // its creation is not observed yet; it is judged when it is
	}
	if w.idleSince.IsZero() {
		w.idleSince = now
	}
	if left := rules.IdleTimeout - now.Sub(w.idleSince); scheduled && left > 0 {
		d.wake(left)
		return
	}
	delete(s.workers, name)
	d.Delete = append(d.Delete, name)
	s.tell("TaskManager %s is not needed any more", name)
}

// request asks for what is missing, unless the start delay or a pause says to wait.
func (s *State) request(now time.Time, wanted int, rules Rules, d *Decision) {
	missing := wanted - len(s.workers)
	if missing <= 0 {
		return
	}
	if left := rules.StartDelay - now.Sub(s.ready); left > 0 {
		d.wake(left)
		return
	}
	if s.pause(now, rules) {
		return
	}
	if missing > rules.Burst {
		missing = rules.Burst
		d.wake(time.Millisecond)
	}
	for range missing {
		s.index++
		r := Request{Name: s.name(s.record.Attempt, s.index), Attempt: s.record.Attempt, Index: s.index}
		s.workers[r.Name] = &worker{request: r, asked: now}
		d.Create = append(d.Create, r)
	}
	d.wake(rules.SeenWithin)
}

// pause says whether requests must wait because too many starts failed within the last minute. Each failure beyond
// the limit pauses them once.
func (s *State) pause(now time.Time, rules Rules) bool {
	s.failures = slices.DeleteFunc(s.failures, func(at time.Time) bool { return now.Sub(at) > time.Minute })
	if now.Before(s.paused) {
		return true
	}
	if len(s.failures) <= rules.MaxFailures || !s.failures[len(s.failures)-1].After(s.paused.Add(-rules.RetryPause)) {
		return false
	}
	s.paused = now.Add(rules.RetryPause)
	s.tell("%d TaskManagers failed to start within a minute; requests pause for %s", len(s.failures), rules.RetryPause)
	return true
}

func (s *State) wakeForPause(now time.Time, d *Decision) {
	if now.Before(s.paused) {
		d.wake(s.paused.Sub(now))
	}
}

func (s *State) progress(wanted int) {
	running := 0
	for _, w := range s.workers {
		if w.running {
			running++
		}
	}
	switch {
	case running >= wanted && len(s.workers) >= wanted:
		s.phase = Running
	case s.phase == Running:
		s.phase = Waiting
	}
}

// wake keeps the earliest time at which to decide again.
func (d *Decision) wake(in time.Duration) {
	if in = max(in, time.Millisecond); d.Wake == 0 || in < d.Wake {
		d.Wake = in
	}
}
