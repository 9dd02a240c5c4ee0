package main

import (
	"fmt"
	"io"
	"slices"
	"time"

	bench "github.com/sluice-scheduler/sluice/benchmarks/core"
)

// queueFigures is what many queues cost beyond decisions per second.
type queueFigures struct {
	// Reload replaces a whole tree while its pods wait: medians over the rounds, in milliseconds.
	ReloadQueues, ReloadApps, ReloadPods int
	ReloadSwapMillis                     float64
	ReloadLongestStepMillis              float64
	// Heads places small pods behind heads that fit nowhere.
	HeadQueues, HeadPods, HeadPlaced int
	HeadPodsPerSecond                float64
	// Rooms gives away small rooms one by one while all wait: milliseconds for each, by the number of queues.
	Rooms []roomFigure
}

type roomFigure struct {
	Queues, Pods int
	Millis       float64
}

// fanouts are trees of 1, 101, 1,001 and 10,000 queues.
var fanouts = [][]int{nil, {100}, {1000}, {9, 10, 10, 10}}

// tenants is the tree of 10,000 queues in five levels.
var tenants = bench.Tenants{Fanout: []int{9, 10, 10, 10}, AppPods: 5, Seed: 1}

func measureQueues(rounds int) (*queueFigures, error) {
	var f queueFigures
	var swaps, longest, speeds []float64
	for range rounds {
		r := bench.MeasureReload(tenants, 100_000)
		f.ReloadQueues, f.ReloadApps, f.ReloadPods = r.Queues, r.Apps, r.Pods
		swaps, longest = append(swaps, millis(r.Swap)), append(longest, millis(r.Longest))
		h, err := bench.MeasureHeads(1000, 50_000)
		if err != nil {
			return nil, fmt.Errorf("pods behind heads that are too large: %w", err)
		}
		f.HeadQueues, f.HeadPods, f.HeadPlaced = h.Queues, h.Pods, h.Placed
		speeds = append(speeds, float64(h.Placed)/h.Elapsed.Seconds())
	}
	f.ReloadSwapMillis, f.ReloadLongestStepMillis, f.HeadPodsPerSecond = median(swaps), median(longest), median(speeds)
	for _, fanout := range fanouts {
		var times []float64
		fig := roomFigure{}
		for range rounds {
			r := bench.MeasureRooms(bench.Tenants{Fanout: fanout, AppPods: 5, Seed: 1}, 100_000, 100)
			times = append(times, millis(r.Elapsed)/float64(r.Rooms))
			fig.Queues, fig.Pods = r.Queues, r.Pods
		}
		fig.Millis = median(times)
		f.Rooms = append(f.Rooms, fig)
	}
	return &f, nil
}

func millis(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

func median(list []float64) float64 {
	slices.Sort(list)
	return list[len(list)/2]
}

func (f *queueFigures) show(to io.Writer) {
	fmt.Fprintf(to, "\nreload of a tree of %d queues with %d applications and %d waiting pods: swapped in within %.1f ms, longest step %.1f ms\n",
		f.ReloadQueues, f.ReloadApps, f.ReloadPods, f.ReloadSwapMillis, f.ReloadLongestStepMillis)
	fmt.Fprintf(to, "%d queues whose heads fit nowhere: the %d pods behind them are placed at %.0f/s\n", f.HeadQueues, f.HeadPlaced, f.HeadPodsPerSecond)
	for _, r := range f.Rooms {
		fmt.Fprintf(to, "%d pods wait in %d queues: a room for one or two of them is given away within %.2f ms\n", r.Pods, r.Queues, r.Millis)
	}
}
