package main

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/sluice-scheduler/sluice/pkg/web/api"
)

func explainGroupCommand() *cobra.Command {
	var e explaining
	c := &cobra.Command{
		Use:     "group [NAMESPACE/]NAME | -n NAMESPACE NAME",
		Aliases: []string{"gang"},
		Short:   "Say how a group stands: who says that it is one, its pods by role, the room that is kept, and what it waits for",
		Long: `Say how a group stands: who says that it is one, its pods by role, the room that is kept for those that do not exist yet and until when, what it waits for, by when the
application gives up, what will hurt, and what would help.

NAME is the id that kubectl sluice groups shows, such as flink/orders, or its end, or the name of the object that tells of the group, as long as that is the only one.`,
		Example: `  # why does this Flink job not start?
  kubectl sluice explain group rt-trade/flink/orders
  kubectl sluice explain group -n rt-trade orders

  # all that is known of it, for scripts
  kubectl sluice explain group -n rt-trade orders -o json`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			namespace, name, err := e.named("group", args[0])
			if err != nil {
				return err
			}
			return e.explainGroup(c, namespace, name)
		},
	}
	e.addFlags(c, "group")
	return c
}

// kindsExplained are the kinds of objects whose groups are explained by their names, with other words for them.
var kindsExplained = [][]string{
	{"FlinkDeployment", "flinkdep", "flinkdeployments"},
	{"SparkApplication", "sparkapp", "sparkapplications"},
	{"RayCluster", "rayclusters"},
	{"RayJob", "rayjobs"},
	{"JobSet", "jobsets"},
	{"PodGroup", "pg", "podgroups"},
}

func explainObjectCommand(kind string, aliases []string) *cobra.Command {
	var e explaining
	word := strings.ToLower(kind)
	c := &cobra.Command{
		Use:     word + " [NAMESPACE/]NAME | -n NAMESPACE NAME",
		Aliases: aliases,
		Short:   "Say how the group of a " + kind + " stands, as explain group does",
		Example: "  kubectl sluice explain " + word + " -n rt-trade orders",
		Args:    cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			namespace, name, err := e.named(word, args[0])
			if err != nil {
				return err
			}
			return e.explainObject(c, namespace, kind, name)
		},
	}
	e.addFlags(c, word)
	return c
}

// explaining is how an explanation is asked for.
type explaining struct{ at, format, namespace string }

func (e *explaining) addFlags(c *cobra.Command, what string) {
	addServerFlag(c, &e.at)
	c.Flags().StringVarP(&e.namespace, "namespace", "n", "", "`namespace` of the "+what+", if it is not given with the name (default: that of the kubeconfig's current context)")
	c.Flags().StringVarP(&e.format, "output", "o", "", "`form` of the output: json is the API's answer as it is")
}

// named takes a namespace from the flag or else from before the first slash, and without either the current one. Names of groups may have slashes themselves.
func (e *explaining) named(what, arg string) (namespace, name string, err error) {
	if err := e.check(); err != nil {
		return "", "", err
	}
	namespace, name, both := e.namespace, arg, false
	if namespace == "" {
		if namespace, name, both = strings.Cut(arg, "/"); !both {
			namespace, name = "", arg
		}
	}
	if name == "" || both && namespace == "" {
		return "", "", fmt.Errorf("a %s is named as NAME, NAMESPACE/NAME or -n NAMESPACE NAME, but this is %q", what, arg)
	}
	if namespace == "" {
		namespace, err = currentNamespace()
	}
	return namespace, name, err
}

func (e *explaining) check() error {
	if e.format != "" && e.format != "json" {
		return fmt.Errorf("the output cannot be %q: it is json, or the flag is left out", e.format)
	}
	return nil
}

func (e *explaining) explainGroup(c *cobra.Command, namespace, name string) error {
	s, err := serverAt(e.at)
	if err != nil {
		return err
	}
	var answer api.GroupAnswer
	text, err := s.get(c.Context(), &answer, "groups", namespace, name)
	switch {
	case err != nil:
		return err
	case e.format == "json":
		fmt.Fprint(c.OutOrStdout(), string(text))
	default:
		writeGroup(c.OutOrStdout(), &answer.Group, answer.Leading)
	}
	return nil
}

func (e *explaining) explainObject(c *cobra.Command, namespace, kind, name string) error {
	s, err := serverAt(e.at)
	if err != nil {
		return err
	}
	var answer api.Groups
	text, err := s.ask(c.Context(), &answer, map[string]string{"namespace": namespace, "object": kind + "/" + name}, "groups")
	switch {
	case err != nil:
		return err
	case len(answer.Groups) == 0:
		return failure{fmt.Errorf("no group of a %s %q is known in namespace %q; kubectl sluice groups -n %s shows those that are", kind, name, namespace, namespace)}
	case e.format == "json":
		fmt.Fprint(c.OutOrStdout(), string(text))
		return nil
	}
	for i := range answer.Groups {
		if i > 0 {
			fmt.Fprintln(c.OutOrStdout())
		}
		writeGroup(c.OutOrStdout(), &answer.Groups[i], answer.Leading)
	}
	return nil
}

func writeGroup(w io.Writer, g *api.Group, leading bool) {
	line := titled(w)
	line("Group", g.Namespace+"/"+g.ID)
	line("Standing", standingOf(g.Standing))
	if g.Source != nil {
		line("Told by", sourceText(g.Source))
		line("Object", objectText(g.Source.Object))
	}
	for i := range g.Overruled {
		line("Overruled", sourceText(&g.Overruled[i]))
	}
	if g.Min > 1 {
		line("Starts with", fmt.Sprintf("%d pods together", g.Min))
	}
	line("Within", topologyText(g.Topology))
	line("Application", strings.Join(g.Applications, ", "))
	line("Queue", g.Queue)
	if !g.Since.IsZero() {
		line("First pod", "created "+stamp(g.Since))
	}
	line("Room kept", keptText(g))
	line("Deadline", g.DeadlineText)
	line("Reason", g.Reason)
	line("Message", g.Message)
	for _, fault := range g.Faults {
		line("Fault", fault)
	}
	for _, warning := range g.Warnings {
		line("Warning", warning)
	}
	line("Would help", g.Remedy)
	if !leading {
		line("Note", "this Sluice stands by; the leader may have decided already, and it alone keeps room")
	}
	if len(g.Roles) > 0 {
		fmt.Fprint(w, "\n"+roleTable(g.Roles))
	}
}

func objectText(o *api.ObjectRef) string {
	if o == nil {
		return ""
	}
	return fmt.Sprintf("%s %s/%s", o.Kind, o.Namespace, o.Name)
}

func topologyText(t *api.GroupTopology) string {
	switch {
	case t == nil:
		return ""
	case t.Required:
		return "one value of " + t.Key + ", or it waits"
	}
	return "one value of " + t.Key + ", if it can"
}

// keptText says for how many room is kept, since when and until when.
func keptText(g *api.Group) string {
	sum := sumOf(g)
	kept := keptFor(&sum)
	switch {
	case kept == 0:
		return ""
	case g.KeptUntil.IsZero():
		return "for " + plural(kept, "pod", "pods")
	}
	return fmt.Sprintf("for %s, expected since %s, until %s at the latest", plural(kept, "pod", "pods"), stamp(g.KeptSince), stamp(g.KeptUntil))
}

// roleTable has a line for each role, and further ones for what does not fit in it.
func roleTable(roles []api.GroupRole) string {
	t := table{columns: []column{
		{"ROLE", left},
		{"MIN", right},
		{"COUNT", right},
		{"BOUND", right},
		{"ON ITS WAY", right},
		{"WAITING", right},
		{"TO COME", right},
		{"KEPT", right},
		{"EACH ASKS FOR", left},
		{"KEPT ON", left},
	}}
	for i := range roles {
		r := &roles[i]
		t.rows = append(t.rows, []string{
			cmp.Or(r.Role, "(none)"), fmt.Sprint(r.Min), fmt.Sprint(r.Count), fmt.Sprint(r.Bound), fmt.Sprint(r.Assumed), fmt.Sprint(r.Waiting),
			fmt.Sprint(r.Expected), fmt.Sprint(keptFor(r)), amountsText(r.Request), roomsText(r.Kept),
		})
	}
	return t.String()
}

func amountsText(amounts map[string]api.Quantity) string {
	var list []string
	for _, name := range slices.Sorted(maps.Keys(amounts)) {
		list = append(list, readable(name, amounts[name])+" "+name)
	}
	return cmp.Or(strings.Join(list, ", "), "-")
}

// shownRooms is how many nodes are named on which room is kept.
const shownRooms = 5

func roomsText(rooms []api.KeptRoom) string {
	var list []string
	for _, k := range rooms[:min(len(rooms), shownRooms)] {
		text := k.Node
		if k.Pods > 1 {
			text += fmt.Sprintf(" (%d)", k.Pods)
		}
		list = append(list, text)
	}
	if more := len(rooms) - shownRooms; more > 0 {
		list = append(list, fmt.Sprintf("%d more", more))
	}
	return cmp.Or(strings.Join(list, ", "), "-")
}
