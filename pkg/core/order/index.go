package order

import (
	"fmt"
	"slices"

	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
)

// Index holds the known nodes by one order. Nodes of one class that offer the same scarce resources stand on one shelf, best first; equal scores stand
// by name.
type Index struct {
	spec  Spec
	score scorer
	// rated are the evaluators of which a pod may need a rater.
	rated []Evaluator
	// avoid and fit are the weights of what is said of scarce resources.
	avoid, fit int64
	shelves    map[place]*shelf
	// byClass lists the shelves of a class.
	byClass map[*cluster.Class][]*shelf
	// in is where each node is: it must be known to take it out.
	in    map[*cluster.Node]spot
	width int
	// ceilings are for asks for something scarce, by how many units they ask for.
	ceilings map[int64]*ceiling
	// onlyScarce: it holds the nodes that offer something scarce, and no others.
	onlyScarce bool
}

// place is what the nodes of a shelf have in common.
type place struct {
	class *cluster.Class
	// scarce are the scarce resources they offer.
	scarce uint64
}

type spot struct {
	place
	rank rank
}

func newIndex(spec Spec) *Index {
	return &Index{
		spec: spec, shelves: map[place]*shelf{}, byClass: map[*cluster.Class][]*shelf{}, in: map[*cluster.Node]spot{},
		ceilings: map[int64]*ceiling{}, avoid: spec.weight(ScarceAvoidance), fit: spec.weight(ScarceFit), rated: spec.rated(),
	}
}

// holds reports whether a node belongs into the index.
func (x *Index) holds(n *cluster.Node, scarce *Scarce) bool {
	return n.Fact != nil && (!x.onlyScarce || scarce.offered(n) != 0)
}

// move puts a node that changed where it belongs now.
func (x *Index) move(n *cluster.Node, scarce *Scarce) {
	old, had := x.in[n]
	if !x.holds(n, scarce) {
		if had {
			x.takeOut(n, old)
		}
		return
	}
	now := x.spotOf(n, scarce)
	if had && now == old {
		x.shelves[now.place].update(now.rank)
		return
	}
	if had {
		x.takeOut(n, old)
	}
	x.putIn(n, now)
}

func (x *Index) spotOf(n *cluster.Node, scarce *Scarce) spot {
	return spot{place{n.Class, scarce.offered(n)}, rank{x.score(n), n.Name}}
}

func (x *Index) putIn(n *cluster.Node, at spot) {
	s := x.shelves[at.place]
	if s == nil {
		s = newShelf(at.place, x.width)
		x.shelves[at.place] = s
		x.byClass[at.class] = append(x.byClass[at.class], s)
	}
	s.insert(entry{at.rank, n, n.Index})
	x.in[n] = at
}

func (x *Index) takeOut(n *cluster.Node, at spot) {
	s := x.shelves[at.place]
	s.remove(at.rank)
	delete(x.in, n)
	if s.nodes > 0 {
		return
	}
	delete(x.shelves, at.place)
	rest := slices.DeleteFunc(x.byClass[at.class], func(o *shelf) bool { return o == s })
	if len(rest) == 0 {
		delete(x.byClass, at.class)
	} else {
		x.byClass[at.class] = rest
	}
}

// rebuild starts over, for a space, scarce resources or evaluators that have changed.
func (x *Index) rebuild(s *cluster.State, scarce *Scarce) {
	x.score = x.spec.static(s.Space, scarce)
	clear(x.ceilings)
	x.fill(s, scarce)
}

// fill puts every node where its score says, from scratch.
func (x *Index) fill(s *cluster.State, scarce *Scarce) {
	x.width = s.Space.Len()
	clear(x.shelves)
	clear(x.byClass)
	clear(x.in)
	for _, n := range s.Slots() {
		if n != nil && x.holds(n, scarce) {
			x.putIn(n, x.spotOf(n, scarce))
		}
	}
}

// verify compares the index with one made from scratch.
func (x *Index) verify(s *cluster.State, scarce *Scarce) error {
	held := 0
	for at, shelf := range x.shelves {
		var last *entry
		var fault error
		shelf.each(func(e entry) {
			held++
			if now := x.spotOf(e.node, scarce); now != x.in[e.node] || now.place != at || now.rank != e.rank {
				fault = fmt.Errorf("node %s is not at its place in the order %q", e.name, x.spec.Name)
			}
			if last != nil && last.compare(e.rank) >= 0 {
				fault = fmt.Errorf("node %s comes before %s", last.name, e.name)
			}
			last = &e
		})
		if err := shelf.verify(); err != nil || fault != nil {
			return fmt.Errorf("order: %w %w", fault, err)
		}
	}
	known := 0
	for _, n := range s.Slots() {
		if n != nil && x.holds(n, scarce) {
			known++
		}
	}
	if held != known || len(x.in) != held {
		return fmt.Errorf("the order %q holds %d nodes (%d noted), %d are known", x.spec.Name, held, len(x.in), known)
	}
	return nil
}
