package cluster

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/sluice-scheduler/sluice/pkg/core/resource"
)

// Queue is a node of the tenant tree. It lives as long as the tree has it, or as long as it has applications.
type Queue struct {
	// Account is the queue's own: what its subtree uses.
	Account
	// Name is the full path, such as root.default.
	Name   string
	Parent *Queue
	Spec   *QueueSpec
	// Index is dense over the queues, for slices beside the state; it may be used again after a queue has gone.
	Index int
	// Dynamic: a placement rule made it. Draining: it is not in the tree any more and takes no new applications. Both go with their last
	// application.
	Dynamic, Draining bool
	// Guaranteed is owed whenever wanted, by slot: what is configured of the queue, or the sum of what its children are owed, whichever is more.
	Guaranteed []resource.Want

	// children are by name.
	children []*Queue
	ledgers  map[string]*Ledger
	members  map[string]*Account
	apps     int
	// spaced is how many applications are there because it is their namespace's.
	spaced int
	// stale: a rule made it and may not do so any more, since it has no dwellers.
	stale bool
	// bars is how often it is in App.barred. dwellers are the applications in and below it that have been placed in the present pass; latest is at least the age
	// of each of them if a rule made the queue.
	bars, dwellers int
	latest         age
	seen           bool
	dirty          bool
}

// Gangs is what holds for the gangs of the queue: what is configured of it or else of the nearest queue above; the default is not to ask autoscalers, and a minute.
func (q *Queue) Gangs() GangSpec {
	var g GangSpec
	for ; q != nil; q = q.Parent {
		if g.ScaleUp == "" {
			g.ScaleUp = q.Spec.Gang.ScaleUp
		}
		if g.StartFirstAfter == 0 {
			g.StartFirstAfter = q.Spec.Gang.StartFirstAfter
		}
	}
	if g.ScaleUp == "" {
		g.ScaleUp = ScaleUpNone
	}
	if g.StartFirstAfter == 0 {
		g.StartFirstAfter = time.Minute
	}
	return g
}

// String returns the full path.
func (q *Queue) String() string {
	if q == nil {
		return "no queue"
	}
	return q.Name
}

// DefaultTree is the tree that holds when none is configured: everybody may submit to root.default, and nothing is bounded.
func DefaultTree() *Tree {
	return &Tree{Root: &QueueSpec{
		Name: "root", Parent: true, Weight: 1, Submit: ACL{Everybody: true},
		Children: []*QueueSpec{{Name: "default", Weight: 1}},
	}}
}

// Root returns the root of the tree.
func (s *State) Root() *Queue { return s.root }

// Tree returns the configured tree.
func (s *State) Tree() *Tree { return s.tree }

// TreeVersion changes whenever queues appear or go, or what is configured of one changes.
func (s *State) TreeVersion() uint64 { return s.treeVersion }

// QueueSlots returns the queues by Index, with nil at unused ones. The slice belongs to the state.
func (s *State) QueueSlots() []*Queue { return s.queues }

// QueueByName returns a queue by its full path, nil when there is none.
func (s *State) QueueByName(path string) *Queue {
	part, rest, more := strings.Cut(path, ".")
	if part != s.root.Spec.Name {
		return nil
	}
	q := s.root
	for q != nil && more {
		part, rest, more = strings.Cut(rest, ".")
		q = q.child(part)
	}
	return q
}

// Children returns a queue's children by name. The slice belongs to the queue.
func (q *Queue) Children() []*Queue { return q.children }

// find returns where among the children the one of that name is or would be.
func (q *Queue) find(name string) (at int, found bool) {
	return slices.BinarySearchFunc(q.children, name, func(c *Queue, name string) int { return strings.Compare(c.Spec.Name, name) })
}

// child returns the child of that name, nil when there is none.
func (q *Queue) child(name string) *Queue {
	if at, found := q.find(name); found {
		return q.children[at]
	}
	return nil
}

// Owed returns what a queue is guaranteed of a resource; ok is false when nothing is.
func (q *Queue) Owed(slot int) (value int64, ok bool) {
	for _, g := range q.Guaranteed {
		if g.Slot == slot {
			return g.Value, true
		}
	}
	return 0, false
}

// Members returns the accounts of the users and groups whose use the queue's limits bound, by "user NAME" or "group NAME"; nil when
// there are none.
func (q *Queue) Members() map[string]*Account {
	if len(q.members) == 0 {
		return nil
	}
	list := make(map[string]*Account, len(q.members))
	for key, a := range q.members {
		list[inWords(key)] = a
	}
	return list
}

// Leaf reports whether applications may be in the queue.
func (q *Queue) Leaf() bool { return !q.Spec.Parent }

// Weight is the queue's part of what is left over of a resource.
func (q *Queue) Weight(space *resource.Space, slot int) int64 {
	return q.Spec.WeightIn(space.Name(slot))
}

// Admits reports whether a user may submit to the queue: by its own ACLs or those of any queue above it.
func (q *Queue) Admits(user string, groups []string) bool {
	for ; q != nil; q = q.Parent {
		if q.Spec.Submit.Allows(user, groups) || q.Spec.Admin.Allows(user, groups) {
			return true
		}
	}
	return false
}

// SetTree replaces the tree. Queues that stay keep their accounts; what is configured of them holds at once. A queue that is not in the new tree
// drains: it stays while it has applications. All applications are to be re-homed; see Rehome.
func (s *State) SetTree(t *Tree) {
	s.countBounds(t.Root)
	s.tree = t
	s.readRules(t.Rules)
	for _, q := range s.queues {
		if q != nil {
			q.seen = false
		}
	}
	s.root = s.graft(s.root, nil, t.Root)
	for _, q := range s.queues {
		if q != nil && !q.seen {
			s.outlive(q)
		}
	}
	for _, q := range slices.Clone(s.queues) {
		if q != nil {
			s.prune(q)
		}
	}
	s.reckonQueues()
	s.lookAgain()
}

// countBounds makes slots for all that is configured of a queue and those below it, so that bounds hold of what no node offers, too.
func (s *State) countBounds(spec *QueueSpec) {
	s.count(spec.Max, spec.Guaranteed)
	for i := range spec.Limits {
		s.count(spec.Limits[i].Max)
	}
	if spec.Template != nil {
		s.countBounds(spec.Template)
	}
	for _, child := range spec.Children {
		s.countBounds(child)
	}
}

// outlive lets a queue that the tree does not have drain, unless a rule made it and may have made it still.
func (s *State) outlive(q *Queue) {
	if q.Dynamic && !q.Parent.Leaf() {
		return // it has its spec anew when it is made again
	}
	q.Dynamic, q.Draining = false, true
	q.Spec = &QueueSpec{Name: q.Spec.Name, Parent: q.Spec.Parent, Weight: 1}
}

// graft makes the queue at a place of the tree what its spec says, and so all below it.
func (s *State) graft(q, parent *Queue, spec *QueueSpec) *Queue {
	if q == nil {
		q = s.newQueue(parent, spec)
	}
	q.Spec, q.seen, q.Dynamic, q.Draining, q.stale = spec, true, false, false, false
	for _, child := range spec.Children {
		s.graft(q.child(child.Name), q, child)
	}
	return q
}

func (s *State) newQueue(parent *Queue, spec *QueueSpec) *Queue {
	q := &Queue{Name: spec.Name, Parent: parent, Spec: spec, ledgers: map[string]*Ledger{}, members: map[string]*Account{}}
	if parent != nil {
		q.Name = parent.Name + "." + spec.Name
		at, _ := parent.find(spec.Name)
		parent.children = slices.Insert(parent.children, at, q)
	}
	q.Account = Account{Who: "queue " + q.Name, Queue: q}
	if last := len(s.freeQueues) - 1; last >= 0 {
		q.Index = s.freeQueues[last]
		s.freeQueues = s.freeQueues[:last]
		s.queues[q.Index] = q
	} else {
		q.Index = len(s.queues)
		s.queues = append(s.queues, q)
	}
	s.treeVersion++
	return q
}

// prune lets a queue go that only its applications kept, and so those above it.
func (s *State) prune(q *Queue) {
	for q != nil && (q.Dynamic || q.Draining) && q.apps == 0 && q.Pods == 0 && len(q.children) == 0 && q.Parent != nil && s.queues[q.Index] == q {
		s.queues[q.Index] = nil
		s.freeQueues = append(s.freeQueues, q.Index)
		at, _ := q.Parent.find(q.Spec.Name)
		q.Parent.children = slices.Delete(q.Parent.children, at, at+1)
		s.treeVersion++
		s.oweAbove(q.Parent)
		q = q.Parent
	}
}

// reckonQueues computes what the accounts may hold and what the queues are owed in the present space.
func (s *State) reckonQueues() {
	s.treeVersion++
	s.reckonQueue(s.root)
}

func (s *State) reckonQueue(q *Queue) {
	s.bound(q)
	for _, child := range q.children {
		s.reckonQueue(child)
	}
	s.owe(q)
}

// bound computes what a queue's accounts may hold.
func (s *State) bound(q *Queue) {
	q.Max, q.MaxApps = s.wants(q.Spec.Max), q.Spec.MaxApps
	s.relieve(&q.Account)
	for _, key := range slices.Sorted(maps.Keys(q.members)) {
		a := q.members[key]
		a.Max, a.MaxApps = nil, 0
		if l := limitOf(q.Spec.Limits, key); l != nil {
			a.Max, a.MaxApps = s.wants(l.Max), l.MaxApps
		}
		s.relieve(a)
	}
}

// owe computes what a queue is owed: what is configured, or what its children are owed, whichever is more.
func (s *State) owe(q *Queue) {
	owed := q.Guaranteed[:0]
	at := func(slot int) *resource.Want {
		i, found := slices.BinarySearchFunc(owed, slot, func(w resource.Want, slot int) int { return cmp.Compare(w.Slot, slot) })
		if !found {
			owed = slices.Insert(owed, i, resource.Want{Slot: slot})
		}
		return &owed[i]
	}
	for _, child := range q.children {
		for _, g := range child.Guaranteed {
			at(g.Slot).Value += g.Value
		}
	}
	for _, g := range s.wants(q.Spec.Guaranteed) {
		w := at(g.Slot)
		w.Value = max(w.Value, g.Value)
	}
	q.Guaranteed = owed
}

func (s *State) oweAbove(q *Queue) {
	for ; q != nil; q = q.Parent {
		s.owe(q)
	}
}

// wants gives amounts their slots. All that bounds or is owed has one; see count.
func (s *State) wants(amounts resource.Amounts) (list []resource.Want) {
	for _, a := range amounts {
		if slot, ok := s.Space.Slot(a.Name); ok {
			list = append(list, resource.Want{Slot: slot, Value: a.Value})
		}
	}
	return list
}
