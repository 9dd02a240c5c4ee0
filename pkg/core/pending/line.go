package pending

import (
	"time"

	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
	"github.com/sluice-scheduler/sluice/pkg/core/resource"
	"github.com/sluice-scheduler/sluice/pkg/core/share"
)

// Line is the pods of a lot that draw on the same accounts. Those of applications that do not run yet have a line of their own, for they
// may be refused where others are not.
type Line struct {
	Lot *Lot
	// Hold is why it is held back; nil when it is not.
	Hold *Hold
	// Told is what the line's pods were last told of.
	Told *Told

	ledger   *cluster.Ledger
	starting bool
	branch   *branch
	parties  heap[*Party]
	pods     int
	standing standing
	// called: it may be tried although its lot is parked.
	called bool
	// among is the heap of the branch in which it stands, place its place there; atLot, atBranch and atHold are positions in the lists of lot, branch and account.
	among                          *heap[*Line]
	place, atLot, atBranch, atHold int
}

// standing says whether a line may be tried.
type standing uint8

const (
	ready standing = iota
	parked
	heldBack
	standings
)

// Hold is the account that a line's ask would overdraw.
type Hold struct {
	share.Refusal
	Text string
}

// Told is what the pods of a line were told.
type Told struct {
	Reason, Text, Kinds string
	At                  time.Time
}

type lineKey struct {
	lot      *Lot
	ledger   *cluster.Ledger
	starting bool
}

func (l *Line) spot() *int { return &l.place }

// Head returns the ask whose turn is next; nil when the line is empty.
func (l *Line) Head() *Ask {
	if p := l.parties.top(); p != nil {
		return p.head()
	}
	return nil
}

// Len returns the number of pods in the line.
func (l *Line) Len() int { return l.pods }

// Ledger returns the accounts that the line draws on, Starting whether its applications have yet to start.
func (l *Line) Ledger() *cluster.Ledger { return l.ledger }

// Starting reports whether the line's applications do not run yet.
func (l *Line) Starting() bool { return l.starting }

// Request is what each of the line's pods asks for, in a group's line what all of the group ask for together.
func (l *Line) Request() resource.Vector {
	if l.Lot.Gang != nil {
		return l.Lot.Gang.Request
	}
	return l.Lot.Ask.Shape.Request
}

// NodeOrder is the name of the node order for the line's pods: the one that they ask for, or else that of the nearest queue that has one; empty for none.
func (l *Line) NodeOrder() string {
	if l.Lot.Ask.Shape.Order != "" {
		return l.Lot.Ask.Shape.Order
	}
	for q := l.ledger.Leaf; q != nil; q = q.Parent {
		if q.Spec.NodeOrder != "" {
			return q.Spec.NodeOrder
		}
	}
	return ""
}

// Why returns what the line waits for: the failure of its lot, or the hold. Both are nil while it is ready.
func (l *Line) Why() (*Hold, *Failure) {
	switch {
	case l.Hold != nil:
		return l.Hold, nil
	case l.Lot.parked:
		return nil, l.Lot.Failure
	}
	return nil, nil
}

// Behind reports whether the line may not be tried because its queue is strict and another comes before it.
func (l *Line) Behind() bool { return l.branch.queue.Spec.Strict && !l.branch.leads(l) }

// Waits reports whether the line waits for something: room, or an account.
func (l *Line) Waits() bool { return l.standing != ready }

// Each calls f for the line's pods, in an order that equal histories share.
func (l *Line) Each(f func(*Ask)) {
	for _, p := range l.parties.list {
		for _, a := range p.asks.list {
			f(a)
		}
	}
}

// earlier orders lines of one queue by their first parties.
func earlier(a, b *Line) bool { return sooner(a.parties.top(), b.parties.top()) }

// line returns the line in which an application's pods of a lot wait, made when there is none; it is empty then and stands nowhere yet.
func (q *Queue) line(lot *Lot, a *cluster.App) *Line {
	key := lineKey{lot, a.Ledger, a.Placed == 0}
	l := q.lines[key]
	if l == nil {
		l = &Line{Lot: lot, ledger: key.ledger, starting: key.starting, branch: q.branch(key.ledger.Leaf), place: outside}
		l.parties.before = sooner
		q.lines[key] = l
	}
	return l
}

// joinLine puts a party with its asks into its line.
func (q *Queue) joinLine(p *Party) {
	l := p.line
	p.rank = q.rankOf(p)
	if l.parties.len() == 0 {
		l.atLot = len(l.Lot.lines)
		l.Lot.lines = append(l.Lot.lines, l)
		l.atBranch = len(l.branch.lines)
		l.branch.lines = append(l.branch.lines, l)
	}
	l.parties.push(p)
	q.count(l, p.asks.len())
	q.settleLine(l)
}

// leaveLine takes a party out of its line; an empty line goes. Its lot stays, for the party may be on its way to another line of it.
func (q *Queue) leaveLine(p *Party) {
	l := p.line
	l.parties.remove(p)
	q.count(l, -p.asks.len())
	q.settleLine(l)
}

// count changes how many pods a line has.
func (q *Queue) count(l *Line, by int) {
	l.pods += by
	l.Lot.pods += by
	q.standings[l.standing] += by
}

// settleLine puts a line where its first party and its standing say.
func (q *Queue) settleLine(l *Line) {
	was := l.among
	q.stand(l)
	b := l.branch
	l.among = &b.ready
	if l.standing != ready {
		l.among = &b.waiting
	}
	if l.parties.len() == 0 {
		l.among = nil
	}
	switch {
	case was == l.among && was != nil:
		was.fix(l)
	case was != l.among:
		if was != nil {
			was.remove(l)
		}
		if l.among != nil {
			l.among.push(l)
		}
	}
	if l.among == nil {
		q.dropLine(l)
	}
	if b.queue.Spec.Strict {
		q.stir(b)
	}
	q.stirred = q.stirred || l.standing == parked && l.Lot.HelpedBy != nil
	q.soil(b)
}

// stand works out a line's standing.
func (q *Queue) stand(l *Line) {
	now := ready
	switch {
	case l.Hold != nil:
		now = heldBack
	case l.Lot.parked && !l.called:
		now = parked
	}
	if now != l.standing {
		q.standings[l.standing] -= l.pods
		q.standings[now] += l.pods
		l.standing = now
	}
}

func (q *Queue) dropLine(l *Line) {
	q.release(l)
	if q.called == l {
		q.called, l.called = nil, false
	}
	dropFrom(&l.Lot.lines, l.atLot, func(o *Line, at int) { o.atLot = at })
	dropFrom(&l.branch.lines, l.atBranch, func(o *Line, at int) { o.atBranch = at })
	delete(q.lines, lineKey{l.Lot, l.ledger, l.starting})
}

// dropFrom takes out the element at a position; the last one takes its place and is told so.
func dropFrom[T any](list *[]T, at int, moved func(T, int)) {
	last := len(*list) - 1
	(*list)[at] = (*list)[last]
	moved((*list)[at], at)
	var none T
	(*list)[last] = none
	*list = (*list)[:last]
}

// HoldBack sets a line aside until the account that refuses it has been given something back.
func (q *Queue) HoldBack(l *Line, h *Hold) {
	l.Hold = h
	l.atHold = len(q.holds[h.Account])
	q.holds[h.Account] = append(q.holds[h.Account], l)
	q.settleLine(l)
}

// release ends a line's hold, if it has one.
func (q *Queue) release(l *Line) {
	if l.Hold == nil {
		return
	}
	list := q.holds[l.Hold.Account]
	dropFrom(&list, l.atHold, func(o *Line, at int) { o.atHold = at })
	if len(list) == 0 {
		delete(q.holds, l.Hold.Account)
	} else {
		q.holds[l.Hold.Account] = list
	}
	l.Hold = nil
}
