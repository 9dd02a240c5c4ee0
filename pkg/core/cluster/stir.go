package cluster

// Stir is what may happen to the counts of a matcher that can help somebody who waits.
type Stir uint8

// The stirs.
const (
	// Arrived: a domain has its first pod.
	Arrived Stir = 1 << iota
	// Cleared: a domain has lost its last.
	Cleared
	// Emptied: all domains have.
	Emptied
	// Evened: a domain's count has fallen, the least count has risen, or there is a domain less.
	Evened

	stirs = 4
)

// Watch begins (+1) or ends (−1) that somebody waits for stirs of a matcher.
func (m *Matcher) Watch(what Stir, by int) {
	for bit := range m.watches {
		if what&(1<<bit) == 0 {
			continue
		}
		m.watches[bit] += by
		if m.watches[bit] > 0 {
			m.watched |= 1 << bit
		} else {
			m.watched &^= 1 << bit
		}
	}
}

// stir notes what has happened, if anybody waits for it. What is rolled back again has been noted all the same: those who are woken for nothing look once.
func (s *State) stir(m *Matcher, what Stir) {
	if what &= m.watched; what == 0 {
		return
	}
	if m.told == 0 {
		s.topo.stirred = append(s.topo.stirred, m)
	}
	m.told |= what
}

// TakeStirred hands out the matchers of which something has happened that somebody waits for, since the last call.
func (s *State) TakeStirred(f func(*Matcher, Stir)) {
	for len(s.topo.stirred) > 0 {
		m := s.topo.stirred[0]
		s.topo.stirred = s.topo.stirred[1:]
		what := m.told
		m.told = 0
		f(m, what)
	}
	s.topo.stirred = nil
}
