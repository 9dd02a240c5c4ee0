package share

import (
	"cmp"
	"math/bits"
	"slices"
)

// Part is a queue as the division of one resource sees it.
type Part struct {
	Name string
	// Demand is what a leaf holds and waits for; that of a parent is computed.
	Demand int64
	// Guaranteed is owed whenever wanted. Max is never exceeded; Unlimited if there is none.
	Guaranteed, Max int64
	Weight          int64
	Parts           []*Part
	// Fair is the outcome.
	Fair int64

	// base is what is owed now, owed what that is in proportion to if there is not enough.
	base, owed int64
}

// Unlimited stands for no max.
const Unlimited = -1

// Divide fills the tree with a capacity, level by level, and sets every part's Fair. First everybody gets his base: a leaf what it wants of its
// guarantee, a parent that of its children or its own guarantee as far as it is wanted. If that is more than there is, it is given in proportion to
// what is guaranteed. What is left goes by weight to those who still want, up to their demand and max. Parts are whole numbers and sum to the whole
// (largest remainder, ties by name).
func Divide(root *Part, capacity int64) {
	root.prepare()
	root.fill(min(capacity, root.limit()))
}

// limit is the most that a part can be given.
func (p *Part) limit() int64 {
	if p.Max == Unlimited {
		return p.Demand
	}
	return min(p.Demand, p.Max)
}

func (p *Part) prepare() {
	p.owed = p.Guaranteed
	if len(p.Parts) > 0 {
		var demand, bases int64
		for _, child := range p.Parts {
			child.prepare()
			demand += child.limit()
			bases += child.base
		}
		p.Demand = demand
		p.owed = max(p.owed, bases)
	}
	p.base = min(p.limit(), p.owed)
}

func (p *Part) fill(amount int64) {
	p.Fair = amount
	if len(p.Parts) == 0 {
		return
	}
	slices.SortFunc(p.Parts, func(a, b *Part) int { return cmp.Compare(a.Name, b.Name) })
	give := make([]int64, len(p.Parts))
	left := pour(p.Parts, give, amount, func(c *Part) (int64, int64) { return c.base, c.owed })
	pour(p.Parts, give, left, func(c *Part) (int64, int64) { return c.limit(), max(1, c.Weight) })
	for i, child := range p.Parts {
		child.fill(give[i])
	}
}

// pour gives an amount to the parts in proportion to their weights, up to each one's cap, and returns what is left.
func pour(parts []*Part, give []int64, amount int64, of func(*Part) (most, weight int64)) (left int64) {
	for amount > 0 {
		var weights int64
		for i, p := range parts {
			if most, weight := of(p); give[i] < most {
				weights += weight
			}
		}
		if weights == 0 {
			return amount
		}
		sated := false
		rest := amount
		for i, p := range parts {
			most, weight := of(p)
			if need := most - give[i]; need > 0 && need <= portion(amount, weight, weights) {
				give[i] += need
				rest -= need
				sated = true
			}
		}
		if !sated {
			lastRound(parts, give, amount, weights, of)
			return 0
		}
		amount = rest
	}
	return 0
}

// lastRound divides an amount among parts none of which it sates.
func lastRound(parts []*Part, give []int64, amount, weights int64, of func(*Part) (int64, int64)) {
	type remainder struct {
		part int
		rest uint64
	}
	var short []remainder
	rest := amount
	for i, p := range parts {
		most, weight := of(p)
		if give[i] >= most || weight == 0 {
			continue
		}
		hi, lo := bits.Mul64(uint64(amount), uint64(weight))
		whole, over := bits.Div64(hi, lo, uint64(weights))
		give[i] += int64(whole)
		rest -= int64(whole)
		short = append(short, remainder{i, over})
	}
	slices.SortStableFunc(short, func(a, b remainder) int { return cmp.Compare(b.rest, a.rest) })
	for _, s := range short[:rest] {
		give[s.part]++
	}
}

// portion is amount × weight / weights, rounded down.
func portion(amount, weight, weights int64) int64 {
	hi, lo := bits.Mul64(uint64(amount), uint64(weight))
	whole, _ := bits.Div64(hi, lo, uint64(weights))
	return int64(whole)
}
