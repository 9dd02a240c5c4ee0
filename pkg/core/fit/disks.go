package fit

import "github.com/sluice-scheduler/sluice/pkg/core/cluster"

// disks refuses nodes where another pod has a disk that it shares with nobody, and all nodes while another pod uses a claim that only one may use (plugin
// VolumeRestrictions).
var disks = check{
	fits: func(a Ask, n *cluster.Node) bool {
		return a.Volumes == nil || n.DisksFree(a.Volumes.Disks) && !usedByAnother(a)
	},
	why: func(a Ask, n *cluster.Node, to []Reason) []Reason {
		if !n.DisksFree(a.Volumes.Disks) {
			return append(to, Reason{Kind: DiskTaken})
		}
		return append(to, Reason{Kind: ClaimInUse})
	},
}

func usedByAnother(a Ask) bool {
	for _, c := range a.Volumes.Plan().Once {
		if c.InUse() {
			return true
		}
	}
	return false
}
