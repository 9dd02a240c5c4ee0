package cluster

import (
	"slices"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// splitPin recognises required affinity whose every term names the same single node by metadata.name and nothing else by field, as the
// DaemonSet controller writes it. It returns the affinity without that name, so that a DaemonSet's pods are of one shape, and
// the name. Any other affinity comes back as it is.
func splitPin(a *v1.Affinity) (rest *v1.Affinity, pin string) {
	terms := requiredTerms(a)
	for i := range terms {
		name, ok := onlyName(&terms[i])
		if !ok || (pin != "" && name != pin) {
			return a, ""
		}
		pin = name
	}
	if pin == "" {
		return a, ""
	}
	stripped := make([]v1.NodeSelectorTerm, 0, len(terms))
	for i := range terms {
		if len(terms[i].MatchExpressions) == 0 {
			return nil, pin // terms are alternatives, and this one asks for nothing but the name
		}
		stripped = append(stripped, v1.NodeSelectorTerm{MatchExpressions: terms[i].MatchExpressions})
	}
	return &v1.Affinity{NodeAffinity: &v1.NodeAffinity{
		RequiredDuringSchedulingIgnoredDuringExecution: &v1.NodeSelector{NodeSelectorTerms: stripped},
	}}, pin
}

func onlyName(t *v1.NodeSelectorTerm) (name string, ok bool) {
	if len(t.MatchFields) != 1 {
		return "", false
	}
	f := &t.MatchFields[0]
	if f.Key != metav1.ObjectNameField || f.Operator != v1.NodeSelectorOpIn || len(f.Values) != 1 {
		return "", false
	}
	return f.Values[0], f.Values[0] != ""
}

// namedNodes returns the nodes to which required affinity on metadata.name narrows the search: the union over terms of the
// intersection within each term. It is nil when some term leaves the name open. The rule is that of the default scheduler's
// NodeAffinity plugin, which tests no other node.
func namedNodes(a *v1.Affinity) []string {
	names := map[string]bool{}
	terms := requiredTerms(a)
	if len(terms) == 0 {
		return nil
	}
	for i := range terms {
		in, limited := namesOf(&terms[i])
		if !limited {
			return nil
		}
		for _, n := range in {
			names[n] = true
		}
	}
	out := make([]string, 0, len(names))
	for n := range names {
		out = append(out, n)
	}
	slices.Sort(out)
	return out
}

func namesOf(t *v1.NodeSelectorTerm) (names []string, limited bool) {
	for i := range t.MatchFields {
		f := &t.MatchFields[i]
		if f.Key != metav1.ObjectNameField || f.Operator != v1.NodeSelectorOpIn {
			continue
		}
		if !limited {
			names, limited = slices.Clone(f.Values), true
			continue
		}
		names = slices.DeleteFunc(names, func(n string) bool { return !slices.Contains(f.Values, n) })
	}
	return names, limited
}
