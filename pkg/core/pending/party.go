package pending

import (
	"cmp"
	"strings"
	"time"

	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
)

// Party is the pods of one application in a line.
type Party struct {
	App *cluster.App

	line  *Line
	asks  heap[*Ask]
	rank  rank
	place int
	// next is another party of the application.
	next *Party
	// firstAsk is room for the one that many parties have.
	firstAsk [1]*Ask
}

// rank is what parties of one queue are ordered by, as of when it was last looked at.
type rank struct {
	priority  int32
	starting  bool
	share     float64
	submitted time.Time
}

func (p *Party) spot() *int { return &p.place }

// head is the ask whose turn is next.
func (p *Party) head() *Ask { return p.asks.top() }

// sooner orders the parties of a queue: by priority, then those first whose application runs and has lost what it needs to go on, then as the queue sorts its applications, then by their names, and those of one application by
// whose turn is first. It looks at ranks before all else: while only some of an application's parties have their new one, this must be an order still.
func sooner(a, b *Party) bool {
	x, y := &a.rank, &b.rank
	if x.priority != y.priority {
		return x.priority > y.priority
	}
	if x.starting != y.starting {
		return y.starting
	}
	if x.share != y.share {
		return x.share < y.share
	}
	if c := x.submitted.Compare(y.submitted); c != 0 {
		return c < 0
	}
	if a.App != b.App { // no two have both names in common
		return cmp.Or(strings.Compare(a.App.Namespace, b.App.Namespace), strings.Compare(a.App.ID, b.App.ID)) < 0
	}
	return first(a.head(), b.head())
}

// ranking is how a queue ranks its applications.
type ranking struct{ byPriority, fair bool }

func rulesOf(spec *cluster.QueueSpec) ranking {
	return ranking{byPriority: !spec.PriorityDisabled, fair: spec.Sort == cluster.SortFair}
}

// rankOf returns the rank of a party now.
func (q *Queue) rankOf(p *Party) (r rank) {
	by := rulesOf(p.line.ledger.Leaf.Spec)
	p.line.branch.mixed = p.line.branch.mixed || by != p.line.branch.rankedBy
	if by.byPriority {
		r.priority = p.head().turn.Priority
	}
	if by.fair {
		r.share = q.scale.Dominant(p.App.Used)
	}
	r.starting, r.submitted = !p.App.Resuming, p.App.Submitted
	return r
}

// settle moves a party whose rank or head may have changed to its place.
func (q *Queue) settle(p *Party) {
	p.rank = q.rankOf(p)
	p.line.parties.fix(p)
	q.settleLine(p.line)
}

// partyOf returns an application's party in a line, made when there is none; it is empty then and stands nowhere yet.
func (q *Queue) partyOf(a *cluster.App, l *Line) *Party {
	others := q.apps[a]
	for p := others; p != nil; p = p.next {
		if p.line == l {
			return p
		}
	}
	p := q.spareParty()
	*p = Party{App: a, line: l, place: outside, next: others}
	p.asks.before, p.asks.list = first, p.firstAsk[:0]
	q.apps[a] = p
	return p
}

func (q *Queue) spareParty() *Party {
	last := len(q.spareParties) - 1
	if last < 0 {
		return &Party{}
	}
	p := q.spareParties[last]
	q.spareParties = q.spareParties[:last]
	return p
}

func (q *Queue) dropParty(p *Party) {
	head := q.apps[p.App]
	switch {
	case head != p:
		for head.next != p {
			head = head.next
		}
		head.next = p.next
	case p.next == nil:
		delete(q.apps, p.App)
	default:
		q.apps[p.App] = p.next
	}
	if len(q.spareParties) < manySpare {
		*p = Party{}
		q.spareParties = append(q.spareParties, p)
	}
}

// manySpare is how many parties are kept to be used again: most applications have few pods, so parties come and go with them.
const manySpare = 1024

// Follow lets the waiting pods of an application follow it, after its home, its rank or whether it runs has changed.
func (q *Queue) Follow(a *cluster.App) {
	if a.Ledger == nil {
		return // its pods are for the caller to set aside
	}
	for p := q.apps[a]; p != nil; p = p.next {
		to := q.line(p.line.Lot, a)
		if to == p.line {
			q.settle(p)
			continue
		}
		q.leaveLine(p)
		p.line = to
		q.joinLine(p)
		if to.Told != nil || to.Waits() { // else all are told together
			for _, ask := range p.asks.list {
				q.listen(ask)
			}
		}
	}
}
