package core

import (
	"slices"

	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
	"github.com/sluice-scheduler/sluice/pkg/core/pending"
)

// muster puts the first pod of a gang in line for all, when all are there that it needs, or expected.
func (c *Core) muster(g *gang, s *stock) {
	if len(s.waiting) == 0 || !c.leading {
		g.ask, g.seats = nil, nil
		c.dropExpected(g)
		for _, p := range s.waiting {
			c.aside(p)
		}
		return
	}
	seats, missing := c.seats(g, s)
	if missing == "" && !slices.ContainsFunc(seats, func(p *cluster.Pod) bool { return !p.Fact.Expected }) {
		missing = "none of them exists"
	}
	if missing != "" {
		text := groupText(g, s) + " starts with " + countText(s.fact.Min, "pod") + " together, and " + missing + " yet" + s.asideText() + "."
		c.holdFor(g, s, ReasonWaitingForGang, text, "pods of "+g.group.ID+" are missing")
		return
	}
	c.putGang(g, s, seats)
}

// seats are the pods with which a gang starts: of each role as many as it needs, those first whose turn is, and others until there are enough. missing says what does not exist yet
// and cannot be foreseen; empty when nothing is.
func (c *Core) seats(g *gang, s *stock) (seats []*cluster.Pod, missing string) {
	taken := map[*cluster.Pod]bool{}
	take := func(p *cluster.Pod) {
		taken[p] = true
		seats = append(seats, p)
	}
	c.dropStale(g, s)
	var lacking []string
	for _, r := range s.fact.Roles {
		need := r.Min - s.on[r.Role]
		for _, p := range s.waiting {
			if need > 0 && p.Role() == r.Role && !taken[p] {
				take(p)
				need--
			}
		}
		if need > 0 && r.Template == nil {
			lacking = append(lacking, missingText(need, r.Min, r.Role))
			need = 0
		}
		for _, p := range c.foreseen(g, r, max(need, 0)) {
			take(p)
		}
	}
	need := s.fact.Min - (s.placed - s.leaving) - len(seats)
	for _, p := range s.waiting {
		if need > 0 && !taken[p] {
			take(p)
			need--
		}
	}
	if need > 0 && len(lacking) == 0 {
		lacking = append(lacking, missingText(need, s.fact.Min, ""))
	}
	return seats, joined(lacking)
}

// putGang lets the first waiting pod stand in line for the seats.
func (c *Core) putGang(g *gang, s *stock, seats []*cluster.Pod) {
	ask := &pending.Gang{Group: g.group, Seats: len(seats)}
	for _, p := range seats {
		ask.Request = ask.Request.AddTo(p.Shape.Request, 1)
		c.need(ask, p)
	}
	if g.ask == nil || !slices.Equal(g.ask.Needs, ask.Needs) || !g.ask.Request.Equal(ask.Request) {
		g.ask = ask
	}
	g.seats = seats
	at := slices.IndexFunc(s.waiting, func(p *cluster.Pod) bool { return slices.Contains(seats, p) })
	leader, others := s.waiting[at], slices.Delete(slices.Clone(s.waiting), at, at+1)
	for _, p := range others {
		if c.pending.Ask(p).State != pending.Gathered {
			c.aside(p)
		}
	}
	for _, p := range seats {
		c.order.Note(p.Shape)
	}
	c.pending.PutGang(leader, g.ask, c.now)
	c.tellFollowers(g, others)
}

// need adds a pod to what a gang needs.
func (c *Core) need(ask *pending.Gang, p *cluster.Pod) {
	a := askOf(p)
	for i := range ask.Needs {
		if ask.Needs[i].Ask == a {
			ask.Needs[i].Count++
			return
		}
	}
	ask.Needs = append(ask.Needs, pending.Need{Ask: a, Count: 1, Rooms: c.pending.Rooms(a)})
}
