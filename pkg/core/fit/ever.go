package fit

import (
	"math"
	"strings"

	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
	"github.com/sluice-scheduler/sluice/pkg/core/resource"
)

// Large reports whether the node is large enough for the ask, whatever runs there.
func Large(a Ask, n *cluster.Node) bool {
	return len(a.Shape.Uncounted) == 0 && resource.Fits(a.Shape.Request, nil, n.Allocatable)
}

// Ever reports whether the ask would fit on the node if nothing else ran there and nothing kept pods away that passes: a cordon, or a taint that Kubernetes or an autoscaler sets. Where other pods
// are, and volumes, are not looked at.
func Ever(a Ask, n *cluster.Node) bool {
	if !Large(a, n) || !named.fits(a, n) || !affinity.fits(a, n) {
		return false
	}
	for i := range n.Fact.Taints {
		if t := &n.Fact.Taints[i]; !passes(t.Key) && !tolerates(a, t) {
			return false
		}
	}
	return true
}

// Most returns how many pods of the ask an empty node has room for, by what it offers and by its ports.
func Most(a Ask, n *cluster.Node) int {
	if len(a.Shape.Ports) > 0 {
		return 1
	}
	least := int64(math.MaxInt32)
	for _, w := range a.Shape.Wants {
		least = min(least, n.Allocatable.At(w.Slot)/w.Value)
	}
	return int(least)
}

// passes reports whether a taint of that key says something of the node's state, and not of whom the node is for.
func passes(key string) bool {
	for _, prefix := range [...]string{"node.kubernetes.io/", "node.cloudprovider.kubernetes.io/", "ToBeDeletedByClusterAutoscaler", "DeletionCandidateOfClusterAutoscaler"} {
		if strings.HasPrefix(key, prefix) {
			return true
		}
	}
	return false
}
