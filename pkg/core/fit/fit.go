package fit

import "github.com/sluice-scheduler/sluice/pkg/core/cluster"

// Ask is what is checked: a shape, and the node it is pinned to by name, if any. Pods of equal asks are interchangeable.
type Ask struct {
	Shape *cluster.Shape
	Pin   string
	// Yields: the pod must leave room to nominees of this Priority or above, but for itself where it is Nominated. All three are zero as long as nobody of its
	// priority or above has been nominated.
	Yields    bool
	Priority  int32
	Nominated string
}

// Of returns the ask of a pod.
func Of(p *cluster.Pod) Ask {
	a := Ask{Shape: p.Shape, Pin: p.Fact.Pin}
	if p.Yields {
		a.Yields, a.Priority, a.Nominated = true, p.Fact.Priority, p.Fact.Nominated
	}
	return a
}

// check is one rule of placement.
type check struct {
	// fits reports whether the rule lets the ask onto the node. The node is known.
	fits func(Ask, *cluster.Node) bool
	// why appends the reasons when it does not.
	why func(a Ask, n *cluster.Node, to []Reason) []Reason
}

// checks are all rules, in kube-scheduler's order.
var checks = [...]check{
	named,
	unschedulable,
	taints,
	affinity,
	ports,
	resources,
}

// ofClass are the rules that read a node's description, which is the same for all nodes of a class unless the ask reads more (byNode);
// ofNode are the others. Together, in this order, they are checks.
var ofClass, ofNode = checks[:4], checks[4:]

// Fits reports whether the ask may run on the node, whether or not those come that are nominated for it.
func Fits(a Ask, n *cluster.Node) bool {
	if !resources.fits(a, n) { // the cheapest check that most often refuses goes first
		return false
	}
	for i := range checks[:len(checks)-1] {
		if !checks[i].fits(a, n) {
			return false
		}
	}
	return true
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
