package e2e

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// Print writes the report for people, as a Markdown table for each case and mode, and what became of the bounds.
func (r *Report) Print(out io.Writer) {
	m := r.Machine
	fmt.Fprintf(out, "\n%d cores, %s, Linux %s, %s, Kubernetes %s; %s; `%s`\n",
		m.Cores, m.CPU, m.Kernel, m.Go, m.Kubernetes, r.Started.UTC().Format("2006-01-02 15:04 UTC"), r.Command)
	for i := range r.Cases {
		r.Cases[i].print(out)
	}
}

func (c *Outcome) print(out io.Writer) {
	w := c.Workload
	fmt.Fprintf(out, "\n### %s, %s: %d pods of %d shapes, %d nodes", c.Case, c.Mode, w.Pods, w.Shapes, w.Nodes)
	if w.Bound > 0 {
		fmt.Fprintf(out, "; %d of the pods are bound from the beginning", w.Bound)
	}
	fmt.Fprint(out, "\n\n")
	t := tabwriter.NewWriter(out, 0, 0, 1, ' ', 0)
	row := func(cells ...string) { fmt.Fprintln(t, "| "+strings.Join(cells, "\t| ")+"\t|") }
	top := c.ceilingName()
	row("scheduler", "pods/s", "÷ "+top, "p50 ms", "p99 ms", "CPU s/10k to last bind", "… to last event", "all CPU s/10k", "peak MiB", "events", "others' CPU %")
	row("---", "---:", "---:", "---:", "---:", "---:", "---:", "---:", "---:", "---:", "---:")
	for _, name := range c.names() {
		row(name,
			cell(c.of(name, perSecond), 0), cell(c.against(name, top, perSecond, ratio), 2),
			cell(c.of(name, p50), 1), cell(c.of(name, p99), 1),
			cell(c.of(name, cpuBind), 2), cell(c.of(name, cpuEvent), 2), cell(c.of(name, system), 1),
			cell(c.of(name, peakEvent), 0), cell(c.of(name, events), 0), cell(c.of(name, others), 0))
	}
	_ = t.Flush()
	if n := len(c.SetAside); n > 0 {
		fmt.Fprintf(out, "\n%d measurements were set aside and repeated since others took too much of the machine meanwhile.\n", n)
	}
	for _, v := range c.Verdicts() {
		fmt.Fprintf(out, "\n%s", v)
	}
	fmt.Fprintln(out)
}

// String tells what became of the bound.
func (v Verdict) String() string {
	sign := "≤"
	if v.AtLeast {
		sign = "≥"
	}
	switch {
	case v.Rounds == 0:
		return fmt.Sprintf("%s: bound %s %g: not measured", v.Figure, sign, v.Bound)
	case v.Missed():
		return fmt.Sprintf("%s: %s, bound %s %g: MISSED", v.Figure, format(v.Reached, 2), sign, v.Bound)
	}
	return fmt.Sprintf("%s: %s, bound %s %g: held", v.Figure, format(v.Reached, 2), sign, v.Bound)
}

// cell is a median with its spread, or nothing if it was not measured.
func cell(values []float64, digits int) string {
	s := spread(values)
	if len(values) == 0 || s.Most == 0 || s.Most != s.Most {
		return "–"
	}
	return format(s, digits)
}

func format(s Spread, digits int) string {
	if s.Least == s.Most {
		return fmt.Sprintf("%.*f", digits, s.Median)
	}
	return fmt.Sprintf("%.*f (%.*f–%.*f)", digits, s.Median, digits, s.Least, digits, s.Most)
}

// Missed lists the bounds that were not kept.
func (r *Report) Missed() (missed []string) {
	for i := range r.Cases {
		c := &r.Cases[i]
		for _, v := range c.Verdicts() {
			if v.Missed() {
				missed = append(missed, fmt.Sprintf("%s %s: %s", c.Case, c.Mode, v.Figure))
			}
		}
	}
	return missed
}
