package cluster

import "slices"

// shelf keeps things that only some nodes can reach, so that what a node can reach is found without looking at all: those that a certain label value pins lie
// under that value, the others loose. Each lot is in order.
type shelf[T comparable] struct {
	less   func(a, b T) int
	loose  []T
	pinned map[Pin][]T
	// keys are the labels that pin something.
	keys []pinKey
}

type pinKey struct {
	label string
	lots  int
}

func (x *shelf[T]) len() int { return len(x.loose) + len(x.pinned) }

func (x *shelf[T]) insert(t T, pin Pin) {
	if pin == (Pin{}) {
		x.loose = x.inserted(x.loose, t)
		return
	}
	if x.pinned == nil {
		x.pinned = map[Pin][]T{}
	}
	lot, known := x.pinned[pin]
	x.pinned[pin] = x.inserted(lot, t)
	if !known {
		x.countKey(pin.Key, 1)
	}
}

func (x *shelf[T]) remove(t T, pin Pin) {
	if pin == (Pin{}) {
		x.loose = cut(x.loose, t)
		return
	}
	lot := cut(x.pinned[pin], t)
	x.pinned[pin] = lot
	if len(lot) == 0 {
		delete(x.pinned, pin)
		x.countKey(pin.Key, -1)
	}
}

func (x *shelf[T]) inserted(lot []T, t T) []T {
	at, _ := slices.BinarySearchFunc(lot, t, x.less)
	return slices.Insert(lot, at, t)
}

func (x *shelf[T]) countKey(label string, by int) {
	at := slices.IndexFunc(x.keys, func(k pinKey) bool { return k.label == label })
	if at < 0 {
		x.keys = append(x.keys, pinKey{label, by})
		return
	}
	x.keys[at].lots += by
	if x.keys[at].lots == 0 {
		x.keys = slices.Delete(x.keys, at, at+1)
	}
}

// lots calls f for each lot of which a node with these labels may reach something, until f returns false.
func (x *shelf[T]) lots(labels map[string]string, f func([]T) bool) {
	if len(x.loose) > 0 && !f(x.loose) {
		return
	}
	for _, k := range x.keys {
		value, ok := labels[k.label]
		if lot := x.pinned[Pin{k.label, value}]; ok && len(lot) > 0 && !f(lot) {
			return
		}
	}
}

// each calls f for everything on the shelf, in no order.
func (x *shelf[T]) each(f func(T)) {
	for _, t := range x.loose {
		f(t)
	}
	for _, lot := range x.pinned {
		for _, t := range lot {
			f(t)
		}
	}
}
