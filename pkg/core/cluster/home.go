package cluster

import (
	"slices"
	"strings"
)

// DefaultQueue is where an application goes that no rule places, if the tree has it.
const DefaultQueue = "root.default"

// home is what was found for an application.
type home struct {
	leaf *Queue
	// why says what decided; fault why there is no leaf.
	why, fault string
	// lodger: it is only there because it has pods on nodes. spaced: the leaf is made for the application's namespace.
	lodger, spaced bool
}

// petition is what rules of placement look at.
type petition struct {
	namespace, user string
	groups          []string
	// want is the queue that is named, from says by what.
	want, from string
	space      *NamespaceFact
	// stays: the application has pods on nodes, and so must have a queue.
	stays bool
	// lodges: that has decided.
	lodges bool
}

// Rehome looks again where applications belong, after the tree has changed, at so many of them. It reports whether any are left.
func (s *State) Rehome(most int) (left bool) {
	for most > 0 && (s.rehoming > 0 || s.again) {
		if s.rehoming == 0 {
			s.beginAgain()
		}
		for ; s.rehoming > 0 && most > 0; most-- {
			s.rehoming--
			if s.rehoming < len(s.apps) {
				s.place(s.apps[s.rehoming])
			}
		}
	}
	return s.rehoming > 0 || s.again
}

// beginAgain begins to look at all applications, oldest first: what rules make for one may be in another's way, and must be for the same one after a
// restart. Nothing that rules made before is in anybody's way.
func (s *State) beginAgain() {
	s.again = false
	slices.SortFunc(s.apps, func(a, b *App) int { return b.age().compare(a.age()) })
	for i, a := range s.apps {
		a.at = int32(i)
	}
	s.rehoming = len(s.apps)
	s.pass++
	clear(s.homes)
	for _, q := range s.queues {
		if q != nil {
			q.stale, q.dwellers, q.latest = q.Dynamic, 0, age{}
		}
	}
}

// lookAgain has the homes of all applications found anew; see Rehome.
func (s *State) lookAgain() {
	s.again = true
	clear(s.homes)
}

// place puts an application where it belongs now.
func (s *State) place(a *App) {
	h := s.findHome(a)
	var l *Ledger
	if h.leaf != nil {
		c := a.Claim()
		l = s.ledger(h.leaf, c.User, c.Groups)
	}
	if l != a.Ledger || h.fault != a.Fault {
		s.touchApp(a)
	}
	a.Why, a.Fault, a.lodger = h.why, h.fault, h.lodger
	a.noteBarred(s.barring)
	s.overtake(a) // before its own age is noted
	s.dwell(a, h.leaf)
	s.setSpaced(a, h.leaf, h.spaced)
	s.setLedger(a, l)
}

// touchApp notes that an application has changed in what its waiting pods go by.
func (s *State) touchApp(a *App) {
	if !a.touched {
		a.touched = true
		s.touched = append(s.touched, a)
	}
}

// TouchedApps hands out the applications of which since the last call something has changed that their waiting pods go by: the home, whether they have
// anything placed, when they were submitted, or, in a queue that sorts by it, what they use. Those that have gone are among them, with no pods.
func (s *State) TouchedApps(f func(*App)) {
	for len(s.touched) > 0 {
		last := len(s.touched) - 1
		a := s.touched[last]
		s.touched[last] = nil
		s.touched = s.touched[:last]
		a.touched = false
		f(a)
	}
}

// findHome says where an application belongs. It depends on nothing but the tree, the namespace, the claims of its pods, and whether any of
// them is on a node: so a restart finds the same.
func (s *State) findHome(a *App) home {
	s.barring = s.barring[:0]
	c := a.Claim()
	key := homeKey{a.Namespace, c.Queue, c.QueueFrom, c.User}
	if s.homesAt != s.treeVersion {
		clear(s.homes)
		s.homesAt = s.treeVersion
	}
	if h, ok := s.homes[key]; ok && len(c.Groups) == 0 {
		return h
	}
	h := s.seekHome(a)
	if len(c.Groups) == 0 && !h.lodger && h.fault == "" && len(s.barring) == 0 && s.homesAt == s.treeVersion && len(s.homes) < manyHomes {
		s.homes[key] = h
	}
	return h
}

// homeKey is what a home that does not depend on groups, nor on what is placed, is found by.
type homeKey struct{ namespace, queue, from, user string }

// manyHomes is how many homes are remembered at most.
const manyHomes = 1 << 14

func (s *State) seekHome(a *App) home {
	p := s.petition(a)
	at, why := s.byRules(p)
	if at == nil {
		if q := s.standing(DefaultQueue); q != nil && q.Leaf() {
			at, why = &seat{path: DefaultQueue, above: q}, DefaultQueue+", since "+why
		}
	} else {
		why = at.path + " from " + why
	}
	switch {
	case at == nil && p.stays:
		return home{leaf: s.refuge(p), why: "it was placed before its queue went", lodger: true}
	case at == nil:
		return home{fault: why + ", and there is no " + DefaultQueue}
	case at.above.Admits(p.user, p.groups):
		return home{leaf: s.take(at, p), why: why, spaced: at.spaced, lodger: p.lodges}
	case p.stays:
		return home{leaf: s.take(at, p), why: why, spaced: at.spaced, lodger: true}
	}
	return home{fault: denied(at.path, p)}
}

func denied(path string, p *petition) string {
	if p.user == "" {
		return "queue " + path + " admits only some users, and on whose behalf the pod was made is not known"
	}
	return "queue " + path + " does not admit user " + p.user
}

func (s *State) petition(a *App) *petition {
	c := a.Claim()
	p := &petition{namespace: a.Namespace, user: c.User, groups: c.Groups, want: strings.ToLower(c.Queue), from: c.QueueFrom}
	p.stays = a.Placed > 0 || a.arriving
	p.space = s.space(a.Namespace)
	if p.want == "" && p.space.Queue != "" {
		p.want, p.from = strings.ToLower(p.space.Queue), p.space.QueueFrom
	}
	return p
}

// refuge is the draining leaf for an application that has pods on nodes and no queue: by the name that it wants, as far down as there are configured
// queues, or beside what stands in its way. So what was in a leaf that has become a parent stays in the parent's account. It has no bounds of its own.
func (s *State) refuge(p *petition) *Queue {
	parts := strings.Split(qualified(p.want), ".")
	if p.want == "" {
		parts = strings.Split(DefaultQueue, ".")
	}
	q := s.root
	for _, part := range parts[1:] {
		child := q.child(part)
		if child == nil || child.Leaf() || child.Dynamic || child.Draining {
			break
		}
		q = child
	}
	name := "~" + parts[len(parts)-1]
	if child := q.child(name); child != nil {
		return child
	}
	leaf := s.newQueue(q, &QueueSpec{Name: name, Weight: 1})
	leaf.Draining = true
	s.bound(leaf)
	return leaf
}
