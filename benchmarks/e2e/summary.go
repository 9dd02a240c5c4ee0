package e2e

import (
	"cmp"
	"slices"
	"strings"

	"github.com/sluice-scheduler/sluice/benchmarks/stand"
)

// Spread is the median of a figure over the rounds, with the least and the most.
type Spread struct {
	Median float64 `json:"median"`
	Least  float64 `json:"least"`
	Most   float64 `json:"most"`
}

func spread(values []float64) Spread {
	if len(values) == 0 {
		return Spread{}
	}
	s := slices.Sorted(slices.Values(values))
	return Spread{Median: (s[(len(s)-1)/2] + s[len(s)/2]) / 2, Least: s[0], Most: s[len(s)-1]}
}

// of gathers a figure of one contender over the rounds.
func (c *Outcome) of(scheduler string, figure func(Measurement) (float64, bool)) (values []float64) {
	for _, m := range c.Measurements {
		if m.Scheduler == scheduler {
			if v, ok := figure(m); ok {
				values = append(values, v)
			}
		}
	}
	return values
}

// names are the contenders measured, in the order of the first round, each once.
func (c *Outcome) names() (names []string) {
	for _, m := range c.Measurements {
		if !slices.Contains(names, m.Scheduler) {
			names = append(names, m.Scheduler)
		}
	}
	slices.SortStableFunc(names, func(a, b string) int { return rank(a) - rank(b) })
	return names
}

func rank(name string) int {
	switch {
	case strings.HasPrefix(name, stand.Ceiling):
		return 0
	case name == stand.Sluice:
		return 1
	}
	return 2
}

// ceilingName is the number in flight with the best median of pods per second: the ceiling. Empty if none was measured.
func (c *Outcome) ceilingName() (best string) {
	most := -1.0
	for _, name := range c.names() {
		if rank(name) != 0 {
			continue
		}
		if v := spread(c.of(name, perSecond)).Median; v > most {
			best, most = name, v
		}
	}
	return best
}

func perSecond(m Measurement) (float64, bool) { return m.PerSecond, true }
func p50(m Measurement) (float64, bool)       { return m.P50, true }
func p99(m Measurement) (float64, bool)       { return m.P99, true }
func others(m Measurement) (float64, bool)    { return 100 * m.Foreign, true }
func events(m Measurement) (float64, bool)    { return float64(m.Events), true }

// system is the CPU seconds of control plane, scheduler and observer per 10,000 pods.
func system(m Measurement) (float64, bool) { return m.System * 10_000 / float64(m.Pods), true }

// cpuBind and cpuEvent are CPU seconds per 10,000 pods.
func cpuBind(m Measurement) (float64, bool) {
	return m.AtLastBind.CPU * 10_000 / float64(m.Pods), true
}

func cpuEvent(m Measurement) (float64, bool) {
	if m.AtLastEvent == nil {
		return 0, false
	}
	return m.AtLastEvent.CPU * 10_000 / float64(m.Pods), true
}

func peakEvent(m Measurement) (float64, bool) {
	if m.AtLastEvent == nil {
		return m.AtLastBind.Peak, true
	}
	return m.AtLastEvent.Peak, true
}

// against compares a figure of two contenders within each round in which both were measured.
func (c *Outcome) against(a, b string, figure func(Measurement) (float64, bool), compare func(x, y float64) float64) (values []float64) {
	for _, m := range c.Measurements {
		if m.Scheduler != a {
			continue
		}
		for _, n := range c.Measurements {
			if n.Scheduler == b && n.Round == m.Round {
				x, _ := figure(m)
				y, _ := figure(n)
				values = append(values, compare(x, y))
			}
		}
	}
	return values
}

func ratio(x, y float64) float64      { return x / y }
func difference(x, y float64) float64 { return x - y }

// Verdict is a bound with what was reached.
type Verdict struct {
	Figure  string
	Reached Spread
	Bound   float64
	// AtLeast: the bound is a least, not a most.
	AtLeast bool
	// Rounds in which it was measured. Without any there is nothing to hold against the bound.
	Rounds int
}

// Missed tells whether the median breaks the bound.
func (v Verdict) Missed() bool {
	return v.Rounds > 0 && !v.held()
}

func (v Verdict) held() bool {
	if v.AtLeast {
		return v.Reached.Median >= v.Bound
	}
	return v.Reached.Median <= v.Bound
}

// Verdicts holds what was measured of Sluice against the bounds.
func (c *Outcome) Verdicts() (all []Verdict) {
	top := c.ceilingName()
	add := func(figure string, values []float64, bound float64, atLeast bool) {
		if bound > 0 {
			all = append(all, Verdict{Figure: figure, Reached: spread(values), Bound: bound, AtLeast: atLeast, Rounds: len(values)})
		}
	}
	b := c.Bounds
	add("pods/s, sluice / kube-scheduler", c.against(stand.Sluice, stand.KubeScheduler, perSecond, ratio), b.OverKubeScheduler, true)
	add("pods/s, sluice / "+cmp.Or(top, stand.Ceiling), c.against(stand.Sluice, top, perSecond, ratio), b.OverCeiling, true)
	add("CPU s per 10,000 pods to the last bind", c.of(stand.Sluice, cpuBind), b.CPUToLastBind, false)
	add("CPU s per 10,000 pods to the last event", c.of(stand.Sluice, cpuEvent), b.CPUToLastEvent, false)
	add("peak MiB", c.of(stand.Sluice, peakEvent), b.PeakMiB, false)
	add("p50 ms, sluice − "+cmp.Or(top, stand.Ceiling), c.against(stand.Sluice, top, p50, difference), b.MillisOverCeilingP50, false)
	add("p99 ms, sluice − "+cmp.Or(top, stand.Ceiling), c.against(stand.Sluice, top, p99, difference), b.MillisOverCeilingP99, false)
	return all
}
