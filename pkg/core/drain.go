package core

import (
	"container/heap"
	"fmt"
	"slices"
	"time"

	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
	"github.com/sluice-scheduler/sluice/pkg/core/fit"
	"github.com/sluice-scheduler/sluice/pkg/core/pending"
	"github.com/sluice-scheduler/sluice/pkg/core/place"
	"github.com/sluice-scheduler/sluice/pkg/core/resource"
	"github.com/sluice-scheduler/sluice/pkg/core/share"
)

// A gang needs much at once, and in a full cluster what falls free goes to those who ask for little. So the first gang of its queue, when it has waited long and an empty cluster would hold it,
// has nodes drained for it: room is reserved for all of its seats, on the nodes where the least is missing, whatever is free there, and what falls free goes to nobody else. When all of it
// has fallen free the gang is placed as any other. Of each queue one gang or pod at a time has room reserved. It ends in vain when for twice as long as starving takes no more has fallen free;
// then the nodes on which that was so come last for the next time.
//
//	parked ── drainFor: it starves, leads its queue, and would fit ──▶ draining ── fulfilDrains: all has fallen free ──▶ begun
//	   ▲                                                                   │
//	   └── endDrain: nothing more falls free, a node or a pod of it goes ──┘

// drain is what is reserved for the seats of a gang.
type drain struct {
	seats []*cluster.Pod
	fact  *cluster.GroupFact
	// lacked is what was missing at the last look, as a sum over the nodes (lackOn), since when that became less; seen is the version of the state then.
	lacked float64
	since  time.Time
	seen   uint64
}

// drainFor reserves room for a gang that starves, and reports whether it did.
func (c *Core) drainFor(g *gang, line *pending.Line) bool {
	if !c.pending.MayReserve(line) || !c.pending.Leads(line) || g.group.Fact().Topology != nil && g.group.Fact().Topology.Required {
		return false
	}
	nodes := c.drained(g)
	if nodes == nil {
		return false
	}
	leader := line.Head()
	text := c.gangFailure(g, line.Lot.Gang).Text + fmt.Sprintf(" It has waited long, so room is kept for all of it on %s as it falls free.", countText(distinct(nodes), "node"))
	seats := slices.Clone(g.seats)
	c.pending.Reserve(leader, text)
	for i, p := range seats {
		c.state.Reserve(p, nodes[i])
	}
	c.state.Commit()
	g.ask, g.seats = nil, nil
	g.drain = &drain{seats: seats, fact: g.group.Fact(), since: c.now, seen: c.state.Version()}
	g.drain.lacked = g.drain.lack()
	c.draining = append(c.draining, g)
	c.stats.Drains++
	c.openings.placed++
	c.followApps()
	c.tell(leader, ReasonUnschedulable, text, "draining for "+g.group.ID)
	g.told = pending.Told{Reason: ReasonUnschedulable, Text: text, Kinds: text, At: c.now}
	c.tellMates(g.group.Members(), g.told, false)
	return true
}

func distinct(nodes []*cluster.Node) int {
	seen := map[*cluster.Node]bool{}
	for _, n := range nodes {
		seen[n] = true
	}
	return len(seen)
}

// drained chooses a node for each seat of a gang, each where the least is missing beside those before it; nil when an empty cluster would not hold them. Nodes that
// were drained in vain come last.
func (c *Core) drained(g *gang) []*cluster.Node {
	mark := c.state.Checkpoint()
	defer c.state.Rollback(mark)
	chosen := make([]*cluster.Node, len(g.seats))
	heaps := map[fit.Ask]*nodeHeap{}
	for i, p := range g.seats {
		a := fit.Of(p)
		if heaps[a] == nil {
			heaps[a] = c.byLack(g, a)
		}
		n := heaps[a].take(p)
		if n == nil {
			return nil
		}
		chosen[i] = n
		c.state.Reserve(p, n) // so that the next sees it
	}
	return chosen
}

// byLack returns the nodes on which an ask could run if they were empty, that first where the least is missing.
func (c *Core) byLack(g *gang, a fit.Ask) *nodeHeap {
	h := &nodeHeap{}
	c.visited += c.state.KnownNodes() / nodesPerLook
	for _, n := range c.state.Slots() {
		if n == nil || len(n.Nominees) > 0 || !fit.Could(a, n) {
			continue
		}
		e := drainable{node: n, lack: lackFor(a.Shape, n)}
		if slices.Contains(g.vain, n.Name) {
			e.penalty = 1000
		}
		h.list = append(h.list, e)
	}
	heap.Init(h)
	return h
}

// lackFor is how many rooms for one of a shape must fall free on a node until one fits beside what is used and reserved there; it is not above zero where one does now.
func lackFor(shape *cluster.Shape, n *cluster.Node) (most float64) {
	most = -1
	for _, w := range shape.Wants {
		free := n.Allocatable.At(w.Slot) - n.Used.At(w.Slot)
		most = max(most, float64(w.Value-free)/float64(w.Value))
	}
	return most
}

// holds reports whether a node that is empty but for what is reserved of the gang would hold one more.
func holds(p *cluster.Pod, n *cluster.Node) bool {
	kept := reservedOn(n)
	for _, w := range p.Shape.Wants {
		if kept.At(w.Slot)+w.Value > n.Allocatable.At(w.Slot) {
			return false
		}
	}
	return true
}

// drainable is a node with what is missing on it for an ask.
type drainable struct {
	node          *cluster.Node
	lack, penalty float64
}

// nodeHeap has that node first on which the least is missing; ties by name.
type nodeHeap struct{ list []drainable }

func (h *nodeHeap) Len() int      { return len(h.list) }
func (h *nodeHeap) Swap(i, j int) { h.list[i], h.list[j] = h.list[j], h.list[i] }
func (h *nodeHeap) Push(x any)    { h.list = append(h.list, x.(drainable)) }
func (h *nodeHeap) Less(i, j int) bool {
	a, b := h.list[i], h.list[j]
	if x, y := a.lack+a.penalty, b.lack+b.penalty; x != y {
		return x < y
	}
	return a.node.Name < b.node.Name
}

func (h *nodeHeap) Pop() any {
	last := h.list[len(h.list)-1]
	h.list = h.list[:len(h.list)-1]
	return last
}

// take returns the node on which the least is missing for a pod and that would hold it beside what is reserved there; nil when none does.
func (h *nodeHeap) take(p *cluster.Pod) *cluster.Node {
	for len(h.list) > 0 {
		top := &h.list[0]
		if now := lackFor(p.Shape, top.node); now != top.lack {
			top.lack = now
			heap.Fix(h, 0)
			continue
		}
		if !holds(p, top.node) {
			heap.Pop(h)
			continue
		}
		return top.node
	}
	return nil
}

// lack is what is missing on the nodes of a drain, in parts of what they offer.
func (d *drain) lack() (sum float64) {
	seen := map[*cluster.Node]bool{}
	for _, p := range d.seats {
		n := p.Alloc.Node
		if seen[n] {
			continue
		}
		seen[n] = true
		most := 0.0
		for slot, used := range n.Used {
			if total := n.Allocatable.At(slot); used > total {
				most = max(most, float64(used-total)/float64(max(total, 1)))
			}
		}
		sum += most
	}
	return sum
}

// fulfilDrains places the gangs for which enough has fallen free, and gives up what is reserved in vain.
func (c *Core) fulfilDrains() {
	for _, g := range slices.Clone(c.draining) {
		d := g.drain
		if d == nil {
			continue
		}
		c.turnTo(d.seats[0].Fact, nil)
		switch {
		case !c.drainStands(g):
			c.endDrain(g) // what a node is like, or whom it is nominated for, has changed
		case d.seen == c.state.Version() || c.lookAtDrain(g):
			c.expireDrain(g)
		}
	}
	c.turnAway()
}

// expireDrain gives up what is reserved for a gang if nothing more has fallen free for too long.
func (c *Core) expireDrain(g *gang) {
	if g.drain == nil || c.now.Before(c.drainsUntil(g.drain)) {
		return
	}
	g.vain = g.drain.lackingNodes()
	c.stats.Expired++
	c.endDrain(g)
}

// leaveDrain notes that nothing is reserved for a gang any more.
func (c *Core) leaveDrain(g *gang) {
	g.drain = nil
	c.draining = slices.DeleteFunc(c.draining, func(x *gang) bool { return x == g })
}

func (c *Core) drainsUntil(d *drain) time.Time { return d.since.Add(2 * c.cfg.StarvationAfter) }

// lackingNodes are the nodes of a drain where something is missing still.
func (d *drain) lackingNodes() (names []string) {
	for _, p := range d.seats {
		n := p.Alloc.Node
		for slot, used := range n.Used {
			if used > n.Allocatable.At(slot) && !slices.Contains(names, n.Name) {
				names = append(names, n.Name)
			}
		}
	}
	return names
}

// lookAtDrain places a gang if all that is reserved for it has fallen free, and reports whether it is still drained for.
func (c *Core) lookAtDrain(g *gang) (goesOn bool) {
	d := g.drain
	c.visited += len(d.seats) / nodesPerLook
	lack := d.lack()
	if lack < d.lacked {
		d.lacked, d.since = lack, c.now
	}
	if lack > 0 || !c.endWell(g) {
		d.seen = c.state.Version() // trying has changed it, too
		return true
	}
	return false
}

// endWell places a gang for which enough has fallen free, and reports whether it could.
func (c *Core) endWell(g *gang) bool {
	d := g.drain
	seats := make([]*place.Seat, len(d.seats))
	mark := c.state.Checkpoint()
	for i, p := range d.seats {
		c.state.Release(p)
		seats[i] = &place.Seat{Pod: p, Ask: fit.Of(p), View: c.pending.View(p.Shape), Order: c.orderOf(p)}
	}
	placed, visited := 0, 0
	first := seats[0].Pod.App
	if _, refused := share.Refuses(first.Ledger, total(d.seats), first.Placed == 0); !refused {
		placed, visited = place.Group(c.state, c.order, seats, nil)
	}
	c.visited += visited
	if placed < len(seats) {
		c.state.Rollback(mark)
		return false
	}
	c.leaveDrain(g)
	c.begin(g, seats)
	return true
}

// total is what some pods ask for together.
func total(pods []*cluster.Pod) (sum resource.Vector) {
	for _, p := range pods {
		sum = sum.AddTo(p.Shape.Request, 1)
	}
	return sum
}

// endDrain gives back what is reserved for a gang; it waits for its turn again.
func (c *Core) endDrain(g *gang) {
	d := g.drain
	c.leaveDrain(g)
	c.givesBack()
	for _, p := range d.seats {
		if p.Alloc != nil && p.Alloc.Reserved {
			c.state.Release(p)
		}
	}
	c.state.Commit()
	for _, p := range d.seats {
		if c.state.Pod(p.Fact.UID) == p && c.pending.Ask(p) != nil { // else it is gone, and another may have its index
			c.settle(p)
		}
	}
	c.followApps()
	c.state.TouchGroup(g.group)
}

// drainStands reports whether what is reserved for a gang is still what it needs, and on nodes that are there.
func (c *Core) drainStands(g *gang) bool {
	d := g.drain
	if d.fact != g.group.Fact() || !c.leading {
		return false
	}
	for _, p := range d.seats {
		a := p.Alloc
		if c.state.Pod(p.Fact.UID) != p || a == nil || !a.Reserved || a.Node.Fact == nil || p.Fact.Deleting || p.Fact.Gated || p.Fact.Nominated != "" || !fit.Could(fit.Of(p), a.Node) {
			return false
		}
		if reason, _ := c.whyHeld(p); reason != "" {
			return false
		}
	}
	return true
}

// isDrained reports whether nodes are drained for the gang of a pod.
func (c *Core) isDrained(p *cluster.Pod) bool {
	g := c.gangOf(p)
	return g != nil && g.drain != nil && slices.Contains(g.drain.seats, p)
}
