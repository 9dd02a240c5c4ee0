package order_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	v1 "k8s.io/api/core/v1"
	apires "k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
	"github.com/sluice-scheduler/sluice/pkg/core/fit"
	"github.com/sluice-scheduler/sluice/pkg/core/order"
	"github.com/sluice-scheduler/sluice/pkg/core/place"
)

// TestTheNodeChosenIsTheOneLikedBest holds every choice against a plain reading of all API objects, for random clusters, orders and pods, while pods come and go and
// nodes change.
func TestTheNodeChosenIsTheOneLikedBest(t *testing.T) {
	swayed := map[order.Kind]int{}
	for seed := range uint64(90) {
		w := newWorld(t, rand.New(rand.NewPCG(seed, 7)))
		for i := range 60 {
			w.something()
			p := w.pod(fmt.Sprintf("p%d", i))
			w.placeBest(p, swayed)
			if w.rng.IntN(4) == 0 {
				w.remove(fmt.Sprintf("p%d", w.rng.IntN(i+1)))
			}
		}
		require.NoError(t, w.state.Verify())
	}
	t.Log("choices that each evaluator swayed:", swayed)
	for _, kind := range []order.Kind{order.ImageLocality, order.InterPodAffinity, order.PodTopologySpread, order.DefaultSpread} {
		require.Greater(t, swayed[kind], 50, kind)
	}
}

// world is a cluster in both forms.
type world struct {
	*testing.T
	plain
	rng    *rand.Rand
	state  *cluster.State
	orders *order.Orders
	spec   order.Spec
	count  int
}

func newWorld(t *testing.T, rng *rand.Rand) *world {
	w := &world{T: t, rng: rng, state: cluster.New(), count: 2 + rng.IntN(30)}
	w.plain = plain{
		nodes: map[string]*v1.Node{}, placed: map[string]*v1.Pod{}, spaces: map[string]*v1.Namespace{},
		services: map[string]*v1.Service{}, sets: map[string]*appsv1.ReplicaSet{},
	}
	w.spec = order.Spec{Name: "default", Evaluators: []order.Evaluator{{Kind: order.LeastAllocated, Weight: 1}}}
	for _, kind := range []order.Kind{
		order.ImageLocality, order.NodeAffinity, order.RequestLeastAllocated, order.InterPodAffinity, order.PodTopologySpread, order.DefaultSpread,
	} {
		if rng.IntN(2) > 0 {
			e := order.Evaluator{Kind: kind, Weight: int64(1 + rng.IntN(8))}
			if kind == order.InterPodAffinity {
				e.HardWeight, e.OwnTerms = int64(rng.IntN(3)*5), rng.IntN(4) == 0
			}
			w.spec.Evaluators = append(w.spec.Evaluators, e)
		}
	}
	w.orders = order.New([]order.Spec{w.spec}, order.DefaultScarce())
	for i := range w.count {
		w.changeNode(i)
	}
	return w
}

// read is what is read of the objects.
var read = cluster.Extra{Images: true, Selectors: true}

var someImages = []string{"a", "registry:5000/b", "c:1"}

// something lets something happen.
func (w *world) something() {
	switch w.rng.IntN(12) {
	case 0, 1, 2:
		w.changeNode(w.rng.IntN(w.count))
	case 3:
		w.changeSpace()
	case 4, 7, 8:
		w.changeService()
	case 5:
		w.changeSet()
	case 6:
		for _, name := range slices.Sorted(maps.Keys(w.placed)) {
			if w.rng.IntN(4) == 0 {
				w.changePod(w.placed[name])
			}
		}
	}
}

// changePod gives a placed pod other labels, or lets it be on its way out.
func (w *world) changePod(p *v1.Pod) {
	if w.rng.IntN(2) == 0 {
		p.Labels = w.labels()
	} else {
		p.DeletionTimestamp = &metav1.Time{}
	}
	w.state.SetPod(read.ReadPod(p, "sluice"))
}

var someSpaces = []string{"ns", "other", "unknown"}

func (w *world) changeSpace() {
	name := someSpaces[w.rng.IntN(2)]
	if w.rng.IntN(3) == 0 {
		delete(w.spaces, name)
		w.state.RemoveNamespace(name)
		return
	}
	w.spaces[name] = &v1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: w.labels()}}
	w.state.SetNamespace(&cluster.NamespaceFact{Name: name, Labels: w.spaces[name].Labels})
}

func (w *world) changeService() {
	name := fmt.Sprint("service", w.rng.IntN(3))
	if s := w.services[name]; s != nil {
		delete(w.services, name)
		w.state.RemoveSelector(cluster.SelectorID{Kind: cluster.Service, Namespace: s.Namespace, Name: name})
		return
	}
	s := &v1.Service{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: someSpaces[w.rng.IntN(3)]}, Spec: v1.ServiceSpec{Selector: w.labels()}}
	w.services[name] = s
	w.state.SetSelector(cluster.ReadService(s))
}

func (w *world) changeSet() {
	name := fmt.Sprint("set", w.rng.IntN(3))
	if s := w.sets[name]; s != nil && w.rng.IntN(2) == 0 {
		delete(w.sets, name)
		w.state.RemoveSelector(cluster.SelectorID{Kind: cluster.ReplicaSet, Namespace: s.Namespace, Name: name})
		return
	}
	s := &appsv1.ReplicaSet{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: "ns"}, Spec: appsv1.ReplicaSetSpec{Selector: w.selector()}}
	w.sets[name] = s
	w.state.SetSelector(cluster.ReadReplicaSet(s))
}

func (w *world) labels() map[string]string {
	l := map[string]string{}
	for _, k := range []string{"app", "tier"} {
		if w.rng.IntN(3) > 0 {
			l[k] = string(rune('a' + w.rng.IntN(3)))
		}
	}
	return l
}

func (w *world) selector() *metav1.LabelSelector {
	switch w.rng.IntN(8) {
	case 0:
		return nil
	case 1:
		return &metav1.LabelSelector{}
	case 2:
		op := []metav1.LabelSelectorOperator{"Exists", "DoesNotExist"}[w.rng.IntN(2)]
		return &metav1.LabelSelector{MatchExpressions: []metav1.LabelSelectorRequirement{{Key: "tier", Operator: op}}}
	case 3:
		op := []metav1.LabelSelectorOperator{"In", "NotIn"}[w.rng.IntN(2)]
		return &metav1.LabelSelector{MatchExpressions: []metav1.LabelSelectorRequirement{{Key: "app", Operator: op, Values: []string{"a", "b"}}}}
	}
	return &metav1.LabelSelector{MatchLabels: map[string]string{"app": string(rune('a' + w.rng.IntN(3)))}}
}

const zone, host = "topology.kubernetes.io/zone", "kubernetes.io/hostname"

func (w *world) key() string { return []string{zone, host, zone, "rack"}[w.rng.IntN(4)] }

func (w *world) term() v1.PodAffinityTerm {
	t := v1.PodAffinityTerm{LabelSelector: w.selector(), TopologyKey: w.key()}
	switch w.rng.IntN(6) {
	case 0:
		t.Namespaces = []string{someSpaces[w.rng.IntN(3)]}
	case 1:
		t.NamespaceSelector = &metav1.LabelSelector{}
	case 2:
		t.NamespaceSelector = w.selector()
	}
	return t
}

func (w *world) weighted() (list []v1.WeightedPodAffinityTerm) {
	for range w.rng.IntN(3) {
		list = append(list, v1.WeightedPodAffinityTerm{Weight: int32(1 + w.rng.IntN(100)), PodAffinityTerm: w.term()})
	}
	return list
}

// company gives a pod terms about others.
func (w *world) company(p *v1.Pod) {
	switch w.rng.IntN(6) {
	case 0:
		p.Spec.Affinity = &v1.Affinity{
			PodAffinity:     &v1.PodAffinity{PreferredDuringSchedulingIgnoredDuringExecution: w.weighted()},
			PodAntiAffinity: &v1.PodAntiAffinity{PreferredDuringSchedulingIgnoredDuringExecution: w.weighted()},
		}
	case 1:
		p.Spec.Affinity = &v1.Affinity{PodAffinity: &v1.PodAffinity{RequiredDuringSchedulingIgnoredDuringExecution: []v1.PodAffinityTerm{w.term()}}}
	case 2, 3:
		honor, ignore := v1.NodeInclusionPolicyHonor, v1.NodeInclusionPolicyIgnore
		for range 1 + w.rng.IntN(2) {
			c := v1.TopologySpreadConstraint{MaxSkew: int32(1 + w.rng.IntN(3)), TopologyKey: w.key(), WhenUnsatisfiable: v1.ScheduleAnyway, LabelSelector: w.selector()}
			switch w.rng.IntN(5) {
			case 0:
				c.NodeTaintsPolicy = &honor
			case 1:
				c.NodeAffinityPolicy = &ignore
			case 2:
				c.MatchLabelKeys = []string{"tier"}
			case 3:
				if w.rng.IntN(3) == 0 {
					c.WhenUnsatisfiable, c.MaxSkew = v1.DoNotSchedule, 5
				}
			}
			p.Spec.TopologySpreadConstraints = append(p.Spec.TopologySpreadConstraints, c)
		}
	case 4:
		yes := true
		p.OwnerReferences = []metav1.OwnerReference{{APIVersion: "apps/v1", Kind: "ReplicaSet", Name: fmt.Sprint("set", w.rng.IntN(3)), Controller: &yes}}
	}
}

func (w *world) changeNode(i int) {
	name := fmt.Sprintf("n%02d", i)
	if w.rng.IntN(8) == 0 && len(w.nodes) > 1 {
		w.state.RemoveNode(name)
		delete(w.nodes, name)
		return
	}
	n := &v1.Node{ObjectMeta: metav1.ObjectMeta{Name: name, UID: types.UID(name)}}
	n.Labels = map[string]string{host: name}
	switch w.rng.IntN(10) {
	case 0:
		delete(n.Labels, host)
	case 1:
		n.Labels[host] = "same"
	case 2:
		n.Spec.Taints = []v1.Taint{{Key: "hard", Effect: v1.TaintEffectNoSchedule}, {Key: "soft", Effect: v1.TaintEffectPreferNoSchedule}}
	}
	if z := w.rng.IntN(4); z > 0 {
		n.Labels[zone] = fmt.Sprint("z", z)
		n.Labels["rack"] = fmt.Sprint("r", w.rng.IntN(3))
	}
	n.Status.Allocatable = v1.ResourceList{
		"cpu": *apires.NewQuantity(int64(4+w.rng.IntN(9)), apires.DecimalSI), "memory": apires.MustParse("16Gi"), "pods": apires.MustParse("8"),
	}
	for _, image := range []string{"a:latest", "registry:5000/b:latest", "c:1"} {
		if w.rng.IntN(2) == 0 {
			n.Status.Images = append(n.Status.Images, v1.ContainerImage{Names: []string{image + "-digest", image}, SizeBytes: w.rng.Int64N(2000 << 20)})
		}
	}
	w.nodes[name] = n
	w.state.SetNode(read.ReadNode(n))
}

func (w *world) pod(name string) *v1.Pod {
	p := &v1.Pod{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: someSpaces[w.rng.IntN(8)/6*w.rng.IntN(3)], UID: types.UID(name), Labels: w.labels()}}
	p.Spec.SchedulerName = "sluice"
	requests := v1.ResourceList{"cpu": *apires.NewMilliQuantity(int64(w.rng.IntN(8))*250, apires.DecimalSI)}
	for range 1 + w.rng.IntN(3) {
		p.Spec.Containers = append(p.Spec.Containers, v1.Container{Image: someImages[w.rng.IntN(3)]})
	}
	p.Spec.Containers[0].Resources.Requests = requests
	if w.rng.IntN(4) == 0 {
		p.Spec.InitContainers = []v1.Container{{Image: someImages[w.rng.IntN(3)]}}
	}
	if w.rng.IntN(6) == 0 {
		p.Spec.NodeSelector = map[string]string{zone: fmt.Sprint("z", 1+w.rng.IntN(3))}
	}
	if w.rng.IntN(6) == 0 {
		p.Spec.Tolerations = []v1.Toleration{{Operator: v1.TolerationOpExists}}
	}
	w.company(p)
	return p
}

// placeBest places a pod where it is liked best, and counts which evaluators decided that.
func (w *world) placeBest(p *v1.Pod, swayed map[order.Kind]int) {
	x := w.state.SetPod(read.ReadPod(p, "sluice"))
	w.orders.Refresh(w.state)
	ask := fit.Of(x)
	var fits []string
	var nodes []*cluster.Node
	for name := range w.nodes {
		if n := w.state.Node(name); fit.Fits(ask, n) {
			fits, nodes = append(fits, name), append(nodes, n)
		}
	}
	slices.SortFunc(nodes, func(a, b *cluster.Node) int { return a.Index - b.Index })
	want := w.best(x, p, w.spec, fits)
	got, _ := place.First(w.state, w.orders, x, ask, &fit.View{}, "")
	require.Equal(w, want, nameOf(got))
	require.Equal(w, want, nameOf(w.orders.Best(w.state, x, "", nodes)))
	for i, e := range w.spec.Evaluators {
		without := w.spec
		without.Evaluators = slices.Delete(slices.Clone(w.spec.Evaluators), i, i+1)
		if w.best(x, p, without, fits) != want {
			swayed[e.Kind]++
		}
	}
	require.NoError(w, w.state.Verify())
	if got != nil {
		w.state.Assume(x, got)
		w.state.Commit()
		p = p.DeepCopy()
		p.Spec.NodeName = got.Name
		w.placed[p.Name] = p
	}
}

// best is the node of the highest sum.
func (w *world) best(x *cluster.Pod, p *v1.Pod, by order.Spec, fits []string) string {
	liked := w.liked(p, by, fits)
	best, most := "none", int64(0)
	slices.Sort(fits)
	for _, name := range fits {
		sum := w.orders.Alone(w.state, x, "", w.state.Node(name)) + liked[name]
		if best == "none" || sum > most {
			best, most = name, sum
		}
	}
	return best
}

func (w *world) remove(name string) {
	w.state.RemovePod(types.UID(name))
	delete(w.placed, name)
}

func nameOf(n *cluster.Node) string {
	if n == nil {
		return "none"
	}
	return n.Name
}
