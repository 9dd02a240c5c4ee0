package pending

import (
	"time"

	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
	"github.com/sluice-scheduler/sluice/pkg/core/fit"
)

// State is where a pod stands; see the package's drawing.
type State uint8

// The states.
const (
	InLine State = iota
	Away
	InBackoff
	Gated
	Held
	// Reserved: room is kept for it on a node, where too little has fallen free so far.
	Reserved
	// Gathered: it starts with others of its group, of whom one stands in line for all, or who are not all there.
	Gathered
	states
)

// Ask is one pod's claim.
type Ask struct {
	Pod   *cluster.Pod
	State State
	// unheard: it stands in Queue.unheard.
	unheard bool
	// Attempts counts the times it was tried and did not get bound, Refusals those of them at which the API server refused the bind, up to MostRefusals.
	Refusals uint16
	Attempts int32
	// Until is the end of the backoff.
	Until time.Time
	// Entered is when it began to wait.
	Entered time.Time
	// Said is the digest of the last condition asked for (or found), Kinds the reasons of the last event announced.
	Said  uint64
	Kinds string
	// Why is the text of the condition of a pod that is gated, held or in backoff; what its line waits for speaks for those in it.
	Why string

	// Vain are the nodes on which room was kept for it in vain, last ones last.
	Vain []string

	// gang is what it stands in line for; nil when for itself alone.
	gang  *Gang
	party *Party
	// reservedIn is the branch from which it left for a reservation.
	reservedIn *branch
	place      int
	// turn is the fact by which it was entered in order, so that it is found again after its fact has changed.
	turn *cluster.PodFact
}

// MostRefusals is how many refusals are counted: the time to wait is doubled as often.
const MostRefusals = 16

func (a *Ask) spot() *int { return &a.place }

// first orders asks by whose turn is first.
func first(a, b *Ask) bool { return cluster.CompareTurn(a.turn, b.turn) < 0 }

// Line returns the line in which the ask waits; nil outside InLine.
func (a *Ask) Line() *Line {
	if a.party == nil {
		return nil
	}
	return a.party.line
}

// of returns the ask as fit sees it.
func (a *Ask) of() fit.Ask { return fit.Of(a.Pod) }
