package order

import (
	"math"

	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
)

// bySpread prefers nodes in whose domains there are fewer of the pods that constraints select.
type bySpread struct {
	o     *Orders
	known int
	bonds []cluster.Bond
	// all: nodes that lack the key of a constraint are not compared, and score nothing.
	all bool
}

// bySpread returns the rater for constraints; nil when there are none.
func (o *Orders) bySpread(s *cluster.State, bonds []cluster.Bond, all bool) rater {
	if len(bonds) == 0 {
		return nil
	}
	return &bySpread{o, s.KnownNodes(), bonds, all}
}

// missing is the raw score of a node that is not compared.
const missing = -1

// raw sums up, over the constraints, the pods in the node's domain, each weighing more the more domains there are. The sums are those of kube-scheduler's
// PodTopologySpread, in its order of reckoning, but for missing, where it has 0.
func (r *bySpread) raw(fits []candidate, to []int64) {
	sums := r.o.sumsFor(len(fits))
	compared := len(fits)
	if r.all {
		compared = r.dismiss(fits, sums)
	}
	for i := range r.bonds {
		r.add(&r.bonds[i], fits, compared, sums)
	}
	for i, sum := range sums {
		to[i] = missing
		if sum >= 0 {
			to[i] = int64(math.Round(sum))
		}
	}
}

// dismiss marks the nodes that lack a key, and returns how many are left.
func (r *bySpread) dismiss(fits []candidate, sums []float64) (compared int) {
	for i := range r.bonds {
		if r.bonds[i].Tally.Everywhere(r.known) {
			continue
		}
		of := r.bonds[i].Tally.Domains()
		for j := range fits {
			if of[fits[j].at] < 0 {
				sums[j] = missing
			}
		}
	}
	for _, sum := range sums {
		if sum >= 0 {
			compared++
		}
	}
	return compared
}

// add adds what a constraint says of each node.
func (r *bySpread) add(c *cluster.Bond, fits []candidate, compared int, sums []float64) {
	of, counts := c.Tally.Domains(), c.Tally.Counts(r.o.counts)
	r.o.counts = counts
	domains := compared
	if !c.Tally.EachNode() {
		domains = r.domains(c.Tally, fits, sums, len(counts))
	}
	weight, skew := math.Log(float64(domains+2)), float64(c.MaxSkew-1)
	for j := range fits {
		if d := of[fits[j].at]; d >= 0 && sums[j] >= 0 {
			sums[j] += float64(counts[d])*weight + skew
		}
	}
}

// domains counts the domains that the nodes which are compared are in; all nodes without the key are in one.
func (r *bySpread) domains(t *cluster.Tally, fits []candidate, sums []float64, most int) (count int) {
	of, all := t.Domains(), t.Divisions(r.known)
	seen := append(r.o.seen[:0], make([]bool, most+1)...)
	for j := range fits {
		if count == all {
			break // there are no others
		}
		if sums[j] < 0 {
			continue
		}
		if at := of[fits[j].at] + 1; !seen[at] {
			seen[at] = true
			count++
		}
	}
	r.o.seen = seen
	return count
}

// normal turns the scores over, so that the least is a whole and the most what is left of it.
func (r *bySpread) normal(_ []candidate, raw []int64) {
	least, most := int64(math.MaxInt64), int64(0)
	for _, score := range raw {
		if score != missing {
			least, most = min(least, score), max(most, score)
		}
	}
	for i, score := range raw {
		switch {
		case score == missing:
			raw[i] = 0
		case most == 0:
			raw[i] = Unit
		default:
			raw[i] = Unit * (most + least - score) / most
		}
	}
}

// sumsFor returns room for so many sums, all zero.
func (o *Orders) sumsFor(n int) []float64 {
	if cap(o.sums) < n {
		o.sums = make([]float64, n+n/4)
	}
	sums := o.sums[:n]
	clear(sums)
	return sums
}
