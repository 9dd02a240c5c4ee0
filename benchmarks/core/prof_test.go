package core

import ("testing";"os";"fmt";"time";"runtime/pprof";"runtime"
"github.com/sluice-scheduler/sluice/pkg/core")

func TestSwap(t *testing.T) {
	tn := Tenants{Fanout: []int{9, 10, 10, 10}, AppPods: 5, Seed: 1}
	w := Workload{Nodes: 50, Pods: 100000, Shapes: 300, Fill: 0.999, Seed: 1}
	c := core.New(core.Config{})
	events := []core.Event{core.Lead{On: true}, core.QueuesSet{Tree: tn.Tree(0)}}
	nodes := w.NodeFacts()
	for _, n := range nodes { events = append(events, core.NodeSet{Node: n}) }
	for _, p := range w.Fillers(nodes) { events = append(events, core.PodSet{Pod: p}) }
	facts := w.PodFacts(start)
	tn.Claim(facts)
	for _, p := range facts { events = append(events, core.PodSet{Pod: p}) }
	for c.Step(start, events); busy(c); { c.Step(start, nil) }
	runtime.GC()
	f, _ := os.Create("/tmp/swap.prof")
	var trees []core.Event
	for i := range 20 { trees = append(trees, core.QueuesSet{Tree: tn.Tree(uint64(i%2))}) }
	pprof.StartCPUProfile(f)
	for _, e := range trees {
		b := time.Now()
		c.Step(start, []core.Event{e})
		fmt.Print(time.Since(b), " ")
		n := 0
		var m time.Duration
		for busy(c) { b := time.Now(); c.Step(start, nil); n++; m = max(m, time.Since(b)) }
		fmt.Println(n, m)
	}
	pprof.StopCPUProfile(); f.Close()
}
