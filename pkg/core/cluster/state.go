package cluster

import (
	"math"
	"regexp"
	"slices"

	"k8s.io/apimachinery/pkg/types"

	"github.com/sluice-scheduler/sluice/pkg/core/resource"
)

// State is the live state. The zero State is not usable; see New.
type State struct {
	Space *resource.Space

	pods map[types.UID]*Pod
	// freePods are the indexes that no pod has, among those that one has had.
	freePods []int32
	shapes   map[string]*Shape
	nodes    map[string]*Node
	// slots holds the known nodes by Index, with nil where an index is free.
	slots     []*Node
	freeSlots []int
	known     int
	// offering counts, by slot, the known nodes that offer some of a resource; offerVersion changes with it.
	offering     []int
	offerVersion uint64

	// deviceClasses are by name; deviceVersion changes with what they alone provide.
	deviceClasses map[string]*DeviceClassFact
	deviceVersion uint64

	// latest is the ring of known nodes, most recently changed first; its zero Node is the ring's end.
	latest  Node
	version uint64
	epoch   uint64
	// factsVersion is that of what placement reads of the known nodes.
	factsVersion uint64

	// classes are in the order in which they came to be, classOf finds them by what makes them.
	classes   []*Class
	classOf   map[string]*Class
	labelKeys map[string]*labelKey
	// tellingKeys are those of labelKeys that tell classes apart, sorted.
	tellingKeys  []string
	classVersion uint64
	nextClass    int
	freeClasses  []int
	manyClasses  int

	journal []entry
	// hollow are nodes that had no pod left and are not known; see left.
	hollow []*Node
	dirty  []*Node
	better []*Node

	tree *Tree
	// patterns are the regular expressions in the tree's rules, by their text; tags are those that the rules name.
	patterns    map[string]*regexp.Regexp
	tags        []string
	root        *Queue
	queues      []*Queue
	freeQueues  []int
	treeVersion uint64
	dirtyQueues []*Queue
	relieved    []*Account
	// manyDirty and manyRelieved are the lengths at which those that have gone are left out of dirtyQueues and relieved.
	manyDirty, manyRelieved int

	apps []*App
	// appsIn are the applications by namespace; one without any has no entry.
	appsIn map[string]*appsOf
	// rehoming is how many of apps, from the first, are to be looked at again; again says that after these all are. touched are those that
	// TouchedApps hands out.
	rehoming int
	again    bool
	// pass counts how often all have been looked at again.
	pass       uint64
	touched    []*App
	namespaces map[string]*NamespaceFact
	// homes are those found as of a version of the tree.
	homes   map[homeKey]home
	homesAt uint64
	// barring are the queues that rules made and that were in the way in the last search for a home.
	barring []*Queue

	// yieldTo is the highest priority that a nominee has ever had, yielding are the pods that TakeYielding hands out.
	yieldTo  int64
	yielding []*Pod

	// spreads are the objects that select pods, by namespace.
	spreads       map[string]*spreading
	spreadVersion uint64
	defaults      defaults

	groups  groups
	topo    topology
	storage storage
	// labelled are the known nodes by the values of some labels.
	labelled labelled

	// total is what the known nodes offer, foreign what pods of others hold there.
	total, foreign resource.Vector
}

// Pod is a pod that the API server has and that is not terminal.
type Pod struct {
	Fact  *PodFact
	Shape *Shape
	// Alloc is where the pod runs or is going to; nil while it waits.
	Alloc *Allocation
	// Volumes is what it asks of volumes; nil if nothing.
	Volumes *Volumes
	// App is the application of a pod of ours; nil for others.
	App *App
	// Kin is what terms make of a pod of ours that is not bound; nil for most.
	Kin *Kin
	// Leanings are what it would have of other pods; nil for most.
	Leanings *Leanings

	claim      *Claim
	next, prev *Pod
	// folk are its like, atFolk its place among them.
	folk   *folk
	atFolk int32
	// Yields: the pod may have to leave room to nominees of its priority or above.
	Yields bool
	// nominee is the node whose list of nominees it is on, at atNominee; nil for none.
	nominee   *Node
	atNominee int32
	// Index is dense over the pods, for slices beside the state; it may be used again after a pod has gone.
	Index int32
	// nomineeWith is what it asks of volumes, as it is listed.
	nomineeWith *Volumes
}

// Allocation is a pod's place on a node: reserved at times, then assumed, then bound. It remembers exactly what it added to the accounts.
type Allocation struct {
	Pod   *Pod
	Node  *Node
	Uses  resource.Vector
	Ports []Port
	// Presumed is the shape's, for comparing nodes.
	Presumed Presumed
	// App is whose use it is; nil for pods of others.
	App *App
	// Bound: the API server agrees. Until then the allocation is assumed.
	Bound bool
	// Reserved: nothing is decided yet. The pod still waits, and the room that it needs there is kept for it as it falls free.
	Reserved bool
	// Recalled: its bind was asked back because the room is gone; at most once.
	Recalled bool
	// mount is what it holds of volumes; nil if nothing.
	mount *mount
	// at is the position in Node.Pods.
	at int
	// ties are the counts by domain that it is entered in; nil for most.
	ties *ties
	// unlisted is the node whose nominee the pod was before; nil for none.
	unlisted *Node
}

// New returns an empty state with the DefaultTree.
func New() *State {
	s := &State{
		Space:  resource.NewSpace(),
		pods:   map[types.UID]*Pod{},
		shapes: map[string]*Shape{},
		nodes:  map[string]*Node{},

		yieldTo: math.MinInt64, deviceClasses: map[string]*DeviceClassFact{},
		classOf: map[string]*Class{}, labelKeys: map[string]*labelKey{}, manyClasses: 256,

		appsIn: map[string]*appsOf{}, namespaces: map[string]*NamespaceFact{}, homes: map[homeKey]home{},
		spreads: map[string]*spreading{},

		groups:  groups{all: map[groupKey]*Group{}},
		topo:    newTopology(),
		storage: newStorage(), labelled: labelled{},
	}
	s.latest.newer, s.latest.older = &s.latest, &s.latest
	s.SetTree(DefaultTree())
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

// SetPod takes in the newest fact of a pod and returns its record, nil when the fact is terminal. See the package comment for what it
// does to an allocation.
func (s *State) SetPod(f *PodFact) *Pod {
	if f.Terminal {
		s.RemovePod(f.UID)
		return nil
	}
	p := s.pods[f.UID]
	if p == nil {
		p = &Pod{Index: s.podIndex()}
		s.pods[f.UID] = p
	}
	old := p.Fact
	p.Fact = f
	s.setShape(p, f.Demand)
	s.setLeanings(p)
	s.setFolk(p, old)
	s.retie(p)
	s.setVolumes(p, f.Needs)
	s.setOwner(p, old)
	switch {
	case f.Node == "":
		// Late or still unbound: an allocation, if any, stays.
	case p.Alloc != nil && p.Alloc.Node.Name == f.Node && !p.Alloc.Reserved:
		p.Alloc.Bound = true
		s.refreshUse(p)
		s.unchoose(p)
	default:
		s.Release(p)
		s.allocate(p, s.node(f.Node), bound, nil)
	}
	s.setKin(p)
	s.Commit()
	s.followMember(p, old)
	p.Yields = s.yields(p)
	s.relist(p, old)
	return p
}

func (s *State) podIndex() int32 {
	last := len(s.freePods) - 1
	if last < 0 {
		return int32(len(s.pods))
	}
	i := s.freePods[last]
	s.freePods = s.freePods[:last]
	return i
}

// RemovePod forgets a pod that is gone or terminal and gives back all it held.
func (s *State) RemovePod(uid types.UID) {
	p := s.pods[uid]
	if p == nil {
		return
	}
	s.Release(p)
	s.Commit()
	if n := s.unlist(p); n != nil {
		s.improve(n)
	}
	if p.App != nil {
		s.leaveApp(p, p.Fact)
	}
	delete(s.pods, uid)
	s.freePods = append(s.freePods, p.Index)
	s.leaveFolk(p)
	s.dropKin(p.Kin)
	s.dropVolumes(p)
	s.dropLeanings(p.Leanings)
	s.dropShape(p.Shape)
}

// setOwner gives a pod of ours its application, and takes it from one that turns out not to be. What it holds on a node is entered anew if its
// application is another.
func (s *State) setOwner(p *Pod, old *PodFact) {
	owned := p.App != nil
	if !owned && !p.Fact.Ours || owned && p.Fact.Ours && sameOwner(p, old) {
		return
	}
	a := p.Alloc
	if a != nil {
		s.Release(p)
	}
	if p.Fact.Ours {
		s.setApp(p, old)
	} else {
		s.leaveApp(p, old)
	}
	if a != nil && (p.Fact.Ours || !a.Reserved) {
		s.allocate(p, a.Node, a.stage(), a.Choice())
	}
	s.Commit()
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
	if !p.Alloc.Reserved && !slices.Equal(p.Alloc.Ports, p.Shape.Ports) || !s.uses(p).Equal(p.Alloc.Uses) {
		a := p.Alloc
		s.Release(p)
		s.allocate(p, a.Node, a.stage(), a.Choice())
		s.Commit()
	}
}
