package order

import (
	"fmt"
	"slices"

	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
	"github.com/sluice-scheduler/sluice/pkg/core/fit"
)

// Index holds the known nodes by class, best first within each; equal scores stand by name. The zero Index is not usable; see New.
type Index struct {
	score   func(*cluster.Node) int64
	shelves map[*cluster.Class]*shelf
	// in is where each node is: it must be known to take it out.
	in    map[*cluster.Node]spot
	width int
}

type spot struct {
	class *cluster.Class
	rank  rank
}

// New returns an empty index by a static score.
func New(score func(*cluster.Node) int64) *Index {
	return &Index{score: score, shelves: map[*cluster.Class]*shelf{}, in: map[*cluster.Node]spot{}}
}

// Refresh moves exactly the nodes that changed since the last call, and takes out those that are gone.
func (x *Index) Refresh(s *cluster.State) {
	if x.width != s.Space.Len() {
		x.rebuild(s)
	}
	s.Dirty(x.move)
}

func (x *Index) move(n *cluster.Node) {
	old, had := x.in[n]
	if n.Fact == nil {
		if had {
			x.takeOut(n, old)
		}
		return
	}
	now := spot{n.Class, rank{x.score(n), n.Name}}
	if had && now == old {
		x.shelves[now.class].update(now.rank)
		return
	}
	if had {
		x.takeOut(n, old)
	}
	x.putIn(n, now)
}

func (x *Index) putIn(n *cluster.Node, at spot) {
	shelf := x.shelves[at.class]
	if shelf == nil {
		shelf = newShelf(x.width)
		x.shelves[at.class] = shelf
	}
	shelf.insert(entry{at.rank, n})
	x.in[n] = at
}

func (x *Index) takeOut(n *cluster.Node, at spot) {
	shelf := x.shelves[at.class]
	shelf.remove(at.rank)
	if shelf.nodes == 0 {
		delete(x.shelves, at.class)
	}
	delete(x.in, n)
}

// rebuild starts over with as many resources as there are now.
func (x *Index) rebuild(s *cluster.State) {
	x.width = s.Space.Len()
	clear(x.shelves)
	clear(x.in)
	for _, n := range s.Slots() {
		if n != nil {
			x.putIn(n, spot{n.Class, rank{x.score(n), n.Name}})
		}
	}
}

// First returns the best node on which the ask fits, nil when there is none, and how many nodes and runs of nodes it looked at. The view must be up to
// date.
func (x *Index) First(a fit.Ask, v *fit.View) (best *cluster.Node, visited int) {
	bound := rank{score: -1 << 63}
	for _, class := range v.Classes {
		shelf := x.shelves[class]
		if shelf == nil {
			continue
		}
		e, looked := shelf.first(a.Shape.Wants, bound, func(n *cluster.Node) bool { return v.Admits(a, n) })
		visited += looked
		if e != nil {
			best, bound = e.node, e.rank
		}
	}
	return best, visited
}

// Best returns the best of some nodes; nil when there are none. All must be in the index.
func (x *Index) Best(nodes []*cluster.Node) *cluster.Node {
	var best *cluster.Node
	for _, n := range nodes {
		if best == nil || x.in[n].rank.compare(x.in[best].rank) < 0 {
			best = n
		}
	}
	return best
}

// Verify compares the index with one made from scratch; for tests. The index must be fresh.
func (x *Index) Verify(s *cluster.State) error {
	held := 0
	for class, shelf := range x.shelves {
		var last *entry
		var fault error
		shelf.each(func(e entry) {
			held++
			if e.node.Class != class || e.score != x.score(e.node) || x.in[e.node] != (spot{class, e.rank}) {
				fault = fmt.Errorf("node %s is not at its place in the order", e.name)
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
	if held != s.KnownNodes() || len(x.in) != held {
		return fmt.Errorf("the order holds %d nodes (%d noted), %d are known", held, len(x.in), s.KnownNodes())
	}
	return nil
}

// verify holds the sums of every block against its nodes.
func (s *shelf) verify() (fault error) {
	s.blocks.Ascend(func(b *block) bool {
		again := &block{entries: b.entries, free: make([]int64, len(b.free)), most: make([]int64, s.width)}
		for i := range b.entries {
			again.measure(i, s.width)
		}
		again.remax(s.width)
		if !slices.Equal(again.free, b.free) || !slices.Equal(again.most, b.most) {
			fault = fmt.Errorf("a block of %d nodes does not know what they have free", len(b.entries))
		}
		if len(b.entries) > 0 && b.entries[0].compare(b.low) < 0 {
			fault = fmt.Errorf("node %s is below its block", b.entries[0].name)
		}
		return fault == nil
	})
	return fault
}
