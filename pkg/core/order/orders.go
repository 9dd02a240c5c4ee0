package order

import (
	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
)

// Orders are the configured orders by name, and what they share: which resources are scarce, and which requests are usual. The zero Orders is not
// usable; see New.
type Orders struct {
	specs   map[string]Spec
	primary string
	// indexes are those that have been asked for.
	indexes map[string]*Index
	scarce  *Scarce
	usual   *Usual
	width   int
	// memo remembers, per shape and node, how much the shape would strand there.
	memo map[*cluster.Shape]*memo
	room []int64
}

// New returns orders of which the first is the one that holds when none is named. Without any, Default holds.
func New(specs []Spec, scarce ScarceSpec) *Orders {
	if len(specs) == 0 {
		specs = []Spec{Default()}
	}
	o := &Orders{
		specs: map[string]Spec{}, primary: specs[0].Name, indexes: map[string]*Index{},
		scarce: &Scarce{spec: scarce}, usual: newUsual(), memo: map[*cluster.Shape]*memo{},
	}
	for _, s := range specs {
		o.specs[s.Name] = s
	}
	return o
}

// Known reports whether an order of that name is configured; the empty name is always.
func (o *Orders) Known(name string) bool {
	_, ok := o.specs[name]
	return ok || name == ""
}

// Scarce returns what is known of scarce resources.
func (o *Orders) Scarce() *Scarce { return o.scarce }

// Note tells of a pod that has come to wait, so that what is usual is known.
func (o *Orders) Note(shape *cluster.Shape) {
	for _, r := range shape.Requests {
		if o.scarce.mayBe(r.Name) {
			o.usual.note(shape)
			return
		}
	}
}

// Refresh moves exactly the nodes that changed since the last call. When a resource is new, or becomes scarce or ceases to be, everything is put in order
// anew.
func (o *Orders) Refresh(s *cluster.State) {
	if changed := o.scarce.update(s); changed || o.width != s.Space.Len() {
		o.width = s.Space.Len()
		o.room = make([]int64, 2*o.width)
		clear(o.memo)
		s.Dirty(func(*cluster.Node) {})
		for _, x := range o.indexes {
			x.rebuild(s, o.scarce)
		}
		return
	}
	s.Dirty(func(n *cluster.Node) {
		for _, x := range o.indexes {
			x.move(n, o.scarce)
		}
	})
}

// index returns the index of the named order; it is made when it is asked for the first time. An unknown name means the primary order.
func (o *Orders) index(s *cluster.State, name string) *Index {
	if x := o.indexes[name]; x != nil {
		return x
	}
	spec, ok := o.specs[name]
	if !ok {
		if name != o.primary {
			return o.index(s, o.primary)
		}
	}
	x := newIndex(spec)
	x.rebuild(s, o.scarce)
	o.indexes[name] = x
	return x
}

// Verify compares every index with one made from scratch; for tests. The orders must be fresh.
func (o *Orders) Verify(s *cluster.State) error {
	for _, x := range o.indexes {
		if err := x.verify(s, o.scarce); err != nil {
			return err
		}
	}
	return nil
}
