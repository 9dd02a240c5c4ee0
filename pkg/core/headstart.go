package core

import (
	"time"

	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
	"github.com/sluice-scheduler/sluice/pkg/core/pending"
	"github.com/sluice-scheduler/sluice/pkg/core/place"
)

// An autoscaler adds nodes for pods that it sees, and those of a native Flink job do not exist before its JobManager runs. So where its queue says so (cluster.ScaleUpStartFirst) the first pods of a gang
// are started by themselves when it has waited for a while for nothing but nodes; the others appear, are mustered as a gang of their own and wait visibly for room for all of them.

// startsFirstAt is when the first pods of a parked gang may be started without the others; zero for never.
func (c *Core) startsFirstAt(g *gang, lot *pending.Lot) time.Time {
	spec := lot.Lines()[0].Ledger().Leaf.Gangs()
	if top := g.group.Fact().Topology; top != nil && top.Required {
		return time.Time{} // nobody knows yet where the others will find room
	}
	if spec.ScaleUp != cluster.ScaleUpStartFirst || g.headStart || g.lacking.IsZero() || len(c.firstSeats(g)) == 0 {
		return time.Time{}
	}
	return g.lacking.Add(spec.StartFirstAfter)
}

// firstSeats are the seats of the pods that start the others; none when there are no others that have yet to come.
func (c *Core) firstSeats(g *gang) (list []*cluster.Pod) {
	first, others := map[string]bool{}, false
	for _, r := range g.group.Fact().Roles {
		first[r.Role] = r.First
	}
	for _, p := range g.seats {
		switch {
		case first[p.Role()] && !p.Fact.Expected:
			list = append(list, p)
		case p.Fact.Expected:
			others = true
		}
	}
	if !others {
		return nil
	}
	return list
}

// startFirst starts the first pods of a gang that finds no room, if its queue wants that and it has waited long enough, and reports whether it did.
func (c *Core) startFirst(g *gang, line *pending.Line) bool {
	if g.lacking.IsZero() {
		g.lacking = c.now
	}
	at := c.startsFirstAt(g, line.Lot)
	if at.IsZero() || at.After(c.now) {
		return false
	}
	var seats []*place.Seat
	for _, p := range c.firstSeats(g) {
		seats = append(seats, &place.Seat{Pod: p, Ask: askOf(p), View: c.pending.View(p.Shape), Order: c.orderOf(p)})
	}
	mark := c.state.Checkpoint()
	placed, visited := place.Group(c.state, c.order, seats, nil)
	c.visited += visited
	if placed < len(seats) {
		c.state.Rollback(mark)
		return false
	}
	c.state.Commit()
	g.headStart, g.ask, g.seats = true, nil, nil
	c.stats.HeadStarts++
	for _, x := range seats {
		c.settleOn(c.pending.Ask(x.Pod), x.Node, x.Choice)
	}
	c.gather()
	return true
}
