package fit

import (
	"slices"

	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
)

// limits refuses nodes that cannot take so many more volumes of a CSI driver, or that lack a driver which says that it is needed (plugin NodeVolumeLimits).
// A volume that a pod of the node uses already is not one more.
var limits = check{
	fits: func(a Ask, n *cluster.Node) bool {
		return a.Volumes == nil || missingDriver(a, n) == "" && !overLimit(a, n)
	},
	why: func(a Ask, n *cluster.Node, to []Reason) []Reason {
		if driver := missingDriver(a, n); driver != "" {
			return append(to, Reason{Kind: NoDriver, What: driver})
		}
		return append(to, Reason{Kind: TooManyVolumes})
	},
}

// missingDriver names a driver that the ask's volumes need and the node has not.
func missingDriver(a Ask, n *cluster.Node) string {
	p := a.Volumes.Plan()
	for i, needed := range p.Needed {
		v := &p.Attached[i]
		if _, has := limitOf(n, v.Driver); needed && !has && counts(v, n) {
			return v.Driver
		}
	}
	return ""
}

// counts reports whether a node attaches a volume by CSI.
func counts(v *cluster.Attached, n *cluster.Node) bool { return !v.Migrated || n.CSI != nil }

// limitOf is what a node's CSINode says of a driver.
func limitOf(n *cluster.Node, driver string) (limit cluster.CSILimit, has bool) {
	if n.CSI == nil {
		return limit, false
	}
	for i := range n.CSI.Drivers {
		if n.CSI.Drivers[i].Driver == driver {
			return n.CSI.Drivers[i], true
		}
	}
	return limit, false
}

func overLimit(a Ask, n *cluster.Node) bool {
	volumes := a.Volumes.Plan().Attached
	for i := range volumes {
		limit, has := limitOf(n, volumes[i].Driver)
		if !has || !limit.Limited {
			continue
		}
		if !within(limit, volumes, n, nil) {
			return true
		}
		// Nominees may make it easier as well, for a volume that they attach is not one more; so it is asked both ways.
		if others := coming(a, n, limit.Driver); others != nil && !within(limit, volumes, n, others) {
			return true
		}
	}
	return false
}

// coming are the volumes of a driver that nominees of the node will attach, each once, and that are not there yet.
func coming(a Ask, n *cluster.Node, driver string) (list []cluster.Attached) {
	if len(n.Nominees) == 0 {
		return nil
	}
	ahead(a, n, func(p *cluster.Pod) bool {
		if p.Volumes == nil {
			return true
		}
		for _, v := range p.Volumes.Plan().Attached {
			if v.Driver == driver && !n.Attaches(v) && !slices.Contains(list, v) {
				list = append(list, v)
			}
		}
		return true
	})
	return list
}

// within reports whether a node can take those of the volumes that are of the limit's driver and are not there yet, with others that are coming.
func within(limit cluster.CSILimit, volumes []cluster.Attached, n *cluster.Node, others []cluster.Attached) bool {
	more, now := 0, 0
	for i := range volumes {
		if volumes[i].Driver != limit.Driver {
			continue
		}
		count, present := n.AttachedNow(volumes[i])
		now = count + len(others)
		if !present && !slices.Contains(others, volumes[i]) {
			more++
		}
	}
	return more == 0 || now+more <= limit.Max
}
