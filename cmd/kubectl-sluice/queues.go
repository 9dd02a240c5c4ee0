package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/sluice-scheduler/sluice/pkg/web/api"
)

// formats are the values of -o.
var formats = []string{"", "json", "wide"}

func queuesCommand() *cobra.Command {
	var at, format string
	c := &cobra.Command{
		Use:     "queues [PATH]",
		Aliases: []string{"queue"},
		Short:   "Show the tree of queues: what they hold, may have and wait for",
		Long: `Show the tree of queues, or the queue PATH and all below it.

Each queue has a line for each of its resources:

    USED        held by pods that are bound or about to be
    GUARANTEED  owed to the queue whenever it wants it
    MAX         never exceeded
    FAIR        the fair share: what the queue should have of what there is and is wanted now
    PENDING     asked for by pods that wait

Before the resources stand APPS, the running applications (of how many that may run), PODS that are bound or about to be, and PENDING PODS, which wait.

MARKS say what is special: dynamic (made by a placement rule, goes with its last application), draining (no longer configured,
goes with its last application), over guaranteed (some of what it holds is lent and may be taken back), at max (gets no more).

Amounts are rounded to be read; -o json has them exact. It is the answer of GET /api/v1/queues, described in docs/api.md.`,
		Example: `  # all queues
  kubectl sluice queues

  # one and all below it, with all resources and the users and groups that have limits
  kubectl sluice queues root.prod -o wide

  # for scripts: the leaves in which pods wait
  kubectl sluice queues -o json | jq -r '.queue | recurse(.queues[]?) | select(.leaf and .pendingPods > 0).name'

  # of a Sluice that runs in a pod
  kubectl port-forward -n NAMESPACE POD 10270 &
  kubectl sluice queues

  # of a Sluice on this machine that listens elsewhere than usual
  kubectl sluice queues --server http://127.0.0.1:8080`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error { return showQueues(c, at, format, args) },
	}
	addServerFlag(c, &at)
	c.Flags().StringVarP(&format, "output", "o", "", "`form` of the output: wide shows all resources, json is the API's answer as it is")
	return c
}

func showQueues(c *cobra.Command, at, format string, path []string) error {
	s, err := serverAt(at)
	if err != nil {
		return err
	}
	if !slices.Contains(formats, format) {
		return fmt.Errorf("the output cannot be %q: it is json or wide, or the flag is left out", format)
	}
	var answer api.Queues
	text, err := s.get(c.Context(), &answer, append([]string{"queues"}, path...)...)
	if err != nil {
		return err
	}
	if format == "json" {
		fmt.Fprint(c.OutOrStdout(), string(text))
		return nil
	}
	if !answer.Leading {
		fmt.Fprintf(c.ErrOrStderr(), "note: the Sluice at %s stands by; what the leader has decided and not yet bound is shown as pending\n", s.url)
	}
	fmt.Fprint(c.OutOrStdout(), queueTable(&answer.Queue, format == "wide"))
	return nil
}

// queueTable shows a queue and all below it.
func queueTable(q *api.Queue, wide bool) string {
	t := table{columns: []column{
		{"QUEUE", left},
		{"APPS", right},
		{"PODS", right},
		{"PENDING PODS", right},
		{"RESOURCE", left},
		{"USED", right},
		{"GUARANTEED", right},
		{"MAX", right},
		{"FAIR", right},
		{"PENDING", right},
		{"MARKS", left},
	}}
	addQueue(&t, q, q.Name, "", wide)
	return t.String()
}

func addQueue(t *table, q *api.Queue, name, indent string, wide bool) {
	lead := []string{indent + name, outOf(q.RunningApps, q.MaxApps), fmt.Sprint(q.Pods), fmt.Sprint(q.PendingPods)}
	var lines [][]string
	for _, resource := range shownOf(q.Resources, wide) {
		r := q.Resources[resource]
		lines = append(lines, []string{
			resource, readable(resource, r.Used), readable(resource, r.Guaranteed), readable(resource, r.Max),
			readable(resource, r.Fair), readable(resource, r.Pending), strings.Join(resourceMarks(resource, r), ", "),
		})
	}
	t.block(lead, lines, marks(q))
	if wide {
		for _, m := range q.Members {
			addMember(t, m, indent)
		}
	}
	for i := range q.Queues {
		child := &q.Queues[i]
		addQueue(t, child, strings.TrimPrefix(child.Name, q.Name+"."), indent+"  ", wide)
	}
}

// addMember shows a user or group below the queue whose limits name it.
func addMember(t *table, m api.Member, indent string) {
	lead := []string{fmt.Sprintf("%s  (%s %s)", indent, m.Kind, m.Name), outOf(m.RunningApps, m.MaxApps), fmt.Sprint(m.Pods), ""}
	both := map[string]api.Resource{}
	for name, most := range m.Max {
		both[name] = api.Resource{Max: most, Used: "0"}
	}
	for name, used := range m.Used {
		both[name] = api.Resource{Max: m.Max[name], Used: used}
	}
	var lines [][]string
	for _, resource := range shownOf(both, true) {
		r := both[resource]
		lines = append(lines, []string{
			resource, readable(resource, r.Used), "", readable(resource, r.Max), "", "", strings.Join(resourceMarks(resource, r), ", "),
		})
	}
	t.block(lead, lines, nil)
}

func outOf(n, most int) string {
	if most > 0 {
		return fmt.Sprintf("%d/%d", n, most)
	}
	return fmt.Sprint(n)
}

func marks(q *api.Queue) (list []string) {
	if q.Dynamic {
		list = append(list, "dynamic")
	}
	if q.Draining {
		list = append(list, "draining")
	}
	return list
}

func resourceMarks(name string, r api.Resource) (list []string) {
	used := units(name, r.Used)
	if r.Guaranteed != "" && used > units(name, r.Guaranteed) {
		list = append(list, "over guaranteed")
	}
	if r.Max != "" && used >= units(name, r.Max) {
		list = append(list, "at max")
	}
	return list
}
