package pending

import (
	"errors"
	"fmt"
	"maps"

	"github.com/sluice-scheduler/sluice/pkg/core/fit"
)

// Verify compares the queue's lists, counts and order with its asks; for tests.
func (q *Queue) Verify() error {
	v := verifier{q: q}
	v.asks()
	v.lots()
	v.lines()
	v.branches()
	return errors.Join(v.faults...)
}

type verifier struct {
	q      *Queue
	faults []error
}

func (v *verifier) check(ok bool, format string, args ...any) {
	if !ok {
		v.faults = append(v.faults, fmt.Errorf(format, args...))
	}
}

func (v *verifier) asks() {
	var counts [states]int
	for i, a := range v.q.asks {
		if a == nil {
			continue
		}
		p := a.Pod
		uid := p.Fact.UID
		counts[a.State]++
		v.check(int(p.Index) == i, "the ask of %s is filed under another pod", uid)
		v.check((a.State == InLine) == (a.party != nil), "pod %s: state %d, in a line: %t", uid, a.State, a.party != nil)
		if a.party == nil {
			continue
		}
		l := a.party.line
		v.check(a.party.App == p.App, "pod %s is in another application's party", uid)
		own := v.q.known(a.of())
		if a.gang != nil {
			own = a.gang.lot
			v.check(l.pods == 1, "%d pods stand in line for one group", l.pods)
		}
		v.check(l.Lot == own, "pod %s is in a lot that is not its own", uid)
		v.check(l.ledger == p.App.Ledger && l.starting == (p.App.Placed == 0), "pod %s is in a line of other accounts", uid)
		v.check(a.place < len(a.party.asks.list) && a.party.asks.list[a.place] == a, "pod %s is not at its place", uid)
	}
	v.check(counts == v.q.counts, "counts are %v, should be %v", v.q.counts, counts)
	v.check(v.q.backoff.Len() == counts[InBackoff], "%d pods are in the backoff list, %d in backoff", v.q.backoff.Len(), counts[InBackoff])
}

func (v *verifier) lots() {
	parked, watches := 0, 0
	lots := maps.Clone(v.q.lots)
	for of, l := range lots {
		v.check(of == l.Ask, "a lot is filed under another ask")
	}
	for shape, l := range v.q.plain {
		v.check(lots[l.Ask] == nil && l.Ask.Plain() && l.Ask.Shape == shape, "a lot is found in another's place")
		lots[l.Ask] = l
	}
	for _, l := range v.q.lines {
		if l.Lot.Gang != nil {
			lots[fit.Ask{Pin: fmt.Sprintf("%p", l.Lot)}] = l.Lot
		}
	}
	for _, l := range lots {
		pods := 0
		for i, line := range l.lines {
			pods += line.pods
			v.check(line.Lot == l && line.atLot == i && v.q.lines[lineKey{l, line.ledger, line.starting}] == line, "a line is not its lot's")
		}
		v.check(l.pods == pods && pods > 0, "a lot counts %d pods, its lines %d", l.pods, pods)
		listed := l.atHelped < len(v.q.helped) && v.q.helped[l.atHelped] == l
		v.check((l.HelpedBy != nil) == listed && (l.parked || !listed), "a lot is parked %t, helped %t and listed so %t", l.parked, l.HelpedBy != nil, listed)
		if !l.parked {
			continue
		}
		parked++
		list := v.q.parked
		if l.Ask.Pin != "" {
			list = v.q.pinned[l.Ask.Pin]
		}
		for i, w := range l.watches {
			list := v.q.watchers[w.matcher]
			v.check(w.at < len(list) && list[w.at] == watcher{l, i}, "a parked lot is not at its place among those who watch")
		}
		watches += len(l.watches)
		v.check(v.q.due.Has(l) && l.place < len(list) && list[l.place] == l, "a parked lot is never due or not at its place")
	}
	for _, list := range v.q.watchers {
		watches -= len(list)
	}
	v.check(watches == 0, "the lists of those who watch are off by %d", watches)
	v.check(v.q.due.Len() == parked, "%d lots are due, %d are parked", v.q.due.Len(), parked)
}

func (v *verifier) lines() {
	var standings [standings]int
	held := 0
	for _, l := range v.q.lines {
		pods := 0
		for i, p := range l.parties.list {
			pods += p.asks.len()
			v.check(p.line == l && p.place == i && p.asks.len() > 0, "a party is not its line's")
			v.check(p.rank == v.q.rankOf(p), "application %s is ranked by what was", p.App.ID)
			v.check(ordered(&p.asks) == nil, "application %s: %v", p.App.ID, ordered(&p.asks))
		}
		v.check(ordered(&l.parties) == nil, "a line: %v", ordered(&l.parties))
		v.check(pods == l.pods && pods > 0, "a line counts %d pods, its parties %d", l.pods, pods)
		standings[l.standing] += pods
		should := ready
		if l.Hold != nil {
			held++
			should = heldBack
			list := v.q.holds[l.Hold.Account]
			v.check(l.atHold < len(list) && list[l.atHold] == l, "a line that is held back is not at its place")
		} else if l.Lot.parked && !l.called {
			should = parked
		}
		v.check(l.standing == should && (l.among == &l.branch.ready) == (should == ready) && (l.among == &l.branch.waiting) == (should != ready), "a line stands as %d, should as %d", l.standing, should)
	}
	for _, list := range v.q.holds {
		held -= len(list)
	}
	v.check(held == 0, "the accounts' lists of lines are off by %d", held)
	v.check(standings == v.q.standings, "standings are %v, should be %v", v.q.standings, standings)
}

// branches holds that the offers and keys are those that would be found from scratch.
func (v *verifier) branches() {
	v.q.clean()
	for i, b := range v.q.branches {
		if b == nil {
			continue
		}
		v.check(b.queue.Index == i, "a branch is not at its queue's index")
		v.check(ordered(&b.ready) == nil && ordered(&b.waiting) == nil && ordered(&b.below) == nil, "queue %s: %v %v %v", b.queue.Name, ordered(&b.ready), ordered(&b.waiting), ordered(&b.below))
		v.check(b.ready.len()+b.waiting.len() == len(b.lines), "queue %s has %d lines, %d ready and %d waiting", b.queue.Name, len(b.lines), b.ready.len(), b.waiting.len())
		offer := b.next()
		v.check(b.offer == offer, "queue %s does not offer what comes next", b.queue.Name)
		if offer == nil {
			v.check(b.place == outside, "queue %s offers nothing and is listed", b.queue.Name)
			continue
		}
		if b.parent == nil {
			continue
		}
		key := v.q.scale.Key(b.queue, offer.Request(), b.outward(offer, b.topPriority()))
		v.check(b.key == key, "queue %s stands by %v, should by %v", b.queue.Name, b.key, key)
		v.check(b.parent.below.list[b.place] == b, "queue %s is not among its siblings", b.queue.Name)
	}
}

func ordered[T interface{ spot() *int }](h *heap[T]) error {
	for i, x := range h.list {
		if *x.spot() != i {
			return fmt.Errorf("member %d believes to be at %d", i, *x.spot())
		}
		if i > 0 && h.before(x, h.list[(i-1)/2]) {
			return fmt.Errorf("member %d should come before the one above it", i)
		}
	}
	return nil
}
