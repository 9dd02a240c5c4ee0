package core

import (
	"fmt"

	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
	"github.com/sluice-scheduler/sluice/pkg/core/pending"
	"github.com/sluice-scheduler/sluice/pkg/core/resource"
	"github.com/sluice-scheduler/sluice/pkg/core/share"
)

// rehomedAtOnce is how many applications are looked at in a step after the tree has changed; the others wait for the next.
const rehomedAtOnce = 2_000

// rehome lets applications follow a changed tree, some in each step, and puts those who wait in order when the tree or the capacity has changed.
func (c *Core) rehome() {
	if c.state.Rehome(rehomedAtOnce) {
		c.unfinished = true
	}
	c.followApps()
	if rescaled := c.scale.Set(c.state.Capacity()); rescaled || c.treeVersion != c.state.TreeVersion() {
		c.treeVersion = c.state.TreeVersion()
		c.pending.Remeasure(rescaled)
	}
}

// followApps lets waiting pods follow their applications: to another queue, or aside when it has none any more.
func (c *Core) followApps() {
	c.state.TouchedApps(func(a *cluster.App) {
		if a.Size() == 0 {
			delete(c.homeless, a)
			return
		}
		if a.Ledger != nil && !c.homeless[a] {
			c.pending.Follow(a)
			return
		}
		if c.homeless[a] = a.Ledger == nil; !c.homeless[a] {
			delete(c.homeless, a)
		}
		a.Pods(func(p *cluster.Pod) {
			if c.pending.Ask(p) != nil {
				c.settle(p)
			}
		})
	})
}

// holdBack sets a line aside because an account refuses it, and tells its pods.
func (c *Core) holdBack(l *pending.Line, r share.Refusal) {
	c.visited++
	c.stats.QuotaRefused++
	l.Head().Attempts++
	text := c.refusalText(r)
	if l.Lot.Gang != nil {
		text = groupText(c.gangs[l.Lot.Gang.Group], nil) + " starts together or not at all, and " + text
	}
	c.pending.HoldBack(l, &pending.Hold{Refusal: r, Text: text})
	c.tellLine(l)
}

// refusalText says what is refused, without numbers that change with every pod.
func (c *Core) refusalText(r share.Refusal) string {
	if r.Slot == share.NoSlot {
		return fmt.Sprintf("%s runs the %d applications that it may at a time.", r.Account.Who, r.Max)
	}
	name := c.state.Space.Name(r.Slot)
	if r.Never {
		return fmt.Sprintf("it asks for %s %s, and %s may never hold more than %s.",
			resource.Display(name, r.Asked), name, r.Account.Who, resource.Display(name, r.Max))
	}
	return fmt.Sprintf("%s may hold at most %s %s and has less than the %s asked for left.",
		r.Account.Who, resource.Display(name, r.Max), name, resource.Display(name, r.Asked))
}
