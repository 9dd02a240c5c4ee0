package gang

import (
	"fmt"

	schedulingv1beta1 "k8s.io/api/scheduling/v1beta1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/sluice-scheduler/sluice/pkg/app"
	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
)

// readPodGroup reads a PodGroup of Kubernetes. Its members exist before it is tried, and it is tried when there are minCount of them.
func readPodGroup(_ *Reader, g *schedulingv1beta1.PodGroup, into *Piece) {
	f := &cluster.GroupFact{
		Namespace: g.Namespace, ID: app.PodGroupID(g.Name), Origin: cluster.FromPodGroup,
		Object:   refer(g, podGroups),
		Priority: g.Spec.Priority, Generation: g.Generation,
	}
	f.Scheduled, f.Said = podGroupStatus(g)
	if c := g.Spec.SchedulingConstraints; c != nil && len(c.Topology) > 0 && c.Topology[0].Key != "" {
		f.Topology = &cluster.GroupTopology{Key: c.Topology[0].Key, Required: true}
	}
	policy(f, g)
	into.tell(f)
}

func policy(f *cluster.GroupFact, g *schedulingv1beta1.PodGroup) {
	f.Source = fmt.Sprintf("PodGroup %s, policy basic: its pods start one by one", g.Name)
	f.Min = 1
	if gang := g.Spec.SchedulingPolicy.Gang; gang != nil {
		f.Min = int(max(gang.MinCount, 1))
		f.Source = fmt.Sprintf("PodGroup %s, policy gang: minCount %d", g.Name, gang.MinCount)
	}
	if parent := g.Spec.ParentCompositePodGroupName; parent != nil && *parent != "" {
		f.Warnings = append(f.Warnings, fmt.Sprintf("its CompositePodGroup %s is not heeded: each of its PodGroups starts by itself", *parent))
	}
}

// podGroupStatus is what the status of a PodGroup says of its having been scheduled.
func podGroupStatus(g *schedulingv1beta1.PodGroup) (scheduled bool, said cluster.Condition) {
	for i := range g.Status.Conditions {
		c := &g.Status.Conditions[i]
		if c.Type != schedulingv1beta1.PodGroupInitiallyScheduled {
			continue
		}
		if c.Status == metav1.ConditionTrue {
			return true, cluster.Condition{}
		}
		return false, cluster.Condition{Digest: cluster.Digest(c.Reason, c.Message, c.ObservedGeneration), Since: c.LastTransitionTime.Time}
	}
	return false, cluster.Condition{}
}
