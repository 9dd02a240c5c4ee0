package order

import (
	"math"
	"slices"
	"strings"

	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
)

// byCompany prefers nodes by the pods in their domains: those that the pod's own preferred terms select, and those whose terms select it.
type byCompany struct {
	o     *Orders
	leans []cluster.Lean
}

// byCompany returns the rater for a pod's company; nil when nobody is there that matters.
func (o *Orders) byCompany(e *Evaluator, p *cluster.Pod) rater {
	own := p.Leanings != nil && len(p.Leanings.Near) > 0
	if !own && (e.OwnTerms || !p.Selected()) {
		return nil // most pods: they must cost nothing
	}
	r := &byCompany{o: o}
	lean := func(t *cluster.Tally, weight int32) {
		if weight != 0 && !t.Nobody() {
			r.leans = append(r.leans, cluster.Lean{Tally: t, Weight: weight})
		}
	}
	if own {
		for _, l := range p.Leanings.Near {
			lean(l.Tally, l.Weight)
		}
	}
	p.Leaners(func(t *cluster.Tally, required bool) {
		if required {
			lean(t, int32(e.HardWeight))
		} else {
			lean(t, 1)
		}
	})
	if len(r.leans) == 0 {
		return nil
	}
	return r
}

// raw is the sum of the weights. What is counted by one key is added up by domain first.
func (r *byCompany) raw(fits []candidate, to []int64) {
	clear(to)
	slices.SortFunc(r.leans, func(a, b cluster.Lean) int { return strings.Compare(a.Tally.Key(), b.Tally.Key()) })
	for left := r.leans; len(left) > 0; {
		of, sums := left[0].Tally.Domains(), r.o.domains[:0]
		for key := left[0].Tally.Key(); len(left) > 0 && left[0].Tally.Key() == key; left = left[1:] {
			sums = left[0].Tally.AddTo(sums, int64(left[0].Weight))
		}
		for i := range fits {
			if d := of[fits[i].at]; d >= 0 {
				to[i] += sums[d]
			}
		}
		r.o.domains = sums
	}
}

// normal stretches the scores from nothing for the least to a whole for the most.
func (r *byCompany) normal(_ []candidate, raw []int64) {
	least, most := int64(math.MaxInt64), int64(math.MinInt64)
	for _, score := range raw {
		least, most = min(least, score), max(most, score)
	}
	for i, score := range raw {
		raw[i] = 0
		if most > least {
			raw[i] = Unit * (score - least) / (most - least)
		}
	}
}
