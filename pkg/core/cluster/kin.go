package cluster

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
)

// Bonds are the topology of a shape, with the counts that it is judged by.
type Bonds struct {
	// Together has a tally for each term of required affinity, all of pods that all the terms select.
	Together []*Tally
	// Apart has one for each term of required anti-affinity, of the pods that the term selects.
	Apart []*Tally
	// Spread are the constraints.
	Spread []Bond
	// Unreadable is the topology's.
	Unreadable string

	// carries has a tally for each term of required affinity and anti-affinity, of the pods that carry it.
	carries []*Tally
}

// Bond is a spread constraint and what it is judged by.
type Bond struct {
	*Spread
	Tally *Tally
}

// Kin is what others' terms, and its own, make of a pod: pods of equal shape and equal kin are interchangeable. It is interned; a pod that no
// term means has none.
type Kin struct {
	// Against are the matchers of anti-affinity that others carry and that selects the pod.
	Against []*Matcher

	// own says whether the pod is selected by its own affinity (first) and spread constraints.
	own  []bool
	key  string
	pods int
}

// Likes reports whether the pod is selected by its own terms of required affinity, all of them.
func (k *Kin) Likes() bool { return k.has(0) }

// Spreads reports whether the pod is selected by its own spread constraint of that number.
func (k *Kin) Spreads(constraint int) bool { return k.has(1 + constraint) }

func (k *Kin) has(i int) bool { return k != nil && i < len(k.own) && k.own[i] }

// Tallies are the counts of pods that a matcher selects or that carry it, one for each key.
func (m *Matcher) Tallies() []*Tally { return m.tallies }

// bind finds the counts by which a shape is judged.
func (s *State) bind(d *Demand) *Bonds {
	t := d.Topology
	if t == nil {
		return nil
	}
	s.foresee(t.wants())
	b := &Bonds{Unreadable: t.Unreadable}
	if len(t.Together) > 0 {
		parts := t.together()
		m := s.matcher(parts, ofSelected)
		for i := range t.Together {
			x := s.scope(t.Together[i].Key, nil)
			b.Together = append(b.Together, s.tally(m, x, false))
			b.carries = append(b.carries, s.tally(s.matcher(parts[i:i+1], ofDrawn), x, false))
		}
	}
	for i := range t.Apart {
		parts, x := []Selection{t.Apart[i].Selection}, s.scope(t.Apart[i].Key, nil)
		b.Apart = append(b.Apart, s.tally(s.matcher(parts, ofSelected), x, false))
		b.carries = append(b.carries, s.tally(s.matcher(parts, ofRepelling), x, false))
	}
	for i := range t.Spread {
		c := &t.Spread[i]
		b.Spread = append(b.Spread, Bond{c, s.tally(s.matcher([]Selection{c.counted()}, ofSelected), s.scope(c.Key, narrow(c, d, keysOf(t.Spread))), true)})
	}
	return b
}

// wants lists the matchers that bind asks for, in its order.
func (t *Topology) wants() (list []wanted) {
	if parts := t.together(); len(parts) > 0 {
		list = append(list, wanted{parts, ofSelected})
		for i := range parts {
			list = append(list, wanted{parts[i : i+1], ofDrawn})
		}
	}
	for i := range t.Apart {
		parts := []Selection{t.Apart[i].Selection}
		list = append(list, wanted{parts, ofSelected}, wanted{parts, ofRepelling})
	}
	for i := range t.Spread {
		list = append(list, wanted{[]Selection{t.Spread[i].counted()}, ofSelected})
	}
	return list
}

// together are the selections of all terms of required affinity.
func (t *Topology) together() (parts []Selection) {
	for i := range t.Together {
		parts = append(parts, t.Together[i].Selection)
	}
	return parts
}

// counted is whom a constraint counts.
func (c *Spread) counted() Selection {
	if !c.Uncounted {
		return c.Selection
	}
	s, _ := readSelection(c.Namespaces, nil, nil)
	return s
}

func (s *State) unbind(b *Bonds) {
	if b == nil {
		return
	}
	for _, list := range [][]*Tally{b.Together, b.Apart, b.carries} {
		for _, t := range list {
			s.dropTally(t)
		}
	}
	for _, c := range b.Spread {
		s.dropTally(c.Tally)
	}
}

// setKin brings the kin of a pod that waits up to date.
func (s *State) setKin(p *Pod) {
	if p.Shape == nil {
		return // it is just being read
	}
	now := s.kinOf(p)
	if now == p.Kin {
		return
	}
	if now != nil {
		now.pods++
		s.topo.kins[now.key] = now
	}
	s.dropKin(p.Kin)
	p.Kin = now
	s.topo.rekin = append(s.topo.rekin, p)
}

func (s *State) dropKin(k *Kin) {
	if k == nil {
		return
	}
	k.pods--
	if k.pods == 0 {
		delete(s.topo.kins, k.key)
	}
}

// TakeRekin hands out the pods whose kin has changed since the last call.
func (s *State) TakeRekin(f func(*Pod)) {
	for _, p := range s.topo.rekin {
		f(p)
	}
	clear(s.topo.rekin)
	s.topo.rekin = s.topo.rekin[:0]
}

// kinOf returns what the kin of a pod is to be; nobody asks it of one that is bound, or another scheduler's.
func (s *State) kinOf(p *Pod) *Kin {
	if !p.Fact.Ours || p.Alloc != nil && p.Alloc.Bound {
		return nil
	}
	own, against := p.owns(), p.folk.repelled()
	if own == nil && against == nil {
		return nil
	}
	var b strings.Builder
	for _, m := range against {
		b.WriteString(strconv.FormatUint(m.serial, 10) + " ")
	}
	for _, is := range own {
		b.WriteString(strconv.FormatBool(is))
	}
	if known := s.topo.kins[b.String()]; known != nil {
		return known
	}
	return &Kin{Against: against, own: own, key: b.String()}
}

// repelled are those of the matchers that select a folk whose anti-affinity others carry.
func (f *folk) repelled() (list []*Matcher) {
	for _, m := range f.selected {
		if m.role == ofRepelling {
			list = append(list, m)
		}
	}
	slices.SortFunc(list, func(a, b *Matcher) int { return cmp.Compare(a.serial, b.serial) })
	return list
}

// owns says which of its own terms select a pod, nil if none.
func (p *Pod) owns() (own []bool) {
	b := p.Shape.Bonds
	if b == nil {
		return nil
	}
	own = append(own, len(b.Together) > 0 && p.folk.selectedBy(b.Together[0].of))
	for i := range b.Spread {
		own = append(own, b.Spread[i].Uncounted || p.folk.selectedBy(b.Spread[i].Tally.of))
	}
	if !slices.Contains(own, true) {
		return nil
	}
	return own
}
