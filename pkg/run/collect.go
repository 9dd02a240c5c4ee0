package run

import (
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"sync/atomic"
)

// heapRoom is how many bytes the heap may always grow by before garbage is collected.
const heapRoom = 64 << 20

// PaceCollections lets the heap grow by at least heapRoom from one garbage collection to the next, and by half of what is live if that is more: half as
// much as Go would, since of a large cluster much is live. Left alone, Go collects a heap of 20 MiB again after 20 MiB, which is what some 400 pods cost: a tenth of Sluice's CPU goes
// into marking the same facts again. The price is at most heapRoom of memory, and none once more than that is live.
//
// It concerns the whole process and is called once, at its start. An operator who sets GOGC has decided and is left alone; GOMEMLIMIT holds besides.
// stop gives Go's default back.
func PaceCollections() (stop func()) {
	if os.Getenv("GOGC") != "" {
		return func() {}
	}
	var stopped atomic.Bool
	debug.SetGCPercent(growth(0))
	afterEachCollection(func() bool {
		if stopped.Load() {
			return false
		}
		debug.SetGCPercent(growth(liveBytes()))
		return true
	})
	return func() {
		stopped.Store(true)
		debug.SetGCPercent(goDefault)
	}
}

const (
	goDefault = 100
	// leastGrowth is by how many percent a large heap may grow.
	leastGrowth = 50
	// leastHeap is what Go takes a smaller heap for: the growth in percent refers to at least so much.
	leastHeap = 4 << 20
)

// growth is by how many percent a heap may grow of which so many bytes are live.
func growth(live uint64) int {
	return max(leastGrowth, int(100*heapRoom/max(live, leastHeap)))
}

// liveBytes is what the last collection found in use.
func liveBytes() uint64 {
	sample := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}

// afterEachCollection has do called after each collection, until it says no: it is the cleanup of an object that nobody holds.
func afterEachCollection(do func() bool) {
	type nobodys struct{ _ *byte } // with a pointer, for objects without one may share their memory and their life with others
	runtime.AddCleanup(&nobodys{}, func(struct{}) {
		if do() {
			afterEachCollection(do)
		}
	}, struct{}{})
}
