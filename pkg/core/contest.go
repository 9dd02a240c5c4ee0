package core

import (
	"maps"
	"slices"

	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
	"github.com/sluice-scheduler/sluice/pkg/core/fit"
	"github.com/sluice-scheduler/sluice/pkg/core/resource"
)

// recall looks at the nodes where room may have been taken from under what we assumed: somebody else bound a pod there, a pod there grew, the
// node shrank, or it is gone. Binds that no longer fit are asked back; those already sent are the kubelet's to refuse.
func (c *Core) recall() {
	for _, name := range slices.Sorted(maps.Keys(c.contested)) {
		if n := c.state.Node(name); n != nil {
			c.recallFrom(n)
		}
	}
	clear(c.contested)
}

func (c *Core) recallFrom(n *cluster.Node) {
	given := reservedOn(n)
	for _, a := range assumedLast(n) {
		if a.Pod.Fact.Expected {
			c.recallRoom(n, a, given)
			continue
		}
		if n.Fact != nil && !crowded(n, a, given) {
			continue
		}
		c.stats.Stolen++
		if c.isHeld(a.Pod) {
			c.undoGang(c.gangOf(a.Pod))
			continue
		}
		if x := c.preparing[a.Pod.Fact.UID]; x != nil {
			c.undo(x)
			c.tryAgain(x.pod, retry{atOnce: true})
			continue
		}
		a.Recalled = true
		given = given.AddTo(a.Uses, 1)
		c.emit(Recall{UID: a.Pod.Fact.UID})
	}
}

// recallRoom gives back a room kept for a pod that does not exist yet, if that could not run there any more, as on a node that has been cordoned; its gang looks for room elsewhere.
func (c *Core) recallRoom(n *cluster.Node, a *cluster.Allocation, given resource.Vector) {
	p := a.Pod
	gone := n.Fact == nil || crowded(n, a, given)
	mark := c.state.Checkpoint()
	c.state.Release(p)
	if !gone && fit.Could(fit.Of(p), n) {
		c.state.Rollback(mark)
		return
	}
	c.state.Commit()
	c.followApps()
}

// reservedOn is what is counted as used of a node and only kept for somebody.
func reservedOn(n *cluster.Node) (sum resource.Vector) {
	if n.Reserved == 0 {
		return nil
	}
	for _, a := range n.Pods {
		if a.Reserved {
			sum = sum.AddTo(a.Uses, 1)
		}
	}
	return sum
}

// assumedLast returns what is assumed on the node and not yet recalled, those first whose turn in the queue came last.
func assumedLast(n *cluster.Node) []*cluster.Allocation {
	var list []*cluster.Allocation
	for _, a := range n.Pods {
		if !a.Bound && !a.Reserved && !a.Recalled {
			list = append(list, a)
		}
	}
	slices.SortFunc(list, func(a, b *cluster.Allocation) int { return cluster.CompareTurn(b.Pod.Fact, a.Pod.Fact) })
	return list
}

// crowded reports whether a node holds more than it offers in something that the allocation uses, after giving back what has been recalled
// already.
func crowded(n *cluster.Node, a *cluster.Allocation, given resource.Vector) bool {
	for slot, used := range a.Uses {
		if used > 0 && n.Used.At(slot)-given.At(slot) > n.Allocatable.At(slot) {
			return true
		}
	}
	return n.Clashes(a)
}
