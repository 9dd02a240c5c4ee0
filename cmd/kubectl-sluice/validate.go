package main

import (
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/sluice-scheduler/sluice/pkg/config/queues"
	"github.com/sluice-scheduler/sluice/pkg/config/strict"
	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
)

// exitRefused is the exit code when a file has faults.
const exitRefused = 2

func validateCommand() *cobra.Command {
	var files []string
	c := &cobra.Command{
		Use:   "validate FILE... | -f FILE [-f FILE]...",
		Short: "Check files of queues without applying them",
		Long: `Check files of queues, in Sluice's form or YuniKorn's, without applying them.

Of each file every fault is shown, with its line, a caret under the place, and what is allowed.
What has no effect gives a warning and leaves the file usable.

Exit codes: 0 all files load, 2 a file has faults, 1 a file could not be read.`,
		Example: `  # a file
  kubectl sluice validate -f queues.yaml

  # what YuniKorn runs with
  kubectl get configmap -n yunikorn yunikorn-configs -o jsonpath='{.data.queues\.yaml}' | kubectl sluice validate -f -`,
		RunE: func(c *cobra.Command, args []string) error {
			files = append(files, args...)
			if len(files) == 0 {
				return errors.New("no file of queues is named; - reads standard input")
			}
			return validate(files, c.InOrStdin(), c.OutOrStdout(), c.ErrOrStderr())
		},
	}
	c.Flags().StringArrayVarP(&files, "file", "f", nil, "`file` of queues (YAML); - reads standard input; may be given several times")
	return c
}

// validate checks all files. It writes a line to out for each that loads, and faults and warnings to problems.
func validate(files []string, in io.Reader, out, problems io.Writer) error {
	code := 0
	for _, file := range files {
		loaded, err := load(file, in)
		switch {
		case err == nil:
			if len(loaded.Warnings) > 0 {
				fmt.Fprintln(problems, loaded.Warnings)
			}
			fmt.Fprintln(out, summary(file, loaded))
			continue
		case errors.As(err, new(strict.Faults)):
			code = exitRefused
		default:
			code = max(code, exitFailed)
		}
		fmt.Fprintln(problems, err)
	}
	if code != 0 {
		return toldError{errors.New("not all files load"), code}
	}
	return nil
}

func load(file string, in io.Reader) (*queues.Loaded, error) {
	if file == "-" {
		return queues.Read("standard input", in)
	}
	return queues.Load(file)
}

// summary says in a line what a file holds.
func summary(file string, l *queues.Loaded) string {
	all, leaves := count(l.Tree.Root)
	if file == "-" {
		file = "standard input"
	}
	return fmt.Sprintf("%s loads: %s, %s, %s (hash %s)", file,
		plural(all, "queue", "queues"), plural(leaves, "leaf", "leaves"), plural(len(l.Tree.Rules), "placement rule", "placement rules"), l.Tree.Hash)
}

// count counts the queues of a subtree, and those of them that are leaves.
func count(q *cluster.QueueSpec) (all, leaves int) {
	all = 1
	if !q.Parent {
		leaves = 1
	}
	for _, child := range q.Children {
		a, l := count(child)
		all, leaves = all+a, leaves+l
	}
	return all, leaves
}

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
