package order

import (
	"cmp"
	"slices"

	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
	"github.com/sluice-scheduler/sluice/pkg/core/resource"
)

// Usual keeps count of the requests for scarce resources that pods have made, so that one can tell what is left of use on a node. Counts
// are halved now and then, so that what is usual follows the times.
type Usual struct {
	requests map[string]*request
	// of finds the request of a shape without writing it out.
	of map[*cluster.Shape]*request
	// top are the most frequent requests, in whose light nodes are judged; they change every so many pods.
	top     []request
	wishes  *Wishes
	total   int64
	since   int
	version uint64
}

type request struct {
	key   string
	shape *cluster.Shape
	count int64
}

const (
	// usualKinds is how many kinds of requests nodes are judged by.
	usualKinds = 32
	// usualPart is the part of all requests that must be new before the most frequent ones are chosen anew, for then every node is judged anew.
	usualPart = 8
	// usualHalved is the sum of counts at which all are halved.
	usualHalved = 1 << 14
)

func newUsual() *Usual {
	return &Usual{requests: map[string]*request{}, of: map[*cluster.Shape]*request{}, wishes: newWishes()}
}

// note counts a pod's request.
func (u *Usual) note(shape *cluster.Shape) {
	r := u.of[shape]
	if r == nil {
		r = u.request(shape)
	}
	r.count++
	u.wishes.note(shape)
	u.total++
	u.since++
	if int64(u.since)*usualPart >= u.total {
		u.choose()
	}
}

// request finds what a shape requests among the requests that are counted.
func (u *Usual) request(shape *cluster.Shape) *request {
	key := shape.Requests.String()
	r := u.requests[key]
	if r == nil {
		r = &request{key: key}
		u.requests[key] = r
	}
	r.shape = shape // the one in use knows the slots of resources that came later
	if len(u.of) >= manyShapes {
		clear(u.of) // most are of shapes that are gone
	}
	u.of[shape] = r
	return r
}

// manyShapes is how many shapes are remembered at most.
const manyShapes = 4096

func (u *Usual) choose() {
	u.wishes.choose(u.total > usualHalved)
	if u.total > usualHalved {
		u.halve()
	}
	u.since = 0
	u.version++
	u.top = u.top[:0]
	for _, r := range u.requests {
		u.top = append(u.top, *r)
	}
	slices.SortFunc(u.top, func(a, b request) int {
		return cmp.Or(cmp.Compare(b.count, a.count), cmp.Compare(a.key, b.key))
	})
	u.top = u.top[:min(len(u.top), usualKinds)]
}

func (u *Usual) halve() {
	u.total = 0
	clear(u.of)
	for key, r := range u.requests {
		r.count /= 2
		u.total += r.count
		if r.count == 0 {
			delete(u.requests, key)
		}
	}
}

// stranded returns, for a node with so much free, the units of the scarce resource that are of no use to the usual requests, weighed by how
// usual each is, in Units: for a request that finds room, what is left over when as many of it as fit are placed; for one that does not, all that
// is free.
func (u *Usual) stranded(slot int, free []int64) int64 {
	have := max(0, free[slot])
	if have == 0 {
		return 0
	}
	var sum, weights int64
	for i := range u.top {
		r := &u.top[i]
		per := wantOf(r.shape.Wants, slot)
		if per == 0 {
			continue
		}
		weights += r.count
		sum += r.count * (have - per*fitsTimes(r.shape.Wants, free, have/per))
	}
	if weights == 0 {
		return 0
	}
	return sum * Unit / weights
}

func wantOf(wants []resource.Want, slot int) int64 {
	for _, w := range wants {
		if w.Slot == slot {
			return w.Value
		}
	}
	return 0
}

// fitsTimes is how many times a request fits into what is free, up to so many.
func fitsTimes(wants []resource.Want, free []int64, most int64) int64 {
	for _, w := range wants {
		if w.Slot >= len(free) {
			return 0
		}
		// Dividing only where it tells; amounts are at most 2^50 (resource.Limit), so the product holds.
		if have := free[w.Slot]; most > 1<<12 || have < w.Value*most {
			most = min(most, max(0, have)/w.Value)
		}
		if most == 0 {
			return 0
		}
	}
	return most
}
