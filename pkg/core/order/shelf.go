package order

import (
	"fmt"
	"slices"

	"github.com/google/btree"

	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
	"github.com/sluice-scheduler/sluice/pkg/core/resource"
)

// shelf holds the nodes of one place, best first, in blocks.
type shelf struct {
	place
	blocks *btree.BTreeG[*block]
	width  int
	nodes  int
	// pivot is used to look up blocks by rank.
	pivot block
}

func newShelf(at place, width int) *shelf {
	s := &shelf{place: at, width: width, blocks: btree.NewG(16, func(a, b *block) bool { return a.low.compare(b.low) < 0 })}
	s.blocks.ReplaceOrInsert(s.newBlock(top))
	return s
}

// top is before every rank that a node can have.
var top = rank{score: 1<<63 - 1}

func (s *shelf) newBlock(low rank) *block {
	b := &block{low: low, entries: make([]entry, 0, full+1), free: make([]int64, 0, (full+1)*s.width)}
	if b.most = b.near[:]; s.width > len(b.near) {
		b.most = make([]int64, s.width)
	}
	b.most = b.most[:s.width]
	return b
}

// blockOf returns the block to which the rank belongs.
func (s *shelf) blockOf(r rank) (found *block) {
	s.pivot.low = r
	s.blocks.DescendLessOrEqual(&s.pivot, func(b *block) bool {
		found = b
		return false
	})
	return found
}

func (s *shelf) insert(e entry) {
	b := s.blockOf(e.rank)
	b.insert(e, s.width)
	s.nodes++
	if len(b.entries) > full {
		s.split(b)
	}
}

func (s *shelf) remove(r rank) {
	b := s.blockOf(r)
	b.remove(r, s.width)
	s.nodes--
	if len(b.entries) < sparse && b.low != top {
		s.join(b)
	}
}

// update takes note of a node whose rank is the same and whose numbers may not be.
func (s *shelf) update(r rank) {
	b := s.blockOf(r)
	at, found := b.find(r)
	if !found {
		panic("order: " + r.name + " is not where it was put")
	}
	b.measure(at, s.width)
	b.remax(s.width)
}

func (s *shelf) split(b *block) {
	half := len(b.entries) / 2
	upper := s.newBlock(b.entries[half].rank)
	upper.entries = append(upper.entries, b.entries[half:]...)
	upper.free = append(upper.free, b.free[half*s.width:]...)
	clear(b.entries[half:])
	b.entries = b.entries[:half]
	b.free = b.free[:half*s.width]
	b.remax(s.width)
	upper.remax(s.width)
	s.blocks.ReplaceOrInsert(upper)
}

// join moves a sparse block's entries into the block before it.
func (s *shelf) join(b *block) {
	s.blocks.Delete(b)
	before := s.blockOf(b.low)
	before.entries = append(before.entries, b.entries...)
	before.free = append(before.free, b.free...)
	before.remax(s.width)
	if len(before.entries) > full {
		s.split(before)
	}
}

// first returns the best node that has all that is wanted and that the caller admits; nil if none has. It stops, with nil, at the first node that is no better than the bound.
func (s *shelf) first(want []resource.Want, bound rank, admits func(*cluster.Node) bool) (found *entry, visited int) {
	s.blocks.Ascend(func(b *block) bool {
		visited++
		if len(b.entries) == 0 || !meets(want, b.most) {
			return true
		}
		if b.entries[0].compare(bound) >= 0 {
			return false
		}
		for i := range b.entries {
			if !meets(want, b.free[i*s.width:(i+1)*s.width]) {
				continue
			}
			e := &b.entries[i]
			if e.compare(bound) >= 0 {
				return false
			}
			visited++
			if admits(e.node) {
				found = e
				return false
			}
		}
		return true
	})
	return found, visited
}

// walk calls f for the nodes that have all that is wanted, in order, until f returns false.
func (s *shelf) walk(want []resource.Want, f func(*entry) bool) (visited int) {
	s.blocks.Ascend(func(b *block) bool {
		visited++
		if len(b.entries) == 0 || !meets(want, b.most) {
			return true
		}
		for i := range b.entries {
			if !meets(want, b.free[i*s.width:(i+1)*s.width]) {
				continue
			}
			visited++
			if !f(&b.entries[i]) {
				return false
			}
		}
		return true
	})
	return visited
}

// each calls f for every entry in order.
func (s *shelf) each(f func(entry)) {
	s.blocks.Ascend(func(b *block) bool {
		for _, e := range slices.Clone(b.entries) {
			f(e)
		}
		return true
	})
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
