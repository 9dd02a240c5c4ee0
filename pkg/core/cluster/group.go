package cluster

import (
	"cmp"
	"slices"
	"strings"
)

// Group is pods that start together or not at all, as they are and as they are told of. It lives as long as it has a member or somebody tells of it.
type Group struct {
	Namespace, ID string

	// told is what objects tell of it, by origin.
	told [Origins]*GroupFact
	// members are its pods, in the order in which they came; at has their places.
	members []*Pod
	at      map[*Pod]int
	touched bool
	// fact is what holds of it, if it is reckoned.
	fact     *GroupFact
	reckoned bool
}

type groupKey struct{ namespace, id string }

// groups are those that there are.
type groups struct {
	all     map[groupKey]*Group
	touched []*Group
}

// Group returns a group, nil when there is none.
func (s *State) Group(namespace, id string) *Group { return s.groups.all[groupKey{namespace, id}] }

// GroupOf returns the group of a pod, nil when it is in none.
func (s *State) GroupOf(p *Pod) *Group {
	if p.claim == nil || p.claim.Group == "" {
		return nil
	}
	return s.Group(p.Fact.Namespace, p.claim.Group)
}

// SortedGroups returns all groups by namespace and ID.
func (s *State) SortedGroups() []*Group {
	list := make([]*Group, 0, len(s.groups.all))
	for _, g := range s.groups.all {
		list = append(list, g)
	}
	slices.SortFunc(list, compareGroups)
	return list
}

func compareGroups(a, b *Group) int {
	return cmp.Or(strings.Compare(a.Namespace, b.Namespace), strings.Compare(a.ID, b.ID))
}

// SetGroup takes in the newest of what a source tells of a group.
func (s *State) SetGroup(f *GroupFact) {
	g := s.group(f.Namespace, f.ID)
	g.told[f.Origin], g.reckoned = f, false
	s.touchGroup(g)
}

// RemoveGroup forgets what a source told of a group.
func (s *State) RemoveGroup(namespace, id string, from Origin) {
	g := s.Group(namespace, id)
	if g == nil || g.told[from] == nil {
		return
	}
	g.told[from], g.reckoned = nil, false
	s.touchGroup(g)
	s.dropGroup(g)
}

// Fact returns what holds of the group: what the source of the lowest origin tells, be it an object or one of its pods; nil when none tells anything.
func (g *Group) Fact() *GroupFact {
	if !g.reckoned {
		g.fact, g.reckoned = g.reckon(), true
	}
	return g.fact
}

func (g *Group) reckon() *GroupFact {
	best := g.ofPods()
	for _, f := range g.told {
		if f != nil && (best == nil || f.Origin < best.Origin) {
			best = f
		}
	}
	return best
}

// Facts returns what its sources tell of it, one of each, those first that count more: what the first tells holds.
func (g *Group) Facts() (list []*GroupFact) {
	if f := g.ofPods(); f != nil {
		list = append(list, f)
	}
	for _, f := range g.told {
		if f != nil {
			list = append(list, f)
		}
	}
	slices.SortStableFunc(list, func(a, b *GroupFact) int { return cmp.Compare(a.Origin, b.Origin) })
	return list
}

// ofPods is what its pods tell of it; where they contradict each other the first by origin and key.
func (g *Group) ofPods() (best *GroupFact) {
	for _, p := range g.members {
		f := p.claim.Gang
		if f != nil && f != best && (best == nil || compareGroupFacts(f, best) < 0) {
			best = f
		}
	}
	return best
}

func compareGroupFacts(a, b *GroupFact) int {
	return cmp.Or(cmp.Compare(a.Origin, b.Origin), strings.Compare(a.Key, b.Key))
}

// Contradicts reports whether two of its pods tell different things of it, of one origin.
func (g *Group) Contradicts() bool {
	f := g.ofPods()
	return f != nil && slices.ContainsFunc(g.members, func(p *Pod) bool {
		o := p.claim.Gang
		return o != nil && o.Origin == f.Origin && o.Key != f.Key
	})
}

// Members returns its pods, in an order that equal histories share. The slice belongs to the group.
func (g *Group) Members() []*Pod { return g.members }

func (s *State) group(namespace, id string) *Group {
	key := groupKey{namespace, id}
	g := s.groups.all[key]
	if g == nil {
		g = &Group{Namespace: namespace, ID: id, at: map[*Pod]int{}}
		s.groups.all[key] = g
	}
	return g
}

// enlist makes a pod a member of the group that its claim names.
func (s *State) enlist(p *Pod) {
	if p.claim.Group == "" {
		return
	}
	g := s.group(p.Fact.Namespace, p.claim.Group)
	g.at[p] = len(g.members)
	g.members = append(g.members, p)
	g.reckoned = g.reckoned && p.claim.Gang == nil
	s.touchGroup(g)
}

// discharge takes it out again.
func (s *State) discharge(p *Pod) {
	g := s.GroupOf(p)
	if g == nil {
		return
	}
	at, last := g.at[p], len(g.members)-1
	g.members[at] = g.members[last]
	g.at[g.members[at]] = at
	g.members[last] = nil
	g.members = g.members[:last]
	delete(g.at, p)
	g.reckoned = g.reckoned && p.claim.Gang == nil
	s.touchGroup(g)
	s.dropGroup(g)
}

// dropGroup forgets a group of which nothing is left.
func (s *State) dropGroup(g *Group) {
	if len(g.members) == 0 && g.told == [Origins]*GroupFact{} {
		delete(s.groups.all, groupKey{g.Namespace, g.ID})
	}
}

func (s *State) touchGroup(g *Group) {
	if !g.touched {
		g.touched = true
		s.groups.touched = append(s.groups.touched, g)
	}
}

// TouchGroup has a group handed out by the next TakeTouchedGroups.
func (s *State) TouchGroup(g *Group) { s.touchGroup(g) }

// TakeTouchedGroups returns, by namespace and ID, the groups of which since the last call something has changed: what is told of them, their pods, or where those are. Those that
// have gone are among them.
func (s *State) TakeTouchedGroups() []*Group {
	list := s.groups.touched
	s.groups.touched = nil
	for _, g := range list {
		g.touched = false
	}
	slices.SortFunc(list, compareGroups)
	return list
}

// Gone reports whether nothing is left of the group.
func (g *Group) Gone() bool { return len(g.members) == 0 && g.told == [Origins]*GroupFact{} }

// starts reports whether pods of a role start the others.
func (g *Group) starts(role string) bool {
	f := g.Fact()
	return f != nil && slices.ContainsFunc(f.Roles, func(r RoleFact) bool { return r.First && r.Role == role })
}

// followMember notes that a pod has changed in what matters to its group.
func (s *State) followMember(p *Pod, old *PodFact) {
	if p.claim == nil || p.claim.Group == "" || old == nil {
		return
	}
	now := p.Fact
	if old.Deleting != now.Deleting || old.Gated != now.Gated || old.Priority != now.Priority || old.Node != now.Node && p.Alloc == nil {
		s.touchMember(p)
		return
	}
	if g := s.GroupOf(p); g != nil && (!old.Ready.Equal(now.Ready) || !old.Scheduled.Equal(now.Scheduled)) && g.starts(p.claim.Role) {
		s.touchGroup(g)
	}
}

// AnyTouched reports whether TakeTouchedGroups would return any.
func (s *State) AnyTouched() bool { return len(s.groups.touched) > 0 }

// touchMember notes that a pod has come to a node or left one.
func (s *State) touchMember(p *Pod) {
	if p.claim != nil && p.claim.Group != "" {
		if g := s.GroupOf(p); g != nil {
			s.touchGroup(g)
		}
	}
}
