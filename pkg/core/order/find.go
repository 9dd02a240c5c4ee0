package order

import (
	"math"

	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
)

// Query is what is looked for.
type Query struct {
	Shape *cluster.Shape
	// Order is the name of the node order; empty or unknown means the primary one.
	Order string
	// Classes are those that may hold a node for it.
	Classes []*cluster.Class
	// ByNode: the shape's preferences read what classes do not tell apart.
	ByNode bool
	// Admits is the last word about a node that has room.
	Admits func(*cluster.Node) bool
}

// First returns the best node for the query by the order that is named, nil when there is none, and how many nodes and blocks of nodes it looked at.
func (o *Orders) First(s *cluster.State, q *Query) (best *cluster.Node, visited int) {
	x := o.index(s, q.Order)
	want := o.scarce.wanted(q.Shape.Wants)
	switch {
	case x.spec.readsRequest() || q.ByNode && q.Shape.Preferred != nil:
		return o.scored(s, x, q, want)
	case want != 0 && x.fit+x.avoid > 0:
		return o.bounded(s, x, q, want)
	}
	bound := rank{score: math.MinInt64}
	for _, class := range q.Classes {
		shelves := x.byClass[class]
		if len(shelves) == 0 {
			continue
		}
		shift := x.shift(q.Shape, class)
		for _, shelf := range shelves {
			e, looked := shelf.first(q.Shape.Wants, bound.shifted(-shift), q.Admits)
			visited += looked
			if e != nil {
				best, bound = e.node, e.rank.shifted(shift)
			}
		}
	}
	return best, visited
}

// shifted returns the rank with its score raised.
func (r rank) shifted(by int64) rank {
	if r.score == math.MinInt64 {
		return r
	}
	r.score += by
	return r
}

// shift is the dynamic score that a shape gives to all nodes of a class.
func (x *Index) shift(shape *cluster.Shape, class *cluster.Class) int64 {
	if shape.Preferred == nil && len(class.Like.Fact.SoftTaints) == 0 {
		return x.spec.weight(TaintToleration) * Unit
	}
	return x.spec.preference(shape, class.Like)
}

// scored scores every node that has room and offers the scarce resources that are wanted.
func (o *Orders) scored(s *cluster.State, x *Index, q *Query, want uint64) (best *cluster.Node, visited int) {
	bound := rank{score: math.MinInt64}
	more := o.extra(s, x, q.Shape, want)
	for _, class := range q.Classes {
		shift := x.shift(q.Shape, class)
		for _, shelf := range x.byClass[class] {
			if shelf.scarce&want != want {
				continue
			}
			visited += shelf.walk(q.Shape.Wants, func(e *entry) bool {
				r := rank{e.score + more(e.node), e.name}
				if q.ByNode && q.Shape.Preferred != nil {
					r.score += x.spec.preference(q.Shape, e.node)
				} else {
					r.score += shift
				}
				if (best == nil || r.compare(bound) < 0) && q.Admits(e.node) {
					best, bound = e.node, r
				}
				return true
			})
		}
	}
	return best, visited
}

// extra returns what a node's score for a shape has beyond its static score and the shape's preferences.
func (o *Orders) extra(s *cluster.State, x *Index, shape *cluster.Shape, want uint64) func(*cluster.Node) int64 {
	reads := x.spec.readsRequest()
	if want == 0 && !reads {
		return func(*cluster.Node) int64 { return 0 }
	}
	refused := -o.scarce.units(shape) * Unit
	var class *cluster.Class
	var share int64
	return func(n *cluster.Node) (sum int64) {
		if want != 0 {
			if n.Class != class { // nodes come class by class
				class, share = n.Class, o.granted(s, n.Class)
			}
			now := o.present(n)
			sum = o.bySupply(x, now, o.stranded(n, shape)-now.stranded, refused, share)
		}
		if reads {
			sum += x.spec.withRequest(s.Space, shape, n)
		}
		return sum
	}
}

// weigh is the mean of what is stranded for the share of asks that may use a node and for those that may not, for whom all that is free there
// is of no use anyway, and less of it with the pod.
func weigh(allowed, refused, share int64) int64 {
	return (allowed*share + refused*(Unit-share)) / Unit
}

// total is the whole score of a node for a shape.
func (o *Orders) total(s *cluster.State, x *Index, shape *cluster.Shape, n *cluster.Node, want uint64) int64 {
	return x.score(n) + x.spec.preference(shape, n) + o.extra(s, x, shape, want)(n)
}

// Best returns the best of some nodes for the shape by the named order; nil when there are none.
func (o *Orders) Best(s *cluster.State, shape *cluster.Shape, by string, nodes []*cluster.Node) (best *cluster.Node) {
	x := o.index(s, by)
	want := o.scarce.wanted(shape.Wants)
	var bound rank
	for _, n := range nodes {
		if r := (rank{o.total(s, x, shape, n, want), n.Name}); best == nil || r.compare(bound) < 0 {
			best, bound = n, r
		}
	}
	return best
}

// Stranded returns the free units of a scarce resource on nodes where none of the usual requests for it fits any more, and all its free units.
func (o *Orders) Stranded(s *cluster.State, slot int) (stranded, free int64) {
	for _, n := range s.Slots() {
		if n == nil || n.Allocatable.At(slot) == 0 {
			continue
		}
		left := make([]int64, s.Space.Len())
		for i := range left {
			left[i] = n.Allocatable.At(i) - n.Used.At(i)
		}
		have := max(0, left[slot])
		free += have
		if !o.usual.anyFits(slot, left) {
			stranded += have
		}
	}
	return stranded, free
}

// anyFits reports whether one of the usual requests for the resource fits into what is free.
func (u *Usual) anyFits(slot int, free []int64) bool {
	for i := range u.top {
		if wantOf(u.top[i].shape.Wants, slot) > 0 && fitsTimes(u.top[i].shape.Wants, free, 1) > 0 {
			return true
		}
	}
	return len(u.top) == 0
}
