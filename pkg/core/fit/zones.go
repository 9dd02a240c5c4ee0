package fit

import (
	"slices"

	v1 "k8s.io/api/core/v1"

	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
)

// zones refuses nodes outside the zones and regions by which the pod's volumes are labelled (plugin VolumeZone). A node without any such label takes all: the
// cluster has no zones then.
var zones = check{
	fits: func(a Ask, n *cluster.Node) bool {
		if a.Volumes == nil {
			return true
		}
		list := a.Volumes.Plan().Zones
		if len(list) == 0 || !zoned(n) {
			return true
		}
		return !slices.ContainsFunc(list, func(z cluster.Zone) bool { return !inZone(n, z) })
	},
	why: func(_ Ask, _ *cluster.Node, to []Reason) []Reason {
		return append(to, Reason{Kind: OtherZone, Code: UnschedulableAndUnresolvable})
	},
}

// successors are the labels that have replaced older ones: a volume may still have the old one.
var successors = [...]struct{ old, now string }{
	{v1.LabelFailureDomainBetaZone, v1.LabelTopologyZone},
	{v1.LabelFailureDomainBetaRegion, v1.LabelTopologyRegion},
}

func zoned(n *cluster.Node) bool {
	for _, s := range successors {
		for _, key := range [...]string{s.now, s.old} {
			if _, ok := n.Fact.Labels[key]; ok {
				return true
			}
		}
	}
	return false
}

func inZone(n *cluster.Node, z cluster.Zone) bool {
	value, ok := n.Fact.Labels[z.Key]
	for i := 0; !ok && i < len(successors); i++ {
		if successors[i].old == z.Key {
			value, ok = n.Fact.Labels[successors[i].now]
		}
	}
	return ok && slices.Contains(z.Values, value)
}
