package fit

import "github.com/sluice-scheduler/sluice/pkg/core/cluster"

// taints refuses nodes with a NoSchedule or NoExecute taint that the pod does not tolerate (plugin TaintToleration). Facts hold
// taints of these effects only.
var taints = check{
	fits: func(a Ask, n *cluster.Node) bool {
		for i := range n.Fact.Taints {
			if !tolerates(a, &n.Fact.Taints[i]) {
				return false
			}
		}
		return true
	},
	why: func(_ Ask, _ *cluster.Node, to []Reason) []Reason {
		return append(to, Reason{Kind: Tainted, Code: UnschedulableAndUnresolvable})
	},
}
