package pending

import (
	"time"

	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
	"github.com/sluice-scheduler/sluice/pkg/core/fit"
)

// ask returns the pod's ask and makes one, outside every list, when there is none.
func (q *Queue) ask(p *cluster.Pod, now time.Time) *Ask {
	a := q.Ask(p)
	if a == nil {
		a = &Ask{Pod: p, State: Away, Entered: now, Said: p.Fact.Said.Digest, place: outside}
		for len(q.asks) <= int(p.Index) {
			q.asks = append(q.asks, nil)
		}
		q.asks[p.Index] = a
		q.counts[Away]++
	}
	return a
}

// enter counts an ask in its new state.
func (q *Queue) enter(a *Ask, state State) {
	q.counts[a.State]--
	q.endReservation(a)
	a.State = state
	q.counts[state]++
}

// endReservation lets room be kept for another of the ask's queue.
func (q *Queue) endReservation(a *Ask) {
	if a.State == Reserved {
		a.reservedIn.reserved--
		a.reservedIn = nil
	}
}

// join puts an ask into its line.
func (q *Queue) join(a *Ask) {
	q.enter(a, InLine)
	a.turn = a.Pod.Fact
	l := q.line(q.lotFor(a), a.Pod.App)
	p := q.partyOf(a.Pod.App, l)
	a.party = p
	q.listen(a)
	p.asks.push(a)
	if p.place == outside {
		q.joinLine(p)
		return
	}
	q.count(l, 1)
	if p.head() == a {
		q.settle(p)
	}
}

// leave takes an ask out of the list it is in, if any; its state is for the caller to set.
func (q *Queue) leave(a *Ask) {
	if a.State == InBackoff {
		q.backoff.Delete(a)
	}
	p := a.party
	if p == nil {
		return
	}
	a.party, a.gang = nil, nil
	if p.asks.len() == 1 {
		lot := p.line.Lot
		q.leaveLine(p)
		p.asks.remove(a)
		q.dropParty(p)
		if len(lot.lines) == 0 {
			q.dropLot(lot)
		}
		return
	}
	wasHead := p.head() == a
	p.asks.remove(a)
	q.count(p.line, -1)
	if wasHead {
		q.settle(p)
	}
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

// listen notes that an ask is to be told why it waits. Those that have left their line since are forgotten before they outnumber the others:
// while nobody leads, nobody is told.
func (q *Queue) listen(a *Ask) {
	if a.unheard {
		return
	}
	if len(q.unheard) > 2*q.counts[InLine]+64 {
		q.Unheard(false, nil)
	}
	a.unheard = true
	q.unheard = append(q.unheard, a)
}
