package pending

import (
	"time"

	"github.com/google/btree"

	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
	"github.com/sluice-scheduler/sluice/pkg/core/fit"
)

// ask returns the pod's ask and makes one, outside every list, when there is none.
func (q *Queue) ask(p *cluster.Pod, now time.Time) *Ask {
	a := q.asks[p]
	if a == nil {
		a = &Ask{Pod: p, State: Away, Entered: now, Said: p.Fact.Said.Digest}
		q.asks[p] = a
		q.counts[Away]++
	}
	return a
}

// enter counts an ask in its new state.
func (q *Queue) enter(a *Ask, state State) {
	q.counts[a.State]--
	a.State = state
	q.counts[state]++
}

// join puts an ask into its lot, which need not exist.
func (q *Queue) join(a *Ask) {
	q.enter(a, InLot)
	a.turn = a.Pod.Fact
	l := q.lots[a.of()]
	if l == nil {
		l = &Lot{Ask: a.of(), View: q.view(a.Pod.Shape), asks: btree.NewG(8, first)}
		q.lots[l.Ask] = l
	}
	a.lot = l
	q.listen(a)
	if l.parked {
		l.asks.ReplaceOrInsert(a)
		q.parkedPods++
		return
	}
	q.unready(l)
	l.asks.ReplaceOrInsert(a)
	q.setReady(l)
}

// manyViews is how many shapes' views are kept at most.
const manyViews = 4096

func (q *Queue) view(shape *cluster.Shape) *fit.View {
	v := q.views[shape]
	if v == nil {
		if len(q.views) >= manyViews {
			clear(q.views) // most are of shapes that are gone
		}
		v = &fit.View{}
		q.views[shape] = v
	}
	return v
}

// listen notes that an ask is to be told why it waits. Those that have left their lot since are forgotten before they outnumber the others:
// while nobody leads, nobody is told.
func (q *Queue) listen(a *Ask) {
	if a.unheard {
		return
	}
	if len(q.unheard) > 2*q.counts[InLot]+64 {
		q.Unheard(nil)
	}
	a.unheard = true
	q.unheard = append(q.unheard, a)
}

// leave takes an ask out of the list it is in, if any; its state is for the caller to set.
func (q *Queue) leave(a *Ask) {
	if a.State == InBackoff {
		q.backoff.Delete(a)
	}
	l := a.lot
	if l == nil {
		return
	}
	a.lot = nil
	if l.parked {
		q.parkedPods--
		l.asks.Delete(a)
		if l.Len() == 0 {
			q.unpark(l)
			delete(q.lots, l.Ask)
		}
		return
	}
	q.unready(l)
	l.asks.Delete(a)
	if l.Len() == 0 {
		delete(q.lots, l.Ask)
		return
	}
	q.setReady(l)
}

func (q *Queue) setReady(l *Lot) {
	l.head = l.Head()
	q.ready.ReplaceOrInsert(l)
}

func (q *Queue) unready(l *Lot) {
	if l.head != nil {
		q.ready.Delete(l)
		l.head = nil
	}
}

// unpark takes a lot out of the parked ones; the last of them moves into its place.
func (q *Queue) unpark(l *Lot) {
	q.due.Delete(l)
	l.parked = false
	q.parkedPods -= l.Len()
	list := q.parked
	if l.Ask.Pin != "" {
		list = q.pinned[l.Ask.Pin]
	}
	last := len(list) - 1
	list[l.place] = list[last]
	list[l.place].place = l.place
	list[last] = nil
	list = list[:last]
	switch {
	case l.Ask.Pin == "":
		q.parked = list
	case last == 0:
		delete(q.pinned, l.Ask.Pin)
	default:
		q.pinned[l.Ask.Pin] = list
	}
}
