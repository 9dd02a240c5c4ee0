package sim

import (
	"maps"
	"slices"

	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

// brief leaves out what pods are told, so that only what is bound is shown, or nothing: brief [off | none].
func (s *Script) brief(a Args, _ string) error {
	s.isBrief, s.isSilent = !a.has("off"), a.has("none")
	return nil
}

// effects tells how many there have been of each kind since it was asked last.
func (s *Script) effects(Args, string) error {
	for _, kind := range slices.Sorted(maps.Keys(s.counts)) {
		s.printf("%s: %d", kind, s.counts[kind])
	}
	clear(s.counts)
	return nil
}

// lose is a node going down with all that runs there: lose NODE.
func (s *Script) lose(a Args, _ string) error {
	s.cluster.DeleteNode(a.Name)
	for _, p := range s.cluster.Pods() {
		if p.Spec.NodeName == a.Name {
			s.cluster.DeletePod(p.Namespace, p.Name)
		}
	}
	return nil
}

// object creates or replaces an object that tells of a group, written as YAML; with gone it is deleted: object [gone].
func (s *Script) object(a Args, input string) error {
	o := &unstructured.Unstructured{}
	if err := yaml.Unmarshal([]byte(input), &o.Object); err != nil {
		return err
	}
	if o.GetNamespace() == "" {
		o.SetNamespace(namespace)
	}
	if a.has("gone") {
		s.cluster.DeleteGrouping(o)
		return nil
	}
	s.cluster.SetGrouping(o)
	return nil
}

// rooms tells how many rooms are kept, and how many pods run on each node.
func (s *Script) rooms(Args, string) error {
	n := s.cluster.Core.Stats()
	s.printf("expected=%d arrived=%d lapsed=%d gangs=%d", n.Expected, n.Arrived, n.Lapsed, n.Gangs)
	on := map[string]int{}
	for _, p := range s.cluster.Pods() {
		if p.Spec.NodeName != "" && p.Status.Phase != v1.PodSucceeded {
			on[p.Spec.NodeName]++
		}
	}
	for _, name := range slices.Sorted(maps.Keys(s.cluster.nodes)) {
		s.printf("%s: %d pods", name, on[name])
	}
	return nil
}
