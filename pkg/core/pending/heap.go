package pending

// heap is a binary heap whose members know their place in it, so that one of them can be moved or taken out when its rank has changed. No two
// members may change their ranks at a time.
type heap[T interface{ spot() *int }] struct {
	list   []T
	before func(a, b T) bool
}

// outside is the place of what is in no heap.
const outside = -1

func (h *heap[T]) len() int { return len(h.list) }

// top returns the first member; the zero T when there is none.
func (h *heap[T]) top() (first T) {
	if len(h.list) > 0 {
		first = h.list[0]
	}
	return first
}

// first returns the first member that suits, without looking below one that does.
func (h *heap[T]) first(suits func(T) bool) (best T, found bool, visited int) {
	var look func(i int)
	look = func(i int) {
		if i >= len(h.list) {
			return
		}
		visited++
		x := h.list[i]
		switch {
		case suits(x):
			if !found || h.before(x, best) {
				best, found = x, true
			}
		case !found || h.before(x, best): // else all below come later too
			look(2*i + 1)
			look(2*i + 2)
		}
	}
	look(0)
	return best, found, visited
}

func (h *heap[T]) push(x T) {
	*x.spot() = len(h.list)
	h.list = append(h.list, x)
	h.up(len(h.list) - 1)
}

func (h *heap[T]) remove(x T) {
	i, last := *x.spot(), len(h.list)-1
	h.set(i, h.list[last])
	var none T
	h.list[last] = none
	h.list = h.list[:last]
	*x.spot() = outside
	if i < last {
		h.fix(h.list[i])
	}
}

// fix moves a member to where its rank belongs now.
func (h *heap[T]) fix(x T) {
	i := *x.spot()
	if !h.down(i) {
		h.up(i)
	}
}

func (h *heap[T]) up(i int) {
	x := h.list[i]
	for i > 0 {
		parent := (i - 1) / 2
		if !h.before(x, h.list[parent]) {
			break
		}
		h.set(i, h.list[parent])
		i = parent
	}
	h.set(i, x)
}

func (h *heap[T]) down(from int) (moved bool) {
	i, x := from, h.list[from]
	for {
		child := 2*i + 1
		if child >= len(h.list) {
			break
		}
		if right := child + 1; right < len(h.list) && h.before(h.list[right], h.list[child]) {
			child = right
		}
		if !h.before(h.list[child], x) {
			break
		}
		h.set(i, h.list[child])
		i = child
	}
	h.set(i, x)
	return i != from
}

func (h *heap[T]) set(i int, x T) {
	h.list[i] = x
	*x.spot() = i
}
