package fit

import (
	"slices"

	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
)

// Others may be on their way to a node (see cluster.Node.Nominees). kube-scheduler puts every node to its filters twice then: with those of the pod's priority
// or above as if they ran there, and without. Of rules that only get harder to meet with more pods on the node, such as those for requests and ports, the
// first says it all; so these rules count the nominees in. Affinity to pods may be met by nominees, who may not come; so it must be met without them. The others that
// read where pods are get harder as well.

// ahead calls f for the nominees of a node to which an ask must leave their room, until f returns false. Where the ask is a nominee itself, one like it is left
// out: it is that one, or its equal.
func ahead(a Ask, n *cluster.Node, f func(*cluster.Pod) bool) {
	if !a.Yields {
		return
	}
	self := a.Nominated == n.Name
	for _, p := range n.Nominees {
		if p.Fact.Priority < a.Priority {
			continue
		}
		if self && Of(p) == a {
			self = false
			continue
		}
		if !f(p) {
			return
		}
	}
}

// anyAhead reports whether one of them is as f says.
func anyAhead(a Ask, n *cluster.Node, f func(*cluster.Pod) bool) (is bool) {
	ahead(a, n, func(p *cluster.Pod) bool {
		is = f(p)
		return !is
	})
	return is
}

// owed is how much of the resource of a slot an ask must leave to nominees.
func owed(a Ask, n *cluster.Node, slot int) (sum int64) {
	if len(n.Nominees) == 0 {
		return 0
	}
	ahead(a, n, func(p *cluster.Pod) bool {
		sum += p.Shape.Request.At(slot)
		return true
	})
	return sum
}

// fitsBeside reports whether what the ask requests and what it must leave to nominees is there.
func fitsBeside(a Ask, n *cluster.Node) bool {
	for _, w := range a.Shape.Wants {
		if w.Value > n.Allocatable.At(w.Slot)-n.Used.At(w.Slot)-owed(a, n, w.Slot) {
			return false
		}
	}
	return true
}

// portsFreeBeside reports whether no nominee wants one of the ask's host ports.
func portsFreeBeside(a Ask, n *cluster.Node) bool {
	return !anyAhead(a, n, func(p *cluster.Pod) bool { return cluster.Collide(a.Shape.Ports, p.Shape.Ports) })
}

// selected is how many of them are pods that a tally would count on the node.
func selected(a Ask, n *cluster.Node, t *cluster.Tally) (count int) {
	if len(n.Nominees) > 0 && t.Includes(n) {
		ahead(a, n, func(p *cluster.Pod) bool {
			if p.SelectedBy(t.Of()) {
				count++
			}
			return true
		})
	}
	return count
}

// unwelcomeBeside reports whether the anti-affinity of one of them selects the ask.
func unwelcomeBeside(a Ask, n *cluster.Node) bool {
	return anyAhead(a, n, func(p *cluster.Pod) bool { return p.CarriesAgainst(a.Kin.Against, n) })
}

// spreads is how many of them a spread constraint counts. One whose selector matches all counts no pod that is there (Spread.Uncounted), but it does count nominees.
func spreads(a Ask, n *cluster.Node, c *cluster.Bond) (count int) {
	if len(n.Nominees) == 0 || !c.Tally.Includes(n) {
		return 0
	}
	ahead(a, n, func(p *cluster.Pod) bool {
		if p.SelectedBy(c.Tally.Of()) || c.Uncounted && slices.Contains(c.Namespaces, p.Fact.Namespace) {
			count++
		}
		return true
	})
	return count
}
