package fit

import (
	"slices"

	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
)

// features refuses nodes that do not declare a feature which the pod needs (plugin NodeDeclaredFeatures).
var features = check{
	fits: func(a Ask, n *cluster.Node) bool {
		for _, f := range a.Shape.Features {
			if !slices.Contains(n.Fact.Features, f) {
				return false
			}
		}
		return true
	},
	why: func(_ Ask, _ *cluster.Node, to []Reason) []Reason {
		return append(to, Reason{Kind: Featureless, Code: UnschedulableAndUnresolvable})
	},
}
