package cluster

import (
	"slices"

	v1 "k8s.io/api/core/v1"
)

// Leaning is a term of preferred affinity between pods; of one of anti-affinity the weight is negative.
type Leaning struct {
	Term
	Weight int32
}

// Leanings are what pods of a shape and a liking would have of other pods, with the counts by which that is judged. Pods that are alike in both share them.
type Leanings struct {
	// Near are the counts of those whom the pod's own terms of preferred affinity select.
	Near []Lean
	// Spread are the constraints that forbid nothing (ScheduleAnyway). Only nodes that carry the keys of all of them are compared.
	Spread []Bond

	// carries are the counts of those that have the terms: each counts by its weight.
	carries []Lean
	shape   *Shape
	key     string
	pods    int
}

// Lean is a count, and what each of those that are counted weighs.
type Lean struct {
	Tally  *Tally
	Weight int32
}

// readLeanings reads the preferred terms of a pod. A list with one that cannot be read counts as empty: the pod is placed by nobody, but may have been.
func readLeanings(pod *v1.Pod) (list []Leaning) {
	a := pod.Spec.Affinity
	if a == nil {
		return nil
	}
	read := func(terms []v1.WeightedPodAffinityTerm, sign int32) {
		parsed, _ := readTerms(pod.Namespace, unweighted(terms))
		for i := range parsed {
			list = append(list, Leaning{parsed[i], sign * terms[i].Weight})
		}
	}
	if a.PodAffinity != nil {
		read(a.PodAffinity.PreferredDuringSchedulingIgnoredDuringExecution, +1)
	}
	if a.PodAntiAffinity != nil {
		read(a.PodAntiAffinity.PreferredDuringSchedulingIgnoredDuringExecution, -1)
	}
	return list
}

// setLeanings gives a pod the leanings that its shape and its liking make.
func (s *State) setLeanings(p *Pod) {
	l, old := p.Fact.Liking, p.Leanings
	wants := l != nil && len(l.Near)+len(l.Spread) > 0
	if old == nil && !wants || old != nil && wants && old.shape == p.Shape && old.key == l.Key {
		return
	}
	p.Leanings = nil
	if wants {
		p.Leanings = s.leaningsOf(p.Shape, l)
		p.Leanings.pods++
	}
	s.dropLeanings(old)
}

func (s *State) leaningsOf(shape *Shape, l *Liking) *Leanings {
	x := shape.leanings[l.Key]
	if x != nil {
		return x
	}
	s.foresee(l.wants())
	x = &Leanings{shape: shape, key: l.Key, Spread: s.softBonds(l.Spread, shape.Demand)}
	for i := range l.Near {
		t := &l.Near[i]
		parts, scope := []Selection{t.Selection}, s.scope(t.Key, nil)
		x.Near = append(x.Near, Lean{s.tally(s.matcher(parts, ofSelected), scope, false), t.Weight})
		x.carries = append(x.carries, Lean{s.tally(s.matcher(parts, ofLeaning), scope, false), t.Weight})
	}
	if shape.leanings == nil {
		shape.leanings = map[string]*Leanings{}
	}
	shape.leanings[l.Key] = x
	return x
}

// wants lists the matchers that leaningsOf asks for, in its order.
func (l *Liking) wants() (list []wanted) {
	for i := range l.Spread {
		list = append(list, wanted{[]Selection{l.Spread[i].counted()}, ofSelected})
	}
	for i := range l.Near {
		parts := []Selection{l.Near[i].Selection}
		list = append(list, wanted{parts, ofSelected}, wanted{parts, ofLeaning})
	}
	return list
}

// softBonds finds the counts for constraints that forbid nothing. Those by the host name count each node by itself, as the default scheduler does.
func (s *State) softBonds(list []Spread, d *Demand) (bonds []Bond) {
	keys := keysOf(list)
	for i := range list {
		c := &list[i]
		scope := (*Scope)(nil)
		if c.Key == v1.LabelHostname {
			scope = s.scope(eachNode, nil)
		} else {
			scope = s.scope(c.Key, narrow(c, d, keys))
		}
		bonds = append(bonds, Bond{c, s.tally(s.matcher([]Selection{c.counted()}, ofSelected), scope, true)})
	}
	return bonds
}

func (s *State) dropLeanings(x *Leanings) {
	if x == nil {
		return
	}
	x.pods--
	if x.pods > 0 {
		return
	}
	delete(x.shape.leanings, x.key)
	for _, t := range x.tallies() {
		s.dropTally(t)
	}
}

func (x *Leanings) tallies() (list []*Tally) {
	if x == nil {
		return nil
	}
	for _, l := range slices.Concat(x.Near, x.carries) {
		list = append(list, l.Tally)
	}
	for _, c := range x.Spread {
		list = append(list, c.Tally)
	}
	return list
}

// Selected reports whether any live term selects the pod; one of none has no Leaners.
func (p *Pod) Selected() bool { return len(p.folk.selected) > 0 }

// Leaners calls f for what is counted of placed pods whose terms select the pod: for those of preferred affinity the sums of their weights, and for those of
// required affinity, which want such pods near as well, how many there are.
func (p *Pod) Leaners(f func(t *Tally, required bool)) {
	for _, m := range p.folk.selected {
		if m.role != ofLeaning && m.role != ofDrawn {
			continue
		}
		for _, t := range m.tallies {
			f(t, m.role == ofDrawn)
		}
	}
}
