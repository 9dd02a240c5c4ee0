package flink

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sluice-scheduler/sluice/pkg/sim/flink/jobmanager"
)

// TestJobsContendForRoomForHalfOfThem: two to fifty jobs of random sizes come within a minute to room for about half of them. None starts in part, no slots time out, nothing is wasted; and none
// waits for which there is room.
func TestJobsContendForRoomForHalfOfThem(t *testing.T) {
	var ran, best, jobs int
	for seed := range uint64(20) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			rng := rand.New(rand.NewPCG(seed, 7))
			w := world(t)
			sizes, total := make([]int, 2+rng.IntN(49)), 0
			for i := range sizes {
				sizes[i] = 2 + rng.IntN(12) // its JobManager included
				total += sizes[i]
			}
			cores := max(total/2, 14)
			w.Nodes("n", cores/4, "4")
			room := cores / 4 * 4
			costs := make([]*cost, len(sizes))
			for i, size := range sizes {
				w.submit(manifest(fmt.Sprintf("j%02d", i), size-1))
				costs[i] = &cost{}
			}
			w.Act = func() (time.Duration, bool, error) {
				next, moved, err := w.turn()
				for i, j := range w.jobs {
					costs[i].look(j)
				}
				return next, moved, err
			}
			require.NoError(t, w.Run(20*time.Minute))

			free := room
			for i, j := range w.jobs {
				if j.State() == jobmanager.Running {
					free -= sizes[i]
					ran++
				}
			}
			for i, j := range w.jobs {
				costs[i].look(j)
				require.Zero(t, j.Counts().SlotTimeouts, "job %d", i)
				require.Zero(t, costs[i].partial, "job %d started in part", i)
				require.LessOrEqual(t, costs[i].wasted, time.Second, "job %d", i)
				if j.State() != jobmanager.Running {
					require.Greater(t, sizes[i], free, "job %d waits and there is room for it", i)
					require.Empty(t, j.JobManager().Spec.NodeName, "job %d holds a node", i)
				}
			}
			best += mostJobs(sizes, room)
			jobs += len(sizes)
		})
	}
	t.Logf("of %d jobs %d ran; the most that could have was %d", jobs, ran, best)
}

// mostJobs is how many jobs fit at most: the smallest first, for all pods are of one size.
func mostJobs(sizes []int, room int) (n int) {
	for size := 2; size <= 13; size++ {
		for _, s := range sizes {
			if s == size && room >= size {
				room -= size
				n++
			}
		}
	}
	return n
}
