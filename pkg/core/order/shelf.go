package order

import (
	"fmt"
	"slices"

	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
	"github.com/sluice-scheduler/sluice/pkg/core/resource"
)

// shelf holds the nodes of one place, best first, in blocks. What is read of every block on the way to the first that can meet a request lies side by side.
type shelf struct {
	place
	width int
	nodes int
	// blocks are in order; lows holds the first rank that belongs into each, which never changes, and mosts, width numbers a block, the most that any of
	// its nodes has free, so that a request that none of them can meet passes all of them at once.
	blocks []*block
	lows   []rank
	mosts  []int64
	// spare is a block that went, to be used again; nil for none.
	spare *block
}

// full is how many entries make a block split in two, sparse how few make it join its neighbour.
const (
	full   = 32
	sparse = 6
)

func newShelf(at place, width int) *shelf {
	s := &shelf{place: at, width: width}
	s.put(0, top)
	return s
}

// top is before every rank that a node can have.
var top = rank{score: 1<<63 - 1}

// put makes an empty block at a position.
func (s *shelf) put(at int, low rank) *block {
	b := s.spare
	s.spare = nil
	if b == nil {
		b = &block{entries: make([]entry, 0, full+1), free: make([]int64, 0, (full+1)*s.width)}
	}
	s.blocks = slices.Insert(s.blocks, at, b)
	s.lows = slices.Insert(s.lows, at, low)
	s.mosts = slices.Insert(s.mosts, at*s.width, make([]int64, s.width)...)
	return b
}

// drop removes the block at a position, whose entries are elsewhere by now.
func (s *shelf) drop(at int) {
	s.spare = s.blocks[at].emptied()
	s.blocks = slices.Delete(s.blocks, at, at+1)
	s.lows = slices.Delete(s.lows, at, at+1)
	s.mosts = slices.Delete(s.mosts, at*s.width, (at+1)*s.width)
}

// most is what block number at has free at most.
func (s *shelf) most(at int) []int64 { return s.mosts[at*s.width : (at+1)*s.width] }

// blockOf returns the position of the block to which the rank belongs.
func (s *shelf) blockOf(r rank) int {
	from, to := 0, len(s.lows)-1 // the first block takes all that comes before the others
	for from < to {
		if mid := (from + to + 1) / 2; r.before(&s.lows[mid]) {
			to = mid - 1
		} else {
			from = mid
		}
	}
	return from
}

func (s *shelf) insert(e entry) {
	at := s.blockOf(e.rank)
	b := s.blocks[at]
	b.insert(e, s.width, s.most(at))
	s.nodes++
	if len(b.entries) > full {
		s.split(at)
	}
}

func (s *shelf) remove(r rank) {
	at := s.blockOf(r)
	b := s.blocks[at]
	b.remove(b.at(r), s.width, s.most(at))
	s.nodes--
	if len(b.entries) < sparse && at > 0 {
		s.join(at)
	}
}

// move gives a node another rank.
func (s *shelf) move(from rank, e entry) {
	at := s.blockOf(from)
	if s.blockOf(e.rank) != at {
		s.remove(from)
		s.insert(e)
		return
	}
	b := s.blocks[at]
	b.shift(b.at(from), e, s.width)
	b.update(b.at(e.rank), s.width, s.most(at))
}

// update takes note of a node whose rank is the same and whose numbers may not be.
func (s *shelf) update(r rank) {
	at := s.blockOf(r)
	b := s.blocks[at]
	b.update(b.at(r), s.width, s.most(at))
}

func (s *shelf) split(at int) {
	b := s.blocks[at]
	half := len(b.entries) / 2
	upper := s.put(at+1, b.entries[half].rank)
	upper.entries = append(upper.entries, b.entries[half:]...)
	upper.free = append(upper.free, b.free[half*s.width:]...)
	clear(b.entries[half:])
	b.entries = b.entries[:half]
	b.free = b.free[:half*s.width]
	b.remax(s.most(at))
	upper.remax(s.most(at + 1))
}

// join moves a sparse block's entries into the block before it.
func (s *shelf) join(at int) {
	b, before := s.blocks[at], s.blocks[at-1]
	before.entries = append(before.entries, b.entries...)
	before.free = append(before.free, b.free...)
	s.drop(at)
	before.remax(s.most(at - 1))
	if len(before.entries) > full {
		s.split(at - 1)
	}
}

// next returns the position of the first block from there on of which some node may have all that is wanted.
func (s *shelf) next(from int, want []resource.Want) int {
	rest := s.mosts[from*s.width:]
	for ; len(rest) > 0; rest = rest[s.width:] {
		if meets(want, rest[:s.width]) {
			break
		}
		from++
	}
	return from
}

// first returns the best node that has all that is wanted and that the caller admits, who admits all without a function; nil if none has. It stops, with nil,
// at the first node that is no better than the bound.
func (s *shelf) first(want []resource.Want, bound rank, admits func(*cluster.Node) bool) (found *entry, visited int) {
	for at := s.next(0, want); at < len(s.blocks); at = s.next(at+1, want) {
		b := s.blocks[at]
		for i := range b.entries {
			if !meets(want, b.free[i*s.width:(i+1)*s.width]) {
				continue
			}
			visited++
			e := &b.entries[i]
			if !e.before(&bound) {
				return nil, visited + at/blocksPerLook + 1
			}
			if admits == nil || admits(e.node) {
				return e, visited + at/blocksPerLook + 1
			}
		}
	}
	return nil, visited + len(s.blocks)/blocksPerLook + 1
}

// walk calls f for the nodes that have all that is wanted, in order, until f returns false. It returns how many nodes and blocks it looked at.
func (s *shelf) walk(want []resource.Want, f func(*entry) bool) (visited int) {
	for at := s.next(0, want); at < len(s.blocks); at = s.next(at+1, want) {
		b := s.blocks[at]
		for i := range b.entries {
			if !meets(want, b.free[i*s.width:(i+1)*s.width]) {
				continue
			}
			visited++
			if !f(&b.entries[i]) {
				return visited + at/blocksPerLook + 1
			}
		}
	}
	return visited + len(s.blocks)/blocksPerLook + 1
}

// blocksPerLook is how many blocks are passed in the time that a look at a node takes.
const blocksPerLook = 8

// each calls f for every entry in order.
func (s *shelf) each(f func(entry)) {
	for _, b := range s.blocks {
		for _, e := range b.entries {
			f(e)
		}
	}
}

// verify holds the sums of every block against its nodes.
func (s *shelf) verify() error {
	for at, b := range s.blocks {
		again := &block{entries: b.entries, free: make([]int64, len(b.free))}
		for i := range b.entries {
			again.measure(i, s.width)
		}
		most := make([]int64, s.width)
		again.remax(most)
		if !slices.Equal(again.free, b.free) || !slices.Equal(most, s.most(at)) {
			return fmt.Errorf("a block of %d nodes does not know what they have free", len(b.entries))
		}
		if len(b.entries) > 0 && b.entries[0].compare(s.lows[at]) < 0 {
			return fmt.Errorf("node %s is below its block", b.entries[0].name)
		}
	}
	return nil
}
