package core

import (
	"slices"
	"strings"
	"time"

	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
	"github.com/sluice-scheduler/sluice/pkg/core/fit"
	"github.com/sluice-scheduler/sluice/pkg/core/pending"
	"github.com/sluice-scheduler/sluice/pkg/core/place"
	"github.com/sluice-scheduler/sluice/pkg/core/share"
)

// decide tries those who are ready, in order, until none is left or the budget is spent.
func (c *Core) decide() {
	for line := c.next(); line != nil; line = c.next() {
		if c.visited > c.cfg.Budget {
			c.unfinished = true
			return
		}
		ask := line.Head()
		c.turnTo(ask.Pod.Fact, nil)
		if line.Lot.Gang != nil {
			c.tryGang(line)
		} else if r, refused := share.Refuses(line.Ledger(), line.Request(), line.Starting()); refused {
			c.holdBack(line, r)
		} else if node := c.find(line.Lot, ask.Pod, line.NodeOrder()); node != nil {
			line.Lot.Placed = c.now
			c.assume(ask, node)
		} else if !c.reserve(line) {
			c.park(line.Lot, ask)
		}
		if line == c.pending.Called() {
			c.pending.Dismiss()
			c.tellLine(line) // those behind the one who was tried wait for room, and may have been told of a quota
		}
		c.turnAway()
	}
}

// find returns the best node for a pod of the lot. Once the lot has failed it looks only at what has changed since, for as long as few nodes fit.
func (c *Core) find(lot *pending.Lot, p *cluster.Pod, by string) *cluster.Node {
	if lot.Ask.Nominated != "" {
		c.visited++
		if n := place.Nominated(c.state, lot.Ask); n != nil {
			return n
		}
	}
	c.order.Refresh(c.state)
	if c.now.Sub(lot.Remembers) >= c.cfg.RetryAfter {
		lot.Memory = nil // the safety net: look at everything again
	}
	var n *cluster.Node
	var visited int
	if lot.Memory == nil {
		n, visited = place.First(c.state, c.order, p, lot.Ask, lot.View, by)
	} else {
		n, visited = place.Remembered(c.state, c.order, p, lot.Ask, lot.Memory, by)
		if len(lot.Memory.Fitting()) > manyFit {
			c.pending.Wake(lot)
			lot.Memory = nil
		}
	}
	c.visited += visited
	if n == nil {
		n = c.findKept(p)
	}
	return n
}

// manyFit is how many fitting nodes make it cheaper to walk the order than to keep a memory of refusals.
const manyFit = 64

func (c *Core) assume(ask *pending.Ask, n *cluster.Node) {
	choice := fit.Choose(fit.Of(ask.Pod), n)
	c.state.AssumeWith(ask.Pod, n, choice)
	c.state.Commit()
	c.settleOn(ask, n, choice)
}

// settleOn lets a pod that has been assumed on a node be bound, or its volumes be prepared before.
func (c *Core) settleOn(ask *pending.Ask, n *cluster.Node, choice *cluster.Choice) {
	p := ask.Pod
	c.pending.Take(ask)
	c.followApps()
	c.stats.Scheduled++
	c.openings.placed++
	b := Bind{Pod: ref(p.Fact), Node: n.Name, Created: p.Fact.Created}
	switch g := c.gangOf(p); {
	case !choice.Empty():
		c.prepare(p, b, choice)
	case g != nil && g.until.After(c.now):
		g.held = append(g.held, b)
	default:
		c.binds[p.Fact.UID] = b
		c.emit(b)
	}
	if to := p.Fact.Nominated; to != "" && to != n.Name {
		c.wake() // the room that was kept for it there may help others now
	}
}

// lookAgain is the least time after which a parked lot is looked at without cause, so that its counts are kept true at little cost.
const lookAgain = 10 * time.Second

// park sets a lot aside with the exact reasons of every node, and tells its pods.
func (c *Core) park(lot *pending.Lot, tried *pending.Ask) {
	c.remember(lot)
	c.stats.Unschedulable++
	tried.Attempts++
	c.repark(lot)
	c.offerToKeep(lot)
}

// remember begins a lot's memory of refusals, if it has none.
func (c *Core) remember(lot *pending.Lot) {
	if lot.Memory == nil {
		lot.Memory, lot.Remembers = &fit.Memory{}, c.now
		c.visited += lot.Memory.Update(c.state, lot.Ask)
	}
}

// repark parks a lot, or renews the reasons of one that is, and tells its pods.
func (c *Core) repark(lot *pending.Lot) {
	due := c.now.Add(max(c.cfg.RefreshAfter, lookAgain))
	if net := lot.Remembers.Add(c.cfg.RetryAfter); net.Before(due) {
		due = net
	}
	if at, ok := c.starvesAt(lot); ok && at.Before(due) {
		due = at
	}
	c.pending.Park(lot, c.failure(lot), due)
	for _, line := range lot.Lines() {
		if !c.refused(line) {
			c.tellLine(line)
		}
	}
}

func (c *Core) failure(lot *pending.Lot) *pending.Failure {
	counts := lot.Memory.Counts()
	f := &pending.Failure{Nodes: c.state.KnownNodes(), Counts: counts, At: c.now}
	f.Text = fit.Summary(f.Nodes, lot.Ask, counts)
	if faults := lot.Ask.Shape.Faults; len(faults) > 0 {
		f.Text += " Note: " + strings.Join(faults, "; ") + "."
	}
	f.Kinds = kinds(counts)
	return f
}

// kinds are the reasons without their numbers, sorted: a change in them is news, a change in numbers alone is not.
func kinds(counts []fit.Count) string {
	texts := make([]string, 0, len(counts))
	for _, n := range counts {
		texts = append(texts, n.Reason.String())
	}
	slices.Sort(texts)
	return strings.Join(slices.Compact(texts), ", ")
}
