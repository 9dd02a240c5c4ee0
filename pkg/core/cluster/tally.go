package cluster

import (
	"math"
	"slices"
)

// Tally is how many placed pods are in each domain of an axis: of those that a matcher selects, or of those that carry anti-affinity by it.
type Tally struct {
	of    *Matcher
	scope *Scope
	// staying: pods on their way out are not counted, as topology spread does.
	staying bool
	// passing are those of the users that ask only now and then, and that others who were told the same need not have.
	users, passing int

	counts counts
	total  int
	// For spread: least is the smallest count of a domain in the scope, atLeast how many have it.
	least   int32
	atLeast int
}

// counts are numbers by domain: few while few are not zero, else all.
type counts struct {
	few map[int32]int32
	all []int32
}

// manyDomains is how many of a tally's domains may have pods before it is given a place for each domain.
const manyDomains = 64

func (c *counts) at(d int32) int32 {
	switch {
	case c.all == nil:
		return c.few[d]
	case int(d) < len(c.all):
		return c.all[d]
	}
	return 0
}

func (c *counts) add(d, by int32) (now int32) {
	if c.all == nil {
		if c.few == nil {
			c.few = map[int32]int32{}
		}
		if now = c.few[d] + by; now != 0 {
			c.few[d] = now
		} else {
			delete(c.few, d)
		}
		if len(c.few) > manyDomains {
			c.unfold()
		}
		return now
	}
	for len(c.all) <= int(d) {
		c.all = append(c.all, 0)
	}
	c.all[d] += by
	return c.all[d]
}

func (c *counts) unfold() {
	c.all = []int32{}
	few := c.few
	c.few = nil
	for d, n := range few {
		for len(c.all) <= int(d) {
			c.all = append(c.all, 0)
		}
		c.all[d] = n
	}
}

// At returns how many are counted in the domain of a known node; ok is false where the node is in none.
func (t *Tally) At(n *Node) (count int, ok bool) {
	d := t.scope.Axis.of[n.Index]
	if d == outside {
		return 0, false
	}
	return int(t.counts.at(d)), true
}

// Of returns the matcher whose pods are counted.
func (t *Tally) Of() *Matcher { return t.of }

// Total returns how many are counted in all domains.
func (t *Tally) Total() int { return t.total }

// Nobody reports whether nobody is counted anywhere.
func (t *Tally) Nobody() bool { return len(t.counts.few) == 0 && t.counts.all == nil }

// Domains returns the domain of each known node by its index, negative for none. The slice belongs to the tally.
func (t *Tally) Domains() []int32 { return t.scope.Axis.of }

// Counts writes how many are counted in each domain, by its number, and returns the list.
func (t *Tally) Counts(into []int32) []int32 {
	into = append(into[:0], t.counts.all...)
	for len(into) < len(t.scope.Axis.domains) {
		into = append(into, 0)
	}
	for d, n := range t.counts.few {
		into[d] = n
	}
	return into
}

// AddTo adds so many times what is counted in each domain to sums by the number of the domain, and returns them.
func (t *Tally) AddTo(sums []int64, times int64) []int64 {
	if missing := len(t.scope.Axis.domains) - len(sums); missing > 0 {
		sums = append(sums, make([]int64, missing)...)
	}
	for d, n := range t.counts.all {
		sums[d] += times * int64(n)
	}
	for d, n := range t.counts.few {
		sums[d] += times * int64(n)
	}
	return sums
}

// Divisions is how many parts so many known nodes are in by the key: the domains, and those without the label if there are any.
func (t *Tally) Divisions(known int) int { return t.scope.Axis.divisions(known) }

// Everywhere reports whether all of so many known nodes are in a domain.
func (t *Tally) Everywhere(known int) bool { return t.scope.Axis.everywhere(known) }

// EachNode reports whether every node is a domain of its own.
func (t *Tally) EachNode() bool { return t.scope.Axis.Key == eachNode }

// Key returns the node label that makes the domains.
func (t *Tally) Key() string { return t.scope.Axis.Key }

// Least returns the smallest count of a domain, zero where there are fewer domains than are wanted.
func (t *Tally) Least(wanted int32) int {
	switch {
	case t.scope.domains < int(wanted):
		return 0
	case t.scope.domains == 0:
		return math.MaxInt32
	}
	return int(t.least)
}

// Includes reports whether a pod on the node would be counted.
func (t *Tally) Includes(n *Node) bool { return t.scope.of[n.Index] != outside }

// LeastWith is Least if there were more pods on a node, so many that are counted.
func (t *Tally) LeastWith(n *Node, more int, wanted int32) int {
	d := t.scope.of[n.Index]
	if more == 0 || d == outside || t.counts.at(d) > t.least || t.atLeast > 1 || t.scope.domains < int(wanted) {
		return t.Least(wanted)
	}
	least := int(t.least) + more // it is the only one with the least
	for other, nodes := range t.scope.nodes {
		if nodes > 0 && int32(other) != d {
			least = min(least, int(t.counts.at(int32(other))))
		}
	}
	return least
}

// Nodes returns the nodes of the domains in which any are counted, in no order that means anything, if they are not more than so many.
func (t *Tally) Nodes(most int) (nodes []*Node, all bool) {
	if t.counts.all != nil {
		return nil, false
	}
	for d := range t.counts.few {
		nodes = append(nodes, t.scope.Axis.domains[d].nodes...)
		if len(nodes) > most {
			return nil, false
		}
	}
	return nodes, true
}

// tally returns the tally of a matcher in a scope, made when there is none.
func (s *State) tally(m *Matcher, x *Scope, staying bool) *Tally {
	for _, t := range m.tallies {
		if t.scope == x && t.staying == staying {
			t.users++
			return t
		}
	}
	t := &Tally{of: m, scope: x, staying: staying, users: 1}
	m.tallies = append(m.tallies, t)
	x.tallies = append(x.tallies, t)
	s.recount(t)
	return t
}

func (s *State) dropTally(t *Tally) {
	t.users--
	if t.users > 0 {
		return
	}
	t.of.tallies = dropped(t.of.tallies, t)
	t.scope.tallies = dropped(t.scope.tallies, t)
	s.dropScope(t.scope)
	s.dropMatcher(t.of)
}

func dropped(list []*Tally, t *Tally) []*Tally {
	for i := range list {
		if list[i] == t {
			return slices.Delete(list, i, i+1)
		}
	}
	return list
}

// recount counts those who are placed already, for a tally that is new. Nobody carries a term that is.
func (s *State) recount(t *Tally) {
	t.measure()
	if t.of.carried() {
		return
	}
	s.eachRealm(t.of, func(r *realm) {
		for _, f := range r.folks {
			if f.selectedBy(t.of) {
				s.countIn(t, f)
			}
		}
	})
}

func (s *State) countIn(t *Tally, f *folk) {
	for _, p := range f.pods {
		if a := p.Alloc; a != nil && !a.Reserved && a.Node.Fact != nil && !(t.staying && a.ties.leaving) {
			s.shift(t, a.Node, +1)
		}
	}
}

// shift counts a pod on a known node in (+1) or out (−1).
func (s *State) shift(t *Tally, n *Node, by int32) {
	d := t.scope.of[n.Index]
	if d == outside {
		return
	}
	now := t.counts.add(d, by)
	t.total += int(by)
	s.topo.version++
	var what Stir
	switch {
	case by > 0 && now == by:
		what = Arrived
	case now == 0:
		what = Cleared
		if t.total == 0 {
			what |= Emptied
		}
	}
	if t.staying {
		what |= t.level(now-by, now)
	}
	s.stir(t.of, what)
}

// level keeps the least count true when a domain's changes, and says whether there may be more room now.
func (t *Tally) level(was, now int32) Stir {
	if was == t.least {
		t.atLeast--
	}
	switch {
	case now < t.least:
		t.least, t.atLeast = now, 1
	case now == t.least:
		t.atLeast++
	}
	if t.atLeast == 0 {
		t.measure()
		return Evened
	}
	if now < was {
		return Evened
	}
	return 0
}

// measure finds the least count anew.
func (t *Tally) measure() {
	t.least, t.atLeast = math.MaxInt32, 0
	for d, nodes := range t.scope.nodes {
		if nodes == 0 {
			continue
		}
		switch c := t.counts.at(int32(d)); {
		case c < t.least:
			t.least, t.atLeast = c, 1
		case c == t.least:
			t.atLeast++
		}
	}
}

// widen takes a domain in that the scope has now, and contract out one that it has no more; nothing is counted there. That there is one more helps nobody: it has none, so the
// least count is none, as it was taken to be while there were too few.
func (s *State) widen(t *Tally, d int32) {
	if !t.staying {
		return
	}
	switch c := t.counts.at(d); {
	case c < t.least:
		t.least, t.atLeast = c, 1
	case c == t.least:
		t.atLeast++
	}
	s.topo.version++
}

func (s *State) contract(t *Tally, d int32) {
	if !t.staying {
		return
	}
	if t.counts.at(d) == t.least {
		t.atLeast--
	}
	if t.atLeast == 0 {
		t.measure()
	}
	s.topo.version++
	s.stir(t.of, Evened)
}
