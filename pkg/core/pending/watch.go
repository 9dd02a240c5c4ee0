package pending

import "github.com/sluice-scheduler/sluice/pkg/core/cluster"

// watch is that a parked lot waits for something to happen to the counts of a matcher.
type watch struct {
	matcher *cluster.Matcher
	what    cluster.Stir
	// at is the position among those who watch the matcher.
	at int
}

// watcher is a lot in the list of a matcher, with the number of its watch.
type watcher struct {
	lot    *Lot
	number int
}

// watch begins to wait for the counts by which a lot that has been parked is judged.
func (q *Queue) watch(l *Lot) {
	l.Ask.Watch(func(m *cluster.Matcher, what cluster.Stir) {
		m.Watch(what, +1)
		list := q.watchers[m]
		l.watches = append(l.watches, watch{m, what, len(list)})
		q.watchers[m] = append(list, watcher{l, len(l.watches) - 1})
	})
}

// unwatch ends that.
func (q *Queue) unwatch(l *Lot) {
	for _, w := range l.watches {
		w.matcher.Watch(w.what, -1)
		list := q.watchers[w.matcher]
		dropFrom(&list, w.at, func(o watcher, at int) { o.lot.watches[o.number].at = at })
		if len(list) == 0 {
			delete(q.watchers, w.matcher)
		} else {
			q.watchers[w.matcher] = list
		}
	}
	l.watches = l.watches[:0]
}

// Stir calls f for the parked lots that wait for what has happened to the counts of a matcher; f may wake the lot it is given.
func (q *Queue) Stir(m *cluster.Matcher, what cluster.Stir, f func(*Lot)) {
	list := q.watchers[m]
	for i := len(list) - 1; i >= 0; i-- {
		if i < len(list) && list[i].lot.watches[list[i].number].what&what != 0 {
			f(list[i].lot)
			list = q.watchers[m]
		}
	}
}
