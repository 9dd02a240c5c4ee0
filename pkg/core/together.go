package core

import (
	"time"

	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
)

// Where each pod that arrives costs the application a restart (cluster.GroupFact.Together), those that come at about the same time, as one step of scaling, are placed and bound in one step: all
// of them if there is room, else as many as there is room for.

// quiet is how long nothing more must have come until those that came are one step.
const quiet = time.Second

// together musters the waiting pods of a gang that has begun, once no more of them come.
func (c *Core) together(g *gang, s *stock) {
	if len(s.waiting) != g.arrivals {
		g.arrived, g.arrivals = c.now, len(s.waiting)
	}
	if until := g.arrived.Add(quiet); until.After(c.now) {
		c.lookAt(g, until)
		g.ask, g.seats = nil, nil
		text := "waits for a second for others of " + groupText(g, nil) + " that come with it, so that all are bound at once."
		c.tellGang(g, s.waiting, ReasonWaitingForGang, text, text)
		return
	}
	c.putGang(g, s, append([]*cluster.Pod(nil), s.waiting...))
}

// splits lets pods that were to be bound together and do not all fit stand for themselves, so that in this step as many are as fit, and reports whether the gang has such.
func (c *Core) splits(g *gang) bool {
	if f := g.group.Fact(); !g.begun || g.apart || f == nil || !f.Together {
		return false
	}
	g.apart, g.arrivals = true, 0
	c.state.TouchGroup(g.group)
	c.gather()
	return true
}

// wholeAgain reports whether room is kept for all that a gang expects.
func (c *Core) wholeAgain(g *gang) bool {
	for _, p := range g.expected {
		if p.Alloc == nil {
			return false
		}
	}
	return true
}
