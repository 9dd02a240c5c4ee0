// Command oracle compares Sluice's placement rules with kube-scheduler's own plugins on random clusters. See docs/oracle.md.
package main

import (
	"flag"
	"fmt"
	"os"
	"runtime/debug"
	"time"

	"github.com/sluice-scheduler/sluice/benchmarks/oracle"
)

func main() {
	var o options
	flag.Uint64Var(&o.pairs, "pairs", 1_000_000, "how many pairs of pod and node to compare at least")
	flag.Uint64Var(&o.seed, "seed", 1, "which worlds")
	flag.Int64Var(&o.world, "world", -1, "compare this world alone")
	flag.Uint64Var(&o.from, "from", 0, "the number of the first world")
	flag.DurationVar(&o.most, "time", 0, "stop after this time, however many pairs have been compared; 0 is never")
	flag.BoolVar(&o.first, "first", false, "stop at the first difference and do not make it small")
	flag.Parse()
	debug.SetGCPercent(400) // worlds come and go, and little stays
	if err := o.run(); err != nil {
		fmt.Fprintln(os.Stderr, "oracle:", err)
		os.Exit(1)
	}
}

type options struct {
	pairs, seed uint64
	from        uint64
	world       int64
	first       bool
	most        time.Duration
}

func (o *options) run() error {
	r, err := oracle.NewRunner(o.seed)
	if err != nil {
		return err
	}
	began, told := time.Now(), time.Now()
	first, pairs := o.from, o.pairs
	if o.world >= 0 {
		first, pairs = uint64(o.world), 1
	}
	for number := first; r.Tally.Pairs < pairs && !(o.first && len(r.Found) > 0) && (o.most == 0 || time.Since(began) < o.most); number++ {
		if err := r.World(number); err != nil {
			return err
		}
		if time.Since(told) > 10*time.Second {
			told = time.Now()
			fmt.Fprintf(os.Stderr, "%d pairs, %.0f/s, %d kinds of differences\n", r.Tally.Pairs, float64(r.Tally.Pairs)/time.Since(began).Seconds(), len(r.Found))
		}
	}
	took := time.Since(began)
	r.Tally.Write(os.Stdout)
	fmt.Printf("\n%.1f s, %.0f pairs/s\n", took.Seconds(), float64(r.Tally.Pairs)/took.Seconds())
	if len(r.Found) > 0 {
		for i := range r.Found {
			if o.first {
				fmt.Println(&r.Found[i])
				continue
			}
			small, err := r.Shrink(i)
			if err != nil {
				fmt.Println("\nnot made smaller:", err)
			}
			fmt.Println()
			small.Write(os.Stdout)
		}
		return fmt.Errorf("%d kinds of differences", len(r.Found))
	}
	return nil
}
