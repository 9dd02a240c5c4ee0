package fit

import "github.com/sluice-scheduler/sluice/pkg/core/cluster"

// readable refuses every node to a pod whose terms about other pods cannot be parsed, as the default scheduler does before it looks at any node.
var readable = check{
	fits: func(a Ask, _ *cluster.Node) bool { return a.Shape.Bonds == nil || a.Shape.Bonds.Unreadable == "" },
	why: func(a Ask, _ *cluster.Node, to []Reason) []Reason {
		return append(to, Reason{Kind: Unreadable, Resource: a.Shape.Bonds.Unreadable, Code: UnschedulableAndUnresolvable})
	},
}
