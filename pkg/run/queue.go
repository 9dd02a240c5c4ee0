package run

import (
	"container/heap"
	"time"
)

// queue is first in, first out, with a way back to the front for what could not be sent.
type queue[T any] struct {
	back  []T // in turn, not taken
	front []T // returned; the last goes first
	head  int
}

func (q *queue[T]) push(x T)    { q.back = append(q.back, x) }
func (q *queue[T]) unpop(x T)   { q.front = append(q.front, x) }
func (q *queue[T]) empty() bool { return q.len() == 0 }
func (q *queue[T]) len() int    { return len(q.front) + len(q.back) - q.head }

// peek returns the first without taking it; the queue must not be empty.
func (q *queue[T]) peek() T {
	if n := len(q.front); n > 0 {
		return q.front[n-1]
	}
	return q.back[q.head]
}

// pop takes the first; the queue must not be empty.
func (q *queue[T]) pop() T {
	var none T
	if n := len(q.front); n > 0 {
		x := q.front[n-1]
		q.front[n-1], q.front = none, q.front[:n-1]
		return x
	}
	x := q.back[q.head]
	q.back[q.head] = none
	q.head++
	if q.head > 64 && q.head*2 > len(q.back) {
		q.back = append([]T(nil), q.back[q.head:]...)
		q.head = 0
	}
	return x
}

// later holds what waits for a time.
type later struct {
	items  []delayed
	serial uint64
}

type delayed struct {
	at     time.Time
	serial uint64 // equal times keep their order
	do     func()
}

// add has do called by the first ripe at or after the time.
func (l *later) add(at time.Time, do func()) {
	l.serial++
	heap.Push((*delayHeap)(l), delayed{at, l.serial, do})
}

// ripe calls what is due.
func (l *later) ripe(now time.Time) {
	for len(l.items) > 0 && !l.items[0].at.After(now) {
		heap.Pop((*delayHeap)(l)).(delayed).do()
	}
}

// next returns when something will be due.
func (l *later) next() (time.Time, bool) {
	if len(l.items) == 0 {
		return time.Time{}, false
	}
	return l.items[0].at, true
}

// delayHeap is how container/heap sees a later.
type delayHeap later

// Len is how many there are.
func (h *delayHeap) Len() int { return len(h.items) }

// Less orders by time, then by arrival.
func (h *delayHeap) Less(i, j int) bool {
	a, b := h.items[i], h.items[j]
	return a.at.Before(b.at) || a.at.Equal(b.at) && a.serial < b.serial
}

// Swap exchanges two.
func (h *delayHeap) Swap(i, j int) { h.items[i], h.items[j] = h.items[j], h.items[i] }

// Push adds one.
func (h *delayHeap) Push(x any) { h.items = append(h.items, x.(delayed)) }

// Pop removes the last.
func (h *delayHeap) Pop() any {
	n := len(h.items) - 1
	x := h.items[n]
	h.items[n] = delayed{}
	h.items = h.items[:n]
	return x
}
