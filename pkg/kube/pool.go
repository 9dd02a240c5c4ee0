package kube

import (
	"runtime"
	"sync"
	"weak"
)

// pool lets objects share what is equal of them: 100,000 pods of 300 kinds hold 300 demands, and those of one application one claim. A value
// that nobody holds any more is freed by the garbage collector.
type pool[T any] struct {
	mu  sync.Mutex
	all map[string]weak.Pointer[T]
}

func newPool[T any]() *pool[T] { return &pool[T]{all: map[string]weak.Pointer[T]{}} }

// share returns the value that stands for all with the key: an earlier one, or v.
func (p *pool[T]) share(key string, v *T) *T {
	p.mu.Lock()
	defer p.mu.Unlock()
	if known, ok := p.all[key]; ok {
		if shared := known.Value(); shared != nil {
			return shared
		}
	}
	p.all[key] = weak.Make(v)
	runtime.AddCleanup(v, p.forget, key)
	return v
}

// forget removes a key whose value is gone, unless a new one has taken its place.
func (p *pool[T]) forget(key string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if known, ok := p.all[key]; ok && known.Value() == nil {
		delete(p.all, key)
	}
}

// size is how many keys are known.
func (p *pool[T]) size() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.all)
}
