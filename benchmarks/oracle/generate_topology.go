package oracle

import (
	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// domainKeys are what domains are made by: shared by many nodes, or by one, or carried by few or none.
var domainKeys = []string{
	v1.LabelTopologyZone, v1.LabelTopologyZone, v1.LabelTopologyZone, v1.LabelTopologyZone, v1.LabelTopologyZone, v1.LabelHostname, v1.LabelHostname,
	v1.LabelHostname, v1.LabelTopologyRegion, v1.LabelTopologyRegion, v1.LabelTopologyRegion, "disk", "pool", "missing",
}

// relations gives a pod terms about other pods.
func (g *Generator) relations(p *v1.Pod) {
	affinity := func() *v1.Affinity {
		if p.Spec.Affinity == nil {
			p.Spec.Affinity = &v1.Affinity{}
		}
		return p.Spec.Affinity
	}
	if g.chance(g.podAffinity) {
		affinity().PodAffinity = &v1.PodAffinity{
			RequiredDuringSchedulingIgnoredDuringExecution: several(g.draw, 1, one(g.draw, 1, 1, 2, 3), func() v1.PodAffinityTerm { return g.podTerm(p) }),
		}
	}
	if g.chance(g.podAnti) {
		affinity().PodAntiAffinity = &v1.PodAntiAffinity{
			RequiredDuringSchedulingIgnoredDuringExecution: several(g.draw, 1, one(g.draw, 1, 1, 2), func() v1.PodAffinityTerm { return g.podTerm(p) }),
		}
	}
	if g.chance(g.podLiking) {
		g.likings(p, affinity())
	}
	if g.chance(g.spread) {
		p.Spec.TopologySpreadConstraints = several(g.draw, 1, one(g.draw, 1, 1, 2, 3), g.constraint)
	}
}

// likings are preferences for and against the nearness of other pods.
func (g *Generator) likings(p *v1.Pod, a *v1.Affinity) {
	weighted := func() v1.WeightedPodAffinityTerm {
		return v1.WeightedPodAffinityTerm{Weight: one[int32](g.draw, 1, 2, 50, 100), PodAffinityTerm: g.podTerm(p)}
	}
	if g.chance(60) {
		if a.PodAffinity == nil {
			a.PodAffinity = &v1.PodAffinity{}
		}
		a.PodAffinity.PreferredDuringSchedulingIgnoredDuringExecution = several(g.draw, 1, 2, weighted)
	}
	if g.chance(60) {
		if a.PodAntiAffinity == nil {
			a.PodAntiAffinity = &v1.PodAntiAffinity{}
		}
		a.PodAntiAffinity.PreferredDuringSchedulingIgnoredDuringExecution = several(g.draw, 1, 2, weighted)
	}
}

// podTerm is a term of affinity of a pod to others. Label keys to match are merged into the selector, as the API server does, or are not, as
// in pods that are older than that.
func (g *Generator) podTerm(p *v1.Pod) v1.PodAffinityTerm {
	t := v1.PodAffinityTerm{TopologyKey: one(g.draw, domainKeys...), LabelSelector: g.labelSelector()}
	if g.chance(15) && p.Labels != nil { // all terms match the pod itself: it may be the first of its kind
		t.LabelSelector = &metav1.LabelSelector{MatchLabels: p.Labels}
	}
	if g.chance(25) {
		t.Namespaces = several(g.draw, 1, 2, func() string { return one(g.draw, namespaces...) })
	}
	if g.chance(25) {
		t.NamespaceSelector = g.namespaceSelector()
	}
	if g.chance(10) {
		g.matchKeys(p, &t)
	}
	return t
}

// matchKeys are those labels of the pod itself that others must have as well, or must not.
func (g *Generator) matchKeys(p *v1.Pod, t *v1.PodAffinityTerm) {
	const key = "pod-template-hash"
	operator := one(g.draw, metav1.LabelSelectorOpIn, metav1.LabelSelectorOpNotIn)
	if operator == metav1.LabelSelectorOpIn {
		t.MatchLabelKeys = []string{key}
	} else {
		t.MismatchLabelKeys = []string{key}
	}
	if value, has := p.Labels[key]; has && t.LabelSelector != nil && g.chance(75) {
		s := t.LabelSelector.DeepCopy()
		s.MatchExpressions = append(s.MatchExpressions, metav1.LabelSelectorRequirement{Key: key, Operator: operator, Values: []string{value}})
		t.LabelSelector = s
	}
}

// labelSelector selects pods: by nothing, which selects none, or by an empty list, which selects all, or by labels.
func (g *Generator) labelSelector() *metav1.LabelSelector {
	switch g.IntN(20) {
	case 0:
		return nil
	case 1:
		return &metav1.LabelSelector{}
	}
	s := &metav1.LabelSelector{}
	if g.chance(65) {
		s.MatchLabels = map[string]string{"app": one(g.draw, "a", "b", "c", "d")}
		if g.chance(15) {
			s.MatchLabels["tier"] = one(g.draw, "x", "y")
		}
	} else {
		s.MatchExpressions = several(g.draw, 1, 2, g.labelRequirement)
	}
	return s
}

func (g *Generator) labelRequirement() metav1.LabelSelectorRequirement {
	key := one(g.draw, "app", "app", "tier", "pod-template-hash", "missing")
	r := metav1.LabelSelectorRequirement{Key: key, Operator: one(g.draw, metav1.LabelSelectorOpExists, metav1.LabelSelectorOpDoesNotExist)}
	if g.chance(60) {
		r.Operator = one(g.draw, metav1.LabelSelectorOpIn, metav1.LabelSelectorOpNotIn)
		r.Values = several(g.draw, 1, 3, func() string { return one(g.draw, "a", "b", "c", "x", "y", "1", "2") })
	}
	if g.chance(g.spoilt) {
		switch g.IntN(4) {
		case 0:
			r.Operator = "Unknown"
		case 1:
			r.Operator, r.Values = metav1.LabelSelectorOpIn, nil
		case 2:
			r.Operator, r.Values = metav1.LabelSelectorOpExists, []string{"x"}
		case 3:
			r.Key = "not a key!"
		}
	}
	return r
}

func (g *Generator) namespaceSelector() *metav1.LabelSelector {
	if g.chance(25) {
		return &metav1.LabelSelector{} // all
	}
	s := &metav1.LabelSelector{MatchLabels: map[string]string{}}
	switch g.IntN(5) {
	case 0, 1:
		s.MatchLabels["team"] = one(g.draw, "red", "blue")
	case 2:
		s.MatchLabels["env"] = one(g.draw, "prod", "test")
	case 3:
		s.MatchLabels["kubernetes.io/metadata.name"] = one(g.draw, namespaces...)
	case 4:
		operator := one(g.draw, metav1.LabelSelectorOpExists, metav1.LabelSelectorOpDoesNotExist)
		s.MatchExpressions = []metav1.LabelSelectorRequirement{{Key: one(g.draw, "team", "env"), Operator: operator}}
	}
	return s
}

func (g *Generator) constraint() v1.TopologySpreadConstraint {
	c := v1.TopologySpreadConstraint{
		MaxSkew: one[int32](g.draw, 1, 1, 1, 2, 3), TopologyKey: one(g.draw, domainKeys...), LabelSelector: g.labelSelector(),
		WhenUnsatisfiable: v1.DoNotSchedule,
	}
	if g.chance(g.soft) {
		c.WhenUnsatisfiable = v1.ScheduleAnyway
	}
	if g.chance(30) && c.WhenUnsatisfiable == v1.DoNotSchedule {
		c.MinDomains = ref(one[int32](g.draw, 1, 2, 3, 5))
	}
	policy := func() *v1.NodeInclusionPolicy {
		return ref(one(g.draw, v1.NodeInclusionPolicyHonor, v1.NodeInclusionPolicyIgnore))
	}
	if g.chance(30) {
		c.NodeAffinityPolicy = policy()
	}
	if g.chance(40) {
		c.NodeTaintsPolicy = policy()
	}
	if g.chance(15) {
		c.MatchLabelKeys = some(g.draw, 60, "pod-template-hash", "tier", "missing")
	}
	return c
}
