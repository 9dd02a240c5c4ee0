package cluster

import "slices"

// ties are the counts that an allocation is entered in. They are immutable: what was added is what is taken out.
type ties struct {
	// selected are the matchers that select the pod, carries the counts of those who carry its terms.
	selected []*Matcher
	carries  []*Tally
	// leans are the counts of those that have the pod's preferred terms.
	leans []Lean
	// leaving: the pod is being deleted.
	leaving bool
}

// SelectedBy reports whether a matcher selects the pod.
func (p *Pod) SelectedBy(m *Matcher) bool { return p.folk.selectedBy(m) }

// CarriesAgainst reports whether the pod carries anti-affinity by one of some matchers, with a key that the node has.
func (p *Pod) CarriesAgainst(list []*Matcher, n *Node) bool {
	if p.Shape.Bonds == nil {
		return false
	}
	return slices.ContainsFunc(p.Shape.Bonds.carries, func(t *Tally) bool { return t.Includes(n) && slices.Contains(list, t.of) })
}

func (f *folk) selectedBy(m *Matcher) bool { return slices.Contains(f.selected, m) }

// tiesOf says what a pod is to be entered in; nil for those that no term means and that have none, and for those that have no more than a reservation.
func (p *Pod) tiesOf() *ties {
	if p.Alloc != nil && p.Alloc.Reserved {
		return nil
	}
	var carries []*Tally
	if p.Shape.Bonds != nil {
		carries = p.Shape.Bonds.carries
	}
	var leans []Lean
	if p.Leanings != nil {
		leans = p.Leanings.carries
	}
	if len(p.folk.selected)+len(carries)+len(leans) == 0 {
		return nil
	}
	return &ties{selected: p.folk.selected, carries: carries, leans: leans, leaving: p.Fact.Deleting}
}

func (t *ties) equal(o *ties) bool {
	if t == nil || o == nil {
		return t == o
	}
	return t.leaving == o.leaving && slices.Equal(t.selected, o.selected) && slices.Equal(t.carries, o.carries) && slices.Equal(t.leans, o.leans)
}

// tie enters an allocation in the counts (+1) or takes it out (−1). Pods on nodes that are not known count nowhere.
func (s *State) tie(a *Allocation, sign int32) {
	if a.ties == nil || a.Node.Fact == nil {
		return
	}
	a.ties.each(func(t *Tally, times int32) { s.shift(t, a.Node, sign*times) })
}

// each calls f for the counts, with what is entered in them.
func (t *ties) each(f func(in *Tally, times int32)) {
	if t == nil {
		return
	}
	for _, m := range t.selected {
		if m.carried() {
			continue
		}
		for _, in := range m.tallies {
			if !in.staying || !t.leaving {
				f(in, 1)
			}
		}
	}
	for _, in := range t.carries {
		f(in, 1)
	}
	for _, l := range t.leans {
		f(l.Tally, l.Weight)
	}
}

// exchange takes an allocation out of the counts that its new ties do not name, and enters it in those that the old ones did not. Counts that both name are left
// alone: nobody is to be told that something has come and gone.
func (s *State) exchange(a *Allocation, now *ties) {
	was := a.ties
	a.ties = now
	if a.Node.Fact == nil {
		return
	}
	more := map[*Tally]int32{}
	now.each(func(t *Tally, times int32) { more[t] += times })
	was.each(func(t *Tally, times int32) { more[t] -= times })
	settle := func(t *Tally, _ int32) {
		if by := more[t]; by != 0 {
			s.shift(t, a.Node, by)
			delete(more, t)
		}
	}
	was.each(settle)
	now.each(settle)
}

// retie follows a change in whom terms mean, in the pod's own terms, or in that it is on its way out: −1 old, +1 new.
func (s *State) retie(p *Pod) {
	if a := p.Alloc; a != nil {
		if now := p.tiesOf(); !now.equal(a.ties) {
			s.exchange(a, now)
		}
	}
	s.setKin(p)
}

// reknow follows a change in whom terms mean, for a pod that may be placed, or waited for where it is nominated.
func (s *State) reknow(p *Pod, was []*Matcher) {
	if slices.Equal(was, p.folk.selected) {
		return
	}
	s.retie(p)
	if n := p.nominee; n != nil {
		s.touch(n)
		s.improve(n)
	}
}
