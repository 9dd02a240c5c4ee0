package order

import (
	"math"

	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
)

// ceiling ranks the nodes that offer something scarce by the most that any ask for so many units of it can score there, as far as the node alone
// tells. The score itself is never more, so a walk in this order may stop at the first node whose ceiling is below what was
// found: where little is stranded, that is the first node or the second.
//
// The ceiling is the score of an ask that would strand nothing and put to use all that is stranded now, or as much of it as it asks for.
type ceiling struct {
	*Index
	usual uint64
}

// manyCeilings is how many numbers of units have a ranking of their own at a time.
const manyCeilings = 16

// ceilingOf returns the ranking for asks for so many units, brought up to date with the usual requests.
func (o *Orders) ceilingOf(s *cluster.State, x *Index, units int64) *ceiling {
	c := x.ceilings[units]
	if c == nil {
		if len(x.ceilings) >= manyCeilings {
			clear(x.ceilings)
		}
		c = &ceiling{Index: newIndex(x.spec)}
		c.onlyScarce = true
		c.score = func(n *cluster.Node) int64 {
			return x.score(n) + o.bySupply(x, o.present(n), -min(o.present(n).stranded, units*Unit), -units*Unit, o.granted(s, n.Class))
		}
		x.ceilings[units] = c
	}
	if c.usual != o.usual.version || c.width == 0 {
		c.usual = o.usual.version
		c.fill(s, o.scarce)
	}
	return c
}

// refreshCeilings moves a node that changed in the rankings that are in use.
func (x *Index) refreshCeilings(n *cluster.Node, scarce *Scarce, usual uint64) {
	for _, c := range x.ceilings {
		if c.usual == usual {
			c.move(n, scarce)
		}
	}
}

// bySupply is what scarcity adds to a node's static score for an ask that strands so much there. Keeping off scarce resources is not for those who
// want one.
func (o *Orders) bySupply(x *Index, now *present, strands, refused, share int64) int64 {
	return -x.avoid*now.avoidance - x.fit*weigh(strands, refused, share)
}

// bounded scores nodes from the highest ceiling downwards, until no ceiling is above the best score.
func (o *Orders) bounded(s *cluster.State, x *Index, q *Query, want uint64) (best *cluster.Node, visited int) {
	bound, shape := rank{score: math.MinInt64}, q.Pod.Shape
	units := o.scarce.units(shape)
	ceilings := o.ceilingOf(s, x, units)
	more := o.extra(s, x, shape, want)
	for _, class := range q.Classes {
		shift := x.shift(shape, class)
		for _, shelf := range ceilings.of(class) {
			if shelf.scarce&want != want {
				continue
			}
			visited += shelf.walk(shape.Wants, func(e *entry) bool {
				if (rank{e.score + shift, e.name}).compare(bound) >= 0 {
					return false
				}
				r := rank{x.score(e.node) + shift + more(e.node), e.name}
				if r.compare(bound) < 0 && q.admits(e.node) {
					best, bound = e.node, r
				}
				return true
			})
		}
	}
	return best, visited
}
