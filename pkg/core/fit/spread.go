package fit

import "github.com/sluice-scheduler/sluice/pkg/core/cluster"

// spread refuses nodes on which the pod would make the pods that a constraint selects lie too unevenly (plugin PodTopologySpread, DoNotSchedule): in the
// node's domain there may be at most maxSkew more of them, this one included, than in the domain with the fewest.
var spread = check{
	fits: func(a Ask, n *cluster.Node) bool { return !isSkewed(a, n) },
	why: func(a Ask, n *cluster.Node, to []Reason) []Reason {
		r, _ := skewed(a, n)
		return append(to, r)
	},
}

func isSkewed(a Ask, n *cluster.Node) bool {
	_, refuses := skewed(a, n)
	return refuses
}

// skewed returns the reason of the first constraint that refuses.
func skewed(a Ask, n *cluster.Node) (r Reason, refuses bool) {
	if a.Shape.Bonds == nil {
		return r, false
	}
	for i := range a.Shape.Bonds.Spread {
		c := &a.Shape.Bonds.Spread[i]
		there, carries := c.Tally.At(n)
		if !carries {
			return Reason{Kind: NoDomain, Code: UnschedulableAndUnresolvable}, true
		}
		least := c.Tally.Least(c.MinDomains)
		if coming := spreads(a, n, c); coming > 0 {
			there, least = there+coming, c.Tally.LeastWith(n, coming, c.MinDomains)
		}
		if a.Kin.Spreads(i) {
			there++
		}
		if there-least > int(c.MaxSkew) {
			return Reason{Kind: Skewed, Code: Unschedulable}, true
		}
	}
	return r, false
}
