package fit

import "github.com/sluice-scheduler/sluice/pkg/core/cluster"

// hopeless refuses all nodes when something is wrong with the pod itself: one of its claims is missing, lost, being deleted, not yet bound though it should be, or its
// volume is gone; or its terms about other pods cannot be parsed. kube-scheduler finds this out before it looks at nodes (PreFilter of VolumeRestrictions,
// VolumeBinding, VolumeZone, PodTopologySpread and InterPodAffinity) and gives it as the one reason for the pod; so do we.
var hopeless = check{
	fits: func(a Ask, _ *cluster.Node) bool { return !Refused(a) },
	why: func(a Ask, _ *cluster.Node, to []Reason) []Reason {
		r, _ := refusal(a)
		return append(to, r)
	},
}

// Refused reports whether something is wrong with the ask itself, so that no node will do.
func Refused(a Ask) bool {
	_, refused := refusal(a)
	return refused
}

// refusal is what is wrong with an ask, wherever its pod would run. If its terms of node affinity contradict each other, that goes first.
func refusal(a Ask) (r Reason, refused bool) {
	if a.Volumes == nil && a.Shape.Bonds == nil || a.Shape.Names != nil && len(a.Shape.Names) == 0 {
		return r, false
	}
	if a.Volumes != nil {
		if what := a.Volumes.Plan().Refusal; what != "" {
			return Reason{Kind: BadClaim, What: what, Code: UnschedulableAndUnresolvable}, true
		}
	}
	if b := a.Shape.Bonds; b != nil && b.Unreadable != "" {
		return Reason{Kind: Unreadable, Resource: b.Unreadable, Code: UnschedulableAndUnresolvable}, true
	}
	return r, false
}
