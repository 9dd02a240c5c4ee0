package core

import (
	"errors"
	"fmt"
	"slices"

	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
	"github.com/sluice-scheduler/sluice/pkg/core/fit"
	"github.com/sluice-scheduler/sluice/pkg/core/pending"
	"github.com/sluice-scheduler/sluice/pkg/core/place"
)

// verifyExpected holds that a pod which does not exist yet belongs to a gang that leads to it, and waits nowhere.
func (c *Core) verifyExpected(p *cluster.Pod) error {
	g := c.gangOf(p)
	switch {
	case g == nil || !slices.Contains(g.expected, p):
		return fmt.Errorf("pod %s is expected by nobody", p.Fact.UID)
	case c.pending.Ask(p) != nil:
		return fmt.Errorf("pod %s does not exist and waits", p.Fact.UID)
	case p.Alloc != nil && (p.Alloc.Bound || p.Alloc.Reserved != (g.drain != nil) || !c.leading):
		return fmt.Errorf("pod %s does not exist and is more than assumed", p.Fact.UID)
	}
	return nil
}

// verifyGang holds that no part of a gang is on its way to nodes before there is room for all, and that each of its waiting pods stands where it belongs.
func (c *Core) verifyGang(g *gang) error {
	if c.unfinished || c.state.AnyTouched() {
		return nil
	}
	if g.drain != nil {
		if g.drain.fact != g.group.Fact() || !c.leading { // who came to its nodes in this step is seen in the next
			return fmt.Errorf("nodes are drained for group %s in vain", g.group.ID)
		}
		return nil
	}
	var faults []error
	s := c.takeStock(g)
	gathers := s.fact != nil && !s.fact.Over && s.fact.Min > 1 && !g.begun
	heads := 0
	for _, p := range s.waiting {
		a := c.pending.Ask(p)
		if a.Gang() != nil {
			heads++
		}
		if alone := a.State == pending.InLine && a.Gang() == nil; alone && gathers {
			faults = append(faults, fmt.Errorf("pod %s stands for itself, and its group %s has not begun", p.Fact.UID, g.group.ID))
		} else if a.State == pending.Gathered && !gathers && s.fact != nil && len(s.fact.Faults) == 0 && a.Why == "" && c.headOf(g) == nil {
			faults = append(faults, fmt.Errorf("pod %s waits for its group %s, which has begun or asks for nothing", p.Fact.UID, g.group.ID))
		}
	}
	if heads > 1 {
		faults = append(faults, fmt.Errorf("%d pods stand in line for group %s", heads, g.group.ID))
	}
	if gathers && c.leading && !g.headStart && s.placed > s.leaving {
		faults = append(faults, fmt.Errorf("%d pods of group %s are on nodes, and it has not begun", s.placed, g.group.ID))
	}
	return errors.Join(faults...)
}

// verifyGangParked holds that a gang which waits for room does not fit as a whole, by the order in which it is tried.
func (c *Core) verifyGangParked(line *pending.Line) error {
	ask := line.Lot.Gang
	g := c.gangs[ask.Group]
	if !line.Lot.Parked() {
		return fmt.Errorf("group %s is ready after a step that had time for it", ask.Group.ID)
	}
	if ask.Again.After(c.now) || ask.Surrounded() {
		return nil
	}
	for _, need := range ask.Needs {
		fresh := &fit.Rooms{}
		fresh.Update(c.state, need.Ask)
		need.Rooms.Update(c.state, need.Ask)
		if fresh.Total != need.Rooms.Total {
			return fmt.Errorf("group %s: %d rooms are remembered where there are %d", ask.Group.ID, need.Rooms.Total, fresh.Total)
		}
	}
	if !c.roomy(ask) {
		return nil
	}
	for _, within := range c.domains(g, ask) {
		mark := c.state.Checkpoint()
		seats := c.arrange(g, line, seatOrders[0])
		placed, _ := place.Group(c.state, c.order, seats, within)
		c.state.Rollback(mark)
		if placed == len(seats) {
			return fmt.Errorf("group %s is parked although it fits", ask.Group.ID)
		}
	}
	return nil
}
