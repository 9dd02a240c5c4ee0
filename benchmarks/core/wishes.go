package core

import (
	"fmt"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/sluice-scheduler/sluice/pkg/core"
	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
	"github.com/sluice-scheduler/sluice/pkg/core/order"
)

// What pods would like, and what they select by.
const (
	// Near: each group would be in one zone, and no two of it on one node.
	Near Terms = "near"
	// Even: each group would be spread over zones and nodes (ScheduleAnyway).
	Even Terms = "even"
	// Services: pods say nothing, but each group has a Service, and the order spreads by it.
	Services Terms = "services"
	// Select: required node affinity to two kinds of hardware, and a zone by node selector.
	Select Terms = "select"
	// Lean: preferred node affinity to a zone and a kind of hardware.
	Lean Terms = "lean"
)

// wish gives a pod of a group what it would like.
func (t Terms) wish(p *v1.Pod, g int, selector *metav1.LabelSelector) {
	zone, kinds := fmt.Sprintf("zone-%d", g%zones), []string{fmt.Sprintf("gen-%d", g%hardware), fmt.Sprintf("gen-%d", (g+1)%hardware)}
	switch t {
	case Near:
		p.Spec.Affinity = &v1.Affinity{
			PodAffinity:     &v1.PodAffinity{PreferredDuringSchedulingIgnoredDuringExecution: weighted(zoneKey, selector)},
			PodAntiAffinity: &v1.PodAntiAffinity{PreferredDuringSchedulingIgnoredDuringExecution: weighted(hostKey, selector)},
		}
	case Even:
		for _, key := range []string{zoneKey, hostKey} {
			p.Spec.TopologySpreadConstraints = append(p.Spec.TopologySpreadConstraints, v1.TopologySpreadConstraint{
				MaxSkew: 1, TopologyKey: key, WhenUnsatisfiable: v1.ScheduleAnyway, LabelSelector: selector,
			})
		}
	case Select:
		p.Spec.NodeSelector = map[string]string{zoneKey: zone}
		p.Spec.Affinity = inHardware(kinds...)
	case Lean:
		p.Spec.Affinity = &v1.Affinity{NodeAffinity: &v1.NodeAffinity{PreferredDuringSchedulingIgnoredDuringExecution: []v1.PreferredSchedulingTerm{
			{Weight: 30, Preference: v1.NodeSelectorTerm{MatchExpressions: []v1.NodeSelectorRequirement{{Key: zoneKey, Operator: v1.NodeSelectorOpIn, Values: []string{zone}}}}},
			{Weight: 70, Preference: v1.NodeSelectorTerm{MatchExpressions: []v1.NodeSelectorRequirement{{Key: "hardware", Operator: v1.NodeSelectorOpIn, Values: kinds}}}},
		}}}
	}
}

func weighted(key string, selector *metav1.LabelSelector) []v1.WeightedPodAffinityTerm {
	return []v1.WeightedPodAffinityTerm{{Weight: 50, PodAffinityTerm: v1.PodAffinityTerm{LabelSelector: selector, TopologyKey: key}}}
}

// evens reports whether groups come to lie evenly where there is room, though nothing forces them to.
func (t Terms) evens() bool { return t == Even || t == Services }

// order adds to an order what the terms ask for beyond the built-in one.
func (t Terms) order(o order.Spec) order.Spec {
	if t == Services {
		o.Evaluators = append(o.Evaluators, order.Evaluator{Kind: order.DefaultSpread, Weight: 2})
	}
	return o
}

// events tell of the objects that select the groups.
func (t Terms) events() (list []core.Event) {
	if t != Services {
		return nil
	}
	for g := range groups {
		s := &v1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: "bench", Name: fmt.Sprint("group-", g)}}
		s.Spec.Selector = map[string]string{"group": fmt.Sprint(g)}
		list = append(list, core.SelectorSet{Selector: cluster.ReadService(s)})
	}
	return list
}
