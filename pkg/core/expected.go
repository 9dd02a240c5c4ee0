package core

import (
	"fmt"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
	"github.com/sluice-scheduler/sluice/pkg/core/fit"
	"github.com/sluice-scheduler/sluice/pkg/core/place"
	"github.com/sluice-scheduler/sluice/pkg/core/share"
)

// foreseen returns so many pods of a role that are to come, made from its template when there are too few; what is too many is forgotten, that for which no room is kept first.
func (c *Core) foreseen(g *gang, r cluster.RoleFact, count int) (list []*cluster.Pod) {
	for _, p := range g.expected {
		if p.Role() == r.Role {
			list = append(list, p)
		}
	}
	if len(list) > count {
		slices.SortStableFunc(list, func(a, b *cluster.Pod) int { return cluster.Last(a.Alloc == nil, b.Alloc == nil) })
		for _, p := range list[count:] {
			c.dropOne(g, p)
		}
		list = list[:count]
	}
	for _, p := range list {
		if like := g.like(r); p.Fact.Demand.Key != like.Demand.Key {
			c.reshape(g, p, like)
		}
	}
	for len(list) < count {
		p := c.foresee(g, r)
		list = append(list, p)
	}
	return list
}

// like returns what a pod of a role that is to come will be like: as the last one was, if that is not what was told of it then, and nothing else has been told since; otherwise as it is told.
func (g *gang) like(r cluster.RoleFact) *cluster.PodFact {
	if by := g.learned[r.Role]; by.pod != nil && by.told == r.Template.Demand.Key {
		return by.pod
	}
	return r.Template
}

// dropStale forgets what is expected of roles of which nothing is told any more, or that belongs where no pod of the gang does any more.
func (c *Core) dropStale(g *gang, s *stock) {
	for _, p := range slices.Clone(g.expected) {
		told := slices.ContainsFunc(s.fact.Roles, func(r cluster.RoleFact) bool { return r.Role == p.Role() && r.Template != nil })
		if !told || len(s.real) > 0 && !s.claims(p.Claim()) {
			c.dropOne(g, p)
		}
	}
}

// claims reports whether a pod of a gang belongs where a claim says and has a queue.
func (s *stock) claims(as *cluster.Claim) bool {
	return slices.ContainsFunc(s.real, func(p *cluster.Pod) bool {
		c := p.Claim()
		return p.App.Ledger != nil && c.App == as.App && c.Queue == as.Queue && c.User == as.User
	})
}

// foresee makes a pod that stands for one that is to come.
func (c *Core) foresee(g *gang, r cluster.RoleFact) *cluster.Pod {
	f := *r.Template
	if real := g.like(r); real != r.Template {
		f.Demand, f.Labels, f.Liking, f.Priority = real.Demand, real.Labels, real.Liking, real.Priority
	}
	g.made++
	f.Namespace, f.Name = g.group.Namespace, fmt.Sprintf("(%s %d of %s)", r.Role, g.made, g.group.ID)
	f.UID = types.UID(fmt.Sprintf("expected/%s/%s/%d", f.Namespace, g.group.ID, g.made))
	f.Ours, f.Expected, f.Needs, f.Created = true, true, nil, c.now.Truncate(time.Second)
	f.Node, f.Nominated, f.Pin, f.Deleting, f.Gated, f.Terminal, f.Holds = "", "", "", false, false, false, nil
	if first := g.firstReal(); first != nil {
		f.Created, f.Priority = first.Fact.Created, max(f.Priority, first.Fact.Priority)
	}
	claim := *g.claim
	claim.Role, claim.Group, claim.Awaits, claim.Gang = r.Role, g.group.ID, cluster.AwaitsNothing, nil // it tells nothing: the real ones do
	f.Claim = &claim
	p := c.state.SetPod(&f)
	g.expected = append(g.expected, p)
	return p
}

// firstReal returns the oldest of a gang's pods that exist; nil when none does.
func (g *gang) firstReal() (oldest *cluster.Pod) {
	for _, p := range g.group.Members() {
		if !p.Fact.Expected && (oldest == nil || cluster.CompareTurn(p.Fact, oldest.Fact) < 0) {
			oldest = p
		}
	}
	return oldest
}

// dropOne forgets a pod that was expected.
func (c *Core) dropOne(g *gang, p *cluster.Pod) {
	g.expected = slices.DeleteFunc(g.expected, func(x *cluster.Pod) bool { return x == p })
	if p.Alloc != nil {
		c.givesBack()
	}
	c.state.RemovePod(p.Fact.UID)
	c.followApps()
	c.followKin()
}

// givesBack notes that room is given back. When those who wait have been woken already there is another step for them.
func (c *Core) givesBack() { c.unfinished = c.unfinished || c.woke }

// dropExpected forgets all pods that a gang expects.
func (c *Core) dropExpected(g *gang) {
	for len(g.expected) > 0 {
		c.dropOne(g, g.expected[len(g.expected)-1])
	}
	g.owing, g.short = time.Time{}, false
}

// keepOwed keeps room for the pods that a gang which has begun is to have and has not, for as long as they may be expected.
func (c *Core) keepOwed(g *gang, s *stock) {
	if first := s.first(); first != g.first || s.fact != g.by && g.by != nil {
		g.first, g.lapsed = first, false
	}
	g.by = s.fact
	c.dropStale(g, s)
	owed := 0
	for _, r := range s.fact.Roles {
		n := 0
		if r.Template != nil && g.claim != nil && c.leading && !g.lapsed && s.mayReturn() {
			n = max(0, r.Min-s.there[r.Role])
		}
		c.foreseen(g, r, n)
		owed += n
	}
	if owed == 0 {
		g.owing, g.short = time.Time{}, false
		g.lapsed = g.lapsed && s.owes()
		return
	}
	if g.owing.IsZero() {
		g.owing = s.owingSince(c.now)
	}
	until := c.keepUntil(g, s)
	if !until.After(c.now) {
		g.lapsed = true
		c.stats.Lapsed++
		c.dropExpected(g)
		return
	}
	c.lookAt(g, until)
	if g.short = !c.keepAll(g); g.short {
		c.lookAt(g, c.now.Add(keepAgain)) // it may be quota that is missing
		if !slices.Contains(c.short, g) {
			c.short = append(c.short, g)
		}
	}
}

// mayReturn reports whether a gang may come back if nothing of it is left: an object says that it is to run. What is only left over of it, such as a ConfigMap that has not been collected yet, does not.
func (s *stock) mayReturn() bool { return len(s.real) > 0 || s.fact.Origin <= cluster.FromObject }

// lookAtShort looks again at the gangs that are owed room and have not got it, as far as some may have fallen free: before anybody else does.
func (c *Core) lookAtShort() {
	c.short = slices.DeleteFunc(c.short, func(g *gang) bool { return !g.short || c.gangs[g.group] != g })
	for _, g := range c.short {
		if slices.ContainsFunc(g.expected, func(p *cluster.Pod) bool { return p.Alloc == nil && c.mayHaveRoom(p) }) {
			c.state.TouchGroup(g.group)
		}
	}
}

// mayHaveRoom reports whether some node has room for a pod that is to come, as far as its own description tells.
func (c *Core) mayHaveRoom(p *cluster.Pod) bool {
	rooms := c.pending.Rooms(fit.Of(p))
	c.visited += rooms.Update(c.state, fit.Of(p))
	return rooms.Total > 0
}

// keepAgain is how long it takes until room is looked for again that could not be kept.
const keepAgain = time.Second

// owes reports whether pods are missing of a role for which room could be kept.
func (s *stock) owes() bool {
	return slices.ContainsFunc(s.fact.Roles, func(r cluster.RoleFact) bool { return r.Template != nil && s.there[r.Role] < r.Min })
}

// first returns the pod that starts the others, of several the one whose turn is first; nil when there is none.
func (s *stock) first() (first *cluster.Pod) {
	for _, p := range s.real {
		if s.starts(p.Role()) && (first == nil || cluster.CompareTurn(p.Fact, first.Fact) < 0) {
			first = p
		}
	}
	return first
}

func (s *stock) starts(role string) bool {
	return slices.ContainsFunc(s.fact.Roles, func(r cluster.RoleFact) bool { return r.First && r.Role == role })
}

// owingSince is since when pods are expected: by the API server, if it knows when the one that starts them came to its node, so that a restart does not begin anew; otherwise from now on.
func (s *stock) owingSince(now time.Time) time.Time {
	first := s.first()
	if first == nil || first.Alloc == nil || first.Fact.Scheduled.IsZero() || len(s.real) > 1 {
		return now
	}
	return later(first.Fact.Scheduled, first.Fact.Ready)
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// soonAfter is how long nothing more must have come after what is only guessed to come, until room is kept no longer for the rest.
const soonAfter = 30 * time.Second

// startsWithin is how many times HoldFor the pod that starts the others may take until it is ready.
const startsWithin = 3

// keepUntil is until when room is kept for pods that are to come: HoldFor after the pod that starts them is ready, and while it is not, up to three times as long; where nothing of the gang is
// left, ReentryFor. Where what is expected is a guess (GroupFact.Soft) and some have come, thirty seconds after the last of them.
func (c *Core) keepUntil(g *gang, s *stock) time.Time {
	first := s.first()
	switch {
	case len(s.real) == 0:
		return g.owing.Add(c.cfg.ReentryFor)
	case first == nil:
		return g.owing.Add(c.cfg.HoldFor)
	case first.Alloc == nil || first.Fact.Ready.IsZero():
		return g.owing.Add(startsWithin * c.cfg.HoldFor)
	}
	until := later(g.owing, first.Fact.Ready).Add(c.cfg.HoldFor)
	if last := s.lastCreated(first); s.fact.Soft && !last.IsZero() {
		if soon := later(later(last, first.Fact.Ready), g.owing).Add(soonAfter); soon.Before(until) {
			return soon
		}
	}
	return until
}

// lastCreated is when the newest pod beside the first was created; zero when there is none.
func (s *stock) lastCreated(first *cluster.Pod) (last time.Time) {
	for _, p := range s.real {
		if p != first {
			last = later(last, p.Fact.Created)
		}
	}
	return last
}

// keepAll keeps room for all that a gang expects, and reports whether there is. It is all or nothing: rooms for some of those that an application cannot go on without lie idle, and two applications
// that each hold some of what both need would wait for each other.
func (c *Core) keepAll(g *gang) bool {
	mark := c.state.Checkpoint()
	kept := 0
	for _, p := range g.expected {
		if p.Alloc != nil {
			continue
		}
		if !c.keepOne(g, p) {
			c.state.Rollback(mark)
			return false
		}
		kept++
	}
	c.state.Commit()
	c.openings.placed += uint64(kept)
	c.stats.Kept += uint64(kept)
	return true
}

// keepOne keeps room for a pod that is to come, if there is any, tentatively.
func (c *Core) keepOne(g *gang, p *cluster.Pod) bool {
	if p.App.Ledger == nil {
		return false
	}
	if _, refused := share.Refuses(p.App.Ledger, p.Shape.Request, p.App.Placed == 0); refused {
		return false
	}
	var n *cluster.Node
	if c.mayHaveRoom(p) {
		visited := 0
		c.order.Refresh(c.state)
		n, visited = place.FirstWithin(c.state, c.order, p, fit.Of(p), c.pending.View(p.Shape), c.orderOf(p), c.within(g))
		c.visited += visited
	}
	if n == nil {
		n = c.findForOwed(p)
		if within := c.within(g); n != nil && within != nil && !within(n) {
			return false
		}
	}
	if n == nil {
		return false
	}
	c.state.Assume(p, n)
	return true
}

// orderOf is the name of the node order for a pod: the one that it asks for, or else that of the nearest queue that has one.
func (c *Core) orderOf(p *cluster.Pod) string {
	if p.Shape.Order != "" {
		return p.Shape.Order
	}
	for q := p.App.Queue(); q != nil; q = q.Parent {
		if q.Spec.NodeOrder != "" {
			return q.Spec.NodeOrder
		}
	}
	return ""
}

// welcomeMember gives a pod one of the places that are kept for its role, that of an equal pod if there is one, and reports whether it is on its way. If it asks for more than was foreseen and fits
// on none of the nodes where room is kept, a place is given up for it nevertheless: it is the one that was expected.
func (c *Core) welcomeMember(g *gang, s *stock, p *cluster.Pod) bool {
	if !c.leading || c.pending.Ask(p) == nil || p.App.Ledger == nil {
		return false
	}
	var places []*cluster.Pod
	for _, x := range g.expected {
		if x.Role() == p.Role() {
			places = append(places, x)
		}
	}
	if len(places) == 0 {
		return false
	}
	slices.SortStableFunc(places, func(a, b *cluster.Pod) int {
		if c := cluster.Last(a.Alloc == nil, b.Alloc == nil); c != 0 {
			return c
		}
		return cluster.Last(a.Shape != p.Shape, b.Shape != p.Shape)
	})
	if x := places[0]; x.Shape != p.Shape {
		c.learn(g, x, p)
	}
	for _, x := range places[:min(len(places), manyPlaces)] {
		if c.takePlace(g, p, x) {
			return true
		}
	}
	if len(places) > s.stillToCome(p.Role()) {
		c.dropOne(g, places[len(places)-1])
	}
	return false
}

// stillToCome is how many pods of a role a gang is to have and has not.
func (s *stock) stillToCome(role string) (n int) {
	for _, r := range s.fact.Roles {
		if r.Role == role && r.Template != nil {
			n += max(0, r.Min-s.there[role])
		}
	}
	return n
}

// manyPlaces is in how many of the places that are kept a pod is tried.
const manyPlaces = 16

// takePlace puts a pod where room is kept for one that was expected, if it fits there.
func (c *Core) takePlace(g *gang, p, x *cluster.Pod) bool {
	if x.Alloc == nil {
		return false
	}
	n := x.Alloc.Node
	mark := c.state.Checkpoint()
	c.state.Release(x)
	_, refused := share.Refuses(p.App.Ledger, p.Shape.Request, p.App.Placed == 0)
	if refused || n.Fact == nil || !fit.Fits(fit.Of(p), n) && !(p.Shape.Request.Equal(x.Shape.Request) && c.fitsBut(p, n)) {
		c.state.Rollback(mark)
		return false
	}
	c.state.Commit()
	c.dropOne(g, x)
	c.assume(c.pending.Ask(p), n)
	c.stats.Arrived++
	return true
}

// fitsBut reports whether a pod would fit on a node but for what is reserved there, which came later than the place that it takes and may be more than the node has.
func (c *Core) fitsBut(p *cluster.Pod, n *cluster.Node) bool {
	if n.Reserved == 0 {
		return false
	}
	mark := c.state.Checkpoint()
	defer c.state.Rollback(mark)
	for _, a := range slices.Clone(n.Pods) {
		if a.Reserved {
			c.state.Release(a.Pod)
		}
	}
	return fit.Fits(fit.Of(p), n)
}

// learn corrects what is expected of a role by a pod of it that asks for something else: a webhook may have added to it. Of several that differ the newest teaches.
func (c *Core) learn(g *gang, x, p *cluster.Pod) {
	told := toldOf(g.group.Fact(), p.Role())
	if by := g.learned[p.Role()]; by.pod != nil && by.told == told && (by.pod.Demand.Key == p.Fact.Demand.Key || by.pod.UID != p.Fact.UID && !newer(p.Fact, by.pod)) {
		return
	}
	g.learned[p.Role()] = lesson{p.Fact, told}
	for _, old := range g.expected {
		if old.Role() == p.Role() && old.Shape != p.Shape {
			c.reshape(g, old, p.Fact)
		}
	}
}

// toldOf is the key of the demand that is told of a role; empty when none is.
func toldOf(f *cluster.GroupFact, role string) string {
	for _, r := range f.Roles {
		if r.Role == role && r.Template != nil {
			return r.Template.Demand.Key
		}
	}
	return ""
}

// reshape gives an expected pod another demand; if it does not fit where room is kept for it, room is looked for elsewhere.
func (c *Core) reshape(g *gang, x *cluster.Pod, like *cluster.PodFact) {
	f := *x.Fact
	f.Demand, f.Labels, f.Liking = like.Demand, like.Labels, like.Liking
	n := (*cluster.Node)(nil)
	if x.Alloc != nil {
		n = x.Alloc.Node
		c.givesBack()
		c.state.Release(x)
		c.state.Commit()
	}
	c.state.SetPod(&f)
	if n == nil {
		return
	}
	_, refused := share.Refuses(x.App.Ledger, x.Shape.Request, x.App.Placed == 0)
	if !refused && n.Fact != nil && fit.Fits(fit.Of(x), n) {
		c.state.Assume(x, n)
		c.state.Commit()
		return
	}
	if c.keepOne(g, x) {
		c.state.Commit()
	}
}
