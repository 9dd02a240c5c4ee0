package order

import "github.com/sluice-scheduler/sluice/pkg/core/cluster"

// memo remembers for one shape what would be stranded on each node with a pod of the shape on it, by the node's index, for as long as node and
// usual requests stay as they were.
type memo struct {
	usual   uint64
	version []uint64
	value   []int64
}

// present is what can be said of a node as it is, for any shape.
type present struct {
	version, usual uint64
	// stranded is how much of its scarce resources is, avoidance its score for asks that want nothing scarce; both in Units.
	stranded, avoidance int64
}

// remember returns the memo of a shape, empty when the usual requests have changed.
func (o *Orders) remember(shape *cluster.Shape) *memo {
	m := o.memo[shape]
	if m == nil || m.usual != o.usual.version {
		m = &memo{usual: o.usual.version}
		o.memo[shape] = m
	}
	return m
}

// present returns what can be said of a node as it is.
func (o *Orders) present(s *cluster.State, n *cluster.Node) *present {
	for len(o.nodes) <= n.Index {
		o.nodes = append(o.nodes, present{})
	}
	p := &o.nodes[n.Index]
	if p.version != n.Version || p.usual != o.usual.version {
		*p = present{
			version: n.Version, usual: o.usual.version,
			stranded: o.stranded(n, nil), avoidance: o.scarce.avoidance(n),
		}
	}
	return p
}

// strands is how much a pod of the shape would strand on the node: what is stranded with it less what is stranded now, in Units. It may be
// negative.
func (o *Orders) strands(m *memo, shape *cluster.Shape, n *cluster.Node, now *present) int64 {
	for len(m.version) <= n.Index {
		m.version = append(m.version, 0)
		m.value = append(m.value, 0)
	}
	if m.version[n.Index] != n.Version {
		m.version[n.Index] = n.Version
		m.value[n.Index] = o.stranded(n, shape)
	}
	return m.value[n.Index] - now.stranded
}

// granted is the share of the asks for scarce resources, in Units, whose wishes allow the node.
func (o *Orders) granted(s *cluster.State, c *cluster.Class) int64 {
	if o.grantedAt != o.usual.version {
		clear(o.grants)
		o.grantedAt = o.usual.version
	}
	share, ok := o.grants[c]
	if !ok {
		share = o.usual.wishes.granted(s, c)
		o.grants[c] = share
	}
	return share
}

// stranded is how much of the node's scarce resources is stranded, with a pod of the shape on it if one is given.
func (o *Orders) stranded(n *cluster.Node, with *cluster.Shape) (sum int64) {
	for slot := range o.room {
		o.room[slot] = n.Allocatable.At(slot) - n.Used.At(slot)
	}
	if with != nil {
		for _, w := range with.Wants {
			o.room[w.Slot] -= w.Value
		}
	}
	for _, slot := range o.scarce.slots {
		if n.Allocatable.At(slot) > 0 {
			sum += o.usual.stranded(slot, o.room)
		}
	}
	return sum
}
