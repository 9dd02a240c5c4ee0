package fit

import (
	"slices"

	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
)

// named admits only the nodes that the pod names by required affinity on metadata.name. kube-scheduler narrows its search to them
// before it filters, and reports all others with one reason; so do we. (spec.nodeName needs no check: a pod that has it is bound.)
var named = check{
	fits: func(a Ask, n *cluster.Node) bool {
		if a.Pin != "" {
			return a.Pin == n.Name
		}
		return a.Shape.Names == nil || slices.Contains(a.Shape.Names, n.Name)
	},
	why: func(_ Ask, _ *cluster.Node, to []Reason) []Reason {
		return append(to, Reason{Kind: NotNamed, Code: UnschedulableAndUnresolvable})
	},
}
