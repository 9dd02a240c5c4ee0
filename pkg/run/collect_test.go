package run

import (
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestGrowthOfTheHeap(t *testing.T) {
	require.Equal(t, 1600, growth(0))
	require.Equal(t, 1600, growth(leastHeap))
	require.Equal(t, 400, growth(16<<20))
	require.Equal(t, 100, growth(heapRoom))
	require.Equal(t, 50, growth(1<<30), "a large heap grows by half")
}

// What is live decides anew after each collection, until stopped.
func TestCollectionsArePaced(t *testing.T) {
	t.Setenv("GOGC", "")
	stop := PaceCollections()
	live := make([]byte, 32<<20)
	for range 3 {
		runtime.GC()
		require.Eventually(t, func() bool { return percent() < 210 }, 5*time.Second, time.Millisecond)
	}
	require.Greater(t, percent(), 100)
	runtime.KeepAlive(live)
	live = nil
	runtime.GC()
	runtime.GC()
	require.Eventually(t, func() bool { return percent() > 210 }, 5*time.Second, time.Millisecond)

	stop()
	require.Equal(t, goDefault, percent())
	runtime.GC()
	runtime.GC()
	require.Never(t, func() bool { return percent() != goDefault }, 50*time.Millisecond, 5*time.Millisecond)
}

func TestAnOperatorsGOGCIsLeftAlone(t *testing.T) {
	t.Setenv("GOGC", "150")
	defer debug.SetGCPercent(debug.SetGCPercent(150))
	PaceCollections()()
	require.Equal(t, 150, percent())
}

// percent is what is set.
func percent() int {
	sample := []metrics.Sample{{Name: "/gc/gogc:percent"}}
	metrics.Read(sample)
	return int(sample[0].Value.Uint64())
}
