package flink

import "slices"

// bestPacking is how many of the jobs can run at once: the most of which all pods have room, each job whole. Nodes are alike. It tries every set of jobs, by how many of each size it has, and every
// way to fill the nodes that matters.
func bestPacking(jobs []jobSize, nodes int, nodeCPU int) int {
	best := 0
	kinds, counts := distinct(jobs)
	var try func(kind, chosen int, masters, workers, masterCPU, workerCPU int)
	try = func(kind, chosen, masters, workers, masterCPU, workerCPU int) {
		if !fits(masters, masterCPU, workers, workerCPU, nodes, nodeCPU) {
			return // nor would more
		}
		best = max(best, chosen)
		if kind == len(kinds) {
			return
		}
		k := kinds[kind]
		for n := counts[kind]; n >= 0; n-- {
			try(kind+1, chosen+n, masters+n, workers+n*k.taskManagers, k.masterCPU, k.workerCPU)
		}
	}
	try(0, 0, 0, 0, 1, 1)
	return best
}

// jobSize is what a job asks for, in whole CPUs. All jobs of one packing have pods of the same two sizes.
type jobSize struct{ taskManagers, masterCPU, workerCPU int }

// distinct are the sizes there are, and how many jobs have each.
func distinct(jobs []jobSize) (kinds []jobSize, counts []int) {
	for _, j := range jobs {
		at := slices.Index(kinds, j)
		if at < 0 {
			at = len(kinds)
			kinds, counts = append(kinds, j), append(counts, 0)
		}
		counts[at]++
	}
	return kinds, counts
}

// fits says whether so many pods of two sizes have room on nodes that are alike. A node may hold any number of the small beside each number of the large, so it is enough to look,
// for every number of large pods on a node, at how many small ones are left room for; nodes are filled so that the most small ones fit in all.
func fits(small, smallCPU, large, largeCPU, nodes, nodeCPU int) bool {
	if small == 0 && large == 0 {
		return true
	}
	perNode := nodeCPU / largeCPU
	if large > nodes*perNode {
		return false
	}
	// most[i] is the most small pods that fit beside i large ones on the nodes so far.
	most := make([]int, large+1)
	for i := range most {
		most[i] = -1
	}
	most[0] = 0
	for range nodes {
		next := make([]int, large+1)
		for i := range next {
			next[i] = -1
			for n := 0; n <= min(perNode, i); n++ {
				if most[i-n] >= 0 {
					next[i] = max(next[i], most[i-n]+(nodeCPU-n*largeCPU)/smallCPU)
				}
			}
		}
		most = next
	}
	return most[large] >= small
}
