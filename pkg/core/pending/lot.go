package pending

import (
	"slices"
	"time"

	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
	"github.com/sluice-scheduler/sluice/pkg/core/fit"
)

// Lot is the waiting pods of one ask, whoever's they are.
type Lot struct {
	Ask fit.Ask
	// Gang is whose lot it is if that is a group's; Ask is only that of its first pod then.
	Gang *Gang
	// View is which classes of nodes may help; lots of one shape share it.
	View *fit.View
	// Memory is why each node refused; nil until the lot has failed once. Remembers is when it was begun.
	Memory    *fit.Memory
	Remembers time.Time
	// Failure is the outcome of the last attempt; nil if there was none.
	Failure *Failure
	// HelpedBy is a changed node on which a parked lot fits; nil when none is known. HelpedAt is what Help was told with it.
	HelpedBy *cluster.Node
	HelpedAt int
	// Partly: it does not fit on HelpedBy yet, but room may be kept for it there as it falls free, if it starves.
	Partly bool
	// Placed is when one of its pods was last placed.
	Placed time.Time
	// Starves: one of its pods did when the lot was last reviewed.
	Starves bool

	lines  []*Line
	pods   int
	parked bool
	// due is when a parked lot is looked at again without cause.
	due time.Time
	// place is the position among the parked lots of its kind.
	place int
	// atHelped is the position among the helped lots.
	atHelped int
	// watches are what a parked lot waits for.
	watches []watch
	// serial breaks ties between lots that are due at one time.
	serial uint64
}

// Failure is why an ask fitted nowhere.
type Failure struct {
	// Text is the whole message, Kinds its reasons without their numbers.
	Text, Kinds string
	// Nodes is how many there were, Counts how many of them gave which reason.
	Nodes  int
	Counts []fit.Count
	At     time.Time
}

// Len returns the number of pods in the lot.
func (l *Lot) Len() int { return l.pods }

// Parked reports whether the lot waits for a node to change.
func (l *Lot) Parked() bool { return l.parked }

// Lines returns the lot's lines, in an order that equal histories share. The slice belongs to the lot.
func (l *Lot) Lines() []*Line { return l.lines }

// Any returns one of the lot's pods.
func (l *Lot) Any() *Ask { return l.lines[0].Head() }

// known returns the lot of an ask, nil if there is none. Most ask for nothing but their shape, which is found faster.
func (q *Queue) known(of fit.Ask) *Lot {
	if of.Plain() {
		return q.plain[of.Shape]
	}
	return q.lots[of]
}

// lot returns the lot of an ask, made when there is none.
func (q *Queue) lot(of fit.Ask) *Lot {
	l := q.known(of)
	if l == nil {
		l = &Lot{Ask: of, View: q.view(of.Shape)}
		if of.Plain() {
			q.plain[of.Shape] = l
		} else {
			q.lots[of] = l
		}
		if of.Volumes != nil {
			q.needing[of.Volumes] = append(q.needing[of.Volumes], l)
		}
	}
	return l
}

// Needing calls f for the lots that ask for these volumes.
func (q *Queue) Needing(v *cluster.Volumes, f func(*Lot)) {
	for _, l := range q.needing[v] {
		f(l)
	}
}

func (q *Queue) dropLot(l *Lot) {
	if l.parked {
		q.unpark(l)
	}
	switch {
	case l.Gang != nil:
		l.Gang.lot = nil
		return
	case l.Ask.Plain():
		delete(q.plain, l.Ask.Shape)
	default:
		delete(q.lots, l.Ask)
	}
	v := l.Ask.Volumes
	if v == nil {
		return
	}
	if rest := slices.DeleteFunc(q.needing[v], func(o *Lot) bool { return o == l }); len(rest) > 0 {
		q.needing[v] = rest
	} else {
		delete(q.needing, v)
	}
}

// Park sets a lot aside, with all its lines, until a node helps it or the time has come. If it is already, it renews why and how long.
func (q *Queue) Park(l *Lot, f *Failure, due time.Time) {
	if l.parked {
		q.due.Delete(l)
		q.Unhelp(l)
	}
	q.serial++
	l.Failure, l.due, l.serial = f, due, q.serial
	q.due.ReplaceOrInsert(l)
	if l.parked {
		return
	}
	l.parked = true
	q.watch(l)
	if pin := l.Ask.Pin; pin != "" {
		l.place = len(q.pinned[pin])
		q.pinned[pin] = append(q.pinned[pin], l)
	} else {
		l.place = len(q.parked)
		q.parked = append(q.parked, l)
	}
	for _, line := range l.lines {
		q.settleLine(line)
	}
}

// Wake makes a parked lot ready.
func (q *Queue) Wake(l *Lot) {
	if !l.parked {
		return
	}
	q.unpark(l)
	for _, line := range l.lines {
		q.settleLine(line)
	}
}

// unpark takes a lot out of the parked ones; the last of them moves into its place.
func (q *Queue) unpark(l *Lot) {
	q.Unhelp(l)
	q.unwatch(l)
	q.due.Delete(l)
	l.parked = false
	list := q.parked
	if l.Ask.Pin != "" {
		list = q.pinned[l.Ask.Pin]
	}
	dropFrom(&list, l.place, func(o *Lot, at int) { o.place = at })
	switch {
	case l.Ask.Pin == "":
		q.parked = list
	case len(list) == 0:
		delete(q.pinned, l.Ask.Pin)
	default:
		q.pinned[l.Ask.Pin] = list
	}
}
