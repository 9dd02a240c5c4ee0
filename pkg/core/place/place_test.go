package place_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
	v1 "k8s.io/api/core/v1"
	apires "k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
	"github.com/sluice-scheduler/sluice/pkg/core/fit"
	"github.com/sluice-scheduler/sluice/pkg/core/order"
	"github.com/sluice-scheduler/sluice/pkg/core/place"
)

// TestFirstIsTheBestOfAll compares the node chosen with a dumb scan of all nodes by the same scores, for random clusters, orders and pods, while
// pods come and go and nodes change. After every placement the index must equal one made from scratch.
func TestFirstIsTheBestOfAll(t *testing.T) {
	chosen, refused, each := 0, 0, 0
	for seed := range uint64(120) {
		rng := rand.New(rand.NewPCG(seed, 5))
		w := newWorld(rng)
		views := map[fit.Ask]*fit.View{}
		for i := range 120 {
			if rng.IntN(6) == 0 {
				w.changeNode(rng.IntN(w.nodes))
			}
			p := w.state.SetPod(w.pod(fmt.Sprintf("p%d", i)))
			w.orders.Note(p.Shape)
			w.orders.Refresh(w.state)
			ask := fit.Of(p)
			if views[ask] == nil {
				views[ask] = &fit.View{}
			}
			got, _ := place.First(w.state, w.orders, p, ask, views[ask], p.Shape.Order)
			want, fits := w.scan(p)
			require.Equal(t, nameOf(want), nameOf(got), "seed %d, pod %d %+v", seed, i, p.Fact.Demand)
			require.NoError(t, w.orders.Verify(w.state))
			if got == nil {
				refused++
				continue
			}
			chosen++
			each += fits
			if p.Fact.Nominated != "" {
				continue // it waits on, for others to leave
			}
			w.state.Assume(p, got)
			w.state.Commit()
			if rng.IntN(4) == 0 {
				w.state.RemovePod(types.UID(fmt.Sprintf("p%d", rng.IntN(i+1))))
			}
		}
		require.NoError(t, w.state.Verify())
	}
	t.Logf("%d chosen among %d that fit, %d fit nowhere", chosen, each, refused)
	require.Greater(t, chosen, 5000)
	require.Greater(t, each, 3*chosen, "there was a choice")
	require.Greater(t, refused, 500)
}

type world struct {
	rng    *rand.Rand
	state  *cluster.State
	orders *order.Orders
	nodes  int
}

func newWorld(rng *rand.Rand) *world {
	w := &world{rng: rng, state: cluster.New(), nodes: 1 + rng.IntN(150)}
	w.orders = order.New([]order.Spec{randomSpec(rng, "default"), randomSpec(rng, "other")}, order.ScarceSpec{Below: 40})
	for i := range w.nodes {
		w.changeNode(i)
		w.volume("kubernetes.io/hostname", fmt.Sprintf("n%03d", i))
	}
	for i := range 3 {
		w.volume("zone", fmt.Sprintf("z%d", i))
	}
	return w
}

// volume makes a volume that can be reached from nodes with a label value, and a claim that is bound to it.
func (w *world) volume(label, value string) {
	pv := &v1.PersistentVolume{ObjectMeta: metav1.ObjectMeta{Name: "pv-" + value}}
	pv.Spec.NodeAffinity = &v1.VolumeNodeAffinity{Required: &v1.NodeSelector{NodeSelectorTerms: []v1.NodeSelectorTerm{{
		MatchExpressions: []v1.NodeSelectorRequirement{{Key: label, Operator: v1.NodeSelectorOpIn, Values: []string{value}}},
	}}}}
	w.state.SetVolume(cluster.ReadVolume(pv))
	pvc := &v1.PersistentVolumeClaim{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "claim-" + value, Annotations: map[string]string{"pv.kubernetes.io/bind-completed": "yes"}}}
	pvc.Spec.VolumeName = pv.Name
	w.state.SetVolumeClaim(cluster.ReadVolumeClaim(pvc))
}

func pickOf(rng *rand.Rand, list ...string) string { return list[rng.IntN(len(list))] }

func randomSpec(rng *rand.Rand, name string) order.Spec {
	s := order.Spec{Name: name}
	kinds := order.Kinds()
	for range 1 + rng.IntN(4) {
		e := order.Evaluator{Kind: kinds[rng.IntN(len(kinds))], Weight: int64(1 + rng.IntN(10))}
		switch e.Kind {
		case order.NodeLabel:
			e.Label, e.Values = "zone", map[string]int64{"z0": 100, "z1": 30}
		case order.RequestedToCapacityRatio:
			e.Shape = []order.Point{{Utilization: 0, Score: 3}, {Utilization: 50, Score: 10}, {Utilization: 100, Score: 0}}
		}
		if rng.IntN(3) == 0 {
			e.Resources = []order.Resource{{Name: "cpu", Weight: 2}, {Name: "example.com/gpu", Weight: 5}}
		}
		s.Evaluators = append(s.Evaluators, e)
	}
	return s
}

func (w *world) changeNode(i int) {
	name := fmt.Sprintf("n%03d", i)
	n := &v1.Node{ObjectMeta: metav1.ObjectMeta{Name: name, UID: types.UID(name)}}
	n.Labels = map[string]string{"zone": fmt.Sprintf("z%d", w.rng.IntN(3)), "kubernetes.io/hostname": name}
	n.Status.Allocatable = v1.ResourceList{
		"cpu": *apires.NewQuantity(int64(w.rng.IntN(9)), apires.DecimalSI), "memory": *apires.NewQuantity(int64(w.rng.IntN(9))<<30, apires.BinarySI),
		"pods": apires.MustParse("8"),
	}
	if w.rng.IntN(4) == 0 {
		n.Status.Allocatable["example.com/gpu"] = *apires.NewQuantity(int64(w.rng.IntN(5)), apires.DecimalSI)
	}
	switch w.rng.IntN(8) {
	case 0:
		n.Spec.Taints = []v1.Taint{{Key: "hard", Effect: v1.TaintEffectNoSchedule}}
	case 1:
		n.Spec.Taints = []v1.Taint{{Key: "soft", Effect: v1.TaintEffectPreferNoSchedule}}
	case 2:
		n.Spec.Unschedulable = true
	case 3:
		w.state.RemoveNode(name)
		return
	}
	w.state.SetNode(cluster.ReadNode(n))
}

func (w *world) pod(name string) *cluster.PodFact {
	p := &v1.Pod{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: "ns", UID: types.UID(name)}}
	p.Spec.SchedulerName = "sluice"
	requests := v1.ResourceList{"cpu": *apires.NewMilliQuantity(int64(w.rng.IntN(8))*250, apires.DecimalSI)}
	if w.rng.IntN(2) == 0 {
		requests["memory"] = *apires.NewQuantity(int64(w.rng.IntN(4))<<29, apires.BinarySI)
	}
	if w.rng.IntN(4) == 0 {
		requests["example.com/gpu"] = *apires.NewQuantity(int64(1+w.rng.IntN(2)), apires.DecimalSI)
	}
	p.Spec.Containers = []v1.Container{{Name: "main", Resources: v1.ResourceRequirements{Requests: requests}}}
	priority := int32(w.rng.IntN(3))
	p.Spec.Priority = &priority
	if w.rng.IntN(6) == 0 {
		p.Status.NominatedNodeName = fmt.Sprintf("n%03d", w.rng.IntN(w.nodes))
	}
	if w.rng.IntN(5) == 0 {
		p.Annotations = map[string]string{cluster.OrderAnnotation: "other"}
	}
	zone, host := fmt.Sprintf("z%d", w.rng.IntN(3)), fmt.Sprintf("n%03d", w.rng.IntN(w.nodes))
	if w.rng.IntN(3) == 0 {
		claim := pickOf(w.rng, "claim-"+zone, "claim-"+host)
		p.Spec.Volumes = []v1.Volume{{Name: "v", VolumeSource: v1.VolumeSource{PersistentVolumeClaim: &v1.PersistentVolumeClaimVolumeSource{ClaimName: claim}}}}
	}
	switch w.rng.IntN(10) {
	case 0:
		p.Spec.NodeSelector = map[string]string{"zone": zone}
	case 1:
		p.Spec.Tolerations = []v1.Toleration{{Key: "hard", Operator: v1.TolerationOpExists}}
	case 2:
		p.Spec.Tolerations = []v1.Toleration{{Operator: v1.TolerationOpExists}}
	case 3:
		p.Spec.Containers[0].Ports = []v1.ContainerPort{{HostPort: 80}}
	case 4:
		p.Spec.Affinity = prefers("zone", zone)
	case 5:
		p.Spec.Affinity = prefers("kubernetes.io/hostname", host)
	case 6:
		p.Spec.NodeSelector = map[string]string{"kubernetes.io/hostname": host}
	}
	return cluster.ReadPod(p, "sluice")
}

func prefers(label, value string) *v1.Affinity {
	return &v1.Affinity{NodeAffinity: &v1.NodeAffinity{PreferredDuringSchedulingIgnoredDuringExecution: []v1.PreferredSchedulingTerm{
		{Weight: 7, Preference: v1.NodeSelectorTerm{MatchExpressions: []v1.NodeSelectorRequirement{{Key: label, Operator: v1.NodeSelectorOpIn, Values: []string{value}}}}},
		{Weight: 3, Preference: v1.NodeSelectorTerm{MatchExpressions: []v1.NodeSelectorRequirement{{Key: "zone", Operator: v1.NodeSelectorOpNotIn, Values: []string{"z2"}}}}},
	}}}
}

func nameOf(n *cluster.Node) string {
	if n == nil {
		return "none"
	}
	return n.Name
}

// scan scores every node that fits.
func (w *world) scan(p *cluster.Pod) (best *cluster.Node, fits int) {
	a := fit.Of(p)
	var all []*cluster.Node
	for _, n := range w.state.Slots() {
		if n != nil && fit.Fits(a, n) {
			all = append(all, n)
		}
	}
	return w.orders.Best(w.state, p, a.Shape.Order, all), len(all)
}
