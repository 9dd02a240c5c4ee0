package cluster

import (
	"slices"

	"k8s.io/apimachinery/pkg/types"

	"github.com/sluice-scheduler/sluice/pkg/core/resource"
)

// State is the live state. The zero State is not usable; see New.
type State struct {
	Space *resource.Space

	pods   map[types.UID]*Pod
	shapes map[string]*Shape
	nodes  map[string]*Node
	// slots holds the known nodes by Index, with nil where an index is free.
	slots     []*Node
	freeSlots []int
	known     int
	// offering counts, by slot, the known nodes that offer some of a resource; offerVersion changes with it.
	offering     []int
	offerVersion uint64

	// latest is the ring of known nodes, most recently changed first; its zero Node is the ring's end.
	latest  Node
	version uint64
	epoch   uint64

	// classes are in the order in which they came to be, classOf finds them by what makes them.
	classes      []*Class
	classOf      map[string]*Class
	labelKeys    map[string]*labelKey
	classVersion uint64
	nextClass    int
	manyClasses  int

	journal []entry
	dirty   []*Node
	better  []*Node
	leaf    *Queue
}

// Queue is a node of the tenant tree and what its subtree's assumed and bound pods hold.
type Queue struct {
	// Name is the full path, such as root.default.
	Name   string
	Parent *Queue
	Used   resource.Vector
	// Pods counts the allocations in Used.
	Pods int
}

// Pod is a pod that the API server has and that is not terminal.
type Pod struct {
	Fact  *PodFact
	Shape *Shape
	// Alloc is where the pod runs or is going to; nil while it waits.
	Alloc *Allocation
}

// Allocation is a pod's place on a node: assumed, then bound. It remembers exactly what it added to the accounts.
type Allocation struct {
	Pod   *Pod
	Node  *Node
	Uses  resource.Vector
	Ports []Port
	// Presumed is the shape's, for comparing nodes.
	Presumed Presumed
	Queue    *Queue
	// Bound: the API server agrees. Until then the allocation is assumed.
	Bound bool
	// Recalled: its bind was asked back because the room is gone; at most once.
	Recalled bool
	// at is the position in Node.Pods.
	at int
}

// New returns an empty state with the one queue root.default.
func New() *State {
	s := &State{
		Space:  resource.NewSpace(),
		pods:   map[types.UID]*Pod{},
		shapes: map[string]*Shape{},
		nodes:  map[string]*Node{},

		classOf: map[string]*Class{}, labelKeys: map[string]*labelKey{}, manyClasses: 256,

		leaf: &Queue{Name: "root.default", Parent: &Queue{Name: "root"}},
	}
	s.latest.newer, s.latest.older = &s.latest, &s.latest
	return s
}

// Pod returns the record of a pod, nil when there is none.
func (s *State) Pod(uid types.UID) *Pod { return s.pods[uid] }

// Pods calls f for every pod, in no order: nothing that is decided or shown may depend on it.
func (s *State) Pods(f func(*Pod)) {
	for _, p := range s.pods {
		f(p)
	}
}

// PodCount returns the number of pods, those of other schedulers included.
func (s *State) PodCount() int { return len(s.pods) }

// Queue returns the leaf queue a pod belongs to.
func (s *State) Queue(*Pod) *Queue { return s.leaf }

// SetPod takes in the newest fact of a pod and returns its record, nil when the fact is terminal. See the package comment for what it
// does to an allocation.
func (s *State) SetPod(f *PodFact) *Pod {
	if f.Terminal {
		s.RemovePod(f.UID)
		return nil
	}
	p := s.pods[f.UID]
	if p == nil {
		p = &Pod{}
		s.pods[f.UID] = p
	}
	p.Fact = f
	s.setShape(p, f.Demand)
	switch {
	case f.Node == "":
		// Late or still unbound: an allocation, if any, stays.
	case p.Alloc != nil && p.Alloc.Node.Name == f.Node:
		p.Alloc.Bound = true
		s.refreshUse(p)
	default:
		s.Release(p)
		s.allocate(p, s.node(f.Node), true)
	}
	s.Commit()
	return p
}

// RemovePod forgets a pod that is gone or terminal and gives back all it held.
func (s *State) RemovePod(uid types.UID) {
	p := s.pods[uid]
	if p == nil {
		return
	}
	s.Release(p)
	s.Commit()
	delete(s.pods, uid)
	s.dropShape(p.Shape)
}

// uses is what a pod adds to its node's account.
func (s *State) uses(p *Pod) resource.Vector {
	if p.Fact.Holds == nil {
		return p.Shape.Request
	}
	v, _ := s.Space.Vector(p.Fact.Holds)
	v[resource.SlotPods] = 1
	return v
}

// refreshUse re-enters an allocation when what its pod holds has changed: −1 old, +1 new.
func (s *State) refreshUse(p *Pod) {
	same := slices.Equal(p.Alloc.Ports, p.Shape.Ports) && (p.Alloc.Queue != nil) == p.Fact.Ours
	if !same || !s.uses(p).Equal(p.Alloc.Uses) {
		node, bound := p.Alloc.Node, p.Alloc.Bound
		s.Release(p)
		s.allocate(p, node, bound)
		s.Commit()
	}
}
