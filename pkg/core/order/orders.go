package order

import (
	"fmt"
	"maps"
	"slices"

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
	// nodes holds, by a node's index, what can be said of it as it is.
	nodes []present
	// grants holds, by class, the share of the asks whose wishes allow its nodes, as of a version of the usual requests.
	grants    map[*cluster.Class]int64
	grantedAt uint64
	images    *images
	// What follows is room to work in.
	room   []int64
	fits   []candidate
	raw    []int64
	sums   []float64
	counts []int32
	seen   []bool
	// domains are sums by domain.
	domains []int64
}

// New returns orders as Set takes them.
func New(specs []Spec, scarce ScarceSpec) *Orders {
	o := &Orders{usual: newUsual()}
	o.Set(specs, scarce)
	return o
}

// Set replaces the orders, of which the first is the one that holds when none is named; without any, Default holds. The indexes are made anew when they are
// asked for.
func (o *Orders) Set(specs []Spec, scarce ScarceSpec) {
	if len(specs) == 0 {
		specs = []Spec{Default()}
	}
	o.specs, o.primary = map[string]Spec{}, specs[0].Name
	for _, s := range specs {
		o.specs[s.Name] = s
	}
	o.indexes, o.nodes = map[string]*Index{}, nil
	o.grants = map[*cluster.Class]int64{}
	o.scarce, o.images = &Scarce{spec: scarce}, newImages()
}

// Names returns the names of the orders, sorted.
func (o *Orders) Names() []string { return slices.Sorted(maps.Keys(o.specs)) }

// Primary returns the name of the order that holds when none is named.
func (o *Orders) Primary() string { return o.primary }

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
		o.room = make([]int64, o.width)
		o.nodes, o.images = nil, newImages()
		s.Dirty(func(*cluster.Node) {})
		for _, x := range o.indexes {
			x.rebuild(s, o.scarce)
		}
		return
	}
	s.Dirty(func(n *cluster.Node) {
		o.images.follow(n)
		for _, x := range o.indexes {
			x.move(n, o.scarce)
			x.refreshCeilings(n, o.scarce, o.usual.version)
		}
	})
}

// index returns the index of the named order; it is made when it is asked for the first time. An unknown name means the primary order.
func (o *Orders) index(s *cluster.State, name string) *Index {
	if x := o.indexes[name]; x != nil {
		return x
	}
	if _, ok := o.specs[name]; !ok {
		return o.index(s, o.primary)
	}
	x := newIndex(o.specs[name])
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
		for _, c := range x.ceilings {
			if c.usual != o.usual.version {
				continue
			}
			if err := c.verify(s, o.scarce); err != nil {
				return fmt.Errorf("ceilings: %w", err)
			}
		}
	}
	return nil
}
