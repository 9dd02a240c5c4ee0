package flink

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/sluice-scheduler/sluice/benchmarks/stand"
)

// Report is all that was measured, and on what.
type Report struct {
	Machine         stand.Machine `json:"machine"`
	Started         time.Time     `json:"started"`
	Command         string        `json:"command"`
	StarvationAfter string        `json:"starvationAfter"`
	Bounds          []Bound       `json:"bounds"`
	Cases           []Outcome     `json:"cases"`
}

// Outcome is what was measured of one case.
type Outcome struct {
	Case         string        `json:"case"`
	Measurements []Measurement `json:"measurements"`
}

// Print writes the report for people: one Markdown table of all figures, who was measured side by side, and what became of the bounds.
func (r *Report) Print(out io.Writer) {
	m := r.Machine
	fmt.Fprintf(out, "\n%d cores, %s, Linux %s, %s, Kubernetes %s; %s; `%s`\n\n",
		m.Cores, m.CPU, m.Kernel, m.Go, m.Kubernetes, r.Started.UTC().Format("2006-01-02 15:04 UTC"), r.Command)
	t := tabwriter.NewWriter(out, 0, 0, 1, ' ', 0)
	row := func(cells ...string) { fmt.Fprintln(t, "| "+strings.Join(cells, "\t| ")+"\t|") }
	who := r.contenders()
	row(append(append([]string{"case", "figure"}, who...), "bound")...)
	row(append(append([]string{"---", "---"}, slices.Repeat([]string{"---:"}, len(who))...), "---")...)
	for i := range r.Cases {
		c := &r.Cases[i]
		for _, figure := range c.figures() {
			cells := []string{c.Case, figure}
			for _, name := range who {
				cells = append(cells, cell(c.of(name, figure)))
			}
			row(append(cells, strings.Join(r.verdicts(c, figure), "; "))...)
		}
		cells := []string{c.Case, "others' CPU %"}
		for _, name := range who {
			cells = append(cells, cell(c.foreign(name)))
		}
		row(append(cells, "")...)
	}
	_ = t.Flush()
}

// figureOrder is the order of rows.
var figureOrder = []string{
	figureWasted, figureTimeouts, figurePartial, figureRunning, figureVain, figureAllRun, figureAllAgain, figureP50, figureP99, figurePerSecond, figureLongest,
	figureStarts, figureBeyond, figureSmall, figureRefused, figureCPU, figureAllCPU,
}

func (c *Outcome) figures() (all []string) {
	for _, figure := range figureOrder {
		if slices.ContainsFunc(c.Measurements, func(m Measurement) bool { _, ok := m.Figures[figure]; return ok }) {
			all = append(all, figure)
		}
	}
	return all
}

// contenders are all that were measured, Sluice first.
func (r *Report) contenders() (names []string) {
	for _, c := range r.Cases {
		for _, m := range c.Measurements {
			if !slices.Contains(names, m.Scheduler) {
				names = append(names, m.Scheduler)
			}
		}
	}
	rank := func(name string) int {
		return slices.IndexFunc([]string{stand.Sluice, Plain, stand.KubeScheduler, stand.Ceiling}, func(p string) bool { return is(name, p) })
	}
	slices.SortStableFunc(names, func(a, b string) int { return rank(a) - rank(b) })
	return names
}

// is says whether a contender has this name; the ceiling has its number in flight besides.
func is(name, wanted string) bool {
	return name == wanted || wanted == stand.Ceiling && strings.HasPrefix(name, stand.Ceiling+"-")
}

// of gathers a figure of one contender over the rounds.
func (c *Outcome) of(name, figure string) (values []float64) {
	for _, m := range c.Measurements {
		if v, ok := m.Figures[figure]; ok && is(m.Scheduler, name) {
			values = append(values, v)
		}
	}
	return values
}

func (c *Outcome) foreign(name string) (values []float64) {
	for _, m := range c.Measurements {
		if is(m.Scheduler, name) {
			values = append(values, 100*m.Foreign)
		}
	}
	return values
}

// against is Sluice's figure beside another's, within each round in which both were measured.
func (c *Outcome) against(other, figure string, compare func(a, b float64) float64) (values []float64) {
	for _, m := range c.Measurements {
		a, ok := m.Figures[figure]
		if !ok || m.Scheduler != stand.Sluice {
			continue
		}
		for _, n := range c.Measurements {
			if b, ok := n.Figures[figure]; ok && n.Round == m.Round && is(n.Scheduler, other) {
				values = append(values, compare(a, b))
			}
		}
	}
	return values
}

// reached is what a bound is held against.
func (b Bound) reached(c *Outcome) []float64 {
	switch {
	case b.Over != "":
		return c.against(b.Over, b.Figure, func(x, y float64) float64 { return x / y })
	case b.Minus != "":
		return c.against(b.Minus, b.Figure, func(x, y float64) float64 { return x - y })
	}
	return c.of(stand.Sluice, b.Figure)
}

func (b Bound) held(v float64) bool {
	if b.AtLeast != nil {
		return v >= *b.AtLeast
	}
	return v <= *b.AtMost
}

// String names the bound, as "÷ ceiling ≤ 1.2".
func (b Bound) String() string {
	s := ""
	switch {
	case b.Over != "":
		s = "÷ " + b.Over + " "
	case b.Minus != "":
		s = "− " + b.Minus + " "
	}
	if b.AtLeast != nil {
		return s + fmt.Sprintf("≥ %g", *b.AtLeast)
	}
	return s + fmt.Sprintf("≤ %g", *b.AtMost)
}

// verdicts tells what became of the bounds of a figure.
func (r *Report) verdicts(c *Outcome, figure string) (all []string) {
	for _, b := range r.Bounds {
		if b.Figure != figure || !matches(b.Case, c.Case) {
			continue
		}
		values := b.reached(c)
		switch {
		case len(values) == 0:
			all = append(all, b.String()+": not measured")
		case b.held(median(values)):
			all = append(all, fmt.Sprintf("%s: %s, held", b, cell(values)))
		default:
			all = append(all, fmt.Sprintf("%s: %s, MISSED", b, cell(values)))
		}
	}
	return all
}

// Missed lists the bounds that were not kept.
func (r *Report) Missed() (missed []string) {
	for i := range r.Cases {
		c := &r.Cases[i]
		for _, figure := range c.figures() {
			for _, v := range r.verdicts(c, figure) {
				if strings.HasSuffix(v, "MISSED") {
					missed = append(missed, fmt.Sprintf("%s: %s %s", c.Case, figure, v))
				}
			}
		}
	}
	return missed
}

func median(values []float64) float64 {
	s := slices.Sorted(slices.Values(values))
	return (s[(len(s)-1)/2] + s[len(s)/2]) / 2
}

// cell is a median with the least and the most, or nothing if it was not measured.
func cell(values []float64) string {
	if len(values) == 0 {
		return "–"
	}
	least, most := slices.Min(values), slices.Max(values)
	if least == most {
		return number(least)
	}
	return fmt.Sprintf("%s (%s–%s)", number(median(values)), number(least), number(most))
}

func number(v float64) string {
	switch {
	case v >= 100 || v == float64(int(v)):
		return fmt.Sprintf("%.0f", v)
	default:
		return fmt.Sprintf("%.2f", v)
	}
}
