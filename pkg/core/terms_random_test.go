package core_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/sluice-scheduler/sluice/pkg/core"
)

// TestTopologyHistories does what TestRandomHistories does where there is room enough, so that terms about other pods decide.
func TestTopologyHistories(t *testing.T) {
	told := map[string]int{}
	var sum core.Stats
	for seed := range uint64(150) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			r := newRunner(t, &bytesSource{data: randomBytes(seed+5000, 2500), spreads: seed%2 == 1})
			r.roomy = true
			for i := range 5 {
				r.tell(core.NodeSet{Node: r.nodeNamed(fmt.Sprintf("n%d", i))})
			}
			r.run()
			sum.Scheduled += r.cores[0].Stats().Scheduled
			sum.Woken += r.cores[0].Stats().Woken
			for text, n := range r.judge.told {
				told[text] += n
			}
		})
	}
	t.Logf("%d scheduled, %d woken, told %v", sum.Scheduled, sum.Woken, told)
	require.Greater(t, sum.Scheduled, uint64(5_000))
	require.Greater(t, sum.Woken, uint64(500))
	for _, text := range topologyReasons {
		require.Greater(t, told[text], 30, "the histories hardly reach %q", text)
	}
}

// somethingInRoom lets one thing happen that is to do with where pods are.
func (r *runner) somethingInRoom() {
	switch r.src.below(16) {
	case 0:
		r.tell(core.NodeSet{Node: r.node()})
	case 1:
		if r.src.chance(3) {
			r.tell(core.NodeGone{Name: r.nodeName()})
		}
	case 2, 3, 4, 5, 6, 7:
		r.tell(core.PodSet{Pod: r.pod()})
	case 8, 9, 10:
		r.tell(core.PodGone{UID: r.podUID()})
	case 11, 12, 13:
		r.answer()
	case 14:
		r.now = r.now.Add(time.Duration(r.src.below(20)) * time.Second)
	case 15:
		switch r.src.below(9) {
		case 0, 1, 2:
			r.tell(core.NamespaceGone{Name: pick(r.src, someSpaces)})
		case 3:
			r.tell(core.NamespacesHidden{Hidden: r.src.chance(3)})
		default:
			r.tell(core.NamespaceSet{Namespace: r.src.namespace()})
		}
	}
}

var (
	someKeys     = []string{"zone", "host", "zone", "rack"}
	someValues   = []string{"a", "b", "c"}
	someLabels   = []string{"app", "tier"}
	someTeams    = []string{"red", "blue"}
	somePolicies = []v1.NodeInclusionPolicy{v1.NodeInclusionPolicyHonor, v1.NodeInclusionPolicyIgnore}
)

// labels are those of a pod.
func (s *bytesSource) labels() map[string]string {
	l := map[string]string{}
	if s.spreads {
		l["app"], l["tier"] = pick(s, someValues[:2]), pick(s, someValues[:2])
		return l
	}
	for _, k := range someLabels {
		if s.chance(2) {
			l[k] = pick(s, someValues)
		}
	}
	return l
}

func (s *bytesSource) selector() *metav1.LabelSelector {
	switch s.below(10) {
	case 0:
		return nil
	case 1:
		return &metav1.LabelSelector{}
	case 2:
		return &metav1.LabelSelector{MatchExpressions: []metav1.LabelSelectorRequirement{s.requirement(), s.requirement()}}
	case 3:
		return &metav1.LabelSelector{MatchExpressions: []metav1.LabelSelectorRequirement{s.requirement()}}
	}
	return &metav1.LabelSelector{MatchLabels: map[string]string{pick(s, someLabels): pick(s, someValues)}}
}

func (s *bytesSource) requirement() metav1.LabelSelectorRequirement {
	r := metav1.LabelSelectorRequirement{Key: pick(s, someLabels)}
	r.Operator = pick(s, []metav1.LabelSelectorOperator{"In", "NotIn", "Exists", "DoesNotExist"})
	if r.Operator == "In" || r.Operator == "NotIn" {
		r.Values = []string{pick(s, someValues), pick(s, someValues)}
	}
	return r
}

func (s *bytesSource) term() v1.PodAffinityTerm {
	t := v1.PodAffinityTerm{LabelSelector: s.selector(), TopologyKey: pick(s, someKeys)}
	switch s.below(6) {
	case 0:
		t.Namespaces = []string{pick(s, someSpaces), pick(s, someSpaces)}
	case 1:
		t.NamespaceSelector = &metav1.LabelSelector{}
	case 2:
		t.NamespaceSelector = &metav1.LabelSelector{MatchLabels: map[string]string{"team": pick(s, someTeams)}}
	case 3:
		op := pick(s, []metav1.LabelSelectorOperator{"DoesNotExist", "Exists"})
		t.NamespaceSelector = &metav1.LabelSelector{MatchExpressions: []metav1.LabelSelectorRequirement{{Key: "team", Operator: op}}}
		if s.chance(2) {
			t.Namespaces = []string{pick(s, someSpaces)}
		}
	}
	return t
}

func (s *bytesSource) constraint() v1.TopologySpreadConstraint {
	c := v1.TopologySpreadConstraint{
		MaxSkew: int32(1 + s.below(2)), TopologyKey: pick(s, someKeys), WhenUnsatisfiable: v1.DoNotSchedule, LabelSelector: s.selector(),
	}
	switch s.below(6) {
	case 0:
		n := int32(1 + s.below(3))
		c.MinDomains = &n
	case 1:
		p := pick(s, somePolicies)
		c.NodeAffinityPolicy = &p
	case 2:
		p := pick(s, somePolicies)
		c.NodeTaintsPolicy = &p
	case 3:
		c.MatchLabelKeys = []string{pick(s, someLabels)}
	case 4:
		if s.chance(2) {
			c.WhenUnsatisfiable = v1.ScheduleAnyway
		}
	}
	return c
}

// terms gives a pod terms about others.
func (s *bytesSource) terms(p *v1.Pod) {
	spec := &p.Spec
	a := spec.Affinity
	if a == nil {
		a = &v1.Affinity{}
	}
	kinds := s.below(8)
	if s.spreads {
		kinds += 3
	}
	for range 1 + s.below(8)/6 {
		switch {
		case kinds < 2:
			if a.PodAffinity == nil {
				a.PodAffinity = &v1.PodAffinity{}
			}
			list := &a.PodAffinity.RequiredDuringSchedulingIgnoredDuringExecution
			*list = append(*list, s.term())
		case kinds < 5:
			if a.PodAntiAffinity == nil {
				a.PodAntiAffinity = &v1.PodAntiAffinity{}
			}
			list := &a.PodAntiAffinity.RequiredDuringSchedulingIgnoredDuringExecution
			*list = append(*list, s.term())
		default:
			c := s.constraint()
			switch {
			case s.spreads && s.below(3) > 0:
				c.LabelSelector = &metav1.LabelSelector{MatchLabels: map[string]string{"app": p.Labels["app"]}}
			case s.chance(2):
				c.LabelSelector = &metav1.LabelSelector{MatchLabels: p.Labels}
			}
			spec.TopologySpreadConstraints = append(spec.TopologySpreadConstraints, c)
		}
	}
	spec.Affinity = a
}
