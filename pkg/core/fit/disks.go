package fit

import "github.com/sluice-scheduler/sluice/pkg/core/cluster"

// disks refuses nodes where another pod has a disk that it shares with nobody, and all nodes while another pod uses a claim that only one may use (plugin
// VolumeRestrictions).
var disks = check{
	fits: func(a Ask, n *cluster.Node) bool {
		return a.Volumes == nil || disksFree(a, n) && !usedByAnother(a, n)
	},
	why: func(a Ask, n *cluster.Node, to []Reason) []Reason {
		if !disksFree(a, n) {
			return append(to, Reason{Kind: DiskTaken})
		}
		return append(to, Reason{Kind: ClaimInUse})
	},
}

func disksFree(a Ask, n *cluster.Node) bool {
	return n.DisksFree(a.Volumes.Disks) && (len(n.Nominees) == 0 || !anyAhead(a, n, func(p *cluster.Pod) bool {
		return p.Volumes != nil && cluster.DisksClash(a.Volumes.Disks, p.Volumes.Disks)
	}))
}

func usedByAnother(a Ask, n *cluster.Node) bool {
	for _, c := range a.Volumes.Plan().Once {
		if c.InUse() || len(n.Nominees) > 0 && anyAhead(a, n, func(p *cluster.Pod) bool { return p.Volumes != nil && p.Volumes.Uses(c) }) {
			return true
		}
	}
	return false
}
