package main

import (
	"fmt"
	"runtime"

	"github.com/spf13/cobra"
)

// command is the tree of commands.
func command(version string) *cobra.Command {
	root := &cobra.Command{
		Use:   "kubectl-sluice",
		Short: "The client of the batch scheduler Sluice",
		Long: `The client of the batch scheduler Sluice. With kubectl-sluice in the path, it is a command of kubectl:

    kubectl sluice --help

Exit codes: 0 done, 1 it failed, 2 it was used wrongly (validate: a file has faults).`,
		Example: `  # does this file of queues load?
  kubectl sluice validate -f queues.yaml

  # what do the queues hold, and what is waiting?
  kubectl sluice queues

  # which pods start together, and which groups of them wait?
  kubectl sluice groups

  # why does this pod wait, or this Flink job?
  kubectl sluice explain pod [NAMESPACE/]NAME
  kubectl sluice explain flinkdeployment [NAMESPACE/]NAME`,
		Annotations:       map[string]string{cobra.CommandDisplayNameAnnotation: "kubectl sluice"},
		SilenceUsage:      true,
		SilenceErrors:     true,
		CompletionOptions: cobra.CompletionOptions{HiddenDefaultCmd: true},
	}
	root.AddCommand(explainCommand(), groupsCommand(), queuesCommand(), validateCommand(), versionCommand(version))
	return root
}

func versionCommand(version string) *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  cobra.NoArgs,
		Run: func(c *cobra.Command, _ []string) {
			fmt.Fprintf(c.OutOrStdout(), "kubectl-sluice %s (%s, %s/%s)\n", version, runtime.Version(), runtime.GOOS, runtime.GOARCH)
		},
	}
}
