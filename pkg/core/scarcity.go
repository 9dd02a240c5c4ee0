package core

import (
	"cmp"
	"fmt"
	"strings"
	"time"
)

// ScarceUnits is how it stands with one scarce resource, in pieces.
type ScarceUnits struct {
	Resource string
	// Nodes is how many nodes offer it.
	Nodes int
	// Free is what is not requested; Stranded the part of it on nodes where none of the requests for it that have been usual fits any more.
	Free, Stranded int64
}

// scarcityEvery is how often the scarce units in Stats are counted anew.
const scarcityEvery = 10 * time.Second

// Scarcity counts the units of all scarce resources, by name. It looks at every node that offers one.
func (c *Core) Scarcity() []ScarceUnits {
	c.order.Refresh(c.state)
	var all []ScarceUnits
	for _, slot := range c.order.Scarce().Slots() {
		u := ScarceUnits{Resource: c.state.Space.Name(slot), Nodes: c.state.Offering(slot)}
		u.Stranded, u.Free = c.order.Stranded(c.state, slot)
		all = append(all, u)
	}
	return all
}

// countScarce keeps Stats.Scarce true to within scarcityEvery.
func (c *Core) countScarce() {
	if c.now.Sub(c.scarceAt) >= scarcityEvery {
		c.scarceAt = c.now
		c.stats.Scarce = c.Scarcity()
	}
}

// Report is the Dump with what depends on history as comments at its end: the node orders and what is scarce.
func (c *Core) Report() string {
	var b strings.Builder
	b.WriteString(c.Dump())
	fmt.Fprintf(&b, "# node orders: %s; %s where none is named\n", strings.Join(c.order.Names(), ", "), c.order.Primary())
	fmt.Fprintf(&b, "# queues: hash %s\n", cmp.Or(c.state.Tree().Hash, "none"))
	for _, u := range c.Scarcity() {
		fmt.Fprintf(&b, "# scarce: %s on %d of %d nodes, %d free, %d of them stranded\n", u.Resource, u.Nodes, c.state.KnownNodes(), u.Free, u.Stranded)
	}
	return b.String()
}
