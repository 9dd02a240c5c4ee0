package jobmanager

import "time"

// job is the life of the job itself: what it waits for, when it fails, and when it is done.
type job struct {
	phase Phase
	// asked is when the slots of this execution were asked for; zero before that. The slot timer runs from it while the job does not run.
	asked time.Time
	// wanted is for how many TaskManagers that was.
	wanted int
	// resume is when a restarted job asks for slots; until then it has none to run in.
	resume time.Time
	// dropped: it asks for nothing until then, since its slots did not come in time. Otherwise it goes on with what it has.
	dropped bool
	// enough is since when an adaptive job could run.
	enough time.Time
	// began is when the job last began to run, with how many TaskManagers.
	began time.Time
	with  int

	row    int // failures without a calm time between them
	counts Counts
	ran    time.Duration // earlier executions
	batch  batch
}

// Counts are what went wrong, or was disturbed, since this simulator watches.
type Counts struct {
	Restarts     int // of the whole job, since a TaskManager was lost
	SlotTimeouts int // failures since slots did not come in time
	Rescales     int // restarts of an adaptive or reactive job to use more TaskManagers
	Unregistered int // TaskManagers given up that were scheduled and never ran
}

// Phase tells how far the job is.
func (s *State) Phase() Phase { return s.job.phase }

// Restarts counts how often the whole job restarted because a running TaskManager was lost.
func (s *State) Restarts() int { return s.job.counts.Restarts }

// Counts tells what went wrong so far.
func (s *State) Counts() Counts { return s.job.counts }

// Deadline is when the job will fail unless its slots have come; not ok while no such clock runs.
func (s *State) Deadline(rules Rules) (at time.Time, ok bool) {
	j := &s.job
	if s.over() || rules.Made || j.phase == Running || j.phase == Starting || j.asked.IsZero() || rules.Mode == Adaptive || rules.Mode == Reactive {
		return time.Time{}, false
	}
	return j.asked.Add(rules.SlotTimeout), true
}

// over says whether the job has ended for good.
func (s *State) over() bool { return s.record.Outcome != "" }

// live carries the job on to now, and returns how many TaskManagers it needs now.
func (s *State) live(now time.Time, wanted int, rules Rules, d *Decision) (need int) {
	if s.over() {
		s.job.phase = s.record.Outcome
		return 0
	}
	if wanted == 0 && rules.Mode != Reactive { // a session without jobs
		s.job.phase, s.job.asked, s.job.wanted = Running, time.Time{}, 0
		return 0
	}
	if left := s.job.resume.Sub(now); left > 0 {
		d.wake(left)
		if s.job.dropped {
			return 0
		}
		return wanted
	}
	s.job.dropped = false
	s.ask(now, wanted, rules, d)
	s.judge(now, wanted, rules, d)
	if s.job.phase == Running {
		return s.work(now, wanted, rules, d)
	}
	return s.expire(now, wanted, rules, d)
}

// ask starts the slot timer: when the job first asks, when it does so again after a failure, and when it wants more than before.
func (s *State) ask(now time.Time, wanted int, rules Rules, d *Decision) {
	j := &s.job
	first := s.ready.Add(rules.StartDelay)
	switch {
	case now.Before(first):
		d.wake(first.Sub(now))
		return
	case j.asked.IsZero():
		j.asked = now
	case wanted > j.wanted && rules.Mode != Adaptive && rules.Mode != Reactive:
		j.asked = now
		if j.phase == Running && rules.Mode != Batch {
			j.phase = Waiting
		}
	}
	j.wanted = wanted
}

// running counts the TaskManagers that run.
func (s *State) running() (n int) {
	for _, w := range s.workers {
		if w.running {
			n++
		}
	}
	return n
}

// judge says whether the job runs, by what runs of it.
func (s *State) judge(now time.Time, wanted int, rules Rules, d *Decision) {
	j := &s.job
	n := s.running()
	switch {
	case j.phase == Running:
		s.grow(now, n, rules, d)
	case j.asked.IsZero() || n < rules.least(wanted):
		j.enough = time.Time{}
	case rules.Mode == Adaptive && n < wanted && !s.stable(now, rules, d):
	default:
		j.phase, j.began, j.with, j.enough = Running, now, n, time.Time{}
		s.tell("job of %s runs with %d TaskManagers", s.cluster, n)
	}
}

// stable says whether an adaptive job that could run has waited long enough for more.
func (s *State) stable(now time.Time, rules Rules, d *Decision) bool {
	if s.job.enough.IsZero() {
		s.job.enough = now
	}
	left := rules.Stabilization - now.Sub(s.job.enough)
	if left > 0 {
		d.wake(left)
	}
	return left <= 0
}

// grow restarts a running adaptive or reactive job when more TaskManagers have come than it runs with. What comes during the restart
// costs no further one.
func (s *State) grow(now time.Time, n int, rules Rules, d *Decision) {
	j := &s.job
	if rules.Mode != Adaptive && rules.Mode != Reactive || n <= j.with {
		return
	}
	if left := rules.ScaleInterval - now.Sub(j.began); left > 0 {
		d.wake(left)
		return
	}
	j.counts.Rescales++
	s.tell("job of %s restarts to use %d TaskManagers instead of %d", s.cluster, n, j.with)
	s.rest(now, rules.Restart.Delay, d)
}

// expire fails the job when its slots have not come in time.
func (s *State) expire(now time.Time, wanted int, rules Rules, d *Decision) (need int) {
	at, runs := s.Deadline(rules)
	switch {
	case !runs:
		return wanted
	case now.Before(at):
		d.wake(at.Sub(now))
		return wanted
	}
	s.job.counts.SlotTimeouts++
	s.tell("job of %s has not got its slots within %s: %d of %d TaskManagers run", s.cluster, rules.SlotTimeout, s.running(), wanted)
	s.job.dropped = true
	s.fall(now, rules, d)
	return 0
}

// fall is a failure of the whole job: it restarts after a delay, or has failed for good.
func (s *State) fall(now time.Time, rules Rules, d *Decision) {
	j := &s.job
	if j.phase == Running && now.Sub(j.began) >= rules.Restart.ResetAfter {
		j.row = 0
	}
	if rules.Restart.Never || rules.Restart.Attempts > 0 && j.row >= rules.Restart.Attempts {
		s.end(now, Failed)
		return
	}
	delay := rules.Restart.after(j.row)
	j.row++
	s.rest(now, delay, d)
}

// rest stops the job until the delay is over.
func (s *State) rest(now time.Time, delay time.Duration, d *Decision) {
	j := &s.job
	if j.phase == Running {
		j.ran += now.Sub(j.began)
	}
	j.phase, j.asked, j.enough, j.resume = Restarting, time.Time{}, time.Time{}, now.Add(delay)
	d.wake(delay)
}

// end notes that the job has ended for good.
func (s *State) end(now time.Time, how Phase) {
	s.record.Outcome, s.record.Ended, s.stored = how, now, false
	s.job.phase = how
	s.tell("job of %s: %s", s.cluster, how)
}

// work lets a running job do its work, and returns how many TaskManagers it still needs.
func (s *State) work(now time.Time, wanted int, rules Rules, d *Decision) (need int) {
	switch w := rules.Work; {
	case rules.Mode == Batch && w.Stages > 0:
		return s.toil(now, wanted, rules, d)
	case rules.Mode == Batch && s.running() == 0: // all are lost; it waits for one again
		s.job.phase, s.job.asked = Waiting, now
	case rules.Mode != Batch && w.RunFor > 0:
		left := w.RunFor - s.job.ran - now.Sub(s.job.began)
		if left <= 0 {
			s.end(now, Finished)
			return 0
		}
		d.wake(left)
	}
	return wanted
}
