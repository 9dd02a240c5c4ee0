package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/sluice-scheduler/sluice/pkg/web/api"
)

// standings say in words where a pod stands.
var standings = map[string]string{
	"ready":     "its turn has not come",
	"parked":    "it fits on no node now; a change that helps wakes it",
	"reserved":  "it has waited long, and room is kept for it on its node as it falls free",
	"held-back": "its queue, or a limit for its user or group, has not enough left; it is woken when there is more",
	"backoff":   "its bind was refused or its volumes could not be prepared; it is tried again later",
	"gated":     "it has scheduling gates",
	"held":      "it cannot be tried as it is",
	"gathered":  "it starts together with others of its group",
	"assumed":   "a node was found, and its bind is under way",
	"bound":     "it has its node",
	"leaving":   "it is being deleted and was never bound",
	"foreign":   "it belongs to another scheduler",
}

func explainCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "explain",
		Short: "Say why something is as it is",
		Long:  "Say why something is as it is. There are explanations of pods, and of groups: of pods that start together. A group is named by itself, or by the object that tells of it.",
		Example: `  # why does this pod wait?
  kubectl sluice explain pod [NAMESPACE/]NAME

  # why does this Flink job not start?
  kubectl sluice explain flinkdeployment [NAMESPACE/]NAME
  kubectl sluice explain group [NAMESPACE/]NAME`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(explainPodCommand(), explainGroupCommand())
	for _, words := range kindsExplained {
		c.AddCommand(explainObjectCommand(words[0], words[1:]))
	}
	return c
}

func explainPodCommand() *cobra.Command {
	var at, format, namespace string
	c := &cobra.Command{
		Use:   "pod [NAMESPACE/]NAME | -n NAMESPACE NAME",
		Short: "Say why a pod is where it is: its application, its queue and why that one, and what it waits for",
		Example: `  # why does this pod wait?
  kubectl sluice explain pod jobs/etl-7
  kubectl sluice explain pod -n jobs etl-7

  # a pod of the namespace that kubectl works in
  kubectl sluice explain pod etl-7

  # all that is known of it, for scripts
  kubectl sluice explain pod jobs/etl-7 -o json`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error { return explainPod(c, at, format, namespace, args[0]) },
	}
	addServerFlag(c, &at)
	c.Flags().StringVarP(&namespace, "namespace", "n", "", "`namespace` of the pod, if it is not given with the name (default: that of the kubeconfig's current context)")
	c.Flags().StringVarP(&format, "output", "o", "", "`form` of the output: json is the API's answer as it is")
	return c
}

func explainPod(c *cobra.Command, at, format, namespace, pod string) error {
	s, err := serverAt(at)
	if err != nil {
		return err
	}
	namespace, name, err := podNamed(namespace, pod)
	if err != nil {
		return err
	}
	if format != "" && format != "json" {
		return fmt.Errorf("the output cannot be %q: it is json, or the flag is left out", format)
	}
	var answer api.Pod
	text, err := s.get(c.Context(), &answer, "pods", namespace, name)
	switch {
	case err != nil:
		return err
	case format == "json":
		fmt.Fprint(c.OutOrStdout(), string(text))
	default:
		writePod(c.OutOrStdout(), &answer)
	}
	return nil
}

// podNamed takes a pod's namespace from the flag or from before the slash, but not from both, and without either the current one.
func podNamed(flag, pod string) (namespace, name string, err error) {
	namespace, name, both := strings.Cut(pod, "/")
	switch {
	case both && flag != "":
		return "", "", fmt.Errorf("the namespace is given twice: by -n and in %q", pod)
	case !both:
		namespace, name = flag, pod
	}
	if name == "" || both && namespace == "" || strings.Contains(name, "/") {
		return "", "", fmt.Errorf("a pod is named as NAME, NAMESPACE/NAME or -n NAMESPACE NAME, but this is %q", pod)
	}
	if namespace == "" {
		namespace, err = currentNamespace()
	}
	return namespace, name, err
}

// titled writes lines of a title and a text, and none for an empty text.
func titled(w io.Writer) func(title, text string) {
	return func(title, text string) {
		if text != "" {
			fmt.Fprintf(w, "%-13s%s\n", title+":", text)
		}
	}
}

func writePod(w io.Writer, p *api.Pod) {
	line := titled(w)
	line("Pod", p.Namespace+"/"+p.Name)
	line("Standing", strings.TrimSuffix(p.Standing+" ("+standings[p.Standing]+")", " ()"))
	line("Node", p.Node)
	line("Application", from(p.Application, p.ApplicationFrom))
	line("Role", p.Role)
	line("Group", from(p.Group, p.GroupStanding))
	line("Queue", p.Queue)
	line("Decided by", p.DecidedBy)
	line("Reason", p.Reason)
	line("Message", p.Message)
	if !p.Since.IsZero() {
		line("Waits since", fmt.Sprintf("%s, tried %s", stamp(p.Since), plural(p.Attempts, "time", "times")))
	}
	if !p.Until.IsZero() {
		line("Next try", stamp(p.Until))
	}
	for _, fault := range p.Faults {
		line("Fault", fault)
	}
	if !p.Leading {
		line("Note", "this Sluice stands by; the leader may have decided already")
	}
}

// from adds to a value what decided about it.
func from(value, by string) string {
	if value == "" || by == "" {
		return value
	}
	return value + " (" + by + ")"
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }
