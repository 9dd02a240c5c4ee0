package main

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/sluice-scheduler/sluice/pkg/web/api"
)

func groupsCommand() *cobra.Command {
	var at, format, namespace, queue string
	var everywhere bool
	c := &cobra.Command{
		Use:     "groups [-n NAMESPACE | -A] [--queue PATH]",
		Aliases: []string{"group", "gangs"},
		Short:   "Show the groups: pods that start together or not at all",
		Long: `Show the groups, of all namespaces unless one is named: pods that start together or not at all, such as a Flink job's JobManager and TaskManagers.

    MIN      how many pods start together
    BOUND    pods that have their nodes, of how many there are to be
    WAITING  pods that exist and have no node
    TO COME  pods that do not exist yet and are expected
    KEPT     for how many pods room is kept in memory, so that nobody else takes it

STANDING is one of:

` + standingsHelp() + `
MARKS are warnings, and by when the application gives up. kubectl sluice explain group says more of one.`,
		Example: `  # all groups
  kubectl sluice groups

  # those of a namespace, with what says that they are groups
  kubectl sluice groups -n rt-trade -o wide

  # those of a queue and all below it
  kubectl sluice groups --queue root.prod

  # for scripts: those for which there is not room
  kubectl sluice groups -o json | jq -r '.groups[] | select(.standing == "parked") | .namespace + " " + .id'`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if everywhere && namespace != "" {
				return errors.New("-A means all namespaces, and -n names one: leave one of them out")
			}
			return showGroups(c, at, format, map[string]string{"namespace": namespace, "queue": queue})
		},
	}
	addServerFlag(c, &at)
	c.Flags().StringVarP(&namespace, "namespace", "n", "", "only groups of this `namespace`")
	c.Flags().BoolVarP(&everywhere, "all-namespaces", "A", false, "groups of all namespaces, which is usual")
	c.Flags().StringVar(&queue, "queue", "", "only groups of the queue of this `path`, and of those below it")
	c.Flags().StringVarP(&format, "output", "o", "", "`form` of the output: wide adds who says that they are groups, json is the API's answer as it is")
	return c
}

// groupStandings say in words where a group stands, in the order in which groups pass through them.
func groupStandings() [][2]string {
	return [][2]string{
		{"loose", "nothing asks its pods to start together: they start as they come"},
		{"empty", "it is told of and has no pods"},
		{"invalid", "what is told of it contradicts itself, and its pods are held"},
		{"gathering", "pods that it needs do not exist yet, or it is not known how many it needs"},
		{"held", "none of its pods can be tried as it is"},
		{"waiting", "its turn has not come"},
		{"held-back", "its queue, or a limit for its user or group, has not enough left for all"},
		{"parked", "there is not room for all; a change that helps wakes it"},
		{"draining", "it has waited long, and room is kept for all of it as it falls free"},
		{"begun", "it has had room for all that it needs; room is kept for those that are to come"},
		{"lapsed", "it has begun; what was to come did not in time, and no room is kept for it any more"},
		{"over", "the application has ended or is not to run: nothing is kept for it"},
	}
}

func standingsHelp() string {
	var b strings.Builder
	for _, s := range groupStandings() {
		fmt.Fprintf(&b, "    %-9s  %s\n", s[0], s[1])
	}
	return b.String()
}

// standingOf adds to a standing what it means.
func standingOf(standing string) string {
	for _, s := range groupStandings() {
		if s[0] == standing {
			return standing + " (" + s[1] + ")"
		}
	}
	return standing
}

func showGroups(c *cobra.Command, at, format string, only map[string]string) error {
	s, err := serverAt(at)
	if err != nil {
		return err
	}
	if !slices.Contains(formats, format) {
		return fmt.Errorf("the output cannot be %q: it is json or wide, or the flag is left out", format)
	}
	var answer api.Groups
	text, err := s.ask(c.Context(), &answer, only, "groups")
	if err != nil {
		return err
	}
	if format == "json" {
		fmt.Fprint(c.OutOrStdout(), string(text))
		return nil
	}
	if !answer.Leading {
		fmt.Fprintf(c.ErrOrStderr(), "note: the Sluice at %s stands by; it keeps no room, and what the leader has decided and not yet bound is shown as waiting\n", s.url)
	}
	if len(answer.Groups) == 0 {
		fmt.Fprintln(c.ErrOrStderr(), "there are no groups"+ofWhat(only))
		return nil
	}
	fmt.Fprint(c.OutOrStdout(), groupTable(answer.Groups, format == "wide"))
	return nil
}

func ofWhat(only map[string]string) (text string) {
	if n := only["namespace"]; n != "" {
		text += " in namespace " + n
	}
	if q := only["queue"]; q != "" {
		text += " in queue " + q
	}
	return text
}

// groupTable has a line for each group.
func groupTable(groups []api.Group, wide bool) string {
	t := table{columns: []column{
		{"NAMESPACE", left},
		{"GROUP", left},
		{"STANDING", left},
		{"MIN", right},
		{"BOUND", right},
		{"WAITING", right},
		{"TO COME", right},
		{"KEPT", right},
		{"QUEUE", left},
		{"MARKS", left},
	}}
	if wide {
		t.columns = append(t.columns, column{"SOURCE", left})
	}
	for i := range groups {
		g := &groups[i]
		n := sumOf(g)
		row := []string{
			g.Namespace, g.ID, g.Standing, fmt.Sprint(g.Min), fmt.Sprintf("%d/%d", n.Bound, max(n.Count, n.Existing+n.Expected, g.Min)), fmt.Sprint(n.Waiting + n.Assumed),
			fmt.Sprint(n.Expected), fmt.Sprint(keptFor(&n)), cmp.Or(g.Queue, "-"), strings.Join(groupMarks(g), ", "),
		}
		if wide {
			row = append(row, sourceText(g.Source))
		}
		t.rows = append(t.rows, row)
	}
	return t.String()
}

// sumOf adds up the roles of a group.
func sumOf(g *api.Group) (sum api.GroupRole) {
	for _, r := range g.Roles {
		sum.Count += max(r.Count, r.Existing)
		sum.Existing += r.Existing
		sum.Bound += r.Bound
		sum.Assumed += r.Assumed
		sum.Waiting += r.Waiting
		sum.Expected += r.Expected
		sum.Kept = append(sum.Kept, r.Kept...)
	}
	return sum
}

func keptFor(r *api.GroupRole) (pods int) {
	for _, k := range r.Kept {
		pods += k.Pods
	}
	return pods
}

func groupMarks(g *api.Group) (list []string) {
	if n := len(g.Faults); n > 0 {
		list = append(list, plural(n, "fault", "faults"))
	}
	if n := len(g.Warnings); n > 0 {
		list = append(list, plural(n, "warning", "warnings"))
	}
	if !g.Deadline.IsZero() {
		list = append(list, "gives up at "+stamp(g.Deadline))
	}
	return list
}

// sourceText is what a source says, or else what kind of source it is.
func sourceText(s *api.GroupSource) string {
	if s == nil {
		return "-"
	}
	return cmp.Or(s.Text, s.Origin)
}
