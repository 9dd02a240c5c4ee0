package sim

import (
	"fmt"
	"strconv"
	"strings"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// addTerms gives a pod what near=, apart= and spread= say: required affinity to, or anti-affinity against, the pods of its namespace with a label, within a
// domain; and even spreading of them, over domains.
func addTerms(p *v1.Pod, a Args) error {
	near, err := terms(a.Values["near"])
	if err != nil {
		return err
	}
	apart, err := terms(a.Values["apart"])
	if err != nil {
		return err
	}
	if (near != nil || apart != nil) && p.Spec.Affinity == nil {
		p.Spec.Affinity = &v1.Affinity{}
	}
	if near != nil {
		p.Spec.Affinity.PodAffinity = &v1.PodAffinity{RequiredDuringSchedulingIgnoredDuringExecution: near}
	}
	if apart != nil {
		p.Spec.Affinity.PodAntiAffinity = &v1.PodAntiAffinity{RequiredDuringSchedulingIgnoredDuringExecution: apart}
	}
	for _, text := range a.Values["spread"] {
		term, skew, _ := strings.Cut(text, ":")
		t, err := terms([]string{term})
		if err != nil {
			return err
		}
		most, err := strconv.Atoi(skew)
		if err != nil {
			return fmt.Errorf("spread=%s: want k=v@key:skew", text)
		}
		p.Spec.TopologySpreadConstraints = append(p.Spec.TopologySpreadConstraints, v1.TopologySpreadConstraint{
			MaxSkew: int32(most), TopologyKey: t[0].TopologyKey, WhenUnsatisfiable: v1.DoNotSchedule, LabelSelector: t[0].LabelSelector,
		})
	}
	return nil
}

func terms(list []string) (terms []v1.PodAffinityTerm, err error) {
	for _, text := range list {
		label, key, ok := strings.Cut(text, "@")
		if !ok {
			return nil, fmt.Errorf("%s: want k=v@key", text)
		}
		terms = append(terms, v1.PodAffinityTerm{TopologyKey: key, LabelSelector: &metav1.LabelSelector{MatchLabels: keyValues([]string{label})}})
	}
	return terms, nil
}

// relabel gives a pod other labels.
func (s *Script) relabel(a Args, _ string) error {
	s.cluster.ChangePod(namespace, a.Name, func(p *v1.Pod) { p.Labels = keyValues(a.Values["set"]) })
	return nil
}

// declare lets a node declare features.
func (s *Script) declare(a Args, _ string) error {
	return s.changeNode(a, func(n *v1.Node) { n.Status.DeclaredFeatures = a.Values["set"] })
}
