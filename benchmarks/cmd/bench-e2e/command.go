package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/sluice-scheduler/sluice/benchmarks/e2e"
	"github.com/sluice-scheduler/sluice/benchmarks/stand"
)

// flags of the main command.
type flags struct {
	cases, modes, schedulers []string
	inFlight                 []int
	rounds, pods             int
	results, name            string
	sluice, sluiceConfig     string
	profiles                 string
	maxForeign               float64
	enforce                  bool
}

func command() *cobra.Command {
	var f flags
	c := &cobra.Command{
		Use:   "bench-e2e",
		Short: "Compare Sluice end to end with kube-scheduler and with the most that the API server can take",
		Long: `Compare Sluice end to end with kube-scheduler and with the ceiling, a blind binder that decides nothing.

Each measurement has a control plane of its own on this machine. Everything is printed, and written to
the folder of results as JSON and, for each case, as a picture. It ends with exit code 1 if a bound of a case
is missed, or if a bind was not allowed or an event is missing.`,
		Example: `  # everything: some hours
  bench-e2e

  # a first impression in two minutes
  bench-e2e --case 10000x2000 --mode before --rounds 1 --in-flight 32 --schedulers sluice,ceiling`,
		Args:         cobra.NoArgs,
		SilenceUsage: true, SilenceErrors: true,
		RunE: func(c *cobra.Command, _ []string) error { return f.run(c) },
	}
	s := c.Flags()
	s.StringSliceVar(&f.cases, "case", nil, "cases to run (default: all but those on request)")
	s.StringSliceVar(&f.modes, "mode", nil, "modes to run: before, while, quiet (default: those of the case)")
	s.StringSliceVar(&f.schedulers, "schedulers", []string{"ceiling", "kube-scheduler", "sluice"}, "who is measured")
	s.IntSliceVar(&f.inFlight, "in-flight", []int{16, 32, 64, 128}, "the ceiling's numbers of binds in flight")
	s.IntVar(&f.rounds, "rounds", 5, "interleaved rounds")
	s.IntVar(&f.pods, "pods", 0, "number of pods instead of the case's; for experiments")
	s.StringVar(&f.results, "results", "results", "folder for JSON and pictures")
	s.StringVar(&f.name, "name", "e2e", "what the files' names begin with")
	s.StringVar(&f.sluice, "sluice", "", "the sluice program (default: $SLUICE_BINARY, else bin/sluice of the checkout)")
	s.StringVar(&f.sluiceConfig, "sluice-config", "", "configuration file for Sluice; for experiments")
	s.StringVar(&f.profiles, "profiles", "", "folder for CPU profiles of Sluice; taking them costs some speed")
	s.Float64Var(&f.maxForeign, "max-foreign", 1,
		"repeat a measurement during which others took more than this share of the CPU time, whatever it showed (1: never)")
	s.BoolVar(&f.enforce, "enforce", true, "end with an error if a bound is missed")
	c.AddCommand(stand.BlindSubcommand())
	return c
}

func (f flags) run(c *cobra.Command) error {
	o := e2e.Options{
		Rounds: f.rounds, Schedulers: f.schedulers, InFlight: f.inFlight, Sluice: f.sluice, Profiles: f.profiles,
		MaxForeign: f.maxForeign,
		Progress:   c.ErrOrStderr(), Save: f.save,
	}
	if f.sluiceConfig != "" {
		config, err := os.ReadFile(f.sluiceConfig)
		if err != nil {
			return fmt.Errorf("read the configuration for Sluice: %w", err)
		}
		o.SluiceConfig = string(config)
	}
	var err error
	if o.Cases, err = f.choose(); err != nil {
		return err
	}
	if err := os.MkdirAll(f.results, 0o755); err != nil {
		return fmt.Errorf("make the folder for results: %w", err)
	}
	report, err := e2e.Run(c.Context(), o)
	if report != nil {
		report.Print(c.OutOrStdout())
	}
	if err != nil {
		return err
	}
	if missed := report.Missed(); f.enforce && len(missed) > 0 {
		return fmt.Errorf("bounds missed: %s", strings.Join(missed, "; "))
	}
	return nil
}

func (f flags) choose() ([]e2e.Case, error) {
	all, err := e2e.Cases()
	if err != nil {
		return nil, err
	}
	var modes []e2e.Mode
	for _, m := range f.modes {
		modes = append(modes, e2e.Mode(m))
	}
	chosen, err := e2e.Choose(all, f.cases, modes)
	for i := range chosen {
		if f.pods > 0 {
			chosen[i].Workload.Pods = f.pods
		}
	}
	return chosen, err
}

// save writes what has been measured so far.
func (f flags) save(r *e2e.Report) error {
	data, err := json.MarshalIndent(r, "", " ")
	if err != nil {
		return fmt.Errorf("write the results: %w", err)
	}
	stem := filepath.Join(f.results, f.name)
	if err := os.WriteFile(stem+".json", append(data, '\n'), 0o644); err != nil {
		return fmt.Errorf("write the results: %w", err)
	}
	for i := range r.Cases {
		c := &r.Cases[i]
		if svg := c.Picture(); svg != "" {
			name := fmt.Sprintf("%s-%s-%s.svg", stem, c.Case, c.Mode)
			if err := os.WriteFile(name, []byte(svg), 0o644); err != nil {
				return fmt.Errorf("draw the results: %w", err)
			}
		}
	}
	return nil
}
