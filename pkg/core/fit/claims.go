package fit

import "github.com/sluice-scheduler/sluice/pkg/core/cluster"

// claims refuses all nodes when something is wrong with the pod's claims themselves: one is missing, lost, being deleted, not yet bound though it should be, or
// its volume is gone. kube-scheduler finds this out before it looks at nodes (PreFilter of VolumeRestrictions, VolumeBinding and VolumeZone) and
// gives it as the one reason for the pod; so do we.
var claims = check{
	fits: func(a Ask, _ *cluster.Node) bool {
		_, refused := refusal(a)
		return !refused
	},
	why: func(a Ask, _ *cluster.Node, to []Reason) []Reason {
		r, _ := refusal(a)
		return append(to, r)
	},
}

// Refused reports whether something is wrong with the ask's claims, so that no node will do.
func Refused(a Ask) bool {
	_, refused := refusal(a)
	return refused
}

// refusal is what is wrong with an ask's claims, wherever its pod would run.
func refusal(a Ask) (r Reason, refused bool) {
	if a.Volumes == nil || a.Shape.Names != nil && len(a.Shape.Names) == 0 {
		return r, false
	}
	what := a.Volumes.Plan().Refusal
	return Reason{Kind: BadClaim, What: what, Code: UnschedulableAndUnresolvable}, what != ""
}
