package e2e

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sluice-scheduler/sluice/benchmarks/stand"
)

// outcome has two ceilings, Sluice and kube-scheduler in two rounds; the second is twice as slow for all.
func outcome() Outcome {
	c := Outcome{Case: "c", Mode: Before, Workload: small(), Bounds: Bounds{OverKubeScheduler: 4, OverCeiling: 0.9, CPUToLastBind: 3, CPUToLastEvent: 4.5}}
	for round, slow := range []float64{1, 2} {
		for name, speed := range map[string]float64{"ceiling-16": 800, "ceiling-32": 1000, stand.Sluice: 900, stand.KubeScheduler: 300} {
			m := Measurement{Scheduler: name, Round: round, Mode: Before, Pods: 1000, PerSecond: speed / slow, AtLastBind: stand.Usage{CPU: 0.2 * slow}}
			m.Curve = []float64{1, 2 * slow, 1000 / speed * slow}
			if name == stand.Sluice {
				m.AtLastEvent = &stand.Usage{CPU: 0.5 * slow}
			}
			c.Measurements = append(c.Measurements, m)
		}
	}
	return c
}

func TestRatiosAreTakenWithinARound(t *testing.T) {
	c := outcome()
	require.Equal(t, []string{"ceiling-16", "ceiling-32", stand.Sluice, stand.KubeScheduler}, sortedNames(c.names()))
	require.Equal(t, "ceiling-32", c.ceilingName())
	verdicts := c.Verdicts()
	require.Len(t, verdicts, 4)
	require.Equal(t, Spread{Median: 3, Least: 3, Most: 3}, verdicts[0].Reached)
	require.True(t, verdicts[0].Missed())
	require.Equal(t, Spread{Median: 0.9, Least: 0.9, Most: 0.9}, verdicts[1].Reached)
	require.False(t, verdicts[1].Missed())
	require.Equal(t, Spread{Median: 3, Least: 2, Most: 4}, verdicts[2].Reached)
	require.False(t, verdicts[2].Missed())
	require.Equal(t, Spread{Median: 7.5, Least: 5, Most: 10}, verdicts[3].Reached)
	require.True(t, verdicts[3].Missed())
	require.Equal(t, []string{"c before: pods/s, sluice / kube-scheduler", "c before: CPU s per 10,000 pods to the last event"},
		(&Report{Cases: []Outcome{c}}).Missed())
}

// sortedNames puts the two ceilings, whose order is that of a map here, in order.
func sortedNames(names []string) []string {
	if names[0] > names[1] {
		names[0], names[1] = names[1], names[0]
	}
	return names
}

// A bound that nobody measured is no bound missed, but it is not held either.
func TestWhatIsNotMeasuredIsSaid(t *testing.T) {
	c := outcome()
	c.Measurements = slices.DeleteFunc(c.Measurements, func(m Measurement) bool { return m.Scheduler != stand.Sluice })
	var b bytes.Buffer
	r := &Report{Cases: []Outcome{c}}
	r.Print(&b)
	require.Contains(t, b.String(), "pods/s, sluice / ceiling: bound ≥ 0.9: not measured")
	require.Contains(t, b.String(), "pods/s, sluice / kube-scheduler: bound ≥ 4: not measured")
	require.Equal(t, []string{"c before: CPU s per 10,000 pods to the last event"}, r.Missed())
}

// Every bound says which runs it was held against, and these are there to be read.
func TestRunsBehindTheBounds(t *testing.T) {
	cases, err := Cases()
	require.NoError(t, err)
	for _, c := range cases {
		require.NotEmpty(t, c.Bounds.From, c.Name)
		for _, run := range c.Bounds.Runs {
			data, err := os.ReadFile(filepath.Join("..", "results", run+".json"))
			require.NoError(t, err, c.Name)
			var r Report
			require.NoError(t, json.Unmarshal(data, &r), run)
			require.True(t, slices.ContainsFunc(r.Cases, func(o Outcome) bool { return o.Case == c.Name }), "run %s is not of case %s", run, c.Name)
		}
	}
}

func TestQuantileAndSpread(t *testing.T) {
	values := []float64{5, 1, 4, 2, 3}
	require.Equal(t, 3.0, quantile(values, 0.5))
	require.Equal(t, 5.0, quantile(values, 0.99))
	require.Equal(t, Spread{Median: 3, Least: 1, Most: 5}, spread(values))
	require.Equal(t, Spread{Median: 2.5, Least: 1, Most: 4}, spread([]float64{4, 1, 2, 3}))
	require.Zero(t, spread(nil))
	require.Zero(t, quantile(nil, 0.5))
}

func TestPrint(t *testing.T) {
	var b bytes.Buffer
	(&Report{Cases: []Outcome{outcome()}}).Print(&b)
	require.Contains(t, b.String(), "1000 pods of 100 shapes, 200 nodes")
	require.Contains(t, b.String(), "| 675 (450–900)  | 0.90 ")
	require.Contains(t, b.String(), "pods/s, sluice / ceiling-32: 0.90, bound ≥ 0.9: held")
	require.Contains(t, b.String(), "CPU s per 10,000 pods to the last event: 7.50 (5.00–10.00), bound ≤ 4.5: MISSED")
}

func TestPictureIsWellFormed(t *testing.T) {
	c := outcome()
	svg := c.Picture()
	require.Equal(t, 3, strings.Count(svg, "<polyline"), "one line for each scheduler and the best ceiling")
	for d := xml.NewDecoder(strings.NewReader(svg)); ; {
		_, err := d.Token()
		if err == io.EOF {
			break
		}
		require.NoError(t, err)
	}
	require.Empty(t, (&Outcome{}).Picture())
}

func TestMarks(t *testing.T) {
	require.Equal(t, []float64{0, 2, 4, 6, 8, 10}, marks(10))
	require.Equal(t, []float64{0, 0.5, 1, 1.5, 2, 2.5, 3, 3.5}, marks(3.7))
	require.Equal(t, []float64{0, 5000, 10000, 15000, 20000, 25000}, marks(25000))
}
