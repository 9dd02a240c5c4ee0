package core

import (
	"slices"

	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
	"github.com/sluice-scheduler/sluice/pkg/core/pending"
)

// stock is what there is of a gang.
type stock struct {
	fact *cluster.GroupFact
	// real are its pods that exist and have not ended, that first whose turn is first; waiting those of them that may be tried, all in that order.
	real, waiting []*cluster.Pod
	// placed is how many of them are on nodes or on their way, kept for how many that are expected room is kept.
	placed, kept int
	// leaving is how many of those on nodes are being deleted. They keep their rooms, but nothing can go on with them.
	leaving int
	// there counts by role the real ones that are on nodes or may be tried, on those on nodes. Who may not be tried, being gated or in backoff, is as one who is still to come.
	there, on map[string]int
}

// takeStock counts what there is of a gang, and notes where those that are expected belong.
func (c *Core) takeStock(g *gang) *stock {
	s := c.stockOf(g)
	c.takeClaim(g, s)
	return s
}

// stockOf counts what there is of a gang and changes nothing.
func (c *Core) stockOf(g *gang) *stock {
	s := &stock{fact: g.group.Fact(), there: map[string]int{}, on: map[string]int{}}
	for _, p := range g.group.Members() {
		switch {
		case p.Fact.Expected:
			if p.Alloc != nil {
				s.kept++
			}
			continue
		case p.Alloc == nil && p.Fact.Deleting:
			continue
		}
		s.real = append(s.real, p)
	}
	for i, p := range s.real {
		if cluster.CompareTurn(p.Fact, s.real[0].Fact) < 0 {
			s.real[0], s.real[i] = p, s.real[0]
		}
	}
	for _, p := range s.real {
		switch {
		case p.Alloc != nil && !p.Alloc.Reserved:
			s.placed++
			if p.Fact.Deleting {
				s.leaving++
			} else {
				s.on[p.Role()]++
			}
		case p.Alloc != nil:
		case c.mayGather(p):
			s.waiting = append(s.waiting, p)
		default:
			continue
		}
		s.there[p.Role()]++
	}
	slices.SortFunc(s.waiting, func(a, b *cluster.Pod) int { return cluster.CompareTurn(a.Fact, b.Fact) })
	return s
}

// takeClaim lets what a gang expects belong where the first of its pods does that has a queue, and stay there as long as any pod of it does.
func (c *Core) takeClaim(g *gang, s *stock) {
	if g.claim != nil && s.claims(g.claim) {
		return
	}
	var first *cluster.Pod
	for _, p := range s.real {
		if p.App.Ledger != nil && (first == nil || cluster.CompareTurn(p.Fact, first.Fact) < 0) {
			first = p
		}
	}
	switch {
	case first != nil:
		g.claim = first.Claim()
	case len(s.real) > 0 && (g.claim == nil || g.claim.App != s.real[0].App.ID):
		g.claim = s.real[0].Claim()
	}
}

// mayGather reports whether a pod that waits may be tried.
func (c *Core) mayGather(p *cluster.Pod) bool {
	a := c.pending.Ask(p)
	if a == nil || p.Alloc != nil || a.State == pending.Gated || a.State == pending.InBackoff {
		return false
	}
	reason, _ := c.whyHeld(p)
	return reason == ""
}

// satisfied reports whether all that a gang needs to start is on nodes.
func (s *stock) satisfied() bool {
	for _, r := range s.fact.Roles {
		if s.on[r.Role] < r.Min {
			return false
		}
	}
	return s.placed-s.leaving >= s.fact.Min
}

// hasBegun reports whether a gang must have begun by what there is of it on nodes, as after a restart: pods that only come once the first ones run, or, where none are first, any
// pod at all.
func (s *stock) hasBegun(g *gang) bool {
	if s.fact == nil || s.placed == s.leaving {
		return false
	}
	if s.satisfied() {
		return true
	}
	if g.headStart {
		return false
	}
	return !s.onlyFirst() || slices.ContainsFunc(s.fact.Roles, func(r cluster.RoleFact) bool { return r.First && s.on[r.Role] > 0 })
}

// onlyFirst reports whether no pods are on nodes but those that start the others.
func (s *stock) onlyFirst() bool {
	others := s.placed - s.leaving
	for _, r := range s.fact.Roles {
		if r.First {
			others -= s.on[r.Role]
		}
	}
	return others == 0
}
