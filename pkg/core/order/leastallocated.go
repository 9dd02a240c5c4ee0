package order

import (
	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
	"github.com/sluice-scheduler/sluice/pkg/core/resource"
)

// unit is the share of a whole resource, in the numbers that scores are made of.
const unit = 1 << 12

// LeastAllocated scores a node by the mean of the free shares of its cpu and memory, from 0 (full) to 4096 (empty), as
// kube-scheduler's strategy of that name does, but for the node alone, without the pod that is to be placed.
func LeastAllocated(n *cluster.Node) int64 {
	return (free(n, resource.SlotCPU) + free(n, resource.SlotMemory)) / 2
}

func free(n *cluster.Node, slot int) int64 {
	total := n.Allocatable.At(slot)
	return resource.Share(max(0, total-n.Used.At(slot)), total, unit)
}
