package e2e

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/sluice-scheduler/sluice/benchmarks/stand"
)

// Options say what to run.
type Options struct {
	Cases  []Case
	Rounds int
	// Schedulers are names of contenders, InFlight the ceiling's numbers of binds in flight.
	Schedulers []string
	InFlight   []int
	// Sluice is the program; empty as local.SluiceOptions has it.
	Sluice string
	// SluiceConfig replaces the configuration that turns off the election; for experiments.
	SluiceConfig string
	// MaxForeign is the largest share of the CPU time that others may take during a measurement, from 0 to 1. One during which they took
	// more is set aside, whatever it showed, and repeated, at most retries times. 1 sets none aside.
	MaxForeign float64
	// Profiles is a folder for CPU profiles of Sluice; empty: none are taken. Taking them costs a few percent.
	Profiles string
	// Progress gets a line for each measurement.
	Progress io.Writer
	// Save is called with what there is after each round, so that a run that is cut short is not lost.
	Save func(*Report) error
}

// Report is all that was measured, and on what.
type Report struct {
	Machine stand.Machine `json:"machine"`
	Started time.Time     `json:"started"`
	Command string        `json:"command"`
	Rounds  int           `json:"rounds"`
	Cases   []Outcome     `json:"cases"`
}

// Outcome is what was measured of one case in one mode.
type Outcome struct {
	Case         string        `json:"case"`
	Mode         Mode          `json:"mode"`
	Workload     Workload      `json:"workload"`
	Bounds       Bounds        `json:"bounds"`
	Measurements []Measurement `json:"measurements"`
	// SetAside are those that were repeated since others took too much CPU time meanwhile. They count for nothing.
	SetAside []Measurement `json:"setAside,omitempty"`
}

// retries is how often a measurement is repeated at most for the sake of others on the machine; the last one counts in any case.
const retries = 3

// Run measures everything. In each round every contender runs once, and each round begins with another, so that none is always the one after
// the machine has been busy with a certain other.
func Run(ctx context.Context, o Options) (*Report, error) {
	all, err := stand.Contenders(o.Schedulers, o.InFlight)
	if err != nil {
		return nil, err
	}
	report := &Report{Machine: stand.ThisMachine(), Started: time.Now(), Rounds: o.Rounds, Command: stand.Command()}
	for _, c := range o.Cases {
		for _, mode := range c.Modes {
			report.Cases = append(report.Cases, Outcome{Case: c.Name, Mode: mode, Workload: c.Workload, Bounds: c.Bounds})
			outcome := &report.Cases[len(report.Cases)-1]
			for round := range o.Rounds {
				if err := outcome.round(ctx, round, all, o); err != nil {
					return report, err
				}
				if err := o.Save(report); err != nil {
					return report, err
				}
			}
		}
	}
	return report, nil
}

// round measures every contender once.
func (c *Outcome) round(ctx context.Context, round int, all []stand.Contender, o Options) error {
	for i := range all {
		who := all[(i+round)%len(all)]
		if c.Mode == Quiet && who.InFlight > 0 && c.measured(stand.Ceiling, round) {
			continue // one pod at a time: the number in flight makes no difference
		}
		if err := c.one(ctx, round, who, o); err != nil {
			return fmt.Errorf("%s, %s, round %d, %s: %w", c.Case, c.Mode, round+1, who.Name, err)
		}
	}
	return nil
}

// one measures a contender, again if others took too much of the machine.
func (c *Outcome) one(ctx context.Context, round int, who stand.Contender, o Options) error {
	for try := 0; ; try++ {
		m, err := measure(ctx, who, c.Workload, c.Mode, o)
		if err != nil {
			return err
		}
		m.Round = round
		fmt.Fprintf(o.Progress, "%s %s, round %d: %s\n", c.Case, c.Mode, round+1, m)
		if m.Foreign <= o.MaxForeign || try == retries {
			c.Measurements = append(c.Measurements, m)
			return nil
		}
		fmt.Fprintln(o.Progress, "set aside and repeated: others took too much of the machine")
		c.SetAside = append(c.SetAside, m)
	}
}

// measured tells whether some contender whose name begins so has been measured in a round.
func (c *Outcome) measured(prefix string, round int) bool {
	for _, m := range c.Measurements {
		if m.Round == round && len(m.Scheduler) >= len(prefix) && m.Scheduler[:len(prefix)] == prefix {
			return true
		}
	}
	return false
}

// String is the line of progress.
func (m Measurement) String() string {
	s := fmt.Sprintf("%-14s", m.Scheduler)
	if m.Mode != Quiet {
		s += fmt.Sprintf(" %6.0f pods/s", m.PerSecond)
	}
	s += fmt.Sprintf(", p50 %.1f ms, p99 %.1f ms, %.2f CPU s, peak %.0f MiB", m.P50, m.P99, m.AtLastBind.CPU, m.AtLastBind.Peak)
	if m.AtLastEvent != nil {
		s += fmt.Sprintf(", with events %.2f CPU s %.1f s later", m.AtLastEvent.CPU, m.EventsAfter)
	}
	if m.Resumed > 0 {
		s += fmt.Sprintf(", observer resumed %d times", m.Resumed)
	}
	return s + fmt.Sprintf(", %d events; others had %.0f %% of the CPU", m.Events, 100*m.Foreign)
}

// profile takes a CPU profile of Sluice in the background, from now for a few seconds, if wanted. A fault is told but is none of the measurement.
func (t *trial) profile(ctx context.Context) {
	if t.o.Profiles == "" || t.runner.URL == "" {
		return
	}
	go func() {
		if err := t.takeProfile(ctx); err != nil {
			fmt.Fprintln(t.o.Progress, "no profile:", err)
		}
	}()
}

func (t *trial) takeProfile(ctx context.Context) error {
	url, err := "", error(nil)
	for range 100 { // the process may just be starting
		if err = stand.Ask(ctx, http.DefaultClient, t.runner.URL+"/livez"); err == nil {
			url = t.runner.URL + "/debug/pprof/profile?seconds=12"
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	if err != nil {
		return err
	}
	resp, err := http.Get(url)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if err := os.MkdirAll(t.o.Profiles, 0o755); err != nil {
		return err
	}
	name := fmt.Sprintf("%dx%d-%s-%d.pprof", t.w.Pods, t.w.Nodes, t.m.Mode, time.Now().Unix())
	f, err := os.Create(filepath.Join(t.o.Profiles, name))
	if err != nil {
		return err
	}
	if _, err := io.Copy(f, resp.Body); err != nil {
		return err
	}
	return f.Close()
}
