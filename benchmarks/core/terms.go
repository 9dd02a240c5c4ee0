package core

import (
	"fmt"

	v1 "k8s.io/api/core/v1"
	apires "k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
)

// Terms is what the pods of a workload say of each other. Pods are of groups by a label, and each group's terms select the group itself.
type Terms string

// The terms.
const (
	// Apart: one group, no two of it on one node. There are as many pods as nodes.
	Apart Terms = "apart"
	// Together: groups of 50, one after another; half of them each in one zone, half each on one node.
	Together Terms = "together"
	// Spread: 100 groups, mixed, each even to within one over zones and over nodes.
	Spread Terms = "spread"
)

const (
	hostKey = "kubernetes.io/hostname"
	zoneKey = "topology.kubernetes.io/zone"
	groups  = 100
	size    = 50
)

// group is the number of a pod's group, key what it is kept apart or together by.
func (t Terms) group(pod int) int {
	switch t {
	case Apart:
		return 0
	case Together:
		return pod / size
	}
	return pod % groups
}

func (t Terms) key(group int) string {
	if t == Together && group%2 == 0 {
		return zoneKey
	}
	return hostKey
}

// pod makes a pod with terms.
func (t Terms) pod(i int) *v1.Pod {
	g := t.group(i)
	p := &v1.Pod{ObjectMeta: metav1.ObjectMeta{
		Namespace: "bench", Name: fmt.Sprintf("pod-%06d", i), UID: types.UID(fmt.Sprintf("uid-%06d", i)), Labels: map[string]string{"group": fmt.Sprint(g)},
	}}
	p.Spec.SchedulerName = "sluice"
	p.Spec.Tolerations = []v1.Toleration{{Operator: v1.TolerationOpExists}}
	p.Spec.Containers = []v1.Container{{Name: "main", Resources: v1.ResourceRequirements{Requests: v1.ResourceList{
		"cpu": *apires.NewMilliQuantity(100, apires.DecimalSI), "memory": *apires.NewQuantity(500<<20, apires.BinarySI),
	}}}}
	selector := &metav1.LabelSelector{MatchLabels: p.Labels}
	terms := []v1.PodAffinityTerm{{LabelSelector: selector, TopologyKey: t.key(g)}}
	switch t {
	case Apart:
		p.Spec.Affinity = &v1.Affinity{PodAntiAffinity: &v1.PodAntiAffinity{RequiredDuringSchedulingIgnoredDuringExecution: terms}}
	case Together:
		p.Spec.Affinity = &v1.Affinity{PodAffinity: &v1.PodAffinity{RequiredDuringSchedulingIgnoredDuringExecution: terms}}
	case Spread:
		for _, key := range []string{zoneKey, hostKey} {
			p.Spec.TopologySpreadConstraints = append(p.Spec.TopologySpreadConstraints, v1.TopologySpreadConstraint{
				MaxSkew: 1, TopologyKey: key, WhenUnsatisfiable: v1.DoNotSchedule, LabelSelector: selector,
			})
		}
	default:
		t.wish(p, g, selector)
	}
	return p
}

// judge holds where the pods are against the terms: in which domains each group is, and how many of it in each.
func (t Terms) judge(pods []*cluster.PodFact, on map[string]string, nodes []*cluster.NodeFact) error {
	labels := map[string]map[string]string{}
	for _, n := range nodes {
		labels[n.Name] = n.Labels
	}
	for _, key := range []string{zoneKey, hostKey} {
		counts := map[int]map[string]int{}
		for i, p := range pods {
			g := t.group(i)
			if on[string(p.UID)] == "" {
				continue // there was no room for it
			}
			if counts[g] == nil {
				counts[g] = map[string]int{}
			}
			counts[g][labels[on[string(p.UID)]][key]]++
		}
		domains := map[string]bool{}
		for _, n := range nodes {
			domains[n.Labels[key]] = true
		}
		for g, by := range counts {
			most, least := 0, len(pods)
			for d := range domains {
				most, least = max(most, by[d]), min(least, by[d])
			}
			switch {
			case t == Apart && key == hostKey && most > 1, t == Spread && most-least > 1, t.evens() && most-least > 2, t == Together && key == t.key(g) && len(by) > 1:
				return fmt.Errorf("group %d lies by %s as %v", g, key, by)
			}
		}
	}
	return nil
}
