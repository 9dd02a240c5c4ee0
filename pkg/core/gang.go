package core

import (
	"cmp"
	"slices"
	"time"

	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
	"github.com/sluice-scheduler/sluice/pkg/core/pending"
)

// Pods that start together or not at all are a group (cluster.Group), and what the core makes of it a gang. A gang commits in memory before its first bind, so there is no
// part of one on nodes, and no two of them wait for each other.
//
//	         a member comes, a source tells                     the turn of its first pod, and room for all
//	(none) ───────────────────────────────▶ gathering ─────▶ mustered ─────────────────────────▶ begun
//	                                            ▲    all are there,│ ▲                              │
//	                                            │    or expected   │ │ parked, held back            │ nothing of it is left on nodes,
//	                                            │                  └─┘                              │ and no room is kept for it
//	                                            └───────────────────────────────────────────────────┘
//
// While it gathers, and while it is mustered, its pods wait aside (pending.Gathered), but for the first, which stands in line for all that the gang needs to start (pending.Gang). Once
// it has begun each pod stands for itself: those beyond the least that it needs, and those that replace others, which come before what others ask for to start. Two kinds of gangs go on
// in line: those whose pods are bound in steps (together), and those that must stay in one domain (oneByOne).
//
// Pods that do not exist yet are expected: they are pods in the state like others, made from what is known of their role, on which the API server has no word. They hold
// room from when the gang begins until the real ones come, which take their places by role (welcomeMember), or until that takes too long (see keepUntil).
type gang struct {
	group *cluster.Group
	// begun: it has had room for all that it needs to start, and something of it is on nodes.
	begun bool
	// doubtful: it is only known from its first pods on nodes that it has begun, and not yet whether with the others.
	doubtful bool
	// lost is until when the pods of a gang that has not begun wait although nobody tells of it any more: what told is gone, and they are to follow. hadFact: somebody told of it.
	lost    time.Time
	hadFact bool
	// over: what is told of it says so.
	over bool
	// headStart: its first pods were started without the others, for whose sake nodes are to come.
	headStart bool
	// ask is what its first pod stands in line for; nil while none does. seats are those meant.
	ask   *pending.Gang
	seats []*cluster.Pod
	// arrived is when the last of the pods came that are to be bound together, arrivals how many had; apart: they did not all fit, so each stands for itself.
	arrived  time.Time
	arrivals int
	apart    bool
	// expected are pods that are to come, those first that were made first; made counts them.
	expected []*cluster.Pod
	made     int
	// claim is that of one of its pods, by which those that are expected belong where it does.
	claim *cluster.Claim
	// learned is the last real pod of a role whose shape was not the one expected.
	learned map[string]lesson
	// owing is since when pods are expected in a gang that has begun; zero when none are. lapsed: that took too long, and no room is kept any more, as long as first is its
	// first pod and by is what is told of it.
	owing  time.Time
	lapsed bool
	// short: room is owed to it and there is none.
	short bool
	first *cluster.Pod
	by    *cluster.GroupFact
	// held are binds that wait until the volumes of all are prepared, until when that may take.
	held  []Bind
	until time.Time
	// due is when it is to be looked at although nothing happens; zero for never.
	due time.Time
	// lacking is since when it waits for want of nodes; zero when it does not. drain is what is reserved for it while nodes are drained; vain are nodes that were in vain.
	lacking time.Time
	drain   *drain
	vain    []string
	// told is what its waiting pods were told last.
	told pending.Told
	// standing is where it stood when it was last looked at; while a pod stands in line for it that says more (standingOf).
	standing GroupStanding
	// outlook is by what it is judged whether it can ever start, and what came of that.
	outlook outlook
	// report is what the status of its object was to say last.
	report report
}

// lesson is a real pod whose shape was not the one expected, and the key of the demand that was told of its role then: what is told later counts anew.
type lesson struct {
	pod  *cluster.PodFact
	told string
}

// gangOf returns the gang of a pod, nil when it is in none.
func (c *Core) gangOf(p *cluster.Pod) *gang {
	g := c.state.GroupOf(p)
	if g == nil {
		return nil
	}
	return c.gangs[g]
}

// gather looks at the groups to which something has happened, and at those whose time has come.
func (c *Core) gather() {
	c.reviewOutlooks()
	for _, g := range c.gangsDue() {
		c.state.TouchGroup(g.group)
	}
	if c.leading {
		c.lookAtShort()
	}
	for round := 0; c.state.AnyTouched() && round < manyRounds; round++ {
		for _, group := range c.state.TakeTouchedGroups() {
			c.evaluate(group)
			c.followApps() // a room that is kept or given back may be the first or the last of an application
		}
	}
	c.reportFilled()
}

// manyRounds bounds how often in a step what has been done for groups may have something done for groups: a few times, and the rest is for the next step.
const manyRounds = 32

// gangsDue returns the gangs whose time has come.
func (c *Core) gangsDue() (list []*gang) {
	if c.gangDue.IsZero() || c.gangDue.After(c.now) {
		return nil
	}
	c.gangDue = time.Time{}
	for _, g := range c.gangs {
		if !g.due.IsZero() && !g.due.After(c.now) {
			list = append(list, g)
			g.due = time.Time{}
		} else {
			c.noteDue(g.due)
		}
	}
	return list
}

// noteDue has gather called no later than at a time.
func (c *Core) noteDue(at time.Time) {
	if !at.IsZero() && (c.gangDue.IsZero() || at.Before(c.gangDue)) {
		c.gangDue = at
	}
}

// lookAt has a gang looked at again no later than at a time.
func (c *Core) lookAt(g *gang, at time.Time) {
	if g.due.IsZero() || at.Before(g.due) {
		g.due = at
		c.noteDue(at)
	}
}

// evaluate brings a gang up to date with its group.
func (c *Core) evaluate(group *cluster.Group) {
	g := c.gangs[group]
	if group.Gone() {
		if g != nil {
			c.undoHeld(g) // its pods have left it
		}
		delete(c.gangs, group)
		return
	}
	if g == nil {
		g = &gang{group: group, learned: map[string]lesson{}}
		c.gangs[group] = g
	}
	if len(g.held) > 0 && !g.until.After(c.now) {
		c.undoHeld(g)
	}
	c.releaseHeld(g) // whose volumes failed does not hold up the others for ever: it is tried again by itself
	if g.drain != nil {
		if c.drainStands(g) {
			c.gatherRest(g)
			return
		}
		c.endDrain(g)
	}
	s := c.takeStock(g)
	c.visited += len(group.Members()) / nodesPerLook
	if len(s.real) > 0 {
		c.turnTo(s.real[0].Fact, nil)
	}
	if s.placed == s.leaving && s.kept == 0 && (s.placed == 0 || len(s.waiting) > 0) && !s.leftAtOnce(g) {
		g.begun, g.headStart = false, false
	}
	if !g.begun && s.hasBegun(g) {
		g.begun = true
		g.doubtful = !s.satisfied() && s.onlyFirst()
	}
	c.noteLost(g, s)
	c.noteFinished(g, s)
	c.noteResuming(s, false)
	reason, text := c.whyNoGang(g, s)
	switch {
	case !g.begun && c.giveUpSingles(s):
		// It is touched, and looked at again.
	case reason != "":
		c.dropExpected(g)
		c.holdGang(g, s, reason, text)
	case s.fact == nil || s.fact.Over || s.fact.Min < 2:
		c.dropExpected(g)
		c.awaitSource(g, s)
		c.disperse(g, s)
	case g.begun:
		c.goOn(g, s)
	default:
		c.muster(g, s)
	}
	g.standing = g.stand(s, reason)
	c.warn(g, s)
	c.reportGang(g, s)
	c.turnAway()
}

// gatherRest lets those wait with a gang for which nodes are drained that have come to it since.
func (c *Core) gatherRest(g *gang) {
	for _, p := range g.group.Members() {
		if a := c.pending.Ask(p); a != nil && a.State == pending.InLine {
			c.aside(p)
			c.tellMates([]*cluster.Pod{p}, g.told, false)
		}
	}
}

// leftAtOnce reports whether all of a gang that ran have gone within one step, and it may come back: nothing has been kept for it yet.
func (s *stock) leftAtOnce(g *gang) bool {
	return g.begun && len(s.real) == 0 && g.owing.IsZero() && !g.lapsed && s.fact != nil && !s.fact.Over && s.fact.Min > 1 && s.mayReturn()
}

// lostFor is how many times SourceWithin the pods of a gang wait when what told of it has gone: the garbage collector may take most of a minute.
const lostFor = 6

// noteLost notes when nobody tells any more of a gang that has not begun.
func (c *Core) noteLost(g *gang, s *stock) {
	switch {
	case s.fact != nil:
		g.hadFact, g.lost = true, time.Time{}
	case g.hadFact:
		g.hadFact = false
		if !g.begun && s.placed == 0 {
			g.lost = c.now.Add(lostFor * c.cfg.SourceWithin)
		}
	}
}

// noteFinished notes of the applications of a gang whether they have finished: whether all of their pods are in groups that are over.
func (c *Core) noteFinished(g *gang, s *stock) {
	g.over = s.fact != nil && s.fact.Over
	var last *cluster.App
	for _, p := range s.real {
		if p.App != last && (g.over || p.App.Finished) {
			c.state.SetFinished(p.App, g.over && c.allOver(p.App, g))
		}
		last = p.App
	}
	c.followApps()
}

// allOver reports whether what an application has beside a gang is over as well.
func (c *Core) allOver(a *cluster.App, beside *gang) bool {
	all := true
	a.Pods(func(p *cluster.Pod) {
		if group := c.state.GroupOf(p); group == nil {
			all = false
		} else if group != beside.group {
			g := c.gangs[group]
			all = all && g != nil && g.over
		}
	})
	return all
}

// giveUpSingles gives back what is reserved for single pods of a gang that is to start as a whole, as for those that were left when the others had gone, and reports whether anything was.
func (c *Core) giveUpSingles(s *stock) (any bool) {
	if s.fact == nil || s.fact.Over || s.fact.Min < 2 {
		return false
	}
	for _, p := range s.real {
		if p.Alloc != nil && p.Alloc.Reserved {
			any = true
			c.kept = slices.DeleteFunc(c.kept, func(r *reservation) bool { return r.pod == p })
			c.giveUp(p)
		}
	}
	return any
}

// disperse lets each waiting pod of a gang stand for itself.
func (c *Core) disperse(g *gang, s *stock) {
	g.ask, g.seats = nil, nil
	for _, p := range s.waiting {
		if p.App.Ledger == nil {
			continue // it has lost its queue with what was expected, and is held
		}
		if a := c.pending.Ask(p); a.State != pending.InLine || a.Gang() != nil {
			c.welcome(p)
			c.pending.Put(p, c.now)
		}
	}
}

// goOn lets a gang that has begun go on: its pods take the places that are kept for them, room is kept for those that are still to come, and whoever is left stands for itself.
func (c *Core) goOn(g *gang, s *stock) {
	if c.leading && s.placed == 0 && len(s.waiting) > 0 && !c.wholeKept(g, s) {
		g.begun = false
		c.dropExpected(g)
		c.muster(g, c.takeStock(g))
		return
	}
	left := s.waiting[:0:0]
	for _, p := range s.waiting {
		if !c.welcomeMember(g, s, p) {
			left = append(left, p)
		}
	}
	s.waiting = left
	c.keepOwed(g, s)
	if len(s.real) == 0 && (!g.keepsAny() || s.kept == 0 && !c.wholeAgain(g)) {
		g.begun = false // nothing is left of it, and there is not room for all: when it comes back it begins anew
		c.dropExpected(g)
		return
	}
	g.doubtful = g.doubtful && s.onlyFirst() // once others have come, it had begun
	switch {
	case g.doubtful && c.leading && !c.wholeAgain(g):
		g.begun, g.doubtful, g.headStart = false, false, true
		c.dropExpected(g)
		c.state.TouchGroup(g.group)
		return
	case s.fact.Together && len(left) > 0 && c.leading && !g.apart:
		c.together(g, s)
	case s.confined() && len(left) > 0 && c.leading:
		c.oneByOne(g, s)
	default:
		c.disperse(g, s)
	}
	g.doubtful = g.doubtful && !c.leading
	g.apart = g.apart && len(left) > 0
	if len(left) == 0 {
		g.arrivals = 0
	}
	c.noteResuming(s, len(left) > 0 && !s.satisfied())
}

// wholeKept reports whether room is kept, or can be, for all with which a gang starts of which nothing is on nodes any more: then it comes back as it was.
func (c *Core) wholeKept(g *gang, s *stock) bool {
	for _, r := range s.fact.Roles {
		if r.Min == 0 {
			continue
		}
		if r.Template == nil || g.claim == nil || g.lapsed {
			return false
		}
		c.foreseen(g, r, r.Min)
	}
	return len(s.fact.Roles) > 0 && c.keepAll(g)
}

// noteResuming notes of the applications of a gang whether what they ask for is to replace what they have lost.
func (c *Core) noteResuming(s *stock, on bool) {
	for _, p := range s.real {
		if p.App.Resuming != on {
			c.state.SetResuming(p.App, on)
		}
	}
	c.followApps()
}

// keepsAny reports whether room is kept for any pod that a gang expects.
func (g *gang) keepsAny() bool {
	return slices.ContainsFunc(g.expected, func(p *cluster.Pod) bool { return p.Alloc != nil })
}

// aside lets a pod wait with its group.
func (c *Core) aside(p *cluster.Pod) *pending.Ask {
	if c.pending.Ask(p) == nil {
		c.warnOfOrder(p)
	}
	return c.pending.Aside(p, pending.Gathered, "", c.now)
}

// headOf returns the pod that stands in line for a gang; nil when none does.
func (c *Core) headOf(g *gang) *cluster.Pod {
	for _, p := range g.group.Members() {
		if a := c.pending.Ask(p); a != nil && a.Gang() != nil {
			return p
		}
	}
	return nil
}

// sortedGangs returns all gangs by namespace and ID.
func (c *Core) sortedGangs() []*gang {
	list := make([]*gang, 0, len(c.gangs))
	for _, g := range c.gangs {
		list = append(list, g)
	}
	slices.SortFunc(list, func(a, b *gang) int {
		return cmp.Or(cmp.Compare(a.group.Namespace, b.group.Namespace), cmp.Compare(a.group.ID, b.group.ID))
	})
	return list
}
