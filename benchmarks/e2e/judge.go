package e2e

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	v1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
)

// Judge looks at every pod on its node and tells each that may not be there. It is deliberately plain and shares nothing with Sluice; it knows what the
// workloads use: requests of containers, node selectors, required affinity by In, taints, and host ports. A pod that asks for more than that is a fault
// as well, for then the judgement would be worth nothing.
func Judge(nodes []v1.Node, pods []v1.Pod) error {
	byName := map[string]*v1.Node{}
	for i := range nodes {
		byName[nodes[i].Name] = &nodes[i]
	}
	var faults []string
	guests := map[string][]*v1.Pod{}
	for i := range pods {
		p := &pods[i]
		node := byName[p.Spec.NodeName]
		if node == nil {
			faults = append(faults, fmt.Sprintf("%s is on no node that exists (%q)", p.Name, p.Spec.NodeName))
			continue
		}
		for _, why := range refusals(p, node) {
			faults = append(faults, fmt.Sprintf("%s on %s: %s", p.Name, node.Name, why))
		}
		guests[node.Name] = append(guests[node.Name], p)
	}
	for _, name := range sortedKeys(guests) {
		faults = append(faults, crowded(byName[name], guests[name])...)
	}
	return faulty("binds that are not allowed", faults)
}

// refusals tells why a pod may not be on a node, whoever else is there.
func refusals(p *v1.Pod, n *v1.Node) (why []string) {
	for key, value := range p.Spec.NodeSelector {
		if n.Labels[key] != value {
			why = append(why, fmt.Sprintf("it selects %s=%s", key, value))
		}
	}
	if !affinityAllows(p.Spec.Affinity, n) {
		why = append(why, "its node affinity is not met")
	}
	for _, t := range n.Spec.Taints {
		if t.Effect != v1.TaintEffectPreferNoSchedule && !tolerates(p, t) {
			why = append(why, "it does not tolerate "+t.Key)
		}
	}
	s := &p.Spec
	if len(s.InitContainers) > 0 || len(s.Overhead) > 0 || s.Resources != nil || len(s.TopologySpreadConstraints) > 0 || len(s.ResourceClaims) > 0 {
		why = append(why, "it asks for something that this check does not know")
	}
	return why
}

func affinityAllows(a *v1.Affinity, n *v1.Node) bool {
	if a == nil {
		return true
	}
	if a.PodAffinity != nil || a.PodAntiAffinity != nil || a.NodeAffinity == nil {
		return false // not known here
	}
	required := a.NodeAffinity.RequiredDuringSchedulingIgnoredDuringExecution
	return required == nil || slices.ContainsFunc(required.NodeSelectorTerms, func(t v1.NodeSelectorTerm) bool {
		for _, e := range t.MatchExpressions {
			if e.Operator != v1.NodeSelectorOpIn || !slices.Contains(e.Values, n.Labels[e.Key]) {
				return false
			}
		}
		return len(t.MatchExpressions) > 0 && len(t.MatchFields) == 0
	})
}

func tolerates(p *v1.Pod, t v1.Taint) bool {
	return slices.ContainsFunc(p.Spec.Tolerations, func(o v1.Toleration) bool {
		return (o.Key == t.Key || o.Key == "" && o.Operator == v1.TolerationOpExists) &&
			(o.Effect == "" || o.Effect == t.Effect) &&
			(o.Operator == v1.TolerationOpExists || o.Value == t.Value)
	})
}

// crowded tells what there is too much of on a node.
func crowded(n *v1.Node, pods []*v1.Pod) (why []string) {
	used := map[v1.ResourceName]int64{v1.ResourcePods: 1000 * int64(len(pods))}
	ports := map[string]string{}
	for _, p := range pods {
		for _, c := range p.Spec.Containers {
			for name, q := range c.Resources.Requests {
				used[name] += q.MilliValue()
			}
			for _, port := range c.Ports {
				if port.HostPort == 0 {
					continue
				}
				key := fmt.Sprint(port.Protocol, port.HostPort)
				if other, taken := ports[key]; taken {
					why = append(why, fmt.Sprintf("%s and %s on %s both want port %d", other, p.Name, n.Name, port.HostPort))
				}
				ports[key] = p.Name
			}
		}
	}
	for name, amount := range used {
		if room := n.Status.Allocatable[name]; amount > room.MilliValue() {
			why = append(why, fmt.Sprintf("%s has %s of %s, its pods want %d thousandths", n.Name, room.String(), name, amount))
		}
	}
	return why
}

// JudgeEvents expects exactly one Scheduled event for each pod, which names the pod and its node. It returns how many such events there are.
func JudgeEvents(pods []v1.Pod, events []eventsv1.Event) (count int, err error) {
	want := map[string]*v1.Pod{}
	for i := range pods {
		want[string(pods[i].UID)] = &pods[i]
	}
	var faults []string
	told := map[string]bool{}
	for i := range events {
		e := &events[i]
		if e.Reason != "Scheduled" {
			continue
		}
		count++
		p := want[string(e.Regarding.UID)]
		switch {
		case p == nil:
			faults = append(faults, "an event is about no pod: "+e.Note)
		case told[string(p.UID)]:
			faults = append(faults, p.Name+" has two events")
		case !strings.HasSuffix(e.Note, " to "+p.Spec.NodeName):
			faults = append(faults, fmt.Sprintf("%s is on %s, but its event says %q", p.Name, p.Spec.NodeName, e.Note))
		default:
			told[string(p.UID)] = true
		}
	}
	if missing := len(pods) - len(told); missing > 0 {
		faults = append(faults, fmt.Sprintf("%d pods have no right event", missing))
	}
	return count, faulty("faults of events", faults)
}

// allBound expects a node in each pod.
func allBound(pods []v1.Pod) error {
	var faults []string
	for i := range pods {
		if pods[i].Spec.NodeName == "" {
			faults = append(faults, pods[i].Name+" is not bound")
		}
	}
	return faulty("pods without a node", faults)
}

// faulty makes one error of all faults and quotes the first.
func faulty(what string, faults []string) error {
	if len(faults) == 0 {
		return nil
	}
	return errors.New(fmt.Sprintf("%d %s, such as: ", len(faults), what) + strings.Join(faults[:min(len(faults), 5)], "; "))
}
