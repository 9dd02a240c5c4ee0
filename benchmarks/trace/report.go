package trace

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"text/tabwriter"
	"time"
)

// Report is the outcome of a case, as it is written to a file.
type Report struct {
	Case    string `json:"case"`
	Date    string `json:"date"`
	Machine struct {
		Cores      int    `json:"cores"`
		GOMAXPROCS int    `json:"gomaxprocs"`
		CPU        string `json:"cpu"`
		Go         string `json:"go"`
	} `json:"machine"`
	Command string `json:"command"`
	// Source is trace, or generated where there was none.
	Source   string   `json:"source"`
	Workload Workload `json:"workload"`
	Nodes    int      `json:"nodes"`
	GPUs     int64    `json:"gpus"`
	Tasks    int      `json:"tasks"`
	Shapes   int      `json:"shapes"`
	Series   []Series `json:"series"`
	// Best is the upstream variant that did best: the one with most GPUs allocated, or with the shortest mean wait.
	Best string `json:"best"`
	// Differences are Sluice's figures less the best variant's, seed by seed, by order and figure.
	Differences map[string]map[string]Estimate `json:"differences"`
	// Missed are the bounds that were not met.
	Missed []string `json:"missed,omitempty"`
}

// NewReport compares the series.
func NewReport(c *Case, t *Trace, generated bool, series []Series) *Report {
	r := &Report{
		Case: c.Name, Date: time.Now().UTC().Format(time.RFC3339), Workload: c.Workload, Source: "trace",
		Command: strings.Join(append([]string{filepath.Base(os.Args[0])}, os.Args[1:]...), " "),
		Nodes:   len(t.Machines), GPUs: t.GPUs(), Tasks: len(t.Tasks), Shapes: len(t.Demands()), Series: series,
		Differences: map[string]map[string]Estimate{},
	}
	if generated {
		r.Source = "generated"
	}
	r.Machine.Cores, r.Machine.GOMAXPROCS, r.Machine.CPU, r.Machine.Go = runtime.NumCPU(), runtime.GOMAXPROCS(0), cpuModel(), runtime.Version()
	best := r.best()
	if best == nil {
		return r
	}
	r.Best = best.Name
	for _, s := range series {
		if s.Sluice {
			d := map[string]Estimate{}
			for figure, values := range s.Values {
				d[figure] = Of(difference(values, best.Values[figure]))
			}
			r.Differences[s.Name] = d
		}
	}
	r.hold(&c.Bounds, best)
	return r
}

// best returns the best upstream series; equal ones by what they strand.
func (r *Report) best() (best *Series) {
	cost := func(s *Series) float64 {
		if r.Workload.Kind == KindReplay {
			return Of(s.Values[WaitMean]).Mean
		}
		return Of(s.Values[Stranded]).Mean/1e6 - Of(s.Values[Allocated]).Mean
	}
	for i := range r.Series {
		if s := &r.Series[i]; !s.Sluice && (best == nil || cost(s) < cost(best)) {
			best = s
		}
	}
	return best
}

// hold holds the default order against the bounds.
func (r *Report) hold(b *Bounds, best *Series) {
	d := r.Differences[DefaultOrder]
	miss := func(what string, e Estimate, bound float64) {
		r.Missed = append(r.Missed, fmt.Sprintf("%s: %s is %s, its whole interval must be above %g", r.Case, what, e, bound))
	}
	if b.MoreAllocated != nil && !d[Allocated].Surely(*b.MoreAllocated) {
		miss("more GPUs allocated", d[Allocated], *b.MoreAllocated)
	}
	fewer := Estimate{-d[Stranded].Mean, d[Stranded].Half}
	if b.FewerStranded != nil && !fewer.Surely(*b.FewerStranded) {
		miss("fewer GPUs stranded", fewer, *b.FewerStranded)
	}
	if b.WaitRatio != nil {
		theirs := Of(best.Values[WaitMean]).Mean
		if ours := theirs + d[WaitMean].Mean; ours > *b.WaitRatio*theirs {
			r.Missed = append(r.Missed, fmt.Sprintf("%s: mean wait %.1f s against %.1f s, at most %g times as long is allowed", r.Case, ours, theirs, *b.WaitRatio))
		}
	}
}

// String gives the mean with half the width of its interval.
func (e Estimate) String() string {
	if e.Half < 0 {
		return fmt.Sprintf("%.1f", e.Mean)
	}
	return fmt.Sprintf("%.1f ±%.1f", e.Mean, e.Half)
}

// columns are the figures of the table, by kind.
var columns = map[string][]string{
	KindFill:   {Allocated, Stranded, Free, Placed, AtOnce},
	KindReplay: {WaitMean, WaitP50, WaitP90, WaitP99, WaitMax, Delayed, Never},
}

// Print writes the table: every contender (the best upstream one with a star), then the differences.
func (r *Report) Print(out io.Writer) error {
	fmt.Fprintf(out, "\n%s: %d nodes, %d GPUs, %d tasks of %d shapes (%s), seeds 1 to %d, mean ± half the 95 %% interval\n",
		r.Case, r.Nodes, r.GPUs, r.Tasks, r.Shapes, r.Source, r.Workload.Seeds)
	table := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(table, "  \t"+strings.Join(columns[r.Workload.Kind], "\t"))
	line := func(name string, of func(figure string) Estimate) {
		fmt.Fprint(table, "  "+name)
		for _, figure := range columns[r.Workload.Kind] {
			fmt.Fprint(table, "\t", of(figure))
		}
		fmt.Fprintln(table)
	}
	for _, s := range r.Series {
		name := s.Name
		if name == r.Best {
			name += " *"
		}
		line(name, func(figure string) Estimate { return Of(s.Values[figure]) })
	}
	for _, order := range []string{DefaultOrder, PackOrder} {
		if d, ok := r.Differences[order]; ok {
			line(order+" − best upstream *", func(figure string) Estimate { return d[figure] })
		}
	}
	return table.Flush()
}

// Write stores the report in the directory.
func (r *Report) Write(dir string) error {
	data, err := json.MarshalIndent(r, "", " ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "trace-"+r.Case+".json"), append(data, '\n'), 0o644)
}

func cpuModel() string {
	data, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return "unknown"
	}
	for line := range strings.Lines(string(data)) {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return "unknown"
}
