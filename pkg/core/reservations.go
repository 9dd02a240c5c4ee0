package core

import (
	"fmt"
	"slices"
	"time"

	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
	"github.com/sluice-scheduler/sluice/pkg/core/fit"
	"github.com/sluice-scheduler/sluice/pkg/core/pending"
	"github.com/sluice-scheduler/sluice/pkg/core/share"
)

// A pod that asks for much would wait for ever in a full cluster where what falls free in small pieces goes to those who ask for little. So a pod that has
// waited long may, when its turn comes and it fits nowhere, have room kept for it on one node: the reservation counts as used, of the node and of
// the queue, whatever the node has free, so what falls free there goes to nobody else but to pods of that node alone and to those of higher priority in the
// same queue. Of each queue one pod at a time has room kept for it, and on one node in twenty at most, which bounds what lies idle.
//
//	in line ── reserve: its turn, it starves, a node would do ──▶ reserved ── fulfil: enough has fallen free ──▶ assumed
//	   ▲                                                             │
//	   └── giveUp: nothing more falls free, the node or pod changed ─┘

// reservation is room that is kept for a pod.
type reservation struct {
	pod *cluster.Pod
	// seen is the version of the node at the last look, lacked what was missing then (see lacking), since when that became less.
	seen   uint64
	lacked float64
	since  time.Time
}

// starvesFrom returns the time since when a pod must have waited in vain to starve (pending.StarvingSince).
func (c *Core) starvesFrom() time.Time {
	if c.cfg.StarvationAfter <= 0 {
		return time.Time{}
	}
	return c.now.Add(-c.cfg.StarvationAfter)
}

// starvesAt returns when the first pod of a lot will have waited long; ok is false when all that may have, have, or room is kept for nobody.
func (c *Core) starvesAt(lot *pending.Lot) (first time.Time, ok bool) {
	for _, l := range lot.Lines() {
		at := pending.StarvingSince(l.Head()).Add(c.cfg.StarvationAfter)
		if at.After(c.now) && (!ok || at.Before(first)) {
			first, ok = at, true
		}
	}
	return first, ok && c.cfg.StarvationAfter > 0
}

// offerToKeep lets a parked lot with a pod that starves stand among those that a node helps, so that it is called when its turn is first.
func (c *Core) offerToKeep(lot *pending.Lot) {
	lot.Starves = c.cfg.StarvationAfter > 0 && slices.ContainsFunc(lot.Lines(), func(l *pending.Line) bool {
		return c.pending.Starves(l.Head())
	})
	if !lot.Starves || lot.HelpedBy != nil || !c.serves(lot) {
		return
	}
	if n := c.nearest(lot.Ask, nil); n != nil {
		c.pending.Help(lot, n, len(c.openings.nodes), true)
		c.openings.nodes = append(c.openings.nodes, n)
		c.openings.open = true
	}
}

// mayKeep reports whether room may be kept on a node for one of a lot's pods.
func (c *Core) mayKeep(lot *pending.Lot, n *cluster.Node) bool {
	return lot.Gang == nil && lot.Starves && c.mayKeepMore() && idle(n) && c.serves(lot) && fit.Could(lot.Ask, n)
}

// nodesPerReservation is of how many nodes one may be kept.
const nodesPerReservation = 20

func (c *Core) mayKeepMore() bool {
	return len(c.kept) < max(1, c.state.KnownNodes()/nodesPerReservation)
}

// idle reports whether a node is promised to nobody: what is nominated for it has its room already.
func idle(n *cluster.Node) bool { return n.Reserved == 0 && len(n.Nominees) == 0 }

// fewLines is of how many lines it is asked whether room may be kept for one of them.
const fewLines = 8

// serves reports whether room may be kept for one of a lot's pods, as far as few lines tell.
func (c *Core) serves(lot *pending.Lot) bool {
	return len(lot.Lines()) > fewLines || slices.ContainsFunc(lot.Lines(), c.pending.MayReserve)
}

// nearest returns the node where least is missing for an ask, by the largest part of a request that is; nil when no node would do. Nodes that have been
// waited for in vain are passed over while there are others.
func (c *Core) nearest(a fit.Ask, vain []string) (best *cluster.Node) {
	if !c.mayKeepMore() {
		return nil
	}
	least := 0.0
	c.visited += c.state.KnownNodes() / nodesPerLook
	for _, n := range c.state.Slots() {
		if n == nil || !idle(n) {
			continue
		}
		lack := lacking(a.Shape, n)
		if slices.Contains(vain, n.Name) {
			lack += 2
		}
		if (best == nil || lack < least || lack == least && n.Name < best.Name) && fit.Could(a, n) {
			best, least = n, lack
		}
	}
	return best
}

// nodesPerLook is of how many nodes it can be told what they lack in the time that a look at one takes.
const nodesPerLook = 4

// lacking is the largest part of a shape's request that a node has not free; what is reserved there does not count as used.
func lacking(shape *cluster.Shape, n *cluster.Node) (most float64) {
	kept := reservedOn(n)
	for _, w := range shape.Wants {
		free := n.Allocatable.At(w.Slot) - n.Used.At(w.Slot) + kept.At(w.Slot)
		most = max(most, float64(w.Value-free)/float64(w.Value))
	}
	return most
}

// reserve keeps room for the first of a line that was called and fits nowhere, and reports whether it did.
func (c *Core) reserve(l *pending.Line) bool {
	ask := l.Head()
	if l != c.pending.Called() || !l.Lot.Partly || !c.pending.MayReserve(l) {
		return false
	}
	n := c.nearest(l.Lot.Ask, ask.Vain)
	if n == nil {
		return false
	}
	c.remember(l.Lot)
	text := c.failure(l.Lot).Text + fmt.Sprintf(" It has waited long, so room is kept for it on node %s as it falls free.", n.Name)
	r := &reservation{pod: ask.Pod, lacked: lacking(ask.Pod.Shape, n), since: c.now}
	c.state.Reserve(ask.Pod, n)
	c.state.Commit()
	r.seen = n.Version
	c.kept = append(c.kept, r)
	c.stats.Reservations++
	c.openings.placed++
	c.pending.Reserve(ask, text)
	c.followApps()
	c.tell(ask, ReasonUnschedulable, text, "reserved on "+n.Name)
	return true
}

// fulfil places those for whom enough room has fallen free, and gives up what is kept in vain.
func (c *Core) fulfil() {
	for _, r := range slices.Clone(c.kept) {
		c.turnTo(r.pod.Fact, nil)
		switch {
		case !c.keeps(r.pod):
			c.giveUp(r.pod)
		case r.seen != r.pod.Alloc.Node.Version:
			c.tryKept(r)
		case !c.now.Before(c.inVainAt(r)):
			a := c.pending.Ask(r.pod)
			a.Vain = append(a.Vain[max(0, len(a.Vain)+1-manyVain):], r.pod.Alloc.Node.Name)
			c.giveUp(r.pod)
		}
	}
	c.turnAway()
	c.kept = slices.DeleteFunc(c.kept, func(r *reservation) bool { return r.pod.Alloc == nil || !r.pod.Alloc.Reserved })
}

// manyVain is how many nodes are remembered on which room was kept in vain.
const manyVain = 16

// inVainAt is when a reservation ends if nothing more falls free.
func (c *Core) inVainAt(r *reservation) time.Time { return r.since.Add(2 * c.cfg.StarvationAfter) }

// keeps reports whether what is kept for a pod is still of use to it.
func (c *Core) keeps(p *cluster.Pod) bool {
	a := p.Alloc
	if a == nil || !a.Reserved || !p.Fact.Ours || p.Fact.Deleting || p.Fact.Gated || p.Fact.Nominated != "" || a.Node.Fact == nil ||
		len(a.Node.Nominees) > 0 {
		return false
	}
	reason, _ := c.whyHeld(p)
	return reason == "" && fit.Could(fit.Of(p), a.Node)
}

// tryKept places a pod on its node if it fits there by now.
func (c *Core) tryKept(r *reservation) {
	p, n := r.pod, r.pod.Alloc.Node
	c.visited++
	mark := c.state.Checkpoint()
	c.state.Release(p)
	_, refused := share.Refuses(p.App.Ledger, p.Shape.Request, p.App.Placed == 0)
	if !refused && fit.Fits(fit.Of(p), n) {
		c.assume(c.pending.Ask(p), n)
		return
	}
	c.state.Rollback(mark)
	if refused {
		c.giveUp(p)
		return
	}
	r.seen = n.Version
	if lack := lacking(p.Shape, n); lack < r.lacked {
		r.lacked, r.since = lack, c.now
	}
}

// giveUp ends a reservation that led to nothing; the pod waits for its turn again.
func (c *Core) giveUp(p *cluster.Pod) {
	if p.Alloc == nil || !p.Alloc.Reserved {
		return
	}
	c.stats.Expired++
	c.state.Release(p)
	c.state.Commit()
	c.followApps()
	c.settle(p)
}

// giveUpAll ends all reservations, as who does not lead keeps none.
func (c *Core) giveUpAll() {
	for _, r := range c.kept {
		c.giveUp(r.pod)
	}
	c.kept = nil
}

// passes reports whether a pod need not respect what is kept for another: where it is of that node alone, or before the other in the same queue by priority.
func passes(p, kept *cluster.Pod) bool {
	return p.Fact.Pin == kept.Alloc.Node.Name ||
		p.Fact.Priority > kept.Fact.Priority && p.App.Queue() == kept.App.Queue()
}

// fitsWith reports whether a pod that need not respect a reservation would fit on its node without it.
func (c *Core) fitsWith(kept, p *cluster.Pod) bool {
	if kept.Alloc == nil || !kept.Alloc.Reserved || !passes(p, kept) {
		return false
	}
	n := kept.Alloc.Node
	c.visited++
	mark := c.state.Checkpoint()
	c.state.Release(kept)
	fits := n.Fact != nil && fit.Fits(fit.Of(p), n)
	c.state.Rollback(mark)
	return fits
}

// findKept returns a node where room is kept for somebody whom a pod need not respect, if it fits there; nil if there is none. What is kept stays kept: the room
// that is wanted there is more now than before.
func (c *Core) findKept(p *cluster.Pod) (n *cluster.Node) {
	if n := c.findForOwed(p); n != nil {
		return n
	}
	c.reserved(func(kept *cluster.Pod) bool {
		if c.fitsWith(kept, p) {
			n = kept.Alloc.Node
		}
		return n == nil
	})
	return n
}

// findForOwed does so for a pod that an application which runs has lost, or that is to replace one: it comes before all who have yet to start and whose priority is not higher, so it need
// not respect anything that is reserved for them on a node.
func (c *Core) findForOwed(p *cluster.Pod) (n *cluster.Node) {
	if !p.Fact.Expected && !p.App.Resuming {
		return nil
	}
	seen := map[*cluster.Node]bool{}
	c.reserved(func(kept *cluster.Pod) bool {
		if kept.Alloc == nil || kept.Fact.Priority > p.Fact.Priority || seen[kept.Alloc.Node] {
			return true
		}
		seen[kept.Alloc.Node] = true
		c.visited++
		if c.fitsBut(p, kept.Alloc.Node) {
			n = kept.Alloc.Node
		}
		return n == nil
	})
	return n
}

// reserved calls f for the pods for which room is reserved, until it returns false.
func (c *Core) reserved(f func(*cluster.Pod) (goOn bool)) {
	for _, r := range c.kept {
		if !f(r.pod) {
			return
		}
	}
	for _, g := range c.draining {
		if g.drain == nil {
			continue
		}
		for _, p := range g.drain.seats {
			if !f(p) {
				return
			}
		}
	}
}

// helpsWith reports whether a node where room is kept helps one of a lot's pods nevertheless.
func (c *Core) helpsWith(lot *pending.Lot, n *cluster.Node) bool {
	if n.Reserved == 0 {
		return false
	}
	helps := false
	c.reserved(func(kept *cluster.Pod) bool {
		if kept.Alloc != nil && kept.Alloc.Node == n {
			helps = slices.ContainsFunc(lot.Lines(), func(l *pending.Line) bool { return c.fitsWith(kept, l.Head().Pod) })
		}
		return !helps
	})
	return helps
}
