package core

import "github.com/sluice-scheduler/sluice/pkg/core/cluster"

// A gang that must stay within one domain (cluster.GroupTopology, Required) stays there: room that is owed to it is kept there, and pods that replace others, or come beyond the least, stand in line
// as a gang of one, one after the other, so that they are placed there or wait.

// within returns which nodes a gang that must stay within one domain may use, once it is somewhere; nil for all.
func (c *Core) within(g *gang) func(*cluster.Node) bool {
	f := g.group.Fact()
	if f == nil || f.Topology == nil || !f.Topology.Required {
		return nil
	}
	value, settled := g.domain(f.Topology.Key)
	if !settled {
		return nil
	}
	key := f.Topology.Key
	return func(n *cluster.Node) bool { return n.Fact != nil && n.Fact.Labels[key] == value }
}

// confined reports whether the pods of a gang must all be in one domain.
func (s *stock) confined() bool { return s.fact.Topology != nil && s.fact.Topology.Required }

// oneByOne puts the first of the waiting pods in line; when it is placed the next one follows.
func (c *Core) oneByOne(g *gang, s *stock) {
	c.putGang(g, s, s.waiting[:1:1])
}
