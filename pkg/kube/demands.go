package kube

import (
	"runtime"
	"sync"
	"weak"

	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
)

// demands lets pods that ask for the same share one Demand: 100,000 pods of 300 kinds hold 300 of them. A demand that no pod holds
// any more is freed by the garbage collector.
type demands struct {
	mu  sync.Mutex
	all map[string]weak.Pointer[cluster.Demand]
}

func newDemands() *demands { return &demands{all: map[string]weak.Pointer[cluster.Demand]{}} }

// share returns the demand that stands for all with the key of d: an earlier one, or d.
func (s *demands) share(d *cluster.Demand) *cluster.Demand {
	s.mu.Lock()
	defer s.mu.Unlock()
	if known, ok := s.all[d.Key]; ok {
		if shared := known.Value(); shared != nil {
			return shared
		}
	}
	s.all[d.Key] = weak.Make(d)
	runtime.AddCleanup(d, s.forget, d.Key)
	return d
}

// forget removes a key whose demand is gone, unless a new one has taken its place.
func (s *demands) forget(key string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if known, ok := s.all[key]; ok && known.Value() == nil {
		delete(s.all, key)
	}
}

// size is how many keys are known.
func (s *demands) size() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.all)
}
