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
func (b *block) find(r rank) (at int, found bool) {
	return slices.BinarySearchFunc(b.entries, r, func(e entry, r rank) int { return e.compare(r) })
}

// at returns where the entry of that rank is.
func (b *block) at(r rank) int {
	at, found := b.find(r)
	if !found {
		panic("order: " + r.name + " is not where it was put")
	}
	return at
}

// insert takes an entry in and raises most to what it has free.
func (b *block) insert(e entry, width int, most []int64) {
	at, _ := b.find(e.rank)
	b.entries = slices.Insert(b.entries, at, e)
	end := len(b.free)
	b.free = slices.Grow(b.free, width)[:end+width]
	copy(b.free[(at+1)*width:], b.free[at*width:end])
	b.measure(at, width)
	for slot, free := range b.free[at*width : (at+1)*width] {
		most[slot] = max(most[slot], free)
	}
}

func (b *block) remove(r rank, width int) {
	at := b.at(r)
	b.entries = slices.Delete(b.entries, at, at+1)
	b.free = slices.Delete(b.free, at*width, (at+1)*width)
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
