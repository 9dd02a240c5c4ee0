package core_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/sluice-scheduler/sluice/pkg/core"
)

// BenchmarkGang decides one gang of 1,000 on 5,000 nodes: one that fits, one that does not, and one of two shapes of which each has room by itself.
func BenchmarkGang(b *testing.B) {
	for _, c := range []struct {
		name     string
		cpu, big int64
	}{{"fits", 1000, 1000}, {"refused", 9000, 9000}, {"refused-together", 4000, 4001}} {
		b.Run(c.name, func(b *testing.B) {
			now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
			for range b.N {
				b.StopTimer()
				k := core.New(core.Config{Budget: 10_000_000})
				events := []core.Event{core.Lead{On: true}, core.GroupSet{Group: gangOf("g", 1000)}}
				nodes := 5000
				if c.name == "refused-together" {
					nodes = 900
				}
				for i := range 5000 {
					cpu := int64(8000)
					if i >= nodes {
						cpu = 1
					}
					events = append(events, core.NodeSet{Node: nodeOf(fmt.Sprintf("n%04d", i), cpu)})
				}
				k.Step(now, events)
				events = events[:0]
				for i := range 1000 {
					cpu := c.cpu
					if i%2 == 0 {
						cpu = c.big
					}
					events = append(events, core.PodSet{Pod: member(fmt.Sprintf("p%04d", i), "g", "", cpu, now)})
				}
				k.Step(now, events[:999])
				b.StartTimer()
				effects := k.Step(now, events[999:])
				b.StopTimer()
				if bound := len(binds(effects)); bound != 1000 && bound != 0 {
					b.Fatal(bound)
				}
				b.StartTimer()
			}
		})
	}
}
