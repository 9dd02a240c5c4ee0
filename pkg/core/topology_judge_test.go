package core_test

import (
	"fmt"
	"maps"
	"math"
	"slices"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/klog/v2"

	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
)

// What follows reads affinity between pods and topology spread plainly, from the API objects: no parsed selectors, no counts that are kept.

// topologyReasons are the texts of what may be wrong with a node because of other pods.
var topologyReasons = []string{
	"didn't match pod topology spread constraints (missing required label)", "didn't match pod topology spread constraints", "didn't match pod affinity rules",
	"didn't match pod anti-affinity rules", "didn't satisfy existing pods anti-affinity rules",
}

// raw returns the object that the newest fact of a pod was read from; a pod in quarantine shows nothing of itself, and histories without terms keep no objects.
func (j *judge) raw(uid types.UID) *v1.Pod {
	p := j.latest[uid]
	if p == nil {
		return &v1.Pod{} // it does not exist yet
	}
	if object := j.objects[p.Demand]; object != nil && !j.quarantined[uid] {
		return object
	}
	return &v1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: p.Namespace}}
}

// topology says which term about other pods forbids the node; nil if none does, whether or not those come who are nominated for it and must not be passed.
func (j *judge) topology(p *cluster.PodFact, n *cluster.NodeFact) error {
	really := j.at
	defer func() { j.at, j.coming = really, nil }()
	j.at, j.coming = maps.Clone(really), map[types.UID]bool{}
	for uid, other := range j.pods {
		if uid != p.UID && nominatedByOthers(other) == n.Name && really[uid] == "" && !other.Deleting && other.Priority >= p.Priority {
			j.at[uid], j.coming[uid] = n.Name, true
		}
	}
	if err := j.terms(p, n); err != nil {
		return err
	}
	j.at, j.coming = really, nil
	return j.terms(p, n)
}

func (j *judge) terms(p *cluster.PodFact, n *cluster.NodeFact) error {
	pod := j.raw(p.UID)
	if err := j.spread(pod, n); err != nil {
		return err
	}
	if a := pod.Spec.Affinity; a != nil && a.PodAffinity != nil {
		if err := j.together(pod, a.PodAffinity.RequiredDuringSchedulingIgnoredDuringExecution, n); err != nil {
			return err
		}
	}
	for _, t := range antiTerms(pod) {
		for _, other := range j.neighbours(n, t.TopologyKey) {
			if j.selects(pod, &t, j.raw(other), false) {
				return fmt.Errorf("its anti-affinity selects %s", other)
			}
		}
	}
	for other, at := range j.at {
		m := j.known(at)
		if m == nil {
			continue
		}
		for _, t := range antiTerms(j.raw(other)) {
			if same(m, n, t.TopologyKey) && j.selects(j.raw(other), &t, pod, true) {
				return fmt.Errorf("anti-affinity of %s selects it", other)
			}
		}
	}
	return nil
}

// meansByLabels reports whether a required term selects namespaces by something.
func meansByLabels(p *v1.Pod) bool {
	terms := antiTerms(p)
	if a := p.Spec.Affinity; a != nil && a.PodAffinity != nil {
		terms = append(slices.Clip(terms), a.PodAffinity.RequiredDuringSchedulingIgnoredDuringExecution...)
	}
	return slices.ContainsFunc(terms, func(t v1.PodAffinityTerm) bool {
		s := t.NamespaceSelector
		return s != nil && len(s.MatchLabels)+len(s.MatchExpressions) > 0
	})
}

// known returns a node on which pods count.
func (j *judge) known(name string) *cluster.NodeFact {
	if n := j.nodes[name]; n != nil && !j.quarantined[n.UID] {
		return n
	}
	return nil
}

func same(a, b *cluster.NodeFact, key string) bool {
	v, has := a.Labels[key]
	w, hasToo := b.Labels[key]
	return has && hasToo && v == w
}

// neighbours are the pods in the node's domain of a key.
func (j *judge) neighbours(n *cluster.NodeFact, key string) (list []types.UID) {
	for uid, at := range j.at {
		if m := j.known(at); m != nil && same(m, n, key) {
			list = append(list, uid)
		}
	}
	return list
}

func antiTerms(p *v1.Pod) []v1.PodAffinityTerm {
	if p.Spec.Affinity == nil || p.Spec.Affinity.PodAntiAffinity == nil {
		return nil
	}
	return p.Spec.Affinity.PodAntiAffinity.RequiredDuringSchedulingIgnoredDuringExecution
}

func (j *judge) together(pod *v1.Pod, terms []v1.PodAffinityTerm, n *cluster.NodeFact) error {
	if len(terms) == 0 {
		return nil
	}
	all := func(other *v1.Pod) bool {
		return !slices.ContainsFunc(terms, func(t v1.PodAffinityTerm) bool { return !j.selects(pod, &t, other, false) })
	}
	met, anybody := true, false
	for _, t := range terms {
		if _, has := n.Labels[t.TopologyKey]; !has {
			return fmt.Errorf("the node lacks %s", t.TopologyKey)
		}
		met = met && slices.ContainsFunc(j.neighbours(n, t.TopologyKey), func(uid types.UID) bool { return all(j.raw(uid)) })
		for uid, at := range j.at {
			if m := j.known(at); m != nil && all(j.raw(uid)) {
				_, has := m.Labels[t.TopologyKey]
				anybody = anybody || has
			}
		}
	}
	if met || !anybody && all(pod) {
		return nil
	}
	return fmt.Errorf("affinity to nobody there (anybody elsewhere: %t)", anybody)
}

// selects reports whether a term of a pod selects another. Of a namespace that is not known nothing is selected by labels, but if somebody is held
// against the terms of others (lenient) it counts as one without labels.
func (j *judge) selects(of *v1.Pod, t *v1.PodAffinityTerm, other *v1.Pod, lenient bool) bool {
	names := t.Namespaces
	if len(names) == 0 && t.NamespaceSelector == nil {
		names = []string{of.Namespace}
	}
	space, exists := j.spaces[other.Namespace]
	in := slices.Contains(names, other.Namespace)
	if s := t.NamespaceSelector; s != nil && !in {
		switch {
		case len(s.MatchLabels)+len(s.MatchExpressions) == 0:
			in = true
		case exists:
			in = matches(s, space.Labels)
		case lenient:
			in = matches(s, nil)
		}
	}
	return in && matches(t.LabelSelector, other.Labels)
}

func matches(s *metav1.LabelSelector, labels map[string]string) bool {
	if s == nil {
		return false
	}
	for k, v := range s.MatchLabels {
		if labels[k] != v {
			return false
		}
	}
	for _, r := range s.MatchExpressions {
		v, has := labels[r.Key]
		holds := has
		switch r.Operator {
		case metav1.LabelSelectorOpIn:
			holds = has && slices.Contains(r.Values, v)
		case metav1.LabelSelectorOpNotIn:
			holds = !has || !slices.Contains(r.Values, v)
		case metav1.LabelSelectorOpDoesNotExist:
			holds = !has
		}
		if !holds {
			return false
		}
	}
	return true
}

func (j *judge) spread(pod *v1.Pod, n *cluster.NodeFact) error {
	var hard []v1.TopologySpreadConstraint
	for _, c := range pod.Spec.TopologySpreadConstraints {
		if c.WhenUnsatisfiable == v1.DoNotSchedule {
			hard = append(hard, c)
		}
	}
	for _, c := range hard {
		here, has := n.Labels[c.TopologyKey]
		if !has {
			return fmt.Errorf("the node lacks %s to spread by", c.TopologyKey)
		}
		counts := j.counts(pod, &c, hard)
		least := math.MaxInt32
		for _, count := range counts {
			least = min(least, count)
		}
		if wanted := 1; len(counts) < wanted || c.MinDomains != nil && len(counts) < int(*c.MinDomains) {
			least = 0
		}
		more := 0
		if matches(narrowed(&c, pod), pod.Labels) {
			more = 1
		}
		if counts[here]+more-least > int(c.MaxSkew) {
			return fmt.Errorf("%s: %d are in %s, at least %d everywhere (%v)", c.TopologyKey, counts[here], here, least, counts)
		}
	}
	return nil
}

// counts are the pods that a constraint counts, by domain.
func (j *judge) counts(pod *v1.Pod, c *v1.TopologySpreadConstraint, hard []v1.TopologySpreadConstraint) map[string]int {
	counts := map[string]int{}
	for name := range j.nodes {
		n := j.known(name)
		if n == nil || slices.ContainsFunc(hard, func(c v1.TopologySpreadConstraint) bool { _, has := n.Labels[c.TopologyKey]; return !has }) {
			continue
		}
		if p := c.NodeAffinityPolicy; (p == nil || *p == v1.NodeInclusionPolicyHonor) && !chosen(pod, n) {
			continue
		}
		if p := c.NodeTaintsPolicy; p != nil && *p == v1.NodeInclusionPolicyHonor && !tolerated(pod, n) {
			continue
		}
		counts[n.Labels[c.TopologyKey]] += 0
		for uid, at := range j.at {
			s := narrowed(c, pod)
			other := j.raw(uid)
			everything := s != nil && len(s.MatchLabels)+len(s.MatchExpressions) == 0
			if at == name && (!everything || j.coming[uid]) && other.Namespace == pod.Namespace && !j.latest[uid].Deleting && matches(s, other.Labels) {
				counts[n.Labels[c.TopologyKey]]++
			}
		}
	}
	return counts
}

// chosen reports whether the pod's node selector and affinity (of the kinds that histories use) allow the node.
func chosen(pod *v1.Pod, n *cluster.NodeFact) bool {
	for k, v := range pod.Spec.NodeSelector {
		if n.Labels[k] != v {
			return false
		}
	}
	if a := pod.Spec.Affinity; a != nil && a.NodeAffinity != nil {
		return a.NodeAffinity.RequiredDuringSchedulingIgnoredDuringExecution.NodeSelectorTerms[0].MatchFields[0].Values[0] == n.Name
	}
	return true
}

func tolerated(pod *v1.Pod, n *cluster.NodeFact) bool {
	return !slices.ContainsFunc(n.Taints, func(t v1.Taint) bool {
		return !slices.ContainsFunc(pod.Spec.Tolerations, func(tol v1.Toleration) bool { return tol.ToleratesTaint(klog.Logger{}, &t, false) })
	})
}

// narrowed is a constraint's selector with the pod's own values of its matchLabelKeys.
func narrowed(c *v1.TopologySpreadConstraint, pod *v1.Pod) *metav1.LabelSelector {
	if c.LabelSelector == nil {
		return nil
	}
	s := c.LabelSelector.DeepCopy()
	for _, k := range c.MatchLabelKeys {
		if v, has := pod.Labels[k]; has {
			s.MatchExpressions = append(s.MatchExpressions, metav1.LabelSelectorRequirement{Key: k, Operator: metav1.LabelSelectorOpIn, Values: []string{v}})
		}
	}
	return s
}
