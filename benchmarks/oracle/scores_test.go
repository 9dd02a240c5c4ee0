package oracle_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/sluice-scheduler/sluice/benchmarks/oracle"
	"github.com/sluice-scheduler/sluice/pkg/app"
	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
	"github.com/sluice-scheduler/sluice/pkg/core/order"
)

var scorePairs = flag.Int("score-pairs", 30_000, "pairs of pod and node whose scores are compared")

// evaluators are those whose raw scores are compared.
var evaluators = []order.Evaluator{
	{Kind: order.TaintToleration, Weight: 1},
	{Kind: order.NodeAffinity, Weight: 1},
	{Kind: order.RequestLeastAllocated, Weight: 1},
	{Kind: order.PodTopologySpread, Weight: 1},
	{Kind: order.DefaultSpread, Weight: 1},
	{Kind: order.InterPodAffinity, Weight: 1, HardWeight: 1},
	{Kind: order.ImageLocality, Weight: 1},
}

// TestSluiceScoresAsKubeScheduler compares what both say of nodes before it is normalised.
func TestSluiceScoresAsKubeScheduler(t *testing.T) {
	u, err := oracle.NewUpstream()
	require.NoError(t, err)
	scorers, err := oracle.NewScorers(u)
	require.NoError(t, err)
	pairs, told := 0, map[order.Kind]int{}
	for number := uint64(0); pairs < *scorePairs; number++ {
		w := newScored(number)
		require.NoError(t, u.Take(w.World))
		require.NoError(t, scorers.Select(w.services, w.sets))
		state, orders := w.state()
		for range 6 {
			pod := w.like(w.Incoming())
			nodes := w.some()
			p := state.SetPod(read.ReadPod(pod, "sluice"))
			if x := p.Shape.Topology; p.Fact.Pin != "" || x != nil && x.Unreadable != "" {
				continue // its node is not chosen, or it has none
			}
			want, err := scorers.Raw(pod, nodes)
			if err != nil {
				require.NotEmpty(t, p.Shape.Faults, err) // kube-scheduler gives up on it, Sluice says what it ignores
				continue
			}
			orders.Refresh(state)
			known := make([]*cluster.Node, len(nodes))
			for i, name := range nodes {
				known[i] = state.Node(name)
			}
			if pod.Spec.Resources != nil {
				delete(want, order.RequestLeastAllocated) // see differences.md
			}
			compare(t, fmt.Sprintf("world %d, pod %s", number, pod.Name), want, orders.Raw(state, p, "", known), told)
			require.NoError(t, state.Verify())
			state.RemovePod(pod.UID)
			pairs += len(nodes)
		}
	}
	t.Logf("%d pairs; scores that are not all alike: %v", pairs, told)
	for _, e := range evaluators {
		require.Greater(t, told[e.Kind], pairs/1000, e.Kind)
	}
}

// compare fails where the two differ. Where one has nothing to say, the other must say the same of all nodes.
func compare(t *testing.T, of string, want, got map[order.Kind][]int64, told map[order.Kind]int) {
	t.Helper()
	for _, e := range evaluators {
		w, g := want[e.Kind], got[e.Kind]
		switch {
		case w == nil && e.Kind == order.RequestLeastAllocated:
		case w == nil || g == nil:
			require.True(t, even(w) && even(g), "%s: %s says %v, kube-scheduler %v", of, e.Kind, g, w)
		case e.Kind == order.RequestLeastAllocated: // rounded elsewhere
			for i := range w {
				require.InDelta(t, w[i], g[i], 2, "%s: %s says %v, kube-scheduler %v (entry %d)", of, e.Kind, g, w, i)
			}
		default:
			require.Equal(t, w, g, "%s: %s", of, e.Kind)
		}
		if !even(w) {
			told[e.Kind]++
		}
	}
}

func even(scores []int64) bool {
	return len(scores) == 0 || slices.Min(scores) == slices.Max(scores)
}

// read is all that node orders can ask for.
var read = cluster.Extra{Images: true, Selectors: true}

// scored is a world whose pods would like one node more than another.
type scored struct {
	*oracle.Generator
	*oracle.World
	rng      *rand.Rand
	services []*v1.Service
	sets     []*appsv1.ReplicaSet
}

func newScored(number uint64) *scored {
	w := &scored{Generator: oracle.NewGenerator(20260002, number), rng: rand.New(rand.NewPCG(20260003, number))}
	w.World = w.Generator.World()
	for i, n := range w.Nodes {
		w.Nodes[i] = w.stock(n)
	}
	for i, p := range w.Pods {
		w.Pods[i] = w.like(p)
	}
	for _, space := range []string{"default", "team-a", "team-b"} {
		if w.rng.IntN(3) > 0 {
			w.services = append(w.services, &v1.Service{
				ObjectMeta: metav1.ObjectMeta{Namespace: space, Name: "s"}, Spec: v1.ServiceSpec{Selector: map[string]string{"app": w.letter()}},
			})
			w.sets = append(w.sets, &appsv1.ReplicaSet{
				ObjectMeta: metav1.ObjectMeta{Namespace: space, Name: "r"}, Spec: appsv1.ReplicaSetSpec{Selector: w.selector()},
			})
		}
	}
	return w
}

func (w *scored) letter() string { return string(rune('a' + w.rng.IntN(3))) }

func (w *scored) selector() *metav1.LabelSelector {
	if w.rng.IntN(3) == 0 {
		return &metav1.LabelSelector{MatchExpressions: []metav1.LabelSelectorRequirement{{Key: "tier", Operator: "Exists"}}}
	}
	return &metav1.LabelSelector{MatchLabels: map[string]string{"app": w.letter()}}
}

// stock gives a node images and, now and then, a soft taint.
func (w *scored) stock(n *v1.Node) *v1.Node {
	n = n.DeepCopy()
	for _, name := range []string{"a:latest", "registry:5000/b:latest", "c:1"} {
		if w.rng.IntN(2) == 0 {
			n.Status.Images = append(n.Status.Images, v1.ContainerImage{Names: []string{name + "@digest", name}, SizeBytes: w.rng.Int64N(3000 << 20)})
		}
	}
	if w.rng.IntN(4) == 0 {
		n.Spec.Taints = append(n.Spec.Taints, v1.Taint{Key: "soft", Value: w.letter(), Effect: v1.TaintEffectPreferNoSchedule})
	}
	return n
}

// like gives a pod images, an owner, and now and then terms that only prefer.
func (w *scored) like(p *v1.Pod) *v1.Pod {
	p = p.DeepCopy()
	p.Status = v1.PodStatus{Phase: p.Status.Phase} // of pods that are being resized Sluice presumes by what their spec asks for
	for i := range p.Spec.Containers {
		p.Spec.Containers[i].Image = []string{"a", "registry:5000/b", "c:1"}[w.rng.IntN(3)]
	}
	yes := true
	p.OwnerReferences = []metav1.OwnerReference{{APIVersion: "apps/v1", Kind: "ReplicaSet", Name: "r", Controller: &yes}}
	if p.Spec.Affinity == nil {
		p.Spec.Affinity = &v1.Affinity{}
	}
	terms := []v1.WeightedPodAffinityTerm{{Weight: int32(1 + w.rng.IntN(100)), PodAffinityTerm: v1.PodAffinityTerm{LabelSelector: w.selector(), TopologyKey: w.key()}}}
	switch w.rng.IntN(6) {
	case 0:
		if p.Spec.Affinity.PodAffinity == nil {
			p.Spec.Affinity.PodAffinity = &v1.PodAffinity{}
		}
		p.Spec.Affinity.PodAffinity.PreferredDuringSchedulingIgnoredDuringExecution = terms
	case 1:
		if p.Spec.Affinity.PodAntiAffinity == nil {
			p.Spec.Affinity.PodAntiAffinity = &v1.PodAntiAffinity{}
		}
		p.Spec.Affinity.PodAntiAffinity.PreferredDuringSchedulingIgnoredDuringExecution = terms
	case 2:
		p.Spec.TopologySpreadConstraints = append(p.Spec.TopologySpreadConstraints, v1.TopologySpreadConstraint{
			MaxSkew: int32(1 + w.rng.IntN(4)), TopologyKey: w.key(), WhenUnsatisfiable: v1.ScheduleAnyway, LabelSelector: w.selector(),
		})
	case 3:
		p.Spec.TopologySpreadConstraints = nil
	}
	return p
}

func (w *scored) key() string {
	return []string{v1.LabelHostname, v1.LabelTopologyZone}[w.rng.IntN(2)]
}

// some are the nodes that the pod is taken to fit on.
func (w *scored) some() (names []string) {
	for _, n := range w.Nodes {
		bare := n.Status.Allocatable.Cpu().IsZero() && n.Status.Allocatable.Memory().IsZero() // counts as empty here, as full there
		if w.rng.IntN(4) > 0 && !bare {
			names = append(names, n.Name)
		}
	}
	return names
}

// state is the world as Sluice has it.
func (w *scored) state() (*cluster.State, *order.Orders) {
	s := cluster.New()
	w.Each(func(o metav1.Object) {
		switch o := o.(type) {
		case *v1.Namespace:
			s.SetNamespace(app.ReadNamespace(o))
		case *v1.Node:
			s.SetNode(read.ReadNode(o))
		case *v1.Pod:
			f := read.ReadPod(o, "sluice")
			f.Ours = false
			s.SetPod(f)
		}
	})
	for _, o := range w.services {
		s.SetSelector(cluster.ReadService(o))
	}
	for _, o := range w.sets {
		s.SetSelector(cluster.ReadReplicaSet(o))
	}
	return s, order.New([]order.Spec{{Name: "all", Evaluators: evaluators}}, order.DefaultScarce())
}
