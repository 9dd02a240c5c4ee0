package core

import (
	"fmt"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/klog/v2"

	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
)

// suits judges a pod's selector, affinity and tolerations for a node. Fillers, which somebody else placed, always suit.
func suits(p *cluster.PodFact, n *cluster.NodeFact) error {
	if !p.Ours {
		return nil
	}
	if p.Demand.Affinity != nil {
		if ok, _ := p.Demand.Affinity.Match(&v1.Node{ObjectMeta: metav1.ObjectMeta{Name: n.Name, Labels: n.Labels}}); !ok {
			return fmt.Errorf("pod %s does not select node %s", p.Name, n.Name)
		}
	}
	for i := range n.Taints {
		tolerated := false
		for j := range p.Demand.Tolerations {
			tolerated = tolerated || p.Demand.Tolerations[j].ToleratesTaint(klog.Logger{}, &n.Taints[i], false)
		}
		if !tolerated {
			return fmt.Errorf("pod %s does not tolerate %v of node %s", p.Name, n.Taints[i], n.Name)
		}
	}
	return nil
}
