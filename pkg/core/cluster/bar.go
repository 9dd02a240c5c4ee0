package cluster

import (
	"cmp"
	"strings"
	"time"
)

// Rules may ask for one path as a leaf for one application and as a parent for another. The older has it, and the other is barred: it has the home that a
// later rule gives. To find that out for sure all are placed anew, oldest first. That is needed only when
//
//   - one is barred by a queue that may be there for itself or for younger ones alone (overtake),
//   - one leaves a queue, or becomes younger, that bars somebody (unbar).
//
// Whoever is not barred suits all queues that there are, and so changes nothing for anybody.

// age is what orders applications: when they were submitted, then their names. The zero age is before all.
type age struct {
	at            time.Time
	namespace, id string
}

func (x age) compare(y age) int {
	return cmp.Or(x.at.Compare(y.at), strings.Compare(x.namespace, y.namespace), strings.Compare(x.id, y.id))
}

func (a *App) age() age { return age{a.Submitted, a.Namespace, a.ID} }

// noteBarred notes what keeps an application from another home.
func (a *App) noteBarred(by []*Queue) {
	for _, q := range a.barred {
		q.bars--
	}
	a.barred = append(a.barred[:0], by...)
	for _, q := range a.barred {
		q.bars++
	}
}

// dwell counts an application in the queues on the way to the leaf where it is placed now, and not any more in those where it is. A queue that a rule made is
// stale without any that have been placed in the present pass: nobody is barred for the sake of one that may not stay.
func (s *State) dwell(a *App, leaf *Queue) {
	if a.pass == s.pass {
		for q := a.Queue(); q != nil; q = q.Parent {
			q.dwellers--
			q.stale = q.Dynamic && q.dwellers == 0
		}
	}
	a.pass = s.pass
	for q := leaf; q != nil; q = q.Parent {
		q.dwellers++
		q.stale = false
	}
	noteAge(leaf, a)
}

// noteAge notes that an application is in a leaf, for all queues on the way there that rules made.
func noteAge(leaf *Queue, a *App) {
	for q := leaf; q != nil && q.Dynamic; q = q.Parent {
		if q.latest.compare(a.age()) < 0 {
			q.latest = a.age()
		}
	}
}

// aged follows an application that is older or younger than it was.
func (s *State) aged(a *App, older bool) {
	if older {
		s.overtake(a)
	} else {
		s.unbar(a.Queue())
	}
	noteAge(a.Queue(), a)
}

// overtake has all looked at again if an application is barred by what may be there for itself or for younger ones alone.
func (s *State) overtake(a *App) {
	for _, q := range a.barred {
		if q.latest.compare(a.age()) >= 0 {
			s.lookAgain()
			return
		}
	}
}

// unbar has all looked at again if somebody is barred by a leaf that is left or by a queue above it.
func (s *State) unbar(leaf *Queue) {
	for q := leaf; q != nil && q.Dynamic; q = q.Parent {
		if q.bars > 0 {
			s.lookAgain()
			return
		}
	}
}
