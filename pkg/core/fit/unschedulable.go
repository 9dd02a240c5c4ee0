package fit

import (
	v1 "k8s.io/api/core/v1"

	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
)

// cordon is the taint that spec.unschedulable stands for.
var cordon = v1.Taint{Key: v1.TaintNodeUnschedulable, Effect: v1.TaintEffectNoSchedule}

// unschedulable refuses cordoned nodes unless the pod tolerates the taint that stands for it (plugin NodeUnschedulable).
var unschedulable = check{
	fits: func(a Ask, n *cluster.Node) bool {
		return !n.Fact.Unschedulable || tolerates(a, &cordon)
	},
	why: func(_ Ask, _ *cluster.Node, to []Reason) []Reason {
		return append(to, Reason{Kind: Cordoned, Code: UnschedulableAndUnresolvable})
	},
}

// tolerates reports whether one of the ask's tolerations covers the taint.
func tolerates(a Ask, t *v1.Taint) bool { return cluster.Tolerates(a.Shape.Tolerations, t) }
