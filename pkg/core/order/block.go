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
}

// block is a run of neighbours in the order with the most that any of them has free of each resource, so that a request that none of them
// can meet passes all of them at once.
type block struct {
	// low is the first rank that belongs here; it never changes.
	low     rank
	entries []entry
	// free holds what each entry has free, width numbers each, in the order of entries.
	free []int64
	// most is the largest of each, kept in near where it fits: blocks are passed by it, so it should be found at one look.
	most []int64
	near [8]int64
}

// full is how many entries make a block split in two, sparse how few make it join its neighbour.
const (
	full   = 64
	sparse = 12
)

// find returns where an entry of that rank is or would be.
func (b *block) find(r rank) (at int, found bool) {
	return slices.BinarySearchFunc(b.entries, r, func(e entry, r rank) int { return e.compare(r) })
}

func (b *block) insert(e entry, width int) {
	at, _ := b.find(e.rank)
	b.entries = slices.Insert(b.entries, at, e)
	end := len(b.free)
	b.free = slices.Grow(b.free, width)[:end+width]
	copy(b.free[(at+1)*width:], b.free[at*width:end])
	b.measure(at, width)
}

func (b *block) remove(r rank, width int) {
	at, found := b.find(r)
	if !found {
		panic("order: " + r.name + " is not where it was put")
	}
	b.entries = slices.Delete(b.entries, at, at+1)
	b.free = slices.Delete(b.free, at*width, (at+1)*width)
	b.remax(width)
}

// measure writes down what the entry's node has free now.
func (b *block) measure(at, width int) {
	n := b.entries[at].node
	row := b.free[at*width : (at+1)*width]
	for slot := range row {
		row[slot] = n.Allocatable.At(slot) - n.Used.At(slot)
		b.most[slot] = max(b.most[slot], row[slot])
	}
}

func (b *block) remax(width int) {
	for slot := range b.most {
		b.most[slot] = 0
	}
	for row := b.free; len(row) > 0; row = row[width:] {
		for slot, free := range row[:width] {
			b.most[slot] = max(b.most[slot], free)
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
