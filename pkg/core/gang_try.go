package core

import (
	"cmp"
	"slices"
	"time"

	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
	"github.com/sluice-scheduler/sluice/pkg/core/fit"
	"github.com/sluice-scheduler/sluice/pkg/core/pending"
	"github.com/sluice-scheduler/sluice/pkg/core/place"
	"github.com/sluice-scheduler/sluice/pkg/core/share"
)

func askOf(p *cluster.Pod) fit.Ask { return fit.Of(p) }

// tryGang places a gang whose turn it is, whole or not at all.
func (c *Core) tryGang(line *pending.Line) {
	ask := line.Lot.Gang
	g := c.gangs[ask.Group]
	if r, refused := share.Refuses(line.Ledger(), line.Request(), line.Starting()); refused {
		g.lacking = time.Time{}
		if c.splits(g) {
			return
		}
		c.holdBack(line, r)
		return
	}
	if c.roomy(ask) && c.placeGang(g, line) {
		return
	}
	if !c.splits(g) {
		c.parkGang(g, line)
	}
}

// roomy reports whether every ask of a gang has room enough by itself. What it says no to cannot be placed.
func (c *Core) roomy(ask *pending.Gang) bool {
	for _, n := range ask.Needs {
		c.visited += n.Rooms.Update(c.state, n.Ask)
	}
	return !slices.ContainsFunc(ask.Needs, func(n pending.Need) bool { return n.Rooms.Total < n.Count })
}

// placeGang places all seats of a gang, if that can be, in one of its domains if it is to stay in one.
func (c *Core) placeGang(g *gang, line *pending.Line) bool {
	for _, within := range c.domains(g, line.Lot.Gang) {
		for _, order := range seatOrders {
			seats := c.arrange(g, line, order)
			mark := c.state.Checkpoint()
			placed, visited := place.Group(c.state, c.order, seats, within)
			c.visited += visited
			if placed == len(seats) {
				c.begin(g, seats)
				return true
			}
			c.state.Rollback(mark)
			if len(line.Lot.Gang.Needs) == 1 {
				break // all are alike: no other order helps
			}
		}
	}
	return false
}

// seatOrder compares two needs by which is to be placed first.
type seatOrder func(c *Core, a, b pending.Need) int

// seatOrders are the orders in which the seats of a gang are tried: those first for whom there is the least to choose from, and then the largest.
var seatOrders = []seatOrder{
	func(_ *Core, a, b pending.Need) int { return cmp.Compare(a.Rooms.Total*b.Count, b.Rooms.Total*a.Count) },
	func(c *Core, a, b pending.Need) int {
		return cmp.Compare(c.scale.Dominant(b.Ask.Shape.Request), c.scale.Dominant(a.Ask.Shape.Request))
	},
}

// arrange puts the seats of a gang in the order in which they are tried.
func (c *Core) arrange(g *gang, line *pending.Line, by seatOrder) []*place.Seat {
	needs := slices.Clone(line.Lot.Gang.Needs)
	slices.SortStableFunc(needs, func(a, b pending.Need) int { return by(c, a, b) })
	rank := map[fit.Ask]int{}
	for i, n := range needs {
		rank[n.Ask] = i
	}
	seats := make([]*place.Seat, len(g.seats))
	for i, p := range g.seats {
		seats[i] = &place.Seat{Pod: p, Ask: askOf(p), View: c.pending.View(p.Shape), Order: c.orderOf(p)}
	}
	slices.SortStableFunc(seats, func(a, b *place.Seat) int { return cmp.Compare(rank[a.Ask], rank[b.Ask]) })
	return seats
}

// begin commits a gang that has been placed.
func (c *Core) begin(g *gang, seats []*place.Seat) {
	waits := slices.ContainsFunc(seats, func(x *place.Seat) bool { return !x.Choice.Empty() })
	c.state.Commit()
	if !g.begun {
		c.noteBegun(g)
	}
	g.begun, g.headStart, g.lapsed, g.ask, g.seats, g.lacking = true, false, false, nil, nil, time.Time{}
	g.arrivals = 0
	if waits {
		g.until = c.now.Add(c.cfg.VolumesWithin)
		c.lookAt(g, g.until)
	}
	for _, x := range seats {
		if x.Pod.Fact.Expected {
			c.stats.Kept++
			c.openings.placed++
			continue
		}
		c.settleOn(c.pending.Ask(x.Pod), x.Node, x.Choice)
	}
	c.followApps()
	c.gather() // those beyond the least it needs have their turn in this step
}

// parkGang sets a gang aside until it may be placed.
func (c *Core) parkGang(g *gang, line *pending.Line) {
	ask := line.Lot.Gang
	c.stats.Unschedulable++
	line.Head().Attempts++
	if !g.begun && (c.drainFor(g, line) || c.startFirst(g, line)) {
		return
	}
	if c.roomy(ask) { // each by itself has room, and all together have not
		ask.Wait = min(max(2*ask.Wait, minAgain), maxAgain)
		ask.Again = c.now.Add(ask.Wait)
	}
	ask.Version, ask.Surroundings = c.state.Version(), c.state.TopologyVersion()
	c.reparkGang(g, line.Lot)
}

// minAgain and maxAgain bound how soon a gang is tried again that failed although each of its asks had room.
const (
	minAgain = 50 * time.Millisecond
	maxAgain = 2 * time.Second
)

// reparkGang parks a gang, or renews the reasons of one that is.
func (c *Core) reparkGang(g *gang, lot *pending.Lot) {
	due := c.now.Add(max(c.cfg.RefreshAfter, lookAgain))
	if again := lot.Gang.Again; again.After(c.now) && again.Before(due) {
		due = again
	}
	if at, ok := c.starvesAt(lot); ok {
		due = minTime(due, at)
	}
	if at := c.startsFirstAt(g, lot); at.After(c.now) {
		due = minTime(due, at)
	}
	if lot.Gang.Surrounded() {
		due = minTime(due, c.now.Add(maxAgain))
	}
	c.pending.Park(lot, c.gangFailure(g, lot.Gang), due)
	for _, line := range lot.Lines() {
		if !c.refused(line) {
			c.tellLine(line)
		}
	}
}

func minTime(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// mayStart reports whether something speaks for trying a parked gang again: each of its asks has room, and it has not just been tried in vain, or nothing has changed since.
func (c *Core) mayStart(ask *pending.Gang) bool {
	if ask.Again.After(c.now) || ask.Version == c.state.Version() && ask.Surroundings == c.state.TopologyVersion() && !ask.Again.IsZero() {
		return false
	}
	return c.roomy(ask)
}

// reviewGang looks at a parked gang whose time has come, unless the step has done an eighth of its work; then it waits for the next.
func (c *Core) reviewGang(lot *pending.Lot) (goOn bool) {
	if c.visited > c.cfg.Budget/8 {
		c.unfinished = true
		return false
	}
	g := c.gangs[lot.Gang.Group]
	line := lot.Lines()[0]
	head := c.startsFirstAt(g, lot)
	if c.mayStart(lot.Gang) || !g.begun && c.pending.MayReserve(line) && c.pending.Leads(line) || !head.IsZero() && !head.After(c.now) {
		c.pending.Wake(lot)
		return true
	}
	c.reparkGang(g, lot)
	return true
}

// domains are the sets of nodes within which a gang is tried, in order; nil stands for all nodes. Where it is to stay within one value of a label, those are tried that have room for each of its
// asks, the one first that has the least to spare.
func (c *Core) domains(g *gang, ask *pending.Gang) []func(*cluster.Node) bool {
	anywhere := []func(*cluster.Node) bool{nil}
	top := g.group.Fact().Topology
	if top == nil {
		return anywhere
	}
	var list []func(*cluster.Node) bool
	for _, d := range c.spacious(g, ask, top.Key) {
		list = append(list, func(n *cluster.Node) bool { return n.Fact.Labels[top.Key] == d })
	}
	list = list[:min(len(list), manyDomains)]
	if top.Required {
		return list
	}
	return append(list, nil)
}

// manyDomains is in how many domains a gang is tried at most: those with the least to spare.
const manyDomains = 16

// spacious returns the values of a node label within which each ask of a gang has room, those with the least to spare first. Where pods of the gang are on nodes already, theirs is the only one.
func (c *Core) spacious(g *gang, ask *pending.Gang, key string) (values []string) {
	rooms := map[string][]int{}
	for _, n := range c.state.Slots() {
		if n == nil {
			continue
		}
		value, has := n.Fact.Labels[key]
		if !has {
			continue
		}
		counts := rooms[value]
		if counts == nil {
			counts = make([]int, len(ask.Needs))
			rooms[value] = counts
		}
		for i, need := range ask.Needs {
			counts[i] += need.Rooms.At(n)
		}
	}
	c.visited += c.state.KnownNodes() / nodesPerLook
	settled, isSettled := g.domain(key)
	spare := map[string]int{}
	for value, counts := range rooms {
		if isSettled && value != settled {
			continue
		}
		enough := true
		for i, need := range ask.Needs {
			enough = enough && counts[i] >= need.Count
			spare[value] += counts[i] - need.Count
		}
		if enough {
			values = append(values, value)
		}
	}
	slices.SortFunc(values, func(a, b string) int { return cmp.Or(cmp.Compare(spare[a], spare[b]), cmp.Compare(a, b)) })
	return values
}

// domain returns the value of a node label where pods of the gang are already.
func (g *gang) domain(key string) (value string, settled bool) {
	for _, p := range g.group.Members() {
		if a := p.Alloc; a != nil && a.Node.Fact != nil {
			if v, has := a.Node.Fact.Labels[key]; has && (!settled || v < value) {
				value, settled = v, true
			}
		}
	}
	return value, settled
}

// releaseHeld lets the binds go that waited for the volumes of a gang, if none has to be prepared any more.
func (c *Core) releaseHeld(g *gang) {
	if len(g.held) == 0 && g.until.IsZero() || slices.ContainsFunc(g.group.Members(), func(p *cluster.Pod) bool { return c.preparing[p.Fact.UID] != nil }) {
		return
	}
	held := g.held
	g.held, g.until = nil, time.Time{}
	for _, b := range held {
		if p := c.state.Pod(b.Pod.UID); p != nil && isAssumedOn(p, b.Node) {
			c.binds[b.Pod.UID] = b
			c.emit(b)
		}
	}
}

// takeBack takes a pod off its node whose bind waited for the volumes of its gang.
func (c *Core) takeBack(p *cluster.Pod) {
	c.givesBack()
	c.state.Release(p)
	c.state.Commit()
	c.tryAgain(p, retry{atOnce: true})
}

// undoHeld takes the pods off their nodes whose binds wait for volumes that are not prepared in time, or that another is to place from now on.
func (c *Core) undoHeld(g *gang) {
	held := g.held
	g.held, g.until = nil, time.Time{}
	for _, b := range held {
		if p := c.state.Pod(b.Pod.UID); p != nil && isAssumedOn(p, b.Node) {
			c.takeBack(p)
		}
	}
}

// undoGang takes all pods of a gang off their nodes whose binds wait for each other's volumes, since one of them is not to be bound: nothing of the gang has been.
func (c *Core) undoGang(g *gang) {
	if g == nil || !g.until.After(c.now) {
		return
	}
	for _, p := range slices.Clone(g.group.Members()) {
		if x := c.preparing[p.Fact.UID]; x != nil {
			c.undo(x)
			c.tryAgain(p, retry{atOnce: true})
		}
	}
	c.undoHeld(g)
}

func isAssumedOn(p *cluster.Pod, node string) bool {
	return p.Alloc != nil && !p.Alloc.Bound && !p.Alloc.Reserved && p.Alloc.Node.Name == node
}

// isHeld reports whether the bind of a pod waits for the volumes of its gang.
func (c *Core) isHeld(p *cluster.Pod) bool {
	g := c.gangOf(p)
	return g != nil && slices.ContainsFunc(g.held, func(b Bind) bool { return b.Pod.UID == p.Fact.UID })
}

// giveUpGangs forgets what is expected and held back of all gangs: who does not lead keeps no room.
func (c *Core) giveUpGangs() {
	for _, g := range c.sortedGangs() {
		c.undoHeld(g)
		if g.drain != nil {
			c.endDrain(g)
		}
		c.dropExpected(g)
	}
}
