package integration

import (
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	reqs "k8s.io/component-helpers/resource"
)

// settled asks that a pod runs or waits for the reasons that the accounts of the observer give: a judge of its own for pods that ask for
// amounts and host ports only.
func (o *observer) settled(p *corev1.Pod) error {
	if p.Spec.NodeName != "" {
		return runs(p)
	}
	message := o.verdict(p)
	if message == "" {
		return fmt.Errorf("it waits though there is room for it, and says %s", scheduled(p).Message)
	}
	return waitsFor(corev1.PodReasonUnschedulable, message)(p)
}

// verdict is what must be said of a pod that fits on no node, in the words of kube-scheduler; empty if it fits on one.
func (o *observer) verdict(p *corev1.Pod) string {
	o.mu.Lock()
	defer o.mu.Unlock()
	counts := map[string]int{}
	for _, r := range o.room {
		reasons := r.refuses(p)
		if len(reasons) == 0 {
			return ""
		}
		for _, reason := range reasons {
			counts[reason]++
		}
	}
	var parts []string
	for reason, n := range counts {
		parts = append(parts, fmt.Sprintf("%d %s", n, reason))
	}
	slices.Sort(parts)
	return fmt.Sprintf("0/%d nodes are available: %s.", len(o.room), strings.Join(parts, ", "))
}

// refuses lists why the pod does not fit: its ports alone if one is taken, else all that is lacking.
func (r *room) refuses(p *corev1.Pod) (reasons []string) {
	for _, c := range p.Spec.Containers {
		for _, port := range c.Ports {
			if port.HostPort != 0 && r.ports[port.HostPort] > 0 {
				return []string{"node(s) didn't have free ports for the requested pod ports"}
			}
		}
	}
	if r.used[corev1.ResourcePods]+1000 > r.offers[corev1.ResourcePods] {
		reasons = append(reasons, "Too many pods")
	}
	for name, q := range reqs.PodRequests(p, reqs.PodResourcesOptions{}) {
		if want := q.MilliValue(); want > 0 && r.used[name]+want > r.offers[name] {
			reasons = append(reasons, "Insufficient "+string(name))
		}
	}
	return reasons
}
