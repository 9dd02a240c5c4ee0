package pending

import (
	"cmp"
	"slices"
	"strings"

	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
	"github.com/sluice-scheduler/sluice/pkg/core/share"
)

// branch is a queue as the waiting see it.
type branch struct {
	queue  *cluster.Queue
	parent *branch
	// lines are all of the queue's own, ready those that may be tried, waiting the others.
	lines          []*Line
	ready, waiting heap[*Line]
	// below are the branches that offer something, by their keys.
	below heap[*branch]
	// offer is the line that comes next of the whole subtree, nil when there is none; priority is that of its head as seen from outside, key its place
	// among its siblings.
	offer    *Line
	priority int64
	key      share.Key
	place    int
	// reserved is for how many of its pods room is kept.
	reserved int
	// depth is how many branches are above it.
	depth  int
	soiled bool
	// sought is the best line of the subtree as of the search soughtAt, soughtBelow the branch below that it comes from if it is not the queue's own.
	sought         *Line
	soughtBelow    *branch
	soughtAt       uint64
	soughtKey      share.Key
	soughtPriority int64
	// stirred: it stands in Queue.stirredIn; strict is what the queue was when it was last looked at.
	stirred, strict bool
	// rankedBy is how the queue's parties were ranked; mixed says that some have been ranked otherwise since.
	rankedBy ranking
	mixed    bool
}

func (b *branch) spot() *int { return &b.place }

func newBranch(queue *cluster.Queue, parent *branch) *branch {
	b := &branch{queue: queue, parent: parent, place: outside, rankedBy: rulesOf(queue.Spec), strict: queue.Spec.Strict}
	if parent != nil {
		b.depth = parent.depth + 1
	}
	b.ready.before, b.waiting.before = earlier, earlier
	b.below.before = func(a, b *branch) bool {
		if c := a.key.Compare(b.key); c != 0 {
			return c < 0
		}
		return strings.Compare(a.queue.Name, b.queue.Name) < 0
	}
	return b
}

// branch returns the branch of a queue and makes it, with those above it, when there is none.
func (q *Queue) branch(queue *cluster.Queue) *branch {
	for len(q.branches) <= queue.Index {
		q.branches = append(q.branches, nil)
	}
	b := q.branches[queue.Index]
	if b == nil || b.queue != queue { // another queue had the index
		var parent *branch
		if queue.Parent != nil {
			parent = q.branch(queue.Parent)
		}
		b = newBranch(queue, parent)
		q.branches[queue.Index] = b
		if parent == nil {
			q.root = b
		}
	}
	return b
}

// soil notes that a branch's offer or key may have changed.
func (q *Queue) soil(b *branch) {
	if !b.soiled {
		b.soiled = true
		q.soiled = append(q.soiled, b)
	}
}

// Changed notes that the use of a queue, and so of those above it, has changed. It need not have a branch where one above it has.
func (q *Queue) Changed(queue *cluster.Queue) {
	for ; queue != nil; queue = queue.Parent {
		if queue.Index >= len(q.branches) {
			continue
		}
		if b := q.branches[queue.Index]; b != nil && b.queue == queue {
			q.soil(b)
			return
		}
	}
}

// Remeasure has everything put in order anew: the tree or what is configured of it, or the capacity (rescaled), has changed.
func (q *Queue) Remeasure(rescaled bool) {
	q.stirred = true // what was strict may not be any more
	for _, b := range q.branches {
		if b == nil {
			continue
		}
		if by := rulesOf(b.queue.Spec); by != b.rankedBy || b.mixed || rescaled && by.fair {
			b.rankedBy = by
			q.rerank(b)
			b.mixed = false
		}
		if b.strict != b.queue.Spec.Strict {
			b.strict = b.queue.Spec.Strict
			q.stir(b)
		}
		q.soil(b)
	}
}

// rerank puts the parties of a queue in order anew.
func (q *Queue) rerank(b *branch) {
	for _, l := range b.lines {
		for _, p := range l.parties.list {
			p.rank = q.rankOf(p)
		}
		rebuild(&l.parties)
	}
	rebuild(&b.ready)
	rebuild(&b.waiting)
}

// rebuild puts a heap in order after the ranks of many have changed.
func rebuild[T interface{ spot() *int }](h *heap[T]) {
	for i := len(h.list)/2 - 1; i >= 0; i-- {
		h.down(i)
	}
}

// clean brings offers and keys up to date, from below upwards. What is used changes along the whole path, so all branches above one that is soiled are.
func (q *Queue) clean() {
	for i := 0; i < len(q.soiled); i++ {
		if above := q.soiled[i].parent; above != nil {
			q.soil(above)
		}
	}
	deeper := func(a, b *branch) int { return cmp.Compare(b.depth, a.depth) }
	if !slices.IsSortedFunc(q.soiled, deeper) { // it is for a single path
		slices.SortStableFunc(q.soiled, deeper)
	}
	for _, b := range q.soiled {
		b.soiled = false
		q.refresh(b)
	}
	clear(q.soiled)
	q.soiled = q.soiled[:0]
}

// refresh brings a branch up to date; those below it are.
func (q *Queue) refresh(b *branch) {
	b.offer = b.next()
	switch {
	case b.parent == nil:
		return
	case b.offer != nil:
		b.priority = b.outward(b.offer, b.topPriority())
		b.key = q.scale.Key(b.queue, b.offer.Request(), b.priority)
		if b.place == outside {
			b.parent.below.push(b)
		} else {
			b.parent.below.fix(b)
		}
	case b.place != outside:
		b.parent.below.remove(b)
	}
}

// next returns what the branch offers: its own first, then the best below.
func (b *branch) next() *Line {
	if l := b.own(); l != nil {
		return l
	}
	if c := b.below.top(); c != nil {
		return c.offer
	}
	return nil
}

// own returns the first of the queue's own lines that may be tried. In a strict queue nobody passes the first who waits.
func (b *branch) own() *Line {
	l := b.ready.top()
	if w := b.waiting.top(); l != nil && w != nil && b.queue.Spec.Strict && earlier(w, l) {
		return nil
	}
	return l
}

// outward is the priority, as it is seen outside, of a line that the branch offers; below is that of the branch below if it comes from there.
func (b *branch) outward(l *Line, below int64) int64 {
	spec := b.queue.Spec
	switch {
	case spec.PriorityFence:
		return int64(spec.PriorityOffset)
	case l.branch != b:
		return below + int64(spec.PriorityOffset)
	case spec.PriorityDisabled:
		return int64(spec.PriorityOffset)
	}
	return int64(l.Head().turn.Priority) + int64(spec.PriorityOffset)
}

// topPriority is that of the first of the branches below.
func (b *branch) topPriority() int64 {
	if first := b.below.top(); first != nil {
		return first.priority
	}
	return 0
}
