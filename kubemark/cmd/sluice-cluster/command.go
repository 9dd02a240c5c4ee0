package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/sluice-scheduler/sluice/kubemark/components"
	"github.com/sluice-scheduler/sluice/kubemark/local"
)

// command is the tree of commands.
func command() *cobra.Command {
	root := &cobra.Command{
		Use:   "sluice-cluster",
		Short: "A real Kubernetes cluster on this machine, for Sluice",
		Long: `sluice-cluster runs Kubernetes ` + components.Version + ` on this machine: etcd, the API server and the controllers
are the real programs, started as child processes on loopback. No root, container or network
access is needed, except that the programs are built from source the first time, which takes
some eight minutes on two cores.

Nodes are either hollow (real kubelet code over a fake container runtime, tens of them) or
simulated (thousands, in this process). No container ever runs.`,
		Example: `  # the story of Sluice on one screen
  sluice-cluster demo

  # a cluster of 500 simulated and 5 hollow nodes to play with, until Ctrl-C
  sluice-cluster up --nodes 500 --hollow 5`,
		Args: cobra.NoArgs, SilenceUsage: true, SilenceErrors: true,
	}
	var opts local.Options
	root.PersistentFlags().StringVar(&opts.Source, "source", "",
		"a Sluice checkout (default: found from the working folder, or from where this program is)")
	root.PersistentFlags().StringVar(&opts.Components, "components", "",
		"folder with the Kubernetes programs (default: $SLUICE_CACHE or the user's cache folder)")
	root.AddCommand(upCommand(&opts), demoCommand(&opts), buildCommand(&opts), cleanCommand())
	return root
}

// buildCommand makes the programs and nothing else.
func buildCommand(opts *local.Options) *cobra.Command {
	return &cobra.Command{
		Use:   "build",
		Short: "Build the Kubernetes programs, if they are not there yet",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			set, err := components.Ensure(cmd.Context(), components.Options{
				Source: opts.Source, Dir: opts.Components, Progress: cmd.ErrOrStderr(),
			})
			if err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "Kubernetes %s is built: %s\n", components.Version, set.Dir)
			return nil
		},
	}
}

// cleanCommand removes leftovers.
func cleanCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "clean",
		Short: "End and remove what crashed runs left behind",
		Long: `End the processes and remove the files that runs left behind which were killed or crashed. Clusters
that run are not touched, nor are the built programs. Every new cluster does the same when it starts.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			swept, err := local.Clean()
			out := cmd.OutOrStdout()
			for _, id := range swept.Killed {
				fmt.Fprintf(out, "ended %s (process %d)\n", id.Program, id.PID)
			}
			for _, f := range swept.Removed {
				fmt.Fprintf(out, "removed %s\n", f)
			}
			if err == nil && swept.Owners == 0 {
				fmt.Fprintln(out, "nothing was left behind")
			}
			if swept.Live > 0 {
				fmt.Fprintf(out, "running clusters, not touched: %d\n", swept.Live)
			}
			return err
		},
	}
}

// logs says where to look when something is unclear.
func logs(c *local.Cluster) string { return c.Dir() + string(os.PathSeparator) + "logs" }
