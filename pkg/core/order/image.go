package order

import (
	"cmp"
	"slices"

	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
)

// images knows which nodes have the images that pods have asked for lately.
type images struct {
	holders map[string]*holders
	epoch   uint64
	// facts are those of the nodes as they were looked at, by index.
	facts []*cluster.NodeFact
	// bytes is room to work in, by node index; zero between uses.
	bytes []int64
}

// holders are the nodes that have an image, by index, and its size there.
type holders struct {
	name string
	list []holder
}

type holder struct {
	index int
	bytes int64
}

// manyImages is how many images are known at most.
const manyImages = 512

func newImages() *images { return &images{holders: map[string]*holders{}} }

// of returns the nodes that have an image.
func (x *images) of(s *cluster.State, name string) *holders {
	if x.epoch != s.Epoch() {
		clear(x.holders) // a node has gone, and its index may be another's
		x.epoch = s.Epoch()
	}
	h := x.holders[name]
	if h == nil {
		if len(x.holders) >= manyImages {
			clear(x.holders)
		}
		h = &holders{name: name}
		x.holders[name] = h
		for _, n := range s.Slots() {
			if n != nil {
				h.look(n)
			}
		}
	}
	return h
}

// follow looks at the images of a node that changed in more than who is on it.
func (x *images) follow(n *cluster.Node) {
	if n.Fact == nil || len(x.holders) == 0 {
		return // the epoch tells of those that have gone
	}
	for len(x.facts) <= n.Index {
		x.facts = append(x.facts, nil)
	}
	if x.facts[n.Index] == n.Fact {
		return
	}
	x.facts[n.Index] = n.Fact
	for _, h := range x.holders {
		h.look(n)
	}
}

// look notes whether a node has the image.
func (h *holders) look(n *cluster.Node) {
	bytes, has := n.Fact.Image(h.name)
	at, known := slices.BinarySearchFunc(h.list, n.Index, func(o holder, index int) int { return cmp.Compare(o.index, index) })
	switch {
	case has && known:
		h.list[at].bytes = bytes
	case has:
		h.list = slices.Insert(h.list, at, holder{n.Index, bytes})
	case known:
		h.list = slices.Delete(h.list, at, at+1)
	}
}

// byImages prefers nodes that have a pod's images: by their size, scaled by how many of the nodes have them, so that not all go to the first that got one.
type byImages struct {
	images *images
	nodes  int
	list   []*holders
}

// Between these sums of scaled bytes, times the images for the upper one, a score rises from nothing to a whole, as kube-scheduler's ImageLocality has it.
const (
	fewBytes  = 23 << 20
	manyBytes = 1000 << 20
)

// byImages returns the rater for a pod's images; nil when no node has one.
func (o *Orders) byImages(s *cluster.State, p *cluster.Pod) rater {
	if p.Fact.Liking == nil {
		return nil
	}
	r := &byImages{images: o.images, nodes: s.KnownNodes()}
	known := false
	for _, name := range p.Fact.Liking.Images {
		h := o.images.of(s, name)
		r.list = append(r.list, h)
		known = known || len(h.list) > 0
	}
	if !known {
		return nil
	}
	return r
}

// raw gives 0 to 100.
func (r *byImages) raw(fits []candidate, to []int64) { r.score(fits, to, 100) }

func (r *byImages) normal(fits []candidate, raw []int64) { r.score(fits, raw, Unit) }

func (r *byImages) score(fits []candidate, to []int64, whole int64) {
	sums := r.images.bytes
	for _, h := range r.list {
		spread := float64(len(h.list)) / float64(r.nodes)
		for _, at := range h.list {
			for len(sums) <= at.index {
				sums = append(sums, 0)
			}
			sums[at.index] += int64(float64(at.bytes) * spread)
		}
	}
	most := manyBytes * int64(len(r.list))
	for i := range fits {
		sum := int64(0)
		if at := fits[i].at; at < len(sums) {
			sum = sums[at]
		}
		to[i] = whole * (min(max(sum, fewBytes), most) - fewBytes) / (most - fewBytes)
	}
	clear(sums)
	r.images.bytes = sums
}
