// Command bench-trace compares how Sluice's core and kube-scheduler's own scoring place the pods of a real cluster with GPUs. See
// docs/benchmarks-trace.md.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/sluice-scheduler/sluice/benchmarks/trace"
)

func main() {
	var o options
	flag.StringVar(&o.traces, "traces", os.Getenv("TRACES"), "directory with the trace's files; empty: generate a trace")
	flag.StringVar(&o.cases, "case", "", "run only cases whose name contains this")
	flag.StringVar(&o.only, "only", "", "run only contenders whose name contains this; bounds then are not checked")
	flag.IntVar(&o.seeds, "seeds", 0, "run fewer seeds than the case says; bounds then are not checked")
	flag.StringVar(&o.results, "results", "", "directory for the JSON files; empty: none are written")
	flag.Parse()
	if err := o.run(); err != nil {
		fmt.Fprintln(os.Stderr, "bench-trace:", err)
		os.Exit(1)
	}
}

type options struct {
	traces, cases, only, results string
	seeds                        int
}

func (o *options) run() error {
	if o.traces == "" {
		fmt.Println("no trace given (TRACES=): generating one, for which the bounds are not checked")
	}
	cases, err := trace.Cases()
	if err != nil {
		return err
	}
	var missed []string
	for i := range cases {
		if !strings.Contains(cases[i].Name, o.cases) {
			continue
		}
		faults, err := o.runCase(&cases[i])
		if err != nil {
			return fmt.Errorf("case %s: %w", cases[i].Name, err)
		}
		missed = append(missed, faults...)
	}
	if len(missed) > 0 {
		return errors.New("bounds missed:\n  " + strings.Join(missed, "\n  "))
	}
	return nil
}

// runCase runs a case and returns the bounds that it missed.
func (o *options) runCase(c *trace.Case) (missed []string, err error) {
	whole := o.traces != "" && o.only == ""
	if o.seeds > 0 && o.seeds < c.Workload.Seeds {
		c.Workload.Seeds, whole = o.seeds, false
	}
	t, err := c.Workload.Trace(o.traces)
	if err != nil {
		return nil, err
	}
	ran, list := 0, slices.DeleteFunc(trace.Contenders(), func(x trace.Contender) bool { return !strings.Contains(x.Name, o.only) })
	series, err := trace.Run(t, &c.Workload, list, func(name string, seed int) {
		ran++
		fmt.Fprintf(os.Stderr, "\r%s: %d of %d runs (%s, seed %d)\x1b[K", c.Name, ran, len(list)*c.Workload.Seeds, name, seed)
	})
	fmt.Fprint(os.Stderr, "\r\x1b[K")
	if err != nil {
		return nil, err
	}
	r := trace.NewReport(c, t, o.traces == "", series)
	if !whole {
		r.Missed = nil
	}
	if err := r.Print(os.Stdout); err != nil {
		return nil, err
	}
	if o.results == "" {
		return r.Missed, nil
	}
	return r.Missed, r.Write(filepath.Clean(o.results))
}
