package pending

import (
	"cmp"
	"time"

	"github.com/google/btree"

	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
	"github.com/sluice-scheduler/sluice/pkg/core/fit"
	"github.com/sluice-scheduler/sluice/pkg/core/resource"
	"github.com/sluice-scheduler/sluice/pkg/core/share"
)

// Queue holds all pods of ours that are not bound. The zero Queue is not usable; see New.
type Queue struct {
	// StarvesFrom is the time since when a pod in a line must have waited in vain to starve (StarvingSince).
	StarvesFrom time.Time

	// asks are by the pod's index.
	asks []*Ask
	// plain are the lots that ask for nothing but their shape, lots the others.
	plain map[*cluster.Shape]*Lot
	lots  map[fit.Ask]*Lot
	// needing are the lots that ask for volumes, by what they ask for.
	needing map[*cluster.Volumes][]*Lot
	// views outlive lots, which come and go with their pods.
	views map[*cluster.Shape]*fit.View
	rooms map[fit.Ask]*fit.Rooms

	lines map[lineKey]*Line
	// apps holds the first of each application's parties.
	apps map[*cluster.App]*Party
	// spareParties are to be used again.
	spareParties []*Party
	// branches are by the queue's index, soiled those to be brought up to date; root is that of the queue root once anybody has waited.
	branches []*branch
	soiled   []*branch
	root     *branch
	scale    *share.Scale
	// holds are the lines that each account holds back.
	holds map[*cluster.Account][]*Line

	// parked holds the parked lots that any node may help, pinned those that only one can.
	parked []*Lot
	pinned map[string][]*Lot
	// watchers are the parked lots that wait for something to happen to the counts of a matcher.
	watchers map[*cluster.Matcher][]watcher
	// helped are the parked lots that a node helps; called is the line that is called, seeks counts the searches for it.
	helped []*Lot
	called *Line
	seeks  uint64
	// stirred: a line may be tried that Seek has not seen so.
	stirred bool
	// stirredIn are the strict queues in which another may come first now.
	stirredIn []*branch
	// due holds the parked lots by when they are looked at again, backoff the asks by the end of their wait.
	due     *btree.BTreeG[*Lot]
	backoff *btree.BTreeG[*Ask]
	// unheard are asks that joined a line and have not been told why they wait.
	unheard []*Ask
	// counts are pods by state, standings those in lines by the line's standing.
	counts    [states]int
	standings [standings]int
	serial    uint64
}

// New returns an empty queue whose amounts are compared by the scale.
func New(scale *share.Scale) *Queue {
	return &Queue{
		scale: scale,
		plain: map[*cluster.Shape]*Lot{},
		lots:  map[fit.Ask]*Lot{}, needing: map[*cluster.Volumes][]*Lot{},
		views:  map[*cluster.Shape]*fit.View{},
		rooms:  map[fit.Ask]*fit.Rooms{},
		lines:  map[lineKey]*Line{},
		apps:   map[*cluster.App]*Party{},
		holds:  map[*cluster.Account][]*Line{},
		pinned: map[string][]*Lot{},

		watchers: map[*cluster.Matcher][]watcher{},
		due: btree.NewG(16, func(a, b *Lot) bool {
			return cmp.Or(a.due.Compare(b.due), cmp.Compare(a.serial, b.serial)) < 0
		}),
		backoff: btree.NewG(16, func(a, b *Ask) bool {
			return cmp.Or(a.Until.Compare(b.Until), cluster.CompareTurn(a.turn, b.turn)) < 0
		}),
	}
}

// Ask returns what is known of a waiting pod; nil when it does not wait.
func (q *Queue) Ask(p *cluster.Pod) *Ask {
	if int(p.Index) < len(q.asks) {
		return q.asks[p.Index]
	}
	return nil
}

// Put lets a pod wait for its turn. If it does already, its place follows its present fact; a backoff goes on.
func (q *Queue) Put(p *cluster.Pod, now time.Time) *Ask {
	a := q.ask(p, now)
	switch {
	case a.State == InBackoff:
		return a
	case a.party != nil && a.gang == nil && a.party.App == p.App && a.party.line == q.lines[lineKey{q.known(a.of()), p.App.Ledger, p.App.Placed == 0}] && cluster.CompareTurn(a.turn, p.Fact) == 0:
		return a
	}
	q.leave(a)
	q.join(a)
	return a
}

// Aside sets a pod aside as gated or held, for a reason in words.
func (q *Queue) Aside(p *cluster.Pod, state State, why string, now time.Time) *Ask {
	a := q.ask(p, now)
	if a.State != state {
		q.leave(a)
		q.enter(a, state)
	}
	a.Why = why
	return a
}

// Take moves a pod out of its line because it was assumed.
func (q *Queue) Take(a *Ask) {
	q.leave(a)
	q.enter(a, Away)
}

// Reserve moves a pod out of its line because room is kept for it on a node; why says so in words.
func (q *Queue) Reserve(a *Ask, why string) {
	a.reservedIn = a.party.line.branch
	a.reservedIn.reserved++
	q.leave(a)
	a.Why = why
	q.enter(a, Reserved)
}

// Expect notes a pod as away that is known to be on its way already.
func (q *Queue) Expect(p *cluster.Pod, now time.Time) { q.Take(q.ask(p, now)) }

// Backoff lets a pod wait until a time, because its bind was refused.
func (q *Queue) Backoff(a *Ask, until time.Time, why string) {
	q.leave(a)
	a.Until, a.Why, a.turn = until, why, a.Pod.Fact
	q.enter(a, InBackoff)
	q.backoff.ReplaceOrInsert(a)
}

// Return lets a pod that was away wait for its turn again.
func (q *Queue) Return(a *Ask) {
	q.leave(a)
	q.join(a)
}

// Drop forgets a pod: it is bound, gone, or on its way out.
func (q *Queue) Drop(p *cluster.Pod) {
	if a := q.Ask(p); a != nil {
		q.leave(a)
		q.endReservation(a)
		q.counts[a.State]--
		q.asks[p.Index] = nil
	}
}

// Next returns the line whose turn it is; nil when none is ready.
func (q *Queue) Next() *Line {
	q.clean()
	if q.root == nil {
		return nil
	}
	return q.root.offer
}

// Candidates calls f for the parked lots that a change of the node may help. f may wake the lot it is given.
func (q *Queue) Candidates(n *cluster.Node, f func(*Lot)) {
	eachBackwards(q.pinned[n.Name], f)
	eachBackwards(q.parked, f)
}

// eachBackwards lets f remove the element it is given, which moves the last one into its place.
func eachBackwards(lots []*Lot, f func(*Lot)) {
	for i := len(lots) - 1; i >= 0; i-- {
		f(lots[i])
	}
}

// Tick hands those whose backoff has ended to back, which must let them wait elsewhere (Return), and hands out the parked lots that are due; for each f must set a later time (Park) or wake it, or else
// return false to be asked again in the next step.
func (q *Queue) Tick(now time.Time, f func(*Lot) bool, back func(*Ask)) {
	for l, ok := q.due.Min(); ok && !l.due.After(now) && f(l); {
		l, ok = q.due.Min()
	}
	for a, ok := q.backoff.Min(); ok && !a.Until.After(now); a, ok = q.backoff.Min() {
		back(a)
	}
}

// Hurry makes every parked lot due.
func (q *Queue) Hurry(now time.Time) {
	var lots []*Lot
	q.due.Ascend(func(l *Lot) bool { lots = append(lots, l); return true })
	q.due.Clear(true)
	for _, l := range lots {
		l.due = now
		q.due.ReplaceOrInsert(l)
	}
}

// Due returns the next time at which Tick has something to do.
func (q *Queue) Due() (at time.Time, ok bool) {
	if l, found := q.due.Min(); found {
		at, ok = l.due, true
	}
	if a, found := q.backoff.Min(); found && (!ok || a.Until.Before(at)) {
		at, ok = a.Until, true
	}
	return at, ok
}

// Unheard hands out the asks that joined a line since they were last handed out and whose line waits, or is behind others in a strict queue if behind says that
// all have been tried who may. The others are kept for the next call. Without f it only forgets those that have left their line.
func (q *Queue) Unheard(behind bool, f func(*Ask)) {
	keep := q.unheard[:0]
	for _, a := range q.unheard {
		line := a.Line()
		if line != nil && (f == nil || !line.Waits() && !(behind && line.Behind())) {
			keep = append(keep, a)
			continue
		}
		a.unheard = false
		if line != nil {
			f(a)
		}
	}
	clear(q.unheard[len(keep):])
	q.unheard = keep
}

// Each calls f for every ask, in no order: nothing that is decided or shown may depend on it.
func (q *Queue) Each(f func(*Ask)) {
	for _, a := range q.asks {
		if a != nil {
			f(a)
		}
	}
}

// Waiting calls f, in no order that means anything, for so many pods of a leaf at a time that wait, in lines or for the end of a backoff, and for how many times they ask for
// a request together. Of a group all count that are to start together, those included that do not exist yet.
func (q *Queue) Waiting(f func(leaf *cluster.Queue, request resource.Vector, times, pods int)) {
	for _, l := range q.lines {
		if g := l.Lot.Gang; g != nil {
			f(l.ledger.Leaf, g.Request, 1, g.Seats)
		} else {
			f(l.ledger.Leaf, l.Request(), l.pods, l.pods)
		}
	}
	q.backoff.Ascend(func(a *Ask) bool {
		if leaf := a.Pod.App.Queue(); leaf != nil {
			f(leaf, a.Pod.Shape.Request, 1, 1)
		}
		return true
	})
}

// Counts are numbers of pods by where they stand.
type Counts struct{ Ready, Parked, HeldBack, Backoff, Gated, Held, Away, Reserved, Gathered int }

// Counts returns the present numbers.
func (q *Queue) Counts() Counts {
	return Counts{
		Ready: q.standings[ready], Parked: q.standings[parked], HeldBack: q.standings[heldBack], Backoff: q.counts[InBackoff],
		Gated: q.counts[Gated], Held: q.counts[Held], Away: q.counts[Away], Reserved: q.counts[Reserved],
		Gathered: q.counts[Gathered],
	}
}
