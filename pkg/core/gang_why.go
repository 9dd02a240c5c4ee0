package core

import (
	"slices"
	"strconv"
	"time"

	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
)

// whyNoGang says why a gang cannot be tried as it is, whatever room there is; the reason is empty when it can.
func (c *Core) whyNoGang(g *gang, s *stock) (reason, text string) {
	f := s.fact
	switch {
	case f == nil && g.lost.After(c.now):
		c.lookAt(g, g.lost)
		return ReasonWaitingForGang, groupText(g, s) + " is not told of any more, so its pods are likely to go, too; from " + g.lost.UTC().Format(time.TimeOnly) + " UTC they start one by one."
	case f == nil:
		return c.whyAwaited(g, s)
	case f.Over && !f.Finished && !g.begun && s.placed == 0:
		return ReasonWaitingForGang, groupText(g, s) + " is not to start: " + f.Why + "."
	case len(s.waiting) == 0 || g.begun:
		return "", "" // what runs goes on
	case len(f.Faults) > 0:
		return ReasonInvalidGroup, groupText(g, s) + " cannot start: " + joined(f.Faults) + "."
	case g.group.Contradicts():
		return ReasonInvalidGroup, groupText(g, s) + " cannot start: its pods tell different things of it. Give all of them the same annotations."
	}
	if role, field := s.unsupported(); role != "" {
		return ReasonUnsupported, groupText(g, s) + " cannot start: its " + role + " pods will have " + field + ", which Sluice does not evaluate yet, and would be held when they come. Remove it" + c.orElsewhere()
	}
	if a, b := s.twoQueues(); a != "" {
		return ReasonInvalidGroup, groupText(g, s) + " cannot start: its pods are in two queues, " + a + " and " + b + ". Name one queue on all of them."
	}
	return "", ""
}

// unsupported returns a role whose pods would be held when they come, and for which field; nothing when there is none.
func (s *stock) unsupported() (role, field string) {
	for _, r := range s.fact.Roles {
		if r.Min > 0 && r.Template != nil && len(r.Template.Demand.Unsupported) > 0 {
			return r.Role, r.Template.Demand.Unsupported[0]
		}
	}
	return "", ""
}

// twoQueues returns two queues in which the pods of a gang are; nothing when they are in one.
func (s *stock) twoQueues() (a, b string) {
	for _, p := range s.real {
		if p.App == nil || p.App.Queue() == nil {
			continue
		}
		switch name := p.App.Queue().Name; {
		case a == "":
			a = name
		case a != name:
			return a, name
		}
	}
	return "", ""
}

// whyAwaited says that an object must tell of a gang first, if its pods are to wait for that however long it takes.
func (c *Core) whyAwaited(g *gang, s *stock) (reason, text string) {
	if slices.ContainsFunc(s.waiting, func(p *cluster.Pod) bool { return p.Claim().Awaits == cluster.AwaitsAlways }) {
		return ReasonWaitingForGang, "waits for " + g.group.ID + " to exist, which says with how many others it starts. Create it, or recreate the pod without naming it."
	}
	return "", ""
}

// awaitSource sets those of a gang's waiting pods aside that came so lately that an object may still tell of them, and says so. Those that have waited for it long enough do not wait for them.
func (c *Core) awaitSource(g *gang, s *stock) {
	var young, old []*cluster.Pod
	var until time.Time
	for _, p := range s.waiting {
		at := p.Fact.Created.Add(c.cfg.SourceWithin)
		if s.fact != nil || p.Claim().Awaits != cluster.AwaitsSoon || !at.After(c.now) {
			old = append(old, p)
			continue
		}
		young, until = append(young, p), later(until, at)
		c.lookAt(g, at)
	}
	s.waiting = old
	if len(young) > 0 {
		text := "waits until it is known with how many others it starts; from " + until.UTC().Format(time.TimeOnly) + " UTC it goes on without."
		c.tellGang(g, young, ReasonWaitingForGang, text, "awaited")
	}
}

// holdGang sets the waiting pods of a gang aside and says why.
func (c *Core) holdGang(g *gang, s *stock, reason, text string) {
	c.holdGangKinds(g, s, reason, text, text)
}

// holdFor does so with what its kinds of reasons are, which do not change with numbers: then they are told the new numbers after a while only.
func (c *Core) holdFor(g *gang, s *stock, reason, text, kinds string) {
	again := g.told.At.Add(c.cfg.RefreshAfter)
	if g.told.Reason == reason && g.told.Kinds == kinds && g.told.Text != text && again.After(c.now) {
		text = g.told.Text
		at := g.told.At
		c.lookAt(g, again)
		c.holdGangKinds(g, s, reason, text, kinds)
		g.told.At = at
		return
	}
	c.holdGangKinds(g, s, reason, text, kinds)
}

func (c *Core) holdGangKinds(g *gang, s *stock, reason, text, kinds string) {
	g.ask, g.seats = nil, nil
	c.tellGang(g, s.waiting, reason, text, kinds)
}

// asideText says how many pods exist and cannot be tried.
func (s *stock) asideText() string {
	n := len(s.real) - s.placed - len(s.waiting)
	if n <= 0 {
		return ""
	}
	return " (" + strconv.Itoa(n) + " more exist and are gated, held, or tried again later)"
}
