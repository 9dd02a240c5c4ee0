package order_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
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

// TestTheNodeChosenIsTheOneLikedBest holds every choice against a plain reading of all API objects, for random clusters, orders and pods, while pods come and go and
// nodes change.
func TestTheNodeChosenIsTheOneLikedBest(t *testing.T) {
	swayed := map[order.Kind]int{}
	for seed := range uint64(60) {
		w := newWorld(t, rand.New(rand.NewPCG(seed, 7)))
		for i := range 60 {
			if w.rng.IntN(5) == 0 {
				w.changeNode(w.rng.IntN(w.count))
			}
			p := w.pod(fmt.Sprintf("p%d", i))
			w.placeBest(p, swayed)
			if w.rng.IntN(4) == 0 {
				w.remove(fmt.Sprintf("p%d", w.rng.IntN(i+1)))
			}
		}
		require.NoError(t, w.state.Verify())
	}
	t.Log("choices that each evaluator swayed:", swayed)
	for _, kind := range []order.Kind{order.ImageLocality} {
		require.Greater(t, swayed[kind], 100, kind)
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
	w.plain = plain{nodes: map[string]*v1.Node{}, placed: map[string]*v1.Pod{}}
	w.spec = order.Spec{Name: "default", Evaluators: []order.Evaluator{{Kind: order.LeastAllocated, Weight: 1}}}
	for _, kind := range []order.Kind{order.ImageLocality, order.NodeAffinity, order.RequestLeastAllocated} {
		if rng.IntN(3) > 0 {
			w.spec.Evaluators = append(w.spec.Evaluators, order.Evaluator{Kind: kind, Weight: int64(1 + rng.IntN(8))})
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

func (w *world) changeNode(i int) {
	name := fmt.Sprintf("n%02d", i)
	if w.rng.IntN(8) == 0 && len(w.nodes) > 1 {
		w.state.RemoveNode(name)
		delete(w.nodes, name)
		return
	}
	n := &v1.Node{ObjectMeta: metav1.ObjectMeta{Name: name, UID: types.UID(name)}}
	n.Labels = map[string]string{"kubernetes.io/hostname": name}
	if z := w.rng.IntN(4); z > 0 {
		n.Labels["topology.kubernetes.io/zone"] = fmt.Sprint("z", z)
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
	p := &v1.Pod{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: "ns", UID: types.UID(name)}}
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
		p.Spec.NodeSelector = map[string]string{"topology.kubernetes.io/zone": fmt.Sprint("z", 1+w.rng.IntN(3))}
	}
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
