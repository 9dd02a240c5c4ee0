package cluster

import (
	"reflect"
	"regexp"
	"strings"
)

// queueName is what the parts of a path may be.
var queueName = regexp.MustCompile(`^[a-zA-Z0-9_:#/@-]{1,64}$`)

// site returns the last queue that stands on the way to a leaf that a rule may make, nil when none can be made there, and what is in the way that was made
// for others.
func (s *State) site(path string) (last *Queue, inTheWay []*Queue) {
	parts := strings.Split(path, ".")
	if len(parts) < 2 || parts[0] != s.root.Spec.Name {
		return nil, nil
	}
	last = s.root
	for i, q := 1, s.root; i < len(parts); i++ {
		if !queueName.MatchString(parts[i]) {
			return nil, nil
		}
		if q == nil {
			continue
		}
		q = q.child(parts[i])
		switch leaf := i == len(parts)-1; {
		case q == nil || q.Draining || q.stale:
		case q.Dynamic:
			if q.Leaf() != leaf {
				inTheWay = append(inTheWay, q)
			}
		case q.Leaf() || leaf:
			return nil, nil
		default:
			last = q
		}
	}
	return last, inTheWay
}

// take returns the leaf of a seat, made with the parents that it needs if it is to be made.
func (s *State) take(at *seat, p *petition) *Queue {
	if !at.made {
		return at.above
	}
	parts := strings.Split(at.path, ".")
	q := s.root
	for i, part := range parts[1:] {
		child := q.child(part)
		if child == nil || child.Draining || child.stale {
			child = s.dynamic(q, child, part, i == len(parts)-2)
		}
		q = child
	}
	if at.spaced {
		s.respec(q, endowed(dynamicSpec(q.Parent, q.Spec.Name, true), p.space))
	}
	return q
}

// dynamic makes a queue by the nearest template above it, or brings one back that drains or that may have been made by what does not hold any more.
func (s *State) dynamic(parent, q *Queue, name string, leaf bool) *Queue {
	spec := dynamicSpec(parent, name, leaf)
	if q == nil {
		q = s.newQueue(parent, spec)
		s.bound(q)
		s.oweAbove(q)
	}
	q.Dynamic, q.Draining, q.stale = true, false, false
	if leaf && q.spaced > 0 {
		return q // it has what the namespace says
	}
	s.respec(q, spec)
	return q
}

// respec changes what is configured of a queue, if it differs.
func (s *State) respec(q *Queue, spec *QueueSpec) {
	if reflect.DeepEqual(spec, q.Spec) {
		return
	}
	q.Spec = spec
	s.bound(q)
	s.oweAbove(q)
	s.treeVersion++
}

// dynamicSpec is what a queue is made of. Who may submit is for the queues above to say.
func dynamicSpec(parent *Queue, name string, leaf bool) *QueueSpec {
	t := templateAbove(parent)
	if t == nil || !leaf {
		return &QueueSpec{Name: name, Parent: !leaf, Weight: 1}
	}
	spec := *t
	spec.Name, spec.Parent, spec.Children, spec.Template = name, false, nil, nil
	spec.Submit, spec.Admin = ACL{}, ACL{}
	spec.Weight = max(1, spec.Weight)
	return &spec
}

// endowed gives a queue that is made for a namespace what the namespace says of it.
func endowed(spec *QueueSpec, space *NamespaceFact) *QueueSpec {
	if space.Max != nil {
		spec.Max = space.Max
	}
	if space.Guaranteed != nil {
		spec.Guaranteed = space.Guaranteed
	}
	if space.MaxApps > 0 {
		spec.MaxApps = space.MaxApps
	}
	return spec
}

// setSpaced notes whether an application is in a queue that was made for its namespace: as long as one is, the namespace's bounds hold there.
func (s *State) setSpaced(a *App, leaf *Queue, spaced bool) {
	old := a.spaced
	a.spaced = nil
	if spaced {
		a.spaced = leaf
		leaf.spaced++
	}
	if old != nil {
		old.spaced--
		if old.spaced == 0 && old.Dynamic && old.Leaf() {
			s.respec(old, dynamicSpec(old.Parent, old.Spec.Name, true))
		}
	}
}

func templateAbove(q *Queue) *QueueSpec {
	for ; q != nil; q = q.Parent {
		if q.Spec.Template != nil {
			return q.Spec.Template
		}
	}
	return nil
}
