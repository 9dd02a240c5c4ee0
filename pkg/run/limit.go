package run

import "time"

// Constants of the adjustment of requests in flight.
const (
	// patience: latency up to this multiple of its recent minimum, plus slack, counts as "not yet crowded". API servers batch what
	// arrives together, and other clients make them slow as well: who gives way at the first sign starves. A tenth of a second is far
	// below anything at which requests time out.
	patience = 3
	slack    = 100 * time.Millisecond
	// floorWindow is for how long a minimum of the latency is believed, at least; twice that at most.
	floorWindow = 30 * time.Second
)

// limit is how many requests may be in flight. It follows the API server's latency, judged over rounds of as many answers as there may be
// requests in flight:
//
//	starting ── round quick ──> doubled      growing ── round quick, all in use ──> a little more (its root)
//	    └────── round slow, or a sign of overload ──────┘      ├── round slow ──> a tenth less
//	                                                           └── overload (429, timeout) ──> half, once a round
type limit struct {
	least, most float64
	now         float64
	starting    bool

	// The round under way.
	answers int
	total   time.Duration
	full    bool // all of the limit was in use at some time
	halved  bool

	floor, older time.Duration // minimum of this window and of the one before; 0 is none
	since        time.Time
}

func newLimit(least, most int) *limit {
	return &limit{least: float64(least), most: float64(most), now: float64(least), starting: true}
}

// allowed is how many requests may be in flight.
func (l *limit) allowed() int { return int(l.now) }

// used notes how many are in flight after one was sent.
func (l *limit) used(inFlight int) { l.full = l.full || inFlight >= l.allowed() }

// answered takes in how long an answer took.
func (l *limit) answered(now time.Time, took time.Duration) {
	l.learn(now, took)
	l.answers++
	l.total += took
	if l.answers < l.allowed() {
		return
	}
	mean := l.total / time.Duration(l.answers)
	switch {
	case mean > patience*l.quickest()+slack:
		l.set(l.now * 0.9)
		l.starting = false
	case l.full && l.starting:
		l.set(l.now * 2)
	case l.full:
		l.set(l.now + max(1, root(l.now)))
	}
	l.answers, l.total, l.full, l.halved = 0, 0, false, false
}

// overloaded takes in that the server said so, or did not answer in time.
func (l *limit) overloaded() {
	l.starting = false
	if l.halved {
		return
	}
	l.set(l.now / 2)
	l.answers, l.total, l.full, l.halved = 0, 0, false, true
}

func (l *limit) set(n float64) { l.now = min(max(n, l.least), l.most) }

// learn keeps the recent minimum.
func (l *limit) learn(now time.Time, took time.Duration) {
	if now.Sub(l.since) >= floorWindow {
		l.older, l.floor, l.since = l.floor, 0, now
	}
	if l.floor == 0 || took < l.floor {
		l.floor = max(took, 1)
	}
}

func (l *limit) quickest() time.Duration {
	if l.older == 0 {
		return l.floor
	}
	return min(l.floor, l.older)
}

// root is the whole square root of x ≥ 0.
func root(x float64) float64 {
	n := 0.0
	for (n+1)*(n+1) <= x {
		n++
	}
	return n
}

// gate keeps all writers back while the API server asks for patience or cannot be reached.
type gate struct {
	until time.Time
	pause time.Duration // the last pause of our own choice
}

// Bounds of the pause when the server did not say how long.
const (
	pauseLeast = 250 * time.Millisecond
	pauseMost  = 5 * time.Second
)

// shut closes the gate for as long as the server asked or, if it did not, for longer than the last time.
func (g *gate) shut(now time.Time, after time.Duration) {
	if after <= 0 {
		if now.Before(g.until) {
			return // one of several answers that tell the same
		}
		g.pause = min(max(2*g.pause, pauseLeast), pauseMost)
		after = g.pause
	}
	if until := now.Add(after); until.After(g.until) {
		g.until = until
	}
}

// worked notes that the server answers.
func (g *gate) worked() { g.pause = 0 }

// open reports whether requests may be sent.
func (g *gate) open(now time.Time) bool { return !now.Before(g.until) }

// backoff is the wait after the given number of failures of one request, from 200 ms to 10 s.
func backoff(failures int) time.Duration {
	return min(200*time.Millisecond<<min(max(failures-1, 0), 6), 10*time.Second)
}
