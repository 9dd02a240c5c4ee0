package order

import (
	"cmp"
	"fmt"

	"github.com/google/btree"

	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
)

// Index holds the known nodes, best first; equal scores stand by name. The zero Index is not usable; see New.
type Index struct {
	tree *btree.BTreeG[item]
	// in is what the tree holds of each node: it must be known to take it out.
	in map[*cluster.Node]item
}

type item struct {
	score int64
	name  string
	node  *cluster.Node
}

func before(a, b item) bool {
	return cmp.Or(cmp.Compare(b.score, a.score), cmp.Compare(a.name, b.name)) < 0
}

// New returns an empty index.
func New() *Index {
	return &Index{tree: btree.NewG(32, before), in: map[*cluster.Node]item{}}
}

// Refresh re-inserts the nodes that changed since the last call, and takes out those that are gone.
func (x *Index) Refresh(s *cluster.State) {
	s.Dirty(func(n *cluster.Node) {
		old, had := x.in[n]
		if n.Fact == nil {
			if had {
				x.tree.Delete(old)
				delete(x.in, n)
			}
			return
		}
		now := item{LeastAllocated(n), n.Name, n}
		if had && now == old {
			return
		}
		if had {
			x.tree.Delete(old)
		}
		x.tree.ReplaceOrInsert(now)
		x.in[n] = now
	})
}

// Each calls f for the nodes, best first, until f returns false.
func (x *Index) Each(f func(*cluster.Node) bool) {
	x.tree.Ascend(func(i item) bool { return f(i.node) })
}

// Best returns the best of some nodes; nil when there are none. All must be in the index.
func (x *Index) Best(nodes []*cluster.Node) *cluster.Node {
	var best *cluster.Node
	for _, n := range nodes {
		if best == nil || before(x.in[n], x.in[best]) {
			best = n
		}
	}
	return best
}

// Verify compares the index with one made from scratch; for tests. The index must be fresh.
func (x *Index) Verify(s *cluster.State) error {
	known := 0
	for _, n := range s.Slots() {
		if n == nil {
			continue
		}
		known++
		want := item{LeastAllocated(n), n.Name, n}
		if got, ok := x.tree.Get(want); !ok || got != want {
			return fmt.Errorf("node %s is not at its place (score %d)", n.Name, want.score)
		}
	}
	if x.tree.Len() != known || len(x.in) != known {
		return fmt.Errorf("the order holds %d nodes (%d noted), %d are known", x.tree.Len(), len(x.in), known)
	}
	return nil
}
