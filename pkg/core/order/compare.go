package order

import (
	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
)

// candidate is a node that may be chosen, and what it has scored so far.
type candidate struct {
	node  *cluster.Node
	score int64
	// at is the node's index.
	at int
}

func (c *candidate) rank() rank { return rank{c.score, c.node.Name} }

// rater is an evaluator for one pod that must see all nodes that fit, because what it says of one depends on the others.
type rater interface {
	// raw writes the score of each node before it is held against the others, as kube-scheduler's plugin does.
	raw(fits []candidate, to []int64)
	// normal makes of it what the evaluator of weight 1 gives each, from 0 to Unit.
	normal(fits []candidate, raw []int64)
}

// weighted is a rater and its weight in an order.
type weighted struct {
	rater
	kind   Kind
	weight int64
}

// raters are those of an order that can tell nodes apart for a pod; none for most pods.
func (o *Orders) raters(s *cluster.State, x *Index, p *cluster.Pod) (list []weighted) {
	for i := range x.rated {
		e := &x.rated[i]
		if r := o.rater(s, e, p); r != nil {
			list = append(list, weighted{r, e.Kind, e.Weight})
		}
	}
	return list
}

// rated are the evaluators that must see all nodes.
func (s Spec) rated() (list []Evaluator) {
	for _, e := range s.Evaluators {
		switch e.Kind {
		case InterPodAffinity, PodTopologySpread, DefaultSpread, ImageLocality:
			list = append(list, e)
		}
	}
	return list
}

// rater returns what an evaluator has to say that must see all nodes; nil when that is nothing.
func (o *Orders) rater(s *cluster.State, e *Evaluator, p *cluster.Pod) rater {
	switch e.Kind {
	case ImageLocality:
		return o.byImages(s, p)
	case InterPodAffinity:
		return o.byCompany(e, p)
	case PodTopologySpread:
		if p.Leanings != nil {
			return o.bySpread(s, p.Leanings.Spread, true)
		}
	case DefaultSpread:
		return o.bySpread(s, s.DefaultSpread(p), false)
	}
	return nil
}

// rate adds to each node's score what the raters give it.
func (o *Orders) rate(raters []weighted, fits []candidate) {
	raw := o.rawScores(len(fits))
	for _, r := range raters {
		r.raw(fits, raw)
		r.normal(fits, raw)
		for i := range fits {
			fits[i].score += r.weight * raw[i]
		}
	}
}

// rawScores returns room for so many.
func (o *Orders) rawScores(n int) []int64 {
	if cap(o.raw) < n {
		o.raw = make([]int64, n+n/4)
	}
	return o.raw[:n]
}

// compared scores every node that fits, with what the raters say of all of them together.
func (o *Orders) compared(s *cluster.State, x *Index, q *Query, want uint64, raters []weighted) (best *cluster.Node, visited int) {
	if plain := want == 0 && !x.spec.readsRequest() && !(q.ByNode && q.Pod.Shape.Preferred != nil); q.Admits == nil && plain {
		visited = o.gather(x, q)
	} else {
		visited = o.walk(s, x, q, want, func(c candidate) {
			if q.admits(c.node) {
				o.fits = append(o.fits, c)
			}
		})
	}
	o.rate(raters, o.fits)
	best = foremost(o.fits)
	clear(o.fits)
	o.fits = o.fits[:0]
	return best, visited
}

// gather lists every node that has room, for a pod of which nothing more is to be asked, without looking at any.
func (o *Orders) gather(x *Index, q *Query) (visited int) {
	shape := q.Pod.Shape
	for _, class := range q.Classes {
		shift := x.shift(shape, class)
		for _, shelf := range x.of(class) {
			visited += shelf.walk(shape.Wants, func(e *entry) bool {
				o.fits = append(o.fits, candidate{e.node, e.score + shift, e.index})
				return true
			})
		}
	}
	return visited
}

// foremost returns the node of the highest rank, nil if there is none.
func foremost(fits []candidate) *cluster.Node {
	if len(fits) == 0 {
		return nil
	}
	best := &fits[0]
	for i := range fits {
		c := &fits[i]
		if c.score > best.score || c.score == best.score && c.rank().compare(best.rank()) < 0 {
			best = c
		}
	}
	return best.node
}
