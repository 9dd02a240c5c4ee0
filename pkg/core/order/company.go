package order

import (
	"math"

	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
)

// byCompany prefers nodes by the pods in their domains: those that the pod's own preferred terms select, and those whose terms select it.
type byCompany struct {
	o     *Orders
	leans []cluster.Lean
}

// byCompany returns the rater for a pod's company; nil when nobody is there that matters.
func (o *Orders) byCompany(e Evaluator, p *cluster.Pod) rater {
	own := p.Leanings != nil && len(p.Leanings.Near) > 0
	if e.OwnTerms && !own {
		return nil
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

// raw is the sum of the weights.
func (r *byCompany) raw(fits []candidate, to []int64) {
	clear(to)
	for _, l := range r.leans {
		of := l.Tally.Domains()
		counts := l.Tally.Counts(r.o.counts)
		r.o.counts = counts
		weight := int64(l.Weight)
		for i := range fits {
			if d := of[fits[i].node.Index]; d >= 0 {
				to[i] += weight * int64(counts[d])
			}
		}
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
