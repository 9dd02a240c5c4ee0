package pending

import (
	"time"

	"github.com/google/btree"

	"github.com/sluice-scheduler/sluice/pkg/core/fit"
)

// Lot is the waiting pods of one ask.
type Lot struct {
	Ask fit.Ask
	// View is which classes of nodes may help; lots of one shape share it.
	View *fit.View
	// Memory is why each node refused; nil until the lot has failed once. Remembers is when it was begun.
	Memory    *fit.Memory
	Remembers time.Time
	// Failure is the outcome of the last attempt; nil if there was none.
	Failure *Failure
	// Told is the failure that the lot's pods were last told of.
	Told *Failure

	asks   *btree.BTreeG[*Ask]
	parked bool
	// head is the ask under which the lot is entered among the ready ones; nil while it is not.
	head *Ask
	// due is when a parked lot is looked at again without cause.
	due time.Time
	// place is the position among the parked lots of its kind.
	place int
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

// Head returns the pod whose turn is next; nil when the lot is empty.
func (l *Lot) Head() *Ask {
	head, _ := l.asks.Min()
	return head
}

// Len returns the number of pods in the lot.
func (l *Lot) Len() int { return l.asks.Len() }

// Parked reports whether the lot waits for a node to change.
func (l *Lot) Parked() bool { return l.parked }

// Each calls f for the lot's pods in order.
func (l *Lot) Each(f func(*Ask)) {
	l.asks.Ascend(func(a *Ask) bool { f(a); return true })
}
