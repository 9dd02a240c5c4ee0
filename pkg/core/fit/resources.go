package fit

import (
	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
	"github.com/sluice-scheduler/sluice/pkg/core/resource"
)

// resources refuses nodes that have too little left of a requested resource or too many pods (plugin NodeResourcesFit). What is
// not requested is not looked at. A node that could not hold the pod even when empty is unresolvable, but for the number of pods.
var resources = check{
	fits: func(a Ask, n *cluster.Node) bool {
		return len(a.Shape.Uncounted) == 0 && resource.Fits(a.Shape.Request, n.Used, n.Allocatable) &&
			(len(n.Nominees) == 0 || fitsBeside(a, n))
	},
	why:  lacking,
	room: true,
}

func lacking(a Ask, n *cluster.Node, to []Reason) []Reason {
	request := a.Shape.Request
	if n.Used.At(resource.SlotPods)+owed(a, n, resource.SlotPods)+request[resource.SlotPods] > n.Allocatable.At(resource.SlotPods) {
		to = append(to, Reason{Kind: TooManyPods})
	}
	for i, r := range a.Shape.Requests {
		var total, used int64
		if slot := a.Shape.Slots[i]; slot != cluster.NoSlot {
			total, used = n.Allocatable.At(slot), n.Used.At(slot)+owed(a, n, slot)
		}
		if want := r.Value; want > total-used {
			to = append(to, Reason{Kind: Insufficient, Resource: r.Name, Code: codeFor(want > total)})
		}
	}
	return to
}

func codeFor(unresolvable bool) Code {
	if unresolvable {
		return UnschedulableAndUnresolvable
	}
	return Unschedulable
}
