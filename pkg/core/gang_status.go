package core

import (
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
	"github.com/sluice-scheduler/sluice/pkg/core/pending"
)

// The status of a PodGroup says, for all who work with one, whether it has been scheduled for the first time:
//
//	(nothing) ──▶ False: Unschedulable or SchedulerError ──▶ True: Scheduled
//	    │                  while its pods wait, and why          ▲   as many as start together are bound; it stays so whatever becomes of them
//	    └────────────────────────────────────────────────────────┘
//
// The gang has begun before that, in memory. But what is True is final, and a bind may still be refused.

// report is what was asked for last to be written into the status of a gang's object.
type report struct {
	uid       types.UID
	scheduled bool
	reason    string
	digest    uint64
	at        time.Time
	// filled: the gang is in Core.filled.
	filled bool
}

// reported reports whether a group has a status that is ours to write. Its generation does not tell: API servers of 1.37 give PodGroups none.
func reported(f *cluster.GroupFact) bool { return f != nil && f.Origin == cluster.FromPodGroup }

// fill notes that a pod is bound whose gang may have enough of them now.
func (c *Core) fill(p *cluster.Pod) {
	g := c.gangOf(p)
	if !c.leading || g == nil || g.report.scheduled || g.report.filled {
		return
	}
	if f := g.group.Fact(); reported(f) && !f.Scheduled {
		g.report.filled = true
		c.filled = append(c.filled, g)
	}
}

// reportFilled reports on the gangs of which pods have been bound.
func (c *Core) reportFilled() {
	for _, g := range c.filled {
		g.report.filled = false
		if c.gangs[g.group] == g {
			c.reportGang(g, c.stockOf(g))
		}
	}
	c.filled = c.filled[:0]
}

// reportGang asks for the status of the object of a gang to be written, where it is ours to write and says something else.
func (c *Core) reportGang(g *gang, s *stock) {
	f := s.fact
	if !c.leading || !reported(f) || f.Scheduled {
		return
	}
	if g.report.uid != f.Object.UID {
		g.report = report{uid: f.Object.UID, filled: g.report.filled}
	}
	switch bound := s.bound(); {
	case g.report.scheduled:
	case bound >= max(1, f.Min):
		g.report.scheduled = true
		c.emit(GroupStatus{Group: f.Object, Scheduled: true, Message: countText(bound, "pod") + " of the group " + areText(bound) + " bound", ObservedGeneration: f.Generation})
	case !g.begun:
		c.reportWaiting(g, s)
	}
}

// bound is how many pods of a gang the API server knows to be on nodes.
func (s *stock) bound() (n int) {
	for _, p := range s.real {
		if p.Alloc != nil && p.Alloc.Bound {
			n++
		}
	}
	return n
}

// reportWaiting says why a gang waits, unless the API server has that. When only the text has changed, it waits until RefreshAfter has passed.
func (c *Core) reportWaiting(g *gang, s *stock) {
	reason, text := c.whyWaits(g, s)
	if reason == "" {
		return
	}
	set := GroupStatus{Group: s.fact.Object, Reason: statusReason(reason), Message: strings.TrimPrefix(text, "its "), ObservedGeneration: s.fact.Generation}
	digest, last := cluster.Digest(set.Reason, set.Message, set.ObservedGeneration), &g.report
	if digest == last.digest || last.digest == 0 && digest == s.fact.Said.Digest {
		return
	}
	if due := last.at.Add(c.cfg.RefreshAfter); last.reason == reason && due.After(c.now) {
		c.lookAt(g, due)
		return
	}
	last.reason, last.digest, last.at = reason, digest, c.now
	c.emit(set)
}

// whyWaits is what the waiting pods of a gang are told; nothing when none wait for it, or their turn has not come.
func (c *Core) whyWaits(g *gang, s *stock) (reason, text string) {
	switch standing := g.standingOf(); standing {
	case GroupInvalid, GroupGathering, GroupDraining:
		if standing == GroupGathering && g.headStart && len(s.waiting) == 0 {
			return ReasonWaitingForGang, groupText(g, s) + " has no room, and the pods that start the others run, so that an autoscaler sees what those need: they are to come."
		}
		return g.told.Reason, g.told.Text
	case GroupHeld:
		return c.whyMemberHeld(s)
	case GroupWaiting, GroupHeldBack, GroupParked:
		if line := g.line(); line != nil {
			reason, text, _ = c.why(line)
		}
	}
	return reason, text
}

// whyMemberHeld is why the first pod of a gang cannot be tried, of which none can.
func (c *Core) whyMemberHeld(s *stock) (reason, text string) {
	for _, p := range s.real {
		a := c.pending.Ask(p)
		switch {
		case a == nil:
		case a.State == pending.InBackoff:
			return ReasonSchedulerError, a.Why
		case a.State == pending.Held:
			reason, _ = c.whyHeld(p)
			return reason, a.Why
		}
	}
	return "", ""
}

// statusReason is the reason of a PodGroup's status for that of its pods: consumers know two.
func statusReason(reason string) string {
	if reason == ReasonInvalidGroup || reason == ReasonSchedulerError {
		return ReasonSchedulerError
	}
	return ReasonUnschedulable
}

func areText(n int) string {
	if n == 1 {
		return "is"
	}
	return "are"
}
