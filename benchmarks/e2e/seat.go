package e2e

import (
	"fmt"

	v1 "k8s.io/api/core/v1"
)

// seat gives each of the pods a node on which it may be, as if somebody had bound them all. It looks at one node after the other, from another one for
// each pod, and asks the same plain check that judges a scheduler's binds.
func seat(pods []*v1.Pod, nodes []*v1.Node) error {
	guests := make([][]*v1.Pod, len(nodes))
	for i, p := range pods {
		at, ok := firstSeat(p, i, nodes, guests)
		if !ok {
			return fmt.Errorf("pod %s fits nowhere", p.Name)
		}
		guests[at] = append(guests[at], p)
		p.Spec.NodeName = nodes[at].Name
	}
	return nil
}

// firstSeat is the first node from the given one on that the pod may be on, beside those who are there.
func firstSeat(p *v1.Pod, from int, nodes []*v1.Node, guests [][]*v1.Pod) (at int, ok bool) {
	for k := range nodes {
		at = (from + k) % len(nodes)
		there := guests[at]
		if len(refusals(p, nodes[at])) == 0 && len(crowded(nodes[at], append(there[:len(there):len(there)], p))) == 0 {
			return at, true
		}
	}
	return 0, false
}
