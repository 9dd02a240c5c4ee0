package order

import (
	"cmp"
	"slices"

	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
)

// Wishes keep count of which nodes the asks for scarce resources insist on, by node selector and required node affinity. Units on a node that many
// asks insist on are worth more than those on a node that few may use: who can go elsewhere should.
type Wishes struct {
	counts map[string]*wish
	// top are the most frequent wishes; all counts asks with and without one.
	top   []wish
	total int64
	// among is what total was when top was chosen.
	among int64
	// judged remembers what was found of wishes and classes, as long as there are the same classes.
	judged   map[judgement]bool
	judgedAt uint64
}

// judgement is a wish held against a class.
type judgement struct {
	shape *cluster.Shape
	class *cluster.Class
}

// judgedMost bounds what is remembered.
const judgedMost = 1 << 14

type wish struct {
	key   string
	shape *cluster.Shape
	count int64
}

// wishKinds is how many wishes classes are judged by. A class is judged once per choice of the usual requests.
const wishKinds = 128

func newWishes() *Wishes { return &Wishes{counts: map[string]*wish{}, judged: map[judgement]bool{}} }

// note counts an ask.
func (w *Wishes) note(shape *cluster.Shape) {
	w.total++
	if shape.Affinity == nil {
		return
	}
	x := w.counts[shape.Key]
	if x == nil {
		x = &wish{key: shape.Key, shape: shape}
		w.counts[shape.Key] = x
	}
	x.count++
}

// choose takes the most frequent ones as those that count; halve first if there have been many.
func (w *Wishes) choose(halve bool) {
	if halve {
		w.total /= 2
	}
	w.top, w.among = w.top[:0], w.total
	for key, x := range w.counts {
		if halve {
			x.count /= 2
		}
		if x.count == 0 {
			delete(w.counts, key)
			continue
		}
		w.top = append(w.top, *x)
	}
	slices.SortFunc(w.top, func(a, b wish) int { return cmp.Or(cmp.Compare(b.count, a.count), cmp.Compare(a.key, b.key)) })
	w.top = w.top[:min(len(w.top), wishKinds)]
}

// granted is the share of the asks, in Units, that may use nodes of the class as far as their wishes go. Wishes that classes do not tell apart
// count as granted.
func (w *Wishes) granted(s *cluster.State, c *cluster.Class) int64 {
	if w.among == 0 {
		return Unit
	}
	if w.judgedAt != s.ClassVersion() || len(w.judged) > judgedMost {
		clear(w.judged)
		w.judgedAt = s.ClassVersion()
	}
	granted := w.among
	for i := range w.top {
		j := judgement{w.top[i].shape, c}
		allowed, known := w.judged[j]
		if !known {
			allowed = grants(s, j)
			w.judged[j] = allowed
		}
		if !allowed {
			granted -= w.top[i].count
		}
	}
	return granted * Unit / w.among
}

func grants(s *cluster.State, j judgement) bool {
	if s.SelectsWide(j.shape) {
		return true
	}
	match, _ := j.shape.Affinity.Match(j.class.Like.API)
	return match
}
