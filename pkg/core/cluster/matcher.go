package cluster

import "strings"

// Matcher is an interned selection of pods that live shapes read or carry. Which pods it selects is known at all times (Folk), and how many of
// them are placed where (Tally).
type Matcher struct {
	// parts must all select a pod.
	parts []Selection
	// role says who is counted.
	role role

	key     string
	serial  uint64
	at      int
	tallies []*Tally
	// watched are the events that somebody waits for, told those that have happened since the last call of TakeStirred.
	watches [stirs]int
	watched Stir
	told    Stir
}

// role says who is counted by a matcher: those whom it selects, or those that carry a term of its selection. Whom the terms of others mean is found out
// leniently (Selection.inSpace).
type role string

const (
	ofSelected  role = ""
	ofRepelling role = "carried:" // required anti-affinity
	ofDrawn     role = "drawn:"   // required affinity
	ofLeaning   role = "leaning:" // preferred affinity and anti-affinity, by weight
)

func (m *Matcher) carried() bool { return m.role != ofSelected }

// topology is the part of the state that knows which terms live pods have, whom they select, and who is where.
type topology struct {
	matchers map[string]*Matcher
	// live are the matchers again, in an order that equal histories share; realms likewise.
	live    []*Matcher
	realmOf map[string]*realm
	realms  []*realm
	axes    map[string]*Axis
	scopeOf map[string]*Scope
	scopes  []*Scope
	kins    map[string]*Kin
	serial  uint64
	// version changes with every count.
	version uint64
	stirred []*Matcher
	rekin   []*Pod
}

func newTopology() topology {
	return topology{
		matchers: map[string]*Matcher{}, realmOf: map[string]*realm{}, axes: map[string]*Axis{}, scopeOf: map[string]*Scope{}, kins: map[string]*Kin{},
	}
}

// TopologyVersion changes whenever a count of pods by domain has.
func (s *State) TopologyVersion() uint64 { return s.topo.version }

// matcher returns the matcher of some selections, made when there is none.
func (s *State) matcher(parts []Selection, of role) *Matcher {
	key := matcherKey(parts, of)
	m := s.topo.matchers[key]
	if m == nil {
		m = s.makeMatcher(key, parts, of)
		s.introduce([]*Matcher{m})
	}
	return m
}

func (s *State) makeMatcher(key string, parts []Selection, of role) *Matcher {
	s.topo.serial++
	m := &Matcher{parts: parts, role: of, key: key, serial: s.topo.serial, at: len(s.topo.live)}
	s.topo.matchers[key] = m
	s.topo.live = append(s.topo.live, m)
	return m
}

// wanted is a matcher that is about to be asked for.
type wanted struct {
	parts []Selection
	of    role
}

// foresee makes the matchers that are about to be asked for, all at once: they may read many labels, and the pods that they mean are to be told apart anew once,
// not for each.
func (s *State) foresee(list []wanted) {
	var made []*Matcher
	for _, w := range list {
		if key := matcherKey(w.parts, w.of); s.topo.matchers[key] == nil {
			made = append(made, s.makeMatcher(key, w.parts, w.of))
		}
	}
	s.introduce(made)
}

func matcherKey(parts []Selection, of role) string {
	var b strings.Builder
	b.WriteString(string(of))
	for i := range parts {
		b.WriteString(parts[i].text)
	}
	return b.String()
}

// dropMatcher forgets a matcher of which nothing is counted any more.
func (s *State) dropMatcher(m *Matcher) {
	if len(m.tallies) > 0 {
		return
	}
	delete(s.topo.matchers, m.key)
	dropAt(&s.topo.live, m.at, func(o *Matcher, at int) { o.at = at })
	s.dismiss(m)
}

// in reports whether the matcher means pods of a namespace at all.
func (m *Matcher) in(name string, fact *NamespaceFact) bool {
	for i := range m.parts {
		if !m.parts[i].inSpace(name, fact, m.carried()) {
			return false
		}
	}
	return true
}

// selects reports whether it selects pods with these labels, of a namespace that it means.
func (m *Matcher) selects(f *folk) bool {
	for i := range m.parts {
		if !m.parts[i].Pods.Matches(f.labels) {
			return false
		}
	}
	return true
}

// eachRealm calls f for the realms whose pods the matcher may mean.
func (s *State) eachRealm(m *Matcher, f func(*realm)) {
	for i := range m.parts {
		if !m.parts[i].bySpaces() { // none but those that are named
			for _, name := range m.parts[i].Namespaces {
				if r := s.topo.realmOf[name]; r != nil {
					f(r)
				}
			}
			return
		}
	}
	for _, r := range s.topo.realms {
		f(r)
	}
}
