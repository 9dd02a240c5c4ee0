package pending

import (
	"slices"
	"time"

	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
	"github.com/sluice-scheduler/sluice/pkg/core/fit"
	"github.com/sluice-scheduler/sluice/pkg/core/resource"
)

// Gang is what the first pod of a group asks for in the name of all that are to start with it. It has a lot and a line of its own, in which that pod alone stands; the
// others are Gathered. It is immutable but for what is noted of attempts.
type Gang struct {
	Group *cluster.Group
	// Request is the sum of what all ask for.
	Request resource.Vector
	// Needs are the different asks.
	Needs []Need
	// Seats is how many pods they are.
	Seats int
	// Again is when it may be tried again after it failed although every ask had room by itself, Wait how long the last such wait was. Version is that of the
	// state, and Surroundings that of where pods are, at that attempt.
	Again                 time.Time
	Wait                  time.Duration
	Version, Surroundings uint64

	lot *Lot
}

// Need is how many pods of one ask are to be placed. Rooms is shared by all who ask for the same.
type Need struct {
	Ask   fit.Ask
	Count int
	Rooms *fit.Rooms
}

// manyRooms is for how many asks rooms are kept at most.
const manyRooms = 1024

// Rooms returns the rooms for an ask, which are kept from one group to the next.
func (q *Queue) Rooms(a fit.Ask) *fit.Rooms {
	a.Kin, a.Volumes = nil, nil // rooms are reckoned without them
	r := q.rooms[a]
	if r == nil {
		if len(q.rooms) >= manyRooms {
			clear(q.rooms) // most are of shapes that are gone
		}
		r = &fit.Rooms{}
		q.rooms[a] = r
	}
	return r
}

// View returns what is kept about the classes of nodes for a shape.
func (q *Queue) View(shape *cluster.Shape) *fit.View { return q.view(shape) }

// PutGang lets the first pod of a group wait for its turn in the name of all.
func (q *Queue) PutGang(p *cluster.Pod, g *Gang, now time.Time) *Ask {
	a := q.ask(p, now)
	if a.State == InLine && a.gang == g && a.party.App == p.App && a.party.line == q.lines[lineKey{g.lot, p.App.Ledger, p.App.Placed == 0}] && cluster.CompareTurn(a.turn, p.Fact) == 0 {
		return a
	}
	q.leave(a)
	a.gang = g
	q.join(a)
	return a
}

// Lot returns the lot in which a pod stands for the group; nil when none has stood there yet.
func (g *Gang) Lot() *Lot { return g.lot }

// Gang returns what the ask stands for; nil when it stands for itself alone.
func (a *Ask) Gang() *Gang { return a.gang }

// lotFor returns the lot in which an ask belongs, made when there is none.
func (q *Queue) lotFor(a *Ask) *Lot {
	g := a.gang
	if g == nil {
		return q.lot(a.of())
	}
	if g.lot == nil {
		of := a.of()
		of.Pin = "" // any node that changes may help the others
		g.lot = &Lot{Ask: of, Gang: g, View: q.view(of.Shape)}
	}
	return g.lot
}

// Surrounded reports whether it depends on where other pods are, or on volumes, whether a gang fits, which the rooms on nodes do not tell.
func (g *Gang) Surrounded() bool {
	return slices.ContainsFunc(g.Needs, func(n Need) bool { return n.Ask.Topological() || n.Ask.Volumes != nil })
}
