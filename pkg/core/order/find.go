package order

import (
	"math"

	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
)

// Query is what is looked for.
type Query struct {
	Pod *cluster.Pod
	// Order is the name of the node order; empty or unknown means the primary one.
	Order string
	// Classes are those that may hold a node for it.
	Classes []*cluster.Class
	// ByNode: the shape's preferences read what classes do not tell apart.
	ByNode bool
	// Admits is the last word about a node of the classes that has room; nil admits all.
	Admits func(*cluster.Node) bool
}

// admits says whether a node that has room is admitted.
func (q *Query) admits(n *cluster.Node) bool { return q.Admits == nil || q.Admits(n) }

// First returns the best node for the query by the order that is named, nil when there is none, and how many nodes and blocks of nodes it looked at.
func (o *Orders) First(s *cluster.State, q *Query) (best *cluster.Node, visited int) {
	x, shape := o.index(s, q.Order), q.Pod.Shape
	want := o.scarce.wanted(shape.Wants)
	if raters := o.raters(s, x, q.Pod); len(raters) > 0 {
		return o.compared(s, x, q, want, raters)
	}
	switch {
	case x.spec.readsRequest() || q.ByNode && shape.Preferred != nil:
		return o.scored(s, x, q, want)
	case want != 0 && x.fit+x.avoid > 0:
		return o.bounded(s, x, q, want)
	}
	bound := rank{score: math.MinInt64}
	for _, class := range q.Classes {
		shift := x.shift(shape, class)
		for _, shelf := range x.of(class) {
			e, looked := shelf.first(shape.Wants, bound.shifted(-shift), q.Admits)
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
		return x.unbiased
	}
	return x.spec.preference(shape, class.Like)
}

// scored scores every node that has room and offers the scarce resources that are wanted.
func (o *Orders) scored(s *cluster.State, x *Index, q *Query, want uint64) (best *cluster.Node, visited int) {
	var bound rank
	visited = o.walk(s, x, q, want, func(c candidate) {
		if r := c.rank(); (best == nil || r.compare(bound) < 0) && q.admits(c.node) {
			best, bound = c.node, r
		}
	})
	return best, visited
}

// walk calls f with every node that has room and offers the scarce resources that are wanted, and with its score as far as no other node matters.
func (o *Orders) walk(s *cluster.State, x *Index, q *Query, want uint64, f func(candidate)) (visited int) {
	shape := q.Pod.Shape
	more := o.extra(s, x, shape, want)
	byNode := q.ByNode && shape.Preferred != nil
	for _, class := range q.Classes {
		shift := x.shift(shape, class)
		for _, shelf := range x.of(class) {
			if shelf.scarce&want != want {
				continue
			}
			visited += shelf.walk(shape.Wants, func(e *entry) bool {
				c := candidate{e.node, e.score + more(e.node), e.index}
				if byNode {
					c.score += x.spec.preference(shape, e.node)
				} else {
					c.score += shift
				}
				f(c)
				return true
			})
		}
	}
	return visited
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

// Best returns the best of the nodes that fit a pod, by the named order; nil when there are none.
func (o *Orders) Best(s *cluster.State, p *cluster.Pod, by string, nodes []*cluster.Node) *cluster.Node {
	x := o.index(s, by)
	more := o.extra(s, x, p.Shape, o.scarce.wanted(p.Shape.Wants))
	fits := make([]candidate, len(nodes))
	for i, n := range nodes {
		fits[i] = candidate{n, x.score(n) + x.spec.preference(p.Shape, n) + more(n), n.Index}
	}
	if raters := o.raters(s, x, p); len(raters) > 0 {
		o.rate(raters, fits)
	}
	return foremost(fits)
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
