package fit

import "github.com/sluice-scheduler/sluice/pkg/core/cluster"

// affinity admits nodes that match the node selector and the required node affinity, matchFields included (plugin NodeAffinity).
// Terms that cannot be read match nothing; the shape's Faults name them.
var affinity = check{
	fits: func(a Ask, n *cluster.Node) bool {
		if a.Shape.Affinity == nil {
			return true
		}
		match, _ := a.Shape.Affinity.Match(n.API)
		return match
	},
	why: func(_ Ask, _ *cluster.Node, to []Reason) []Reason {
		return append(to, Reason{Kind: Affinity, Code: UnschedulableAndUnresolvable})
	},
}
