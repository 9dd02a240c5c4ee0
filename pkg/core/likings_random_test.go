package core_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/sluice-scheduler/sluice/pkg/core"
	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
	"github.com/sluice-scheduler/sluice/pkg/core/order"
)

// TestLikingHistories does what TestTopologyHistories does with pods that would like one node more than another, under an order that looks at all they would like.
func TestLikingHistories(t *testing.T) {
	var scheduled uint64
	for seed := range uint64(100) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			r := newRunner(t, &bytesSource{data: randomBytes(seed+9000, 2500)})
			r.roomy = true
			r.like()
			r.run()
			scheduled += r.cores[0].Stats().Scheduled
		})
	}
	require.Greater(t, scheduled, uint64(2_000))
}

// everything is an order that looks at all that pods would like.
var everything = order.Spec{Name: "everything", Evaluators: []order.Evaluator{
	{Kind: order.LeastAllocated, Weight: 1},
	{Kind: order.InterPodAffinity, Weight: 2, HardWeight: 1},
	{Kind: order.PodTopologySpread, Weight: 2},
	{Kind: order.DefaultSpread, Weight: 2},
	{Kind: order.ImageLocality, Weight: 1},
}}

// like makes the history one in which pods would like something.
func (r *runner) like() {
	r.likes, r.read = true, cluster.Extra{Images: true, Selectors: true}
	r.tell(core.OrdersSet{Orders: []order.Spec{everything}, Scarce: order.DefaultScarce()})
}

// changeSelector lets a Service or a ReplicaSet appear, change or go.
func (r *runner) changeSelector() {
	m := metav1.ObjectMeta{Namespace: pick(r.src, someSpaces), Name: pick(r.src, someValues)}
	f := cluster.ReadService(&v1.Service{ObjectMeta: m, Spec: v1.ServiceSpec{Selector: r.src.labels()}})
	if r.src.chance(2) {
		f = cluster.ReadReplicaSet(&appsv1.ReplicaSet{ObjectMeta: m, Spec: appsv1.ReplicaSetSpec{Selector: r.src.selector()}})
	}
	if r.src.chance(3) {
		r.tell(core.SelectorGone{ID: f.SelectorID})
	} else {
		r.tell(core.SelectorSet{Selector: f})
	}
}

// likings gives a pod what it would like.
func (s *bytesSource) likings(p *v1.Pod) {
	p.Spec.Containers[0].Image = pick(s, someValues)
	yes := true
	p.OwnerReferences = []metav1.OwnerReference{{APIVersion: "apps/v1", Kind: "ReplicaSet", Name: pick(s, someValues), Controller: &yes}}
	a := p.Spec.Affinity
	if a == nil {
		a = &v1.Affinity{}
	}
	switch s.below(5) {
	case 0:
		if a.PodAffinity == nil {
			a.PodAffinity = &v1.PodAffinity{}
		}
		a.PodAffinity.PreferredDuringSchedulingIgnoredDuringExecution = []v1.WeightedPodAffinityTerm{{Weight: int32(1 + s.below(100)), PodAffinityTerm: s.term()}}
	case 1:
		if a.PodAntiAffinity == nil {
			a.PodAntiAffinity = &v1.PodAntiAffinity{}
		}
		a.PodAntiAffinity.PreferredDuringSchedulingIgnoredDuringExecution = []v1.WeightedPodAffinityTerm{{Weight: int32(1 + s.below(100)), PodAffinityTerm: s.term()}}
	case 2:
		c := s.constraint()
		c.WhenUnsatisfiable, c.MinDomains = v1.ScheduleAnyway, nil
		p.Spec.TopologySpreadConstraints = append(p.Spec.TopologySpreadConstraints, c)
	}
	p.Spec.Affinity = a
}

// images are what a node has.
func (s *bytesSource) images(n *v1.Node) {
	for _, name := range someValues {
		if s.chance(2) {
			n.Status.Images = append(n.Status.Images, v1.ContainerImage{Names: []string{name + ":latest"}, SizeBytes: int64(s.below(200)) << 23})
		}
	}
}
