package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/sluice-scheduler/sluice/benchmarks/flink"
	"github.com/sluice-scheduler/sluice/benchmarks/stand"
)

// flags of the main command.
type flags struct {
	flink.Options
	results, name string
	enforce       bool
}

func command() *cobra.Command {
	var f flags
	c := &cobra.Command{
		Use:   "bench-flink",
		Short: "Compare how Sluice and kube-scheduler treat pods that must start together",
		Long: `Compare how Sluice and kube-scheduler treat pods that must start together: Flink jobs that have room for half of them, a hundred jobs that
come at once, gangs against the same pods without, and a large gang against one-pod jobs without end.

Each measurement has a control plane of its own on this machine, with simulated nodes and the Flink simulator. Everything is printed as one table and
written to the folder of results as JSON. It ends with exit code 1 if a bound is missed.`,
		Example: `  # everything: some twenty minutes on two cores
  bench-flink

  # contention alone, in three minutes
  bench-flink --case 'contend-*' --jobs 2,10 --schedulers sluice,kube-scheduler`,
		Args:         cobra.NoArgs,
		SilenceUsage: true, SilenceErrors: true,
		RunE: func(c *cobra.Command, _ []string) error { return f.run(c) },
	}
	s := c.Flags()
	s.StringSliceVar(&f.Cases, "case", nil, "cases to run, as patterns: contend-N, storm, gangs-of-N, stream (default: all)")
	s.StringSliceVar(&f.Schedulers, "schedulers", []string{stand.Sluice, flink.Plain, stand.KubeScheduler, stand.Ceiling}, "who is measured")
	s.IntVar(&f.InFlight, "in-flight", 32, "the ceiling's number of binds in flight")
	s.IntVar(&f.Rounds, "rounds", 1, "interleaved rounds")
	s.IntSliceVar(&f.Jobs, "jobs", []int{2, 10, 50}, "contend: numbers of jobs")
	s.DurationVar(&f.SlotTimeout, "slot-timeout", 15*time.Second, "contend: how long a job waits for its slots")
	s.DurationVar(&f.Horizon, "horizon", 50*time.Second, "contend: how long the jobs are looked at at most")
	s.IntVar(&f.StormJobs, "storm-jobs", 100, "storm: number of jobs")
	s.IntVar(&f.StormMost, "storm-task-managers", 64, "storm: TaskManagers of the largest job; the smallest has 8")
	s.IntSliceVar(&f.GangSizes, "gang-sizes", []int{500, 20}, "gangs: pods of each gang")
	s.IntVar(&f.GangPods, "gang-pods", 10_000, "gangs: pods in all")
	s.IntVar(&f.GangNodes, "gang-nodes", 1000, "gangs: nodes")
	s.IntVar(&f.StreamGang, "stream-gang", 500, "stream: pods of the gang")
	s.DurationVar(&f.StreamHorizon, "stream-horizon", 3*time.Minute, "stream: how long the gang is waited for")
	s.DurationVar(&f.StarvationAfter, "starvation-after", 20*time.Second, "stream: Sluice's starvationAfter, instead of its default of five minutes")
	s.StringVar(&f.results, "results", "results", "folder for the JSON")
	s.StringVar(&f.name, "name", "flink", "name of the file in it")
	s.StringVar(&f.Sluice, "sluice", "", "the sluice program (default: $SLUICE_BINARY, else bin/sluice of the checkout)")
	s.BoolVar(&f.enforce, "enforce", true, "end with an error if a bound is missed")
	c.AddCommand(stand.BlindSubcommand())
	return c
}

func (f flags) run(c *cobra.Command) error {
	o := f.Options
	o.Progress, o.Save = c.ErrOrStderr(), f.save
	if err := os.MkdirAll(f.results, 0o755); err != nil {
		return fmt.Errorf("make the folder for results: %w", err)
	}
	report, err := flink.Run(c.Context(), o)
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

// save writes what has been measured so far.
func (f flags) save(r *flink.Report) error {
	data, err := json.MarshalIndent(r, "", " ")
	if err != nil {
		return fmt.Errorf("write the results: %w", err)
	}
	if err := os.WriteFile(filepath.Join(f.results, f.name+".json"), append(data, '\n'), 0o644); err != nil {
		return fmt.Errorf("write the results: %w", err)
	}
	return nil
}
