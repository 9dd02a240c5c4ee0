package stand

import (
	"fmt"

	"github.com/spf13/cobra"
)

// BlindSubcommand is the ceiling, as a subcommand that every program with a stand must have: the stand runs the program itself as a process of its own.
func BlindSubcommand() *cobra.Command {
	var kubeconfig string
	var inFlight int
	c := &cobra.Command{
		Use: BlindCommand, Short: "Bind every pod to the next node, without deciding anything", Hidden: true, Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return Blind(c.Context(), kubeconfig, inFlight, func() { fmt.Println(BlindReady) })
		},
	}
	c.Flags().StringVar(&kubeconfig, "kubeconfig", "", "kubeconfig file")
	c.Flags().IntVar(&inFlight, "in-flight", 32, "binds in flight")
	return c
}
