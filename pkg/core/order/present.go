package order

import "github.com/sluice-scheduler/sluice/pkg/core/cluster"

// present is what can be said of a node as it is, for any shape.
type present struct {
	version, usual uint64
	// stranded is how much of its scarce resources is, avoidance its score for asks that want nothing scarce; both in Units.
	stranded, avoidance int64
}

// present returns what can be said of a node as it is.
func (o *Orders) present(n *cluster.Node) *present {
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
