package core

import (
	"slices"

	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
	"github.com/sluice-scheduler/sluice/pkg/core/fit"
	"github.com/sluice-scheduler/sluice/pkg/core/pending"
)

// openings are what may help those who wait. When room falls free for one pod, hundreds of lots may fit there, in thousands of lines; so nobody is
// woken, but the one line is called whose turn is first, then the next, until nobody is helped any more.
type openings struct {
	// better are nodes whose change has not been held against the parked lots yet.
	better []*cluster.Node
	// nodes are those that helped one who still waits, in the order in which they changed; one that changes again stands there again. Between its changes a
	// node only loses room, so a lot need not look twice at what it has passed (Lot.HelpedAt).
	nodes []*cluster.Node
	// open: somebody may be helped who has not been looked for.
	open bool
	// accounts are those to which something was given back, opened tells which they are.
	accounts []*cluster.Account
	opened   map[*cluster.Account]bool
	// dismissed were called and have not been tried: no account refuses them any more, whatever they were told.
	dismissed []*pending.Line
	// placed counts the pods that were placed, calledAt is what it was when the present line was called.
	placed, calledAt uint64
}

// linesPerLook is how many lines can be looked at in the time that a node takes.
const linesPerLook = 4

// looksPerReview is how many nodes could be looked at in the time that it takes to hold a line against its accounts and to see what it was told.
const looksPerReview = 2

// wake makes ready the parked lots whose claims something has happened to, and finds out which others fit on a node that has changed. That takes at most half the budget; what is left waits for the next step.
func (c *Core) wake() {
	o := &c.openings
	for _, a := range c.state.TakeRelieved() {
		if c.pending.HoldsBack(a) {
			o.open = true
			if !o.opened[a] {
				o.opened[a] = true
				o.accounts = append(o.accounts, a)
			}
		}
	}
	c.wakeNeedy()
	o.better = append(o.better, c.state.TakeBetter()...)
	for i, n := range o.better {
		if c.visited > c.cfg.Budget/2 {
			o.better = slices.Clone(o.better[i:])
			c.unfinished = true
			return
		}
		if n.Fact != nil {
			c.helpBy(n)
		}
	}
	o.better = o.better[:0]
}

// wakeNeedy makes ready the parked lots to whose claims something has happened. Who does not lead does so too: it would not know of it later.
func (c *Core) wakeNeedy() {
	c.state.TakeHelped(func(v *cluster.Volumes) {
		c.pending.Needing(v, func(l *pending.Lot) {
			if l.Parked() {
				c.stats.Woken++
				l.Memory = nil
				c.pending.Wake(l)
			}
		})
	})
}

// helps reports whether one of a lot's pods can go to a node.
func (c *Core) helps(l *pending.Lot, n *cluster.Node) bool {
	if l.Gang != nil {
		return c.mayStart(l.Gang)
	}
	return fit.Fits(l.Ask, n) || c.helpsWith(l, n)
}

func (c *Core) helpBy(n *cluster.Node) {
	helps := false
	c.pending.Candidates(n, func(l *pending.Lot) {
		c.visited++
		c.turnTo(l.Any().Pod.Fact, nil)
		fits := c.helps(l, n)
		if !fits && !c.mayKeep(l, n) {
			return
		}
		helps = true
		if l.HelpedBy == nil || fits && l.Partly {
			c.stats.Woken++
			c.pending.Help(l, n, len(c.openings.nodes), !fits)
		}
	})
	if helps {
		c.compact()
		c.openings.nodes = append(c.openings.nodes, n)
		c.openings.open = true
	}
}

// wakeStirred wakes the parked lots that depend on where other pods are, when that has changed so that it could help them.
func (c *Core) wakeStirred() {
	c.state.TakeStirred(func(m *cluster.Matcher, what cluster.Stir) {
		c.pending.Stir(m, what, func(l *pending.Lot) {
			c.visited++
			c.stats.Woken++
			c.pending.Wake(l)
		})
	})
}

// compact forgets that nodes stand in the list several times, before it outgrows them.
func (c *Core) compact() {
	o := &c.openings
	if len(o.nodes) <= 2*c.state.KnownNodes()+64 {
		return
	}
	seen := make(map[*cluster.Node]bool, len(o.nodes))
	o.nodes = slices.DeleteFunc(o.nodes, func(n *cluster.Node) bool {
		again := seen[n] || n.Fact == nil
		seen[n] = true
		return again
	})
	c.pending.Helped(func(l *pending.Lot) { l.HelpedAt = 0 })
}

// next returns the line whose turn it is, by the queues' present use: of those that are ready, and of those that an opening helps.
func (c *Core) next() *pending.Line {
	for {
		c.wakeStirred()
		c.state.DirtyQueues(c.pending.Changed)
		if c.pending.Called() == nil {
			c.call()
		}
		l := c.pending.Next()
		if l == nil || l != c.pending.Called() || c.openings.calledAt == c.openings.placed {
			return l
		}
		c.pending.Dismiss() // somebody was placed since, so another's turn may have come
		c.openings.dismissed = append(c.openings.dismissed, l)
	}
}

// call makes ready the line whose turn is first of those that an opening helps. Without any, the openings close.
func (c *Core) call() {
	o := &c.openings
	if stirred := c.pending.Stirred(); !o.open && !stirred {
		return
	}
	helped := 0
	c.pending.Helped(func(l *pending.Lot) {
		c.visited++
		if c.stillHelped(l) {
			helped++
		} else {
			c.pending.Unhelp(l)
		}
	})
	if helped == 0 {
		o.nodes = o.nodes[:0]
	}
	s := c.pending.Seek(o.accounts)
	c.visited += s.Visited / linesPerLook
	for _, l := range s.Released {
		c.tellLine(l)
	}
	for _, a := range s.Closed {
		delete(o.opened, a)
	}
	o.accounts = s.Open
	if o.open = s.First != nil; !o.open {
		return
	}
	o.calledAt = o.placed
	c.pending.Call(s.First)
}

// tellDismissed tells those who were called and then not tried what they wait for now.
func (c *Core) tellDismissed() {
	for _, l := range c.openings.dismissed {
		if l.Len() > 0 {
			c.tellLine(l)
		}
	}
	c.openings.dismissed = c.openings.dismissed[:0]
}

// stillHelped looks for a node that helps a lot, beginning with the one that did; if it fits on none, for one where room may be kept for it.
func (c *Core) stillHelped(l *pending.Lot) bool {
	by := l.HelpedBy
	if by.Fact != nil && !l.Partly && c.helps(l, by) {
		return true
	}
	for i := l.HelpedAt; i < len(c.openings.nodes); i++ {
		n := c.openings.nodes[i]
		c.visited++
		if n.Fact != nil && c.helps(l, n) {
			c.pending.Help(l, n, i, false)
			return true
		}
	}
	if by.Fact == nil || !c.mayKeep(l, by) {
		return false
	}
	c.pending.Help(l, by, len(c.openings.nodes), true)
	return true
}

// review brings the reasons of a parked lot up to date when it is due: its counts without moving it, or, as a safety net, by trying it anew.
//
// Nothing is reviewed in a step that has done an eighth of its work; then it waits for the next.
func (c *Core) review(lot *pending.Lot) (goOn bool) {
	if c.visited > c.cfg.Budget/8 {
		c.unfinished = true
		return false
	}
	if c.now.Sub(lot.Remembers) >= c.cfg.RetryAfter {
		c.pending.Wake(lot)
		return true
	}
	c.visited += lot.Memory.Update(c.state, lot.Ask) + looksPerReview*len(lot.Lines())
	if fitting := lot.Memory.Fitting(); len(fitting) > 0 {
		c.pending.Wake(lot)
		return true
	}
	c.repark(lot)
	c.offerToKeep(lot)
	return true
}
