package share

import (
	"cmp"
	"fmt"
	"math/big"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

func leaf(name string, demand, guaranteed, most, weight int64) *Part {
	return &Part{Name: name, Demand: demand, Guaranteed: guaranteed, Max: most, Weight: weight}
}

func parent(name string, guaranteed, most, weight int64, parts ...*Part) *Part {
	return &Part{Name: name, Guaranteed: guaranteed, Max: most, Weight: weight, Parts: parts}
}

// TestWorkedDivisions are facts worked out by hand.
func TestWorkedDivisions(t *testing.T) {
	const none = Unlimited
	for name, c := range map[string]struct {
		parts    []*Part
		capacity int64
		want     []int64
	}{
		"the odd one goes to the first name": {[]*Part{leaf("a", 9, 3, none, 1), leaf("b", 9, 3, none, 1)}, 9, []int64{5, 4}},
		"who wants nothing lends":            {[]*Part{leaf("a", 0, 6, none, 1), leaf("b", 12, 0, none, 1), leaf("c", 12, 0, none, 1)}, 12, []int64{0, 6, 6}},
		"and is owed it back":                {[]*Part{leaf("a", 6, 6, none, 1), leaf("b", 12, 0, none, 1), leaf("c", 12, 0, none, 1)}, 12, []int64{6, 3, 3}},
		"by weight":                          {[]*Part{leaf("a", 90, 0, none, 2), leaf("b", 90, 0, none, 1)}, 9, []int64{6, 3}},
		"who has enough leaves it to others": {[]*Part{leaf("a", 2, 0, none, 5), leaf("b", 90, 0, none, 1), leaf("c", 90, 0, none, 1)}, 12, []int64{2, 5, 5}},
		"a max stands":                       {[]*Part{leaf("a", 90, 0, 4, 1), leaf("b", 90, 0, none, 1)}, 12, []int64{4, 8}},
		"too little for what is owed":        {[]*Part{leaf("a", 90, 6, none, 1), leaf("b", 90, 3, none, 9)}, 6, []int64{4, 2}},
		"a parent's own guarantee":           {[]*Part{parent("p", 6, none, 1, leaf("x", 90, 0, none, 1)), leaf("q", 90, 0, none, 1)}, 8, []int64{7, 1}},
		"what a parent's children are owed":  {[]*Part{parent("p", 0, none, 1, leaf("x", 90, 6, none, 1)), leaf("q", 90, 0, none, 1)}, 8, []int64{7, 1}},
		"a parent's max binds its children":  {[]*Part{parent("p", 0, 4, 1, leaf("x", 90, 0, none, 1)), leaf("q", 90, 0, none, 1)}, 12, []int64{4, 8}},
		"nothing":                            {[]*Part{leaf("a", 90, 3, none, 1)}, 0, []int64{0}},
	} {
		t.Run(name, func(t *testing.T) {
			root := parent("root", 0, none, 1, c.parts...)
			Divide(root, c.capacity)
			var got []int64
			for _, p := range c.parts {
				got = append(got, p.Fair)
			}
			require.Equal(t, c.want, got)
		})
	}
}

// FuzzDivide holds the division of any tree against a plain one in fractions, and against what it promises.
func FuzzDivide(f *testing.F) {
	for seed := range uint64(2000) {
		f.Add(seed, seed%5 == 0)
	}
	f.Fuzz(func(t *testing.T, seed uint64, large bool) {
		rng := rand.New(rand.NewPCG(seed, 3))
		unit := int64(1)
		if large {
			unit = 1 << 44
		}
		root := randomPart(rng, "root", 0, unit)
		capacity := rng.Int64N(40 * unit)
		plain := plainOf(root)
		plain.fill(min(capacity, plain.cap()))
		Divide(root, capacity)
		compare(t, root, plain)
		promises(t, root)
		require.Equal(t, min(capacity, root.limit()), root.Fair, "nothing is left over that somebody could use")

		more := clonePart(root)
		Divide(more, capacity+1+rng.Int64N(10*unit))
		if flat(root) {
			monotone(t, root, more)
		}
	})
}

func randomPart(rng *rand.Rand, name string, depth int, unit int64) *Part {
	amount := func() int64 { return rng.Int64N(12)*unit + rng.Int64N(unit) }
	p := &Part{Name: name, Max: Unlimited, Weight: 1 + rng.Int64N(4)}
	if rng.IntN(2) == 0 {
		p.Guaranteed = amount()
	}
	if rng.IntN(3) == 0 {
		p.Max = amount()
	}
	if depth == 3 || depth > 0 && rng.IntN(2) == 0 {
		p.Demand = amount()
		return p
	}
	for i := range 1 + rng.IntN(4) {
		p.Parts = append(p.Parts, randomPart(rng, fmt.Sprintf("%s.%d", name, 9-i), depth+1, unit))
	}
	return p
}

func clonePart(p *Part) *Part {
	c := &Part{Name: p.Name, Guaranteed: p.Guaranteed, Max: p.Max, Weight: p.Weight, Demand: p.Demand}
	for _, child := range p.Parts {
		c.Parts = append(c.Parts, clonePart(child))
	}
	return c
}

// plainPart is a part as facts/rule 6 puts it, in fractions.
type plainPart struct {
	of    *Part
	parts []*plainPart
	fair  int64
}

func plainOf(p *Part) *plainPart {
	x := &plainPart{of: p}
	for _, child := range p.Parts {
		x.parts = append(x.parts, plainOf(child))
	}
	slices.SortFunc(x.parts, func(a, b *plainPart) int { return cmp.Compare(a.of.Name, b.of.Name) })
	return x
}

// cap is the most that it can use.
func (x *plainPart) cap() int64 {
	most := x.of.Demand
	if len(x.parts) > 0 {
		most = 0
		for _, c := range x.parts {
			most += c.cap()
		}
	}
	if x.of.Max >= 0 && x.of.Max < most {
		most = x.of.Max
	}
	return most
}

// owed is what it is guaranteed, or what its children get of their guarantees, whichever is more.
func (x *plainPart) owed() int64 {
	var sum int64
	for _, c := range x.parts {
		sum += min(c.cap(), c.owed())
	}
	return max(x.of.Guaranteed, sum)
}

func (x *plainPart) fill(amount int64) {
	x.fair = amount
	if len(x.parts) == 0 {
		return
	}
	caps, weights := make([]int64, len(x.parts)), make([]int64, len(x.parts))
	for i, c := range x.parts {
		caps[i], weights[i] = min(c.cap(), c.owed()), c.owed()
	}
	got := waterFill(amount, caps, weights)
	for i, c := range x.parts {
		amount -= got[i]
		caps[i], weights[i] = c.cap()-got[i], c.of.Weight
	}
	more := waterFill(amount, caps, weights)
	for i, c := range x.parts {
		c.fill(got[i] + more[i])
	}
}

// waterFill finds the level at which all is given out: everybody has the level times his weight, or his cap if that is less. What is not whole is given
// out one by one to those who miss most.
func waterFill(amount int64, caps, weights []int64) []int64 {
	give := make([]int64, len(caps))
	order := []int{}
	for i := range caps {
		if caps[i] > 0 && weights[i] > 0 {
			order = append(order, i)
		}
	}
	full := func(i int) *big.Rat { return big.NewRat(caps[i], weights[i]) }
	slices.SortStableFunc(order, func(a, b int) int { return full(a).Cmp(full(b)) })
	for len(order) > 0 {
		total := int64(0)
		for _, i := range order {
			total += weights[i]
		}
		level := big.NewRat(amount, total)
		if first := order[0]; full(first).Cmp(level) <= 0 {
			give[first] = caps[first]
			amount -= caps[first]
			order = order[1:]
			continue
		}
		return spread(give, order, level, weights, amount)
	}
	return give
}

func spread(give []int64, order []int, level *big.Rat, weights []int64, amount int64) []int64 {
	rest := map[int]*big.Rat{}
	for _, i := range order {
		exact := new(big.Rat).Mul(level, big.NewRat(weights[i], 1))
		whole := new(big.Int).Quo(exact.Num(), exact.Denom())
		give[i] = whole.Int64()
		amount -= give[i]
		rest[i] = exact.Sub(exact, new(big.Rat).SetInt(whole))
	}
	slices.Sort(order)
	slices.SortStableFunc(order, func(a, b int) int { return rest[b].Cmp(rest[a]) })
	for _, i := range order[:amount] {
		give[i]++
	}
	return give
}

func compare(t *testing.T, p *Part, x *plainPart) {
	require.Equal(t, x.fair, p.Fair, "the fair share of %s", p.Name)
	for i, child := range p.Parts {
		compare(t, child, x.parts[i])
	}
}

// promises holds what the division promises at every part.
func promises(t *testing.T, p *Part) {
	require.GreaterOrEqual(t, p.Fair, int64(0))
	require.LessOrEqual(t, p.Fair, p.limit(), "%s is above its demand or max", p.Name)
	if len(p.Parts) == 0 {
		return
	}
	var sum, bases int64
	for _, child := range p.Parts {
		sum += child.Fair
		bases += child.base
		promises(t, child)
	}
	require.Equal(t, p.Fair, sum, "the parts of %s sum to the whole", p.Name)
	for _, child := range p.Parts {
		if bases <= p.Fair {
			require.GreaterOrEqual(t, child.Fair, child.base, "%s has less than it is owed", child.Name)
		}
	}
}

func flat(p *Part) bool {
	return !slices.ContainsFunc(p.Parts, func(c *Part) bool { return len(c.Parts) > 0 })
}

// monotone: with more to divide nobody has less, but for the one unit that rounding may move.
func monotone(t *testing.T, less, more *Part) {
	for i := range less.Parts {
		require.GreaterOrEqual(t, more.Parts[i].Fair, less.Parts[i].Fair-1, "%s has less of more", less.Parts[i].Name)
	}
}
