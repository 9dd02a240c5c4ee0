package core

import "testing"

// BenchmarkDecide measures decisions of the core alone: every size of cluster, empty, half full and 95 % full, nodes spread and packed, plain, scarce and
// mixed requests. Compare runs with benchstat; cmd/bench-core prints the growth factors.
func BenchmarkDecide(b *testing.B) {
	for _, c := range Cases() {
		b.Run(c.Name(), func(b *testing.B) {
			b.ReportAllocs()
			var total Result
			for b.Loop() {
				b.StopTimer()
				r := Prepare(c)
				b.StartTimer()
				total.add(r.Run())
			}
			b.ReportMetric(float64(total.Decisions)/total.Elapsed.Seconds(), "decisions/s")
			b.ReportMetric(float64(total.Visited)/float64(total.Decisions), "visited/decision")
		})
	}
}

// TestBindsAreAllowed judges every bind of a small case of each kind by a plain reading of the rules.
func TestBindsAreAllowed(t *testing.T) {
	for _, c := range Cases() {
		t.Run(c.Name(), func(t *testing.T) {
			c.Nodes, c.Pods = 100, min(c.Pods, 1500)
			if c.Mix == "scarce" {
				c.Pods = 80
			}
			if c.Terms == Apart {
				c.Pods = c.Nodes
			}
			r := Prepare(c)
			got := r.Run()
			if got.Decisions < c.Pods*2/3 {
				t.Fatalf("only %d of %d pods were placed", got.Decisions, c.Pods)
			}
			if err := r.Judge(); err != nil {
				t.Fatal(err)
			}
		})
	}
}
