// Command bench-core measures the core's decisions and prints them as one table with growth factors: how much longer a decision takes in a
// larger or fuller cluster. Each case runs several rounds; medians count.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	bench "github.com/sluice-scheduler/sluice/benchmarks/core"
)

// row is one case's result, as it is printed and written.
type row struct {
	Case             string  `json:"case"`
	DecisionsPerSec  float64 `json:"decisionsPerSecond"`
	Low              float64 `json:"slowestRound"`
	High             float64 `json:"fastestRound"`
	NanosPerDecision float64 `json:"nanosecondsPerDecision"`
	VisitedEach      float64 `json:"visitedPerDecision"`
	AllocsEach       float64 `json:"allocationsPerDecision"`
	Decisions        int     `json:"decisions"`
}

func main() {
	rounds := flag.Int("rounds", 5, "rounds per case; the median counts")
	only := flag.String("case", "", "run only cases whose name contains this")
	out := flag.String("out", "", "write the results as JSON to this `file`")
	flag.Parse()
	runtime.GOMAXPROCS(1)
	if err := run(*rounds, *only, *out); err != nil {
		fmt.Fprintln(os.Stderr, "bench-core:", err)
		os.Exit(1)
	}
}

func run(rounds int, only, out string) error {
	var rows []row
	for _, c := range bench.Cases() {
		if !strings.Contains(c.Name(), only) {
			continue
		}
		r, err := measure(c, rounds)
		if err != nil {
			return err
		}
		fmt.Fprintf(os.Stderr, "%-50s %9.0f decisions/s\n", r.Case, r.DecisionsPerSec)
		rows = append(rows, r)
	}
	var queues *queueFigures
	if strings.Contains("queues", only) {
		var err error
		if queues, err = measureQueues(rounds); err != nil {
			return err
		}
	}
	var gangs []gangFigure
	if strings.Contains("gangs", only) {
		var err error
		if gangs, err = measureGangs(rounds); err != nil {
			return err
		}
	}
	if len(rows) == 0 && queues == nil && gangs == nil {
		return fmt.Errorf("no case is called %q; see benchmarks/core/cases.go", only)
	}
	show(os.Stdout, rows)
	if queues != nil {
		queues.show(os.Stdout)
	}
	showGangs(os.Stdout, gangs)
	missed, err := judge(os.Stdout, rows, queues, gangs)
	if err != nil {
		return err
	}
	if err := write(out, rounds, rows, queues, gangs); err != nil {
		return err
	}
	if missed > 0 {
		return fmt.Errorf("%d bounds were missed", missed)
	}
	return nil
}

// write writes the results as JSON, if a file is named.
func write(out string, rounds int, rows []row, queues *queueFigures, gangs []gangFigure) error {
	if out == "" {
		return nil
	}
	data, err := json.MarshalIndent(map[string]any{
		"date": time.Now().UTC().Format("2006-01-02"), "go": runtime.Version(), "cpus": runtime.NumCPU(), "gomaxprocs": 1,
		"rounds": rounds, "command": "make bench", "rows": rows, "queues": queues, "gangs": gangs,
	}, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(out, append(data, '\n'), 0o644)
}

// measure runs a case; every round's binds are judged.
func measure(c bench.Case, rounds int) (row, error) {
	r := row{Case: c.Name()}
	var speeds []float64
	for range rounds {
		round := bench.Prepare(c)
		runtime.GC()
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		got := round.Run()
		runtime.ReadMemStats(&after)
		if err := round.Judge(); err != nil {
			return r, fmt.Errorf("%s: a bind that is not allowed: %w", c.Name(), err)
		}
		speeds = append(speeds, float64(got.Decisions)/got.Elapsed.Seconds())
		r.Decisions = got.Decisions
		r.VisitedEach = float64(got.Visited) / float64(got.Decisions)
		r.AllocsEach = float64(after.Mallocs-before.Mallocs) / float64(got.Decisions)
	}
	slices.Sort(speeds)
	r.DecisionsPerSec = speeds[len(speeds)/2]
	r.NanosPerDecision = 1e9 / r.DecisionsPerSec
	r.Low, r.High = speeds[0], speeds[len(speeds)-1]
	return r, nil
}

// show prints the table; growth is against the same case with 5,000 nodes, with an empty cluster, and with one queue.
func show(to io.Writer, rows []row) {
	w := tabwriter.NewWriter(to, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "case\tdecisions/s\tlow\thigh\tns/decision\tallocs\tvisited\t× 5,000 nodes\t× empty\t× one queue\t")
	for _, r := range rows {
		size := strings.NewReplacer("nodes=50000/", "nodes=5000/", "nodes=500/", "nodes=5000/").Replace(r.Case)
		empty := strings.NewReplacer("fill=0.50", "fill=0.00", "fill=0.95", "fill=0.00").Replace(r.Case)
		single := strings.Replace(r.Case, "queues=10000", "queues=1", 1)
		fmt.Fprintf(w, "%s\t%.0f\t%.0f\t%.0f\t%.0f\t%.1f\t%.1f\t%s\t%s\t%s\t\n", r.Case, r.DecisionsPerSec, r.Low, r.High,
			r.NanosPerDecision, r.AllocsEach, r.VisitedEach, growth(r, rows, size), growth(r, rows, empty), growth(r, rows, single))
	}
	w.Flush()
}

// growth is how much longer a decision takes than in the base case; empty when there is none.
func growth(r row, rows []row, base string) string {
	i := slices.IndexFunc(rows, func(b row) bool { return b.Case == base })
	if i < 0 || base == r.Case {
		return ""
	}
	return fmt.Sprintf("%.2f", r.NanosPerDecision/rows[i].NanosPerDecision)
}
