package cluster

import (
	"maps"
	"slices"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/sluice-scheduler/sluice/pkg/core/resource"
)

// Node is a node and what is on it. A node that only pods name (its own fact has not come yet, or is gone) has a nil Fact: it keeps
// accounts and takes no pods.
type Node struct {
	Name string
	Fact *NodeFact
	// Index is dense over the known nodes, for slices beside the state; it may be used again after a node has gone (see State.Epoch).
	Index int
	// Allocatable and Used hold the number of pods in their first slot.
	Allocatable resource.Vector
	Used        resource.Vector
	// Presumed is what the node's pods are taken to use beyond Used, for comparing nodes.
	Presumed Presumed
	// Pods are the allocations on the node, in no order that means anything.
	Pods []*Allocation
	// Nominees are the pods that wait and are nominated for the node, in no order that means anything.
	Nominees []*Pod
	// Reserved is how many of Pods are reservations. They count in Used, which may therefore be more than is offered.
	Reserved int
	// Class is that of a known node.
	Class *Class
	// CSI is what CSI drivers say of the node; nil if nothing.
	CSI *CSINodeFact
	// API is a node object with name and labels only, for helpers that want one.
	API *v1.Node
	// Version is that of the node's last change of any kind; see State.Since.
	Version uint64

	ports        []portUse
	attached     []attachedUse
	disks        []*Allocation // that exclude others by their disks
	newer, older *Node
	dirty        bool
	better       bool
}

// Node returns a node by name, nil when neither a fact nor a pod names it.
func (s *State) Node(name string) *Node { return s.nodes[name] }

// KnownNodes returns the number of nodes that the API server has.
func (s *State) KnownNodes() int { return s.known }

// Slots returns the known nodes by Index, with nil at unused indexes. The slice belongs to the state.
func (s *State) Slots() []*Node { return s.slots }

// Version is that of the latest change to any known node.
func (s *State) Version() uint64 { return s.version }

// Epoch grows whenever a known node goes: what was remembered by Index is void then.
func (s *State) Epoch() uint64 { return s.epoch }

// FactsVersion changes whenever nodes come or go, or what placement reads of one changes; what runs on them does not change it.
func (s *State) FactsVersion() uint64 { return s.factsVersion }

// Since calls f for every known node that changed after the version, latest first.
func (s *State) Since(version uint64, f func(*Node)) {
	for n := s.latest.older; n != &s.latest && n.Version > version; n = n.older {
		f(n)
	}
}

// Dirty hands out the known nodes whose accounts or facts have changed since the last call; for indexes that follow the state.
func (s *State) Dirty(f func(*Node)) {
	for _, n := range s.dirty {
		n.dirty = false
		f(n)
	}
	s.dirty = s.dirty[:0]
}

// TakeBetter returns the known nodes on which something may fit now that did not before, each once, in the order in which that
// happened since the last call: new nodes, nodes whose allocatable, labels or taints changed, and nodes that a pod has left or
// shrunk on. Those who wait need look at no others.
func (s *State) TakeBetter() []*Node {
	var out []*Node
	for _, n := range s.better {
		if n.Fact != nil {
			out = append(out, n)
		}
		n.better = false
	}
	s.better = s.better[:0]
	return out
}

// SetNode takes in the newest fact of a node.
func (s *State) SetNode(f *NodeFact) {
	s.count(f.Allocatable)
	n := s.node(f.Name)
	old := n.Fact
	moves := old == nil || moved(old, f)
	if moves {
		s.lift(n)
	}
	n.Fact = f
	offers, _ := s.Space.Vector(f.Allocatable)
	if !offers.Equal(n.Allocatable) {
		s.countOffers(n.Allocatable, -1)
		s.countOffers(offers, +1)
	}
	n.Allocatable = offers
	if old == nil {
		s.admit(n)
		s.countForeign(n, +1)
	}
	if old == nil || !maps.Equal(old.Labels, f.Labels) {
		s.relabel(n, labelsOf(old), f.Labels)
		n.API = &v1.Node{ObjectMeta: metav1.ObjectMeta{Name: f.Name, Labels: f.Labels}}
	}
	if moves {
		s.ground(n)
	}
	if old == nil || differ(old, f) {
		s.factsVersion++
		s.assignClass(n)
		s.narrow()
		s.touch(n)
		s.improve(n)
	} else if !slices.Equal(old.Images, f.Images) {
		s.touch(n) // they decide nothing about who fits
	}
}

// RemoveNode forgets that a node exists. Pods that are still on it keep their accounts until they go themselves.
func (s *State) RemoveNode(name string) {
	n := s.nodes[name]
	if n == nil || n.Fact == nil {
		return
	}
	s.lift(n)
	s.slots[n.Index] = nil
	s.freeSlots = append(s.freeSlots, n.Index)
	n.newer.older, n.older.newer = n.older, n.newer
	n.newer, n.older = nil, nil
	s.known--
	s.epoch++
	s.factsVersion++
	s.touch(n) // while the fact is there: whoever follows the dirty list must see it go
	s.leaveClass(n)
	s.countOffers(n.Allocatable, -1)
	s.countForeign(n, -1)
	s.relabel(n, n.Fact.Labels, nil)
	n.Fact, n.Allocatable = nil, nil
	s.ground(n)
	s.left(n)
}

// moved reports whether two facts of a node differ in anything that decides in which domain, and for whom, pods on it count.
func moved(old, now *NodeFact) bool {
	return !maps.Equal(old.Labels, now.Labels) || !slices.EqualFunc(old.Taints, now.Taints, equalTaints)
}

// differ reports whether two facts of a node differ in anything that placement reads; a heartbeat does not.
func differ(old, now *NodeFact) bool {
	return !old.Allocatable.Equal(now.Allocatable) || !maps.Equal(old.Labels, now.Labels) ||
		old.Unschedulable != now.Unschedulable || !slices.Equal(old.Features, now.Features) || !slices.EqualFunc(old.Taints, now.Taints, equalTaints) ||
		!slices.EqualFunc(old.SoftTaints, now.SoftTaints, equalTaints)
}

func equalTaints(a, b v1.Taint) bool {
	return a.Key == b.Key && a.Value == b.Value && a.Effect == b.Effect
}

// node returns the record of a node and makes one when there is none.
func (s *State) node(name string) *Node {
	n := s.nodes[name]
	if n == nil {
		n = &Node{Name: name, CSI: s.storage.csiNodes[name]}
		s.nodes[name] = n
	}
	return n
}

// hollow reports whether no fact, pod or attachment names the node.
func (n *Node) hollow() bool {
	return n.Fact == nil && len(n.Pods) == 0 && len(n.Nominees) == 0 && len(n.attached) == 0
}

// left follows that a pod has left a node, or its fact. The record of a hollow node goes, but not before all that could put a pod there again by being undone is
// lasting.
func (s *State) left(n *Node) {
	if n.hollow() {
		s.hollow = append(s.hollow, n)
		s.sweep()
	}
}

func (s *State) sweep() {
	if len(s.journal) > 0 {
		return
	}
	for _, n := range s.hollow {
		if n.hollow() {
			delete(s.nodes, n.Name)
		}
	}
	s.hollow = s.hollow[:0]
}

// admit gives a node that became known its index and its place among the latest.
func (s *State) admit(n *Node) {
	if last := len(s.freeSlots) - 1; last >= 0 {
		n.Index = s.freeSlots[last]
		s.freeSlots = s.freeSlots[:last]
		s.slots[n.Index] = n
	} else {
		n.Index = len(s.slots)
		s.slots = append(s.slots, n)
	}
	s.known++
	n.newer, n.older = n, n
}

// touch gives a node a new version and tells the followers that its numbers have changed.
func (s *State) touch(n *Node) {
	if n.Fact == nil {
		return
	}
	s.version++
	n.Version = s.version
	if n.newer != nil {
		n.newer.older, n.older.newer = n.older, n.newer
		n.newer, n.older = &s.latest, s.latest.older
		n.newer.older, n.older.newer = n, n
	}
	if !n.dirty {
		n.dirty = true
		s.dirty = append(s.dirty, n)
	}
}

// improve notes that something may fit on the node now that did not before. Nodes that have gone since are forgotten before they outnumber
// the others: a standby takes better nodes from nobody.
func (s *State) improve(n *Node) {
	if n.Fact == nil || n.better {
		return
	}
	if len(s.better) > 2*s.known+64 {
		s.better = slices.DeleteFunc(s.better, func(n *Node) bool {
			n.better = n.Fact != nil
			return !n.better
		})
	}
	n.better = true
	s.better = append(s.better, n)
}

// countForeign counts what pods of others hold on a node that comes or goes.
func (s *State) countForeign(n *Node, sign int64) {
	for _, a := range n.Pods {
		if a.App == nil {
			s.foreign = s.foreign.AddTo(a.Uses, sign)
		}
	}
}

// Capacity is what queues share: what the known nodes offer less what pods of others hold there; never below zero.
func (s *State) Capacity() resource.Vector {
	v := make(resource.Vector, s.Space.Len())
	for slot := range v {
		v[slot] = max(0, s.total.At(slot)-s.foreign.At(slot))
	}
	return v
}

func (s *State) countOffers(offered resource.Vector, sign int) {
	s.total = s.total.AddTo(offered, int64(sign))
	for slot, value := range offered {
		if value == 0 {
			continue
		}
		for len(s.offering) <= slot {
			s.offering = append(s.offering, 0)
		}
		s.offering[slot] += sign
		s.offerVersion++
		if len(s.deviceClasses) > 0 && s.offering[slot] == max(0, sign) {
			s.deviceVersion++ // the first that offers it, or none any more
		}
	}
}

// Offering returns how many known nodes offer some of the resource of a slot.
func (s *State) Offering(slot int) int {
	if slot < len(s.offering) {
		return s.offering[slot]
	}
	return 0
}

// Offers reports whether of everything that a shape asks for some known node offers some.
func (s *State) Offers(shape *Shape) bool {
	for _, w := range shape.Wants {
		if s.Offering(w.Slot) == 0 {
			return false
		}
	}
	return len(shape.Uncounted) == 0
}

// OfferVersion changes whenever Offering may have.
func (s *State) OfferVersion() uint64 { return s.offerVersion }
