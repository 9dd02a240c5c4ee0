package pending

import (
	"errors"
	"fmt"
)

// Verify compares the queue's lists and counts with its asks; for tests.
func (q *Queue) Verify() error {
	var faults []error
	check := func(ok bool, format string, args ...any) {
		if !ok {
			faults = append(faults, fmt.Errorf(format, args...))
		}
	}
	var counts [states]int
	inLots := map[*Lot]int{}
	parkedPods := 0
	for p, a := range q.asks {
		counts[a.State]++
		check(a.Pod == p, "the ask of %s is filed under another pod", p.Fact.UID)
		check((a.State == InLot) == (a.lot != nil), "pod %s: state %d, in a lot: %t", p.Fact.UID, a.State, a.lot != nil)
		if a.lot == nil {
			continue
		}
		inLots[a.lot]++
		check(q.lots[a.of()] == a.lot, "pod %s is in a lot that is not its own", p.Fact.UID)
		check(a.lot.asks.Has(a), "pod %s cannot be found in its lot", p.Fact.UID)
		if a.lot.parked {
			parkedPods++
		}
	}
	check(counts == q.counts && parkedPods == q.parkedPods, "counts are %v with %d parked, should be %v with %d", q.counts, q.parkedPods, counts, parkedPods)
	parked := 0
	for of, l := range q.lots {
		check(of == l.Ask && l.Len() == inLots[l] && l.Len() > 0, "a lot holds %d pods, %d say so", l.Len(), inLots[l])
		if l.parked {
			parked++
			check(l.head == nil && q.due.Has(l), "a parked lot is ready or never due")
			list := q.parked
			if l.Ask.Pin != "" {
				list = q.pinned[l.Ask.Pin]
			}
			check(l.place < len(list) && list[l.place] == l, "a parked lot is not at its place")
		} else {
			check(l.head != nil && l.head == l.Head() && q.ready.Has(l), "a ready lot is not among the ready by its head")
		}
	}
	check(q.ready.Len()+parked == len(q.lots), "%d lots are ready and %d parked of %d", q.ready.Len(), parked, len(q.lots))
	check(q.due.Len() == parked, "%d lots are due, %d are parked", q.due.Len(), parked)
	check(q.backoff.Len() == counts[InBackoff], "%d pods are in the backoff list, %d in backoff", q.backoff.Len(), counts[InBackoff])
	return errors.Join(faults...)
}
