package main

import (
	"fmt"
	"runtime"

	"github.com/spf13/cobra"
)

// toldError ends the process with an exit code; what it is about has been written already.
type toldError struct {
	error
	code int
}

// command is the tree of commands.
func command(version string) *cobra.Command {
	root := &cobra.Command{
		Use:   "kubectl-sluice",
		Short: "The client of the batch scheduler Sluice",
		Long: `The client of the batch scheduler Sluice. With kubectl-sluice in the path, it is a command of kubectl:

    kubectl sluice --help`,
		Example: `  # does this file of queues load?
  kubectl sluice validate -f queues.yaml`,
		Annotations:       map[string]string{cobra.CommandDisplayNameAnnotation: "kubectl sluice"},
		SilenceUsage:      true,
		SilenceErrors:     true,
		CompletionOptions: cobra.CompletionOptions{HiddenDefaultCmd: true},
	}
	root.AddCommand(validateCommand(), versionCommand(version))
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
