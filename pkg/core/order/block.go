package order

import (
	"cmp"
	"slices"

	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
	"github.com/sluice-scheduler/sluice/pkg/core/resource"
)

// rank is a node's place in the order: higher scores first, then by name.
type rank struct {
	score int64
	name  string
}

func (r rank) compare(o rank) int {
	if c := cmp.Compare(o.score, r.score); c != 0 {
		return c
	}
	return cmp.Compare(r.name, o.name)
}

// before is compare for the hot paths: ranks of equal scores alone have their names compared.
func (r *rank) before(o *rank) bool {
	return r.score > o.score || r.score == o.score && r.name < o.name
}

// entry is a node in a block.
type entry struct {
	rank
	node *cluster.Node
	// index is the node's; it is here so that nodes need not be looked at one by one.
	index int
}

// block is a run of neighbours in the order.
type block struct {
	entries []entry
	// free holds what each entry has free, width numbers each, in the order of entries.
	free []int64
}

// find returns where an entry of that rank is or would be.
func (b *block) find(r rank) int {
	from, to := 0, len(b.entries)
	for from < to {
		if mid := (from + to) / 2; b.entries[mid].before(&r) {
			from = mid + 1
		} else {
			to = mid
		}
	}
	return from
}

// at returns where the entry of that rank is.
func (b *block) at(r rank) int {
	at := b.find(r)
	if at == len(b.entries) || b.entries[at].rank != r {
		panic("order: " + r.name + " is not where it was put")
	}
	return at
}

// insert takes an entry in and raises most to what it has free.
func (b *block) insert(e entry, width int, most []int64) {
	at := b.find(e.rank)
	b.entries = slices.Insert(b.entries, at, e)
	end := len(b.free)
	b.free = slices.Grow(b.free, width)[:end+width]
	copy(b.free[(at+1)*width:], b.free[at*width:end])
	b.measure(at, width)
	b.raise(at, width, most)
}

// remove takes the entry at a position out and lowers most, if it was one of those who had it.
func (b *block) remove(at, width int, most []int64) {
	topped := b.tops(at, width, most)
	b.entries = slices.Delete(b.entries, at, at+1)
	b.free = slices.Delete(b.free, at*width, (at+1)*width)
	if topped {
		b.remax(most)
	}
}

// tops reports whether the entry at a position has the most of something.
func (b *block) tops(at, width int, most []int64) bool {
	for slot, free := range b.free[at*width : (at+1)*width] {
		if free == most[slot] && free > 0 {
			return true
		}
	}
	return false
}

// shift puts the entry at a position, and its numbers, where its new rank belongs, which is in this block.
func (b *block) shift(from int, e entry, width int) {
	row, to := b.free[from*width:(from+1)*width], b.find(e.rank)
	var room [usualWidth]int64
	saved := append(room[:0], row...)
	if to > from {
		to-- // it makes room for itself
		copy(b.entries[from:], b.entries[from+1:to+1])
		copy(b.free[from*width:], b.free[(from+1)*width:(to+1)*width])
	} else {
		copy(b.entries[to+1:], b.entries[to:from])
		copy(b.free[(to+1)*width:], b.free[to*width:from*width])
	}
	b.entries[to] = e
	copy(b.free[to*width:], saved)
}

// usualWidth is for how many resources there is room without asking for memory.
const usualWidth = 12

// update measures the entry at a position anew and keeps most true.
func (b *block) update(at, width int, most []int64) {
	topped := b.tops(at, width, most)
	b.measure(at, width)
	if topped {
		b.remax(most)
	} else {
		b.raise(at, width, most)
	}
}

// raise raises most to what the entry at a position has free.
func (b *block) raise(at, width int, most []int64) {
	for slot, free := range b.free[at*width : (at+1)*width] {
		most[slot] = max(most[slot], free)
	}
}

// emptied returns the block without its entries.
func (b *block) emptied() *block {
	clear(b.entries)
	b.entries, b.free = b.entries[:0], b.free[:0]
	return b
}

// measure writes down what the entry's node has free now.
func (b *block) measure(at, width int) {
	n := b.entries[at].node
	row := b.free[at*width : (at+1)*width]
	for slot := range row {
		row[slot] = n.Allocatable.At(slot) - n.Used.At(slot)
	}
}

// remax writes down the most that any entry has free; zeros when there is none.
func (b *block) remax(most []int64) {
	clear(most)
	for row := b.free; len(row) > 0; row = row[len(most):] {
		for slot, free := range row[:len(most)] {
			most[slot] = max(most[slot], free)
		}
	}
}

// meets reports whether free holds enough of everything wanted.
func meets(want []resource.Want, free []int64) bool {
	for _, w := range want {
		if w.Value > free[w.Slot] {
			return false
		}
	}
	return true
}
