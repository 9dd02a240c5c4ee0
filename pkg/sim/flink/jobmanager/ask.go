package jobmanager

import (
	"cmp"
	"maps"
	"slices"
	"time"
)

// release gives up workers beyond what is needed: unscheduled ones at once, others when idle for long enough.
func (s *State) release(now time.Time, pods map[string]Pod, need int, rules Rules, d *Decision) {
	surplus := len(s.workers) - need
	byAge := slices.SortedFunc(maps.Values(s.workers), func(a, b *worker) int { // the idle before the busy, the youngest first
		return cmp.Or(busyUntil(a).Compare(busyUntil(b)), -cmp.Compare(a.request.Attempt, b.request.Attempt), -cmp.Compare(a.request.Index, b.request.Index))
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
	if !w.seen || w.tasks > 0 {
		return // its creation is not observed yet, and it is judged when it is; or it works
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
func (s *State) request(now time.Time, need int, rules Rules, d *Decision) {
	missing := need - len(s.workers)
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
