package pending

import (
	"cmp"
	"slices"
	"time"

	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
	"github.com/sluice-scheduler/sluice/pkg/core/resource"
)

// Help notes that a parked lot fits on a node that has changed. The lot stays parked: there may be room for one of its pods and not for all,
// so its lines are called one at a time (Seek, Call). Partly says that it does not fit there yet, but that room may be kept for one who starves. At is
// for the caller to keep (Lot.HelpedAt).
func (q *Queue) Help(l *Lot, n *cluster.Node, at int, partly bool) {
	if l.HelpedBy == nil {
		l.atHelped = len(q.helped)
		q.helped = append(q.helped, l)
	}
	l.HelpedBy, l.HelpedAt, l.Partly = n, at, partly
}

// Unhelp ends that.
func (q *Queue) Unhelp(l *Lot) {
	if l.HelpedBy != nil {
		l.HelpedBy = nil
		dropFrom(&q.helped, l.atHelped, func(o *Lot, at int) { o.atHelped = at })
	}
}

// Helped calls f for every helped lot; f may unhelp or wake the lot it is given.
func (q *Queue) Helped(f func(*Lot)) { eachBackwards(q.helped, f) }

// HoldsBack reports whether an account holds lines back.
func (q *Queue) HoldsBack(a *cluster.Account) bool { return len(q.holds[a]) > 0 }

// Sought is what Seek found.
type Sought struct {
	// First is the line whose turn is first of all that may be tried again; nil when none may.
	First *Line
	// Released are lines that no account refuses any more and that wait for room now.
	Released []*Line
	// Open are the accounts that might let in more of those they hold back, Closed the others.
	Open, Closed []*cluster.Account
	// Visited is how many lines were looked at.
	Visited int
}

// Seek looks among the lines that wait for those that may be tried again: those of the helped lots, and those that one of these accounts held back and
// would let in now. When an account has room for the first pods of all of them, they are made ready at once.
func (q *Queue) Seek(accounts []*cluster.Account) Sought {
	s := seeker{q: q}
	q.seeks++
	var open, closed []*cluster.Account
	for _, a := range accounts {
		if s.account(a) {
			open = append(open, a)
		} else {
			closed = append(closed, a)
		}
	}
	lines := 0
	for _, lot := range q.helped {
		lines += len(lot.lines)
	}
	if lines > len(q.branches) {
		for _, b := range q.branches {
			if b != nil {
				s.branch(b)
			}
		}
	} else {
		for _, lot := range q.helped {
			s.lines(lot.lines)
		}
	}
	return Sought{First: s.fold(), Released: s.released, Open: open, Closed: closed, Visited: s.visited}
}

type seeker struct {
	q        *Queue
	touched  []*branch
	released []*Line
	visited  int
}

// account looks at the lines that an account held back, and reports whether one of them may be tried that is still held.
func (s *seeker) account(a *cluster.Account) (considered bool) {
	list := s.q.holds[a]
	var passing []*Line
	var sum resource.Vector
	for i := len(list) - 1; i >= 0; i-- {
		l := list[i]
		s.visited++
		switch {
		case l.Hold.Holds(l.Request(), l.starting):
		case l.Lot.parked && l.Lot.HelpedBy == nil, l.Behind():
			s.q.release(l)
			s.q.settleLine(l)
			s.released = append(s.released, l)
		default:
			passing = append(passing, l)
			sum = sum.AddTo(l.Request(), 1)
		}
	}
	_, tooMuch := a.Refuses(sum)
	for _, l := range passing {
		if !tooMuch && a.MaxApps == 0 && !l.Lot.parked {
			s.q.release(l)
			s.q.settleLine(l)
		} else {
			s.consider(l)
			considered = true
		}
	}
	return considered
}

// lines considers those of some lines that a node helps and that no account refuses.
func (s *seeker) lines(list []*Line) {
	for _, l := range list {
		s.visited++
		if s.helps(l) {
			s.consider(l)
		}
	}
}

// branch does so for a queue's: one of the first who wait is the one when much is helped.
func (s *seeker) branch(b *branch) {
	l, found, visited := b.waiting.first(s.helps)
	s.visited += visited
	if found {
		s.consider(l)
	}
}

// helps reports whether a node helps the line's lot, or may be kept for its first pod, and no account refuses it.
func (s *seeker) helps(l *Line) bool {
	return l.Lot.HelpedBy != nil && (!l.Lot.Partly || s.q.MayReserve(l)) && (l.Hold == nil || !l.Hold.Holds(l.Request(), l.starting))
}

// MayReserve reports whether room may be kept for a line's first pod: it starves, it is not nominated for a node, where it has room already, and none is kept
// for another of its queue.
func (q *Queue) MayReserve(l *Line) bool {
	a := l.Head()
	return l.branch.reserved == 0 && a.Pod.Fact.Nominated == "" && q.Starves(a)
}

// Leads reports whether nobody in the line's queue comes before it.
func (q *Queue) Leads(l *Line) bool { return l.branch.leads(l) }

// Starves reports whether a pod has waited so long that room may be kept for it, and no pod that asks for the same has been placed for as long: where such pods
// are, it waits for its turn and not for room of its size.
func (q *Queue) Starves(a *Ask) bool { return !StarvingSince(a).After(q.StarvesFrom) }

// StarvingSince is when a pod in a line was created, or the last was placed that asks for the same.
func StarvingSince(a *Ask) time.Time {
	created, placed := a.Pod.Fact.Created, a.party.line.Lot.Placed
	if placed.After(created) {
		return placed
	}
	return created
}

// consider makes a line the best of its queue if it is. In a strict queue only the first who waits may be.
func (s *seeker) consider(l *Line) {
	b := l.branch
	if l.standing == ready || l.Behind() {
		return
	}
	s.touch(b)
	if b.sought == nil || earlier(l, b.sought) {
		b.sought = l
	}
}

// leads reports whether nobody in the line's queue comes before it.
func (b *branch) leads(l *Line) bool {
	r, w := b.ready.top(), b.waiting.top()
	return (r == nil || r == l || earlier(l, r)) && (w == nil || w == l || earlier(l, w))
}

// stir notes that in a strict queue another line may come first now.
func (q *Queue) stir(b *branch) {
	q.stirred = true
	if !b.stirred {
		b.stirred = true
		q.stirredIn = append(q.stirredIn, b)
	}
}

// Unblocked calls f for the waiting lines that come first in their strict queue, or whose queue is strict no more, where that may have changed since
// the last call.
func (q *Queue) Unblocked(f func(*Line)) {
	for _, b := range q.stirredIn {
		b.stirred = false
		for _, l := range b.waiting.list {
			if !l.Behind() {
				f(l)
			}
		}
	}
	clear(q.stirredIn)
	q.stirredIn = q.stirredIn[:0]
}

// Stirred reports whether since the last call something has changed by which Seek may find a line: a strict queue, where another may come first now, or a line of a
// helped lot that no account holds back any more.
func (q *Queue) Stirred() bool {
	was := q.stirred
	q.stirred = false
	return was
}

func (s *seeker) touch(b *branch) {
	if b.soughtAt != s.q.seeks {
		b.soughtAt, b.sought, b.soughtBelow = s.q.seeks, nil, nil
		s.touched = append(s.touched, b)
	}
}

// fold takes the best of each queue upwards, level by level, and returns the best of all.
func (s *seeker) fold() *Line {
	if len(s.touched) == 0 {
		return nil
	}
	for i := 0; i < len(s.touched); i++ {
		if above := s.touched[i].parent; above != nil {
			s.touch(above)
		}
	}
	slices.SortStableFunc(s.touched, func(a, b *branch) int { return cmp.Compare(b.depth, a.depth) })
	for _, b := range s.touched {
		if b.sought == nil { // what is its own comes first
			b.sought = b.soughtBelow.sought
		}
		if b.parent == nil {
			return b.sought
		}
		b.soughtPriority = b.outward(b.sought, b.soughtBelow.priorityOr(0))
		b.soughtKey = s.q.scale.Key(b.queue, b.sought.Request(), b.soughtPriority)
		if best := b.parent.soughtBelow; best == nil || b.soughtBefore(best) {
			b.parent.soughtBelow = b
		}
	}
	return nil
}

func (b *branch) priorityOr(none int64) int64 {
	if b == nil {
		return none
	}
	return b.soughtPriority
}

func (b *branch) soughtBefore(o *branch) bool {
	if c := b.soughtKey.Compare(o.soughtKey); c != 0 {
		return c < 0
	}
	return b.queue.Name < o.queue.Name
}

// Call makes a line that waits ready, for one try. Only one is called at a time.
func (q *Queue) Call(l *Line) {
	q.release(l)
	l.called = l.Lot.parked
	if l.called {
		q.called = l
	}
	q.settleLine(l)
}

// Called returns the line that is called, nil when none is.
func (q *Queue) Called() *Line { return q.called }

// Dismiss lets the line that is called wait again.
func (q *Queue) Dismiss() {
	if l := q.called; l != nil {
		q.called, l.called = nil, false
		q.settleLine(l)
	}
}
