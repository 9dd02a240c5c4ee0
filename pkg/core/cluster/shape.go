package cluster

import (
	"slices"

	"github.com/sluice-scheduler/sluice/pkg/core/resource"
)

// Shape is a demand that at least one pod has, interned: pods of one shape are interchangeable for placement.
type Shape struct {
	*Demand
	// Request is what one pod of this shape adds to a node, its own place among the pods included.
	Request resource.Vector
	// Wants are the slots of Request that are not zero.
	Wants []resource.Want
	// Slots are the slots of Requests, entry by entry; NoSlot for a resource that is not counted.
	Slots []int
	// Uncounted are requested resources that have no slot: no node has ever offered them, and no max, limit or guarantee has named them.
	Uncounted []string
	// Bonds are its Topology with the counts that it is judged by; nil for most.
	Bonds *Bonds

	pods int
	// leanings are by the key of the liking that makes them of the shape.
	leanings map[string]*Leanings
}

// NoSlot stands in Shape.Slots for a resource that is not counted.
const NoSlot = -1

// Shapes returns the number of shapes in use.
func (s *State) Shapes() int { return len(s.shapes) }

// setShape gives a pod the shape of a demand.
func (s *State) setShape(p *Pod, d *Demand) {
	if p.Shape != nil && p.Shape.Key == d.Key {
		return
	}
	old := p.Shape
	shape := s.shapes[d.Key]
	if shape == nil {
		shape = &Shape{Demand: d}
		s.reckon(shape)
		shape.Bonds = s.bind(d)
		s.shapes[d.Key] = shape
		s.selectBy(shape)
	}
	shape.pods++
	p.Shape = shape
	if old != nil {
		s.dropShape(old)
	}
	if p.Alloc != nil {
		s.refreshUse(p)
	}
}

func (s *State) dropShape(shape *Shape) {
	shape.pods--
	if shape.pods == 0 {
		delete(s.shapes, shape.Key)
		s.unselect(shape)
		s.unbind(shape.Bonds)
	}
}

// Sketch returns the shape that a demand makes, and does not keep it: for questions about pods that do not exist. Where other pods are is no part of it.
func (s *State) Sketch(d *Demand) *Shape {
	if shape := s.shapes[d.Key]; shape != nil {
		return shape
	}
	shape := &Shape{Demand: d}
	s.reckon(shape)
	return shape
}

// reckon computes a shape's vector in the present space. A vector is replaced, never changed: allocations share it.
func (s *State) reckon(shape *Shape) {
	shape.Request, shape.Uncounted = s.Space.Vector(shape.Requests)
	shape.Request[resource.SlotPods] = 1
	shape.Wants = shape.Request.Wants()
	shape.Slots = make([]int, len(shape.Requests))
	for i, a := range shape.Requests {
		slot, ok := s.Space.Slot(a.Name)
		if !ok {
			slot = NoSlot
		}
		shape.Slots[i] = slot
	}
}

// count makes slots for resources that a node offers or a bound names. When one is new, shapes that ask for it are reckoned anew and what their pods
// hold is entered anew.
func (s *State) count(lists ...resource.Amounts) {
	grown := false
	for _, amounts := range lists {
		for _, a := range amounts {
			_, isNew := s.Space.Intern(a.Name)
			grown = grown || isNew
		}
	}
	if !grown {
		return
	}
	placed := s.uncounted()
	for _, shape := range s.shapes {
		if len(shape.Uncounted) > 0 {
			s.reckon(shape)
		}
	}
	for _, p := range placed {
		s.refreshUse(p)
	}
	s.treeVersion++ // requests have changed, by which who waits is ordered
}

// uncounted returns the pods on nodes that may hold what is not counted, in the order in which applications are to be touched.
func (s *State) uncounted() (pods []*Pod) {
	for _, p := range s.pods {
		if p.Alloc != nil && (p.Fact.Holds != nil || len(p.Shape.Uncounted) > 0) {
			pods = append(pods, p)
		}
	}
	slices.SortFunc(pods, comparePods)
	return pods
}
