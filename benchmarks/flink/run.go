package flink

import (
	"context"
	"fmt"
	"io"
	"maps"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/sluice-scheduler/sluice/benchmarks/stand"
)

// Options say what to run, and how large.
type Options struct {
	// Cases are patterns of the names of cases; none: all.
	Cases []string
	// Schedulers are who is measured, InFlight how many binds the ceiling has in flight.
	Schedulers []string
	InFlight   int
	Rounds     int
	// Sluice is the program; empty as local.SluiceOptions has it.
	Sluice string

	// Jobs are the numbers of Flink jobs that contend, SlotTimeout how long they wait for their slots, Horizon how long they are looked at at most.
	Jobs                 []int
	SlotTimeout, Horizon time.Duration
	// StormJobs is how many jobs come at once, StormMost how many TaskManagers the largest has.
	StormJobs, StormMost int
	// GangSizes are the sizes of the gangs, GangPods how many pods they have in all, GangNodes the nodes.
	GangSizes           []int
	GangPods, GangNodes int
	// StreamGang is how many pods the gang has, StreamHorizon how long it is waited for, StarvationAfter what Sluice is told.
	StreamGang                     int
	StreamHorizon, StarvationAfter time.Duration

	// Progress gets a line for each measurement.
	Progress io.Writer
	// Save is called with what there is after each measurement.
	Save func(*Report) error
}

// Measurement is one run of one contender in one case.
type Measurement struct {
	Scheduler string             `json:"scheduler"`
	Round     int                `json:"round"`
	Figures   map[string]float64 `json:"figures"`
	// Foreign is the share of the machine's CPU time that went to others meanwhile, from 0 to 1.
	Foreign float64 `json:"foreignCPU"`
}

// benchCase is one of the things to measure.
type benchCase interface {
	name() string
	measure(ctx context.Context, who stand.Contender, o Options) (Measurement, error)
}

// cases are all that are chosen.
func (o Options) cases() (all []benchCase, err error) {
	for _, n := range o.Jobs {
		all = append(all, contention{jobs: n})
	}
	all = append(all, storm{})
	for _, n := range o.GangSizes {
		all = append(all, gangs{size: n})
	}
	all = append(all, stream{})
	for _, pattern := range o.Cases {
		if !slices.ContainsFunc(all, func(c benchCase) bool { return matches(pattern, c.name()) }) {
			return nil, fmt.Errorf("there is no case %q; there are %s", pattern, names(all))
		}
	}
	return slices.DeleteFunc(all, func(c benchCase) bool {
		return len(o.Cases) > 0 && !slices.ContainsFunc(o.Cases, func(pattern string) bool { return matches(pattern, c.name()) })
	}), nil
}

func matches(pattern, name string) bool {
	ok, err := path.Match(pattern, name)
	return err == nil && ok
}

func names(all []benchCase) string {
	var names []string
	for _, c := range all {
		names = append(names, c.name())
	}
	return strings.Join(names, ", ")
}

// contenders are who is measured in a case: the ceiling, which does not stop binding, is not asked to let a gang through, and Sluice with plain pods matters only beside gangs.
func (o Options) contenders(c benchCase) (all []stand.Contender, err error) {
	for _, name := range o.Schedulers {
		_, isGangs := c.(gangs)
		_, isStream := c.(stream)
		switch {
		case name == Plain && isGangs:
			all = append(all, stand.Contender{Name: Plain})
		case name == Plain || name == stand.Ceiling && isStream:
		default:
			more, err := stand.Contenders([]string{name}, []int{o.InFlight})
			if err != nil {
				return nil, err
			}
			all = append(all, more...)
		}
	}
	return all, nil
}

// Run measures everything. In each round every contender runs once in each case, and each round begins with another.
func Run(ctx context.Context, o Options) (*Report, error) {
	cases, err := o.cases()
	if err != nil {
		return nil, err
	}
	bounds, err := readBounds()
	if err != nil {
		return nil, err
	}
	report := &Report{Machine: stand.ThisMachine(), Started: time.Now(), Command: stand.Command(), Bounds: bounds, StarvationAfter: o.StarvationAfter.String()}
	for _, c := range cases {
		report.Cases = append(report.Cases, Outcome{Case: c.name()})
	}
	for round := range o.Rounds {
		for i, c := range cases {
			if err := report.Cases[i].round(ctx, c, round, o, report); err != nil {
				return report, fmt.Errorf("%s, round %d: %w", c.name(), round+1, err)
			}
		}
	}
	return report, nil
}

func (out *Outcome) round(ctx context.Context, c benchCase, round int, o Options, report *Report) error {
	all, err := o.contenders(c)
	if err != nil {
		return err
	}
	for i := range all {
		who := all[(i+round)%len(all)]
		m, err := c.measure(ctx, who, o)
		if err != nil {
			return fmt.Errorf("%s: %w", who.Name, err)
		}
		m.Scheduler, m.Round = who.Name, round
		out.Measurements = append(out.Measurements, m)
		fmt.Fprintf(o.Progress, "%s, round %d: %s\n", c.name(), round+1, m)
		if err := o.Save(report); err != nil {
			return err
		}
	}
	return nil
}

// String is the line of progress.
func (m Measurement) String() string {
	s := m.Scheduler
	for _, figure := range slices.Sorted(maps.Keys(m.Figures)) {
		s += fmt.Sprintf(", %s: %.4g", figure, m.Figures[figure])
	}
	return s + fmt.Sprintf("; others had %.0f %% of the CPU", 100*m.Foreign)
}
