package cluster

import (
	"slices"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/labels"
)

// folk is pods that no live term tells apart: of one namespace, and equal in every label that a term reads there. So a term is held against each folk
// once, not against each pod.
type folk struct {
	realm  *realm
	key    string
	labels labels.Set
	pods   []*Pod
	// selected are the matchers that select these pods. The slice is replaced, never changed: allocations share it.
	selected []*Matcher
	at       int
}

// realm is the pods of a namespace, as terms see them.
type realm struct {
	name string
	// matchers are those that mean pods of the namespace, keys the labels that they read.
	matchers []*Matcher
	keys     map[string]bool
	// coming are those that are just being introduced.
	coming []*Matcher
	folkOf map[string]*folk
	folks  []*folk
	at     int
}

// setFolk puts a pod among its like.
func (s *State) setFolk(p *Pod, old *PodFact) {
	if p.folk != nil && old.Labels == p.Fact.Labels && old.Namespace == p.Fact.Namespace {
		return
	}
	s.leaveFolk(p)
	s.joinFolk(p, s.realm(p.Fact.Namespace))
}

// realm returns that of a namespace, made when there is none.
func (s *State) realm(name string) *realm {
	r := s.topo.realmOf[name]
	if r == nil {
		r = &realm{name: name, folkOf: map[string]*folk{}, at: len(s.topo.realms)}
		s.topo.realmOf[name] = r
		s.topo.realms = append(s.topo.realms, r)
		s.lookUp(r)
	}
	return r
}

// lookUp finds the matchers that mean pods of a realm, and the labels that they read.
func (s *State) lookUp(r *realm) {
	r.matchers, r.keys = nil, map[string]bool{}
	fact := s.namespaces[r.name]
	for _, m := range s.topo.live {
		if m.in(r.name, fact) {
			r.matchers = append(r.matchers, m)
			for _, k := range m.reads() {
				r.keys[k] = true
			}
		}
	}
}

// reads returns the labels that the matcher reads.
func (m *Matcher) reads() (keys []string) {
	for i := range m.parts {
		list, _ := m.parts[i].Pods.Requirements()
		for _, r := range list {
			keys = append(keys, r.Key())
		}
	}
	return keys
}

func (s *State) joinFolk(p *Pod, r *realm) {
	key := r.project(p.Fact.Labels)
	f := r.folkOf[key]
	if f == nil {
		f = r.newFolk(key, p.Fact.Labels)
	}
	p.folk, p.atFolk = f, int32(len(f.pods))
	f.pods = append(f.pods, p)
}

// project writes the values of the labels that terms read.
func (r *realm) project(l Labels) string {
	if len(r.keys) == 0 || l == (Labels{}) {
		return ""
	}
	var b strings.Builder
	for k, v := range l.All() {
		if r.keys[k] {
			b.WriteString(strconv.Quote(k) + strconv.Quote(v))
		}
	}
	return b.String()
}

func (r *realm) newFolk(key string, l Labels) *folk {
	f := &folk{realm: r, key: key, labels: labels.Set{}, at: len(r.folks)}
	for k, v := range l.All() {
		if r.keys[k] {
			f.labels[k] = v
		}
	}
	for _, m := range r.matchers {
		if m.selects(f) {
			f.selected = append(f.selected, m)
		}
	}
	r.folkOf[key] = f
	r.folks = append(r.folks, f)
	return f
}

// leaveFolk takes a pod from among its like; a folk, and a realm, goes with its last.
func (s *State) leaveFolk(p *Pod) {
	f := p.folk
	if f == nil {
		return
	}
	dropAt(&f.pods, int(p.atFolk), func(o *Pod, at int) { o.atFolk = int32(at) })
	p.folk = nil
	if len(f.pods) > 0 {
		return
	}
	r := f.realm
	delete(r.folkOf, f.key)
	dropAt(&r.folks, f.at, func(o *folk, at int) { o.at = at })
	if len(r.folks) == 0 && s.topo.realmOf[r.name] == r {
		delete(s.topo.realmOf, r.name)
		dropAt(&s.topo.realms, r.at, func(o *realm, at int) { o.at = at })
	}
}

// dropAt takes out the element at a position; the last one takes its place and is told so.
func dropAt[T any](list *[]T, at int, moved func(T, int)) {
	last := len(*list) - 1
	(*list)[at] = (*list)[last]
	moved((*list)[at], at)
	var none T
	(*list)[last] = none
	*list = (*list)[:last]
}

// introduce finds out whom new matchers select. Each namespace is gone through once, however many they are.
func (s *State) introduce(made []*Matcher) {
	var meant []*realm
	for _, m := range made {
		s.eachRealm(m, func(r *realm) {
			if !m.in(r.name, s.namespaces[r.name]) {
				return
			}
			if r.coming == nil {
				meant = append(meant, r)
			}
			r.coming = append(r.coming, m)
		})
	}
	for _, r := range meant {
		coming := r.coming
		r.coming = nil
		s.welcome(r, coming)
	}
}

// welcome lets new matchers mean the pods of a realm. Where they read a label that none has read, its folks are formed anew.
func (s *State) welcome(r *realm, coming []*Matcher) {
	if slices.ContainsFunc(coming, r.tellsTooFew) {
		s.reform(r)
		return
	}
	r.matchers = append(r.matchers, coming...)
	for _, f := range r.folks {
		selected := slices.Clip(f.selected)
		for _, m := range coming {
			if m.selects(f) {
				selected = append(selected, m)
			}
		}
		if len(selected) > len(f.selected) {
			s.reselect(f, selected)
		}
	}
}

// tellsTooFew reports whether a matcher reads labels by which the realm's pods are not told apart.
func (r *realm) tellsTooFew(m *Matcher) bool {
	return slices.ContainsFunc(m.reads(), func(k string) bool { return !r.keys[k] })
}

// dismiss takes a matcher that is gone from those whom it selected. The labels that it read go on telling pods apart until folks are formed anew.
func (s *State) dismiss(m *Matcher) {
	s.eachRealm(m, func(r *realm) {
		at := slices.Index(r.matchers, m)
		if at < 0 {
			return
		}
		r.matchers = slices.Delete(r.matchers, at, at+1)
		for _, f := range r.folks {
			if slices.Contains(f.selected, m) {
				s.reselect(f, without(f.selected, m))
			}
		}
	})
}

func without(list []*Matcher, m *Matcher) []*Matcher {
	return slices.DeleteFunc(slices.Clone(list), func(o *Matcher) bool { return o == m })
}

func (s *State) reselect(f *folk, selected []*Matcher) {
	was := f.selected
	f.selected = selected
	for _, p := range f.pods {
		s.reknow(p, was)
	}
}

// reform puts all pods of a realm among their like anew: a label is read that was not, or its namespace has changed.
func (s *State) reform(r *realm) {
	old := r.folks
	r.folkOf, r.folks = map[string]*folk{}, nil
	s.lookUp(r)
	for _, f := range old {
		for _, p := range f.pods {
			s.joinFolk(p, r)
		}
	}
	for _, f := range old {
		for _, p := range f.pods {
			s.reknow(p, f.selected)
		}
	}
}

// followLabels does so when a namespace is known otherwise than before, nil for not at all, and some matcher means its pods that did not, or the other way round.
func (s *State) followLabels(name string, old *NamespaceFact) {
	now := s.namespaces[name]
	other := func(m *Matcher) bool { return m.in(name, old) != m.in(name, now) }
	if r := s.topo.realmOf[name]; r != nil && slices.ContainsFunc(s.topo.live, other) {
		s.reform(r)
	}
}
