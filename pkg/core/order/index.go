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
	// byClass lists the shelves of a class, by its index. One that has just taken the index of another may be beside it for as long as not all nodes
	// that have changed have been moved.
	byClass [][]*shelf
	// in is where each node is: it must be known to take it out.
	in    map[*cluster.Node]*spot
	width int
	// unbiased is the dynamic score of shapes and classes of which neither has anything to prefer.
	unbiased int64
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
	*shelf
	rank rank
}

func newIndex(spec Spec) *Index {
	return &Index{
		spec: spec, shelves: map[place]*shelf{}, in: map[*cluster.Node]*spot{},
		ceilings: map[int64]*ceiling{}, avoid: spec.weight(ScarceAvoidance), fit: spec.weight(ScarceFit), rated: spec.rated(),
		unbiased: spec.weight(TaintToleration) * Unit,
	}
}

// holds reports whether a node belongs into the index.
func (x *Index) holds(n *cluster.Node, scarce *Scarce) bool {
	return n.Fact != nil && (!x.onlyScarce || scarce.offered(n) != 0)
}

// move puts a node that changed where it belongs now.
func (x *Index) move(n *cluster.Node, scarce *Scarce) {
	at := x.in[n]
	if !x.holds(n, scarce) {
		if at != nil {
			x.takeOut(n, at)
		}
		return
	}
	to, now := placeOf(n, scarce), x.rankOf(n)
	switch {
	case at == nil:
		x.putIn(n, to, now)
	case at.place != to:
		x.takeOut(n, at)
		x.putIn(n, to, now)
	case at.rank == now:
		at.update(now)
	default:
		at.move(at.rank, entry{now, n, n.Index})
		at.rank = now
	}
}

func placeOf(n *cluster.Node, scarce *Scarce) place { return place{n.Class, scarce.offered(n)} }

func (x *Index) rankOf(n *cluster.Node) rank { return rank{x.score(n), n.Name} }

func (x *Index) putIn(n *cluster.Node, to place, at rank) {
	s := x.shelves[to]
	if s == nil {
		s = newShelf(to, x.width)
		x.shelves[to] = s
		for len(x.byClass) <= to.class.Index {
			x.byClass = append(x.byClass, nil)
		}
		x.byClass[to.class.Index] = append(x.byClass[to.class.Index], s)
	}
	s.insert(entry{at, n, n.Index})
	x.in[n] = &spot{s, at}
}

func (x *Index) takeOut(n *cluster.Node, at *spot) {
	at.remove(at.rank)
	delete(x.in, n)
	if at.nodes > 0 {
		return
	}
	delete(x.shelves, at.place)
	list := &x.byClass[at.class.Index]
	*list = slices.DeleteFunc(*list, func(o *shelf) bool { return o == at.shelf })
}

// of returns the shelves of a class.
func (x *Index) of(class *cluster.Class) []*shelf {
	if class.Index >= len(x.byClass) {
		return nil
	}
	return x.byClass[class.Index]
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
			x.putIn(n, placeOf(n, scarce), x.rankOf(n))
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
			noted := x.in[e.node]
			if noted == nil || noted.shelf != shelf || noted.rank != e.rank || at != placeOf(e.node, scarce) || e.rank != x.rankOf(e.node) || e.index != e.node.Index {
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
	for _, list := range x.byClass {
		for _, shelf := range list {
			if x.shelves[shelf.place] != shelf || shelf.class != list[0].class {
				return fmt.Errorf("the order %q lists a shelf with a class that is not its own", x.spec.Name)
			}
		}
	}
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
