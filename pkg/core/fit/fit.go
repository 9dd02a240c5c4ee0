package fit

import (
	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
	"github.com/sluice-scheduler/sluice/pkg/core/resource"
)

// Ask is what is checked: a shape, what terms make of the pod, the node it is pinned to by name, if any, and what it asks of volumes, if anything. Pods of equal
// asks are interchangeable.
type Ask struct {
	Shape   *cluster.Shape
	Kin     *cluster.Kin
	Pin     string
	Volumes *cluster.Volumes
	// Yields: the pod must leave room to nominees of this Priority or above, but for itself where it is Nominated. All three are zero as long as nobody of its
	// priority or above has been nominated.
	Yields    bool
	Priority  int32
	Nominated string
}

// Of returns the ask of a pod.
func Of(p *cluster.Pod) Ask {
	a := Ask{Shape: p.Shape, Kin: p.Kin, Pin: p.Fact.Pin, Volumes: p.Volumes}
	if p.Yields {
		a.Yields, a.Priority, a.Nominated = true, p.Fact.Priority, p.Fact.Nominated
	}
	return a
}

// Plain reports whether the ask is for nothing but its shape.
func (a *Ask) Plain() bool {
	return a.Kin == nil && a.Volumes == nil && !a.Yields && a.Pin == ""
}

// Topological reports whether it depends on where other pods are whether the ask fits.
func (a Ask) Topological() bool { return a.Shape.Bonds != nil || a.Kin != nil }

// check is one rule of placement.
type check struct {
	// fits reports whether the rule lets the ask onto the node. The node is known.
	fits func(Ask, *cluster.Node) bool
	// why appends the reasons when it does not.
	why func(a Ask, n *cluster.Node, to []Reason) []Reason
	// room: the rule refuses for want of room, which pods that end give back.
	room bool
}

// checks are all rules, in kube-scheduler's order.
var checks = [...]check{
	hopeless,
	named,
	unschedulable,
	taints,
	affinity,
	ports,
	resources,
	disks,
	limits,
	binding,
	zones,
	spread,
	neighbours,
	features,
}

// ofClass are the rules that read a node's description, which is the same for all nodes of a class unless the ask reads more (byNode); ofNode read the node
// and what is on it, ofVolumes (the last of them) for the sake of volumes; afterwards come those that read where pods are, anywhere, and what is asked after them.
// Together, in this order, they are checks.
var ofClass, ofNode, ofVolumes, afterwards = checks[:5], checks[5:11], checks[7:11], checks[11:]

// Fits reports whether the ask may run on the node, whether or not those come that are nominated for it.
func Fits(a Ask, n *cluster.Node) bool {
	return resources.fits(a, n) && // the cheapest check that most often refuses goes first
		fitsAll(ofClass, a, n) && ports.fits(a, n) && fitsVolumes(a, n) && fitsTopology(a, n) && features.fits(a, n)
}

func fitsAll(rules []check, a Ask, n *cluster.Node) bool {
	for i := range rules {
		if !rules[i].fits(a, n) {
			return false
		}
	}
	return true
}

// fitsVolumes costs those who ask for no volumes one look.
func fitsVolumes(a Ask, n *cluster.Node) bool { return a.Volumes == nil || fitsAll(ofVolumes, a, n) }

// fitsTopology costs those who have no terms, and whom no term means, one look. The rules that most often refuse go first.
func fitsTopology(a Ask, n *cluster.Node) bool {
	return !a.Topological() || !repelled(a, n) && !unwelcome(a, n) && !alone(a, n, false) && !isSkewed(a, n)
}

// Why appends every reason of the first rule that refuses; none when the ask fits.
func Why(a Ask, n *cluster.Node, to []Reason) []Reason {
	for i := range checks {
		if !checks[i].fits(a, n) {
			return checks[i].why(a, n, to)
		}
	}
	return to
}

// Could reports whether the ask would fit on the node if enough of what runs there ended: whether nothing but room is missing, and the node is large enough.
func Could(a Ask, n *cluster.Node) bool {
	for i := range checks {
		if !checks[i].room && !checks[i].fits(a, n) {
			return false
		}
	}
	return len(a.Shape.Uncounted) == 0 && resource.Fits(a.Shape.Request, nil, n.Allocatable)
}
