package core

import (
	"fmt"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/klog/v2"

	"github.com/sluice-scheduler/sluice/pkg/core"
	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
)

// judgeVolumes judges that every pod can reach its volume and that no node has more of them than it takes.
func (r *Round) judgeVolumes(nodes map[string]*cluster.NodeFact) error {
	affinity := map[string]*cluster.VolumeFact{}
	for _, e := range r.volumes {
		if v, ok := e.(core.VolumeSet); ok {
			affinity[v.Volume.ClaimRef.Name] = v.Volume
		}
	}
	count := map[string]int{}
	for _, p := range r.pods {
		on, placed := r.binds[string(p.UID)]
		if !placed || p.Needs == nil {
			continue
		}
		v := affinity[p.Needs.Claims[0].Name]
		if v == nil || v.Driver != "" {
			count[on]++
		}
		if count[on] > volumeLimit {
			return fmt.Errorf("node %s has more than %d volumes", on, volumeLimit)
		}
		if v == nil || v.Affinity == nil {
			continue
		}
		if ok, _ := v.Affinity.Match(&v1.Node{ObjectMeta: metav1.ObjectMeta{Labels: nodes[on].Labels}}); !ok {
			return fmt.Errorf("pod %s is on node %s, which cannot reach volume %s", p.Name, on, v.Name)
		}
	}
	return nil
}

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
