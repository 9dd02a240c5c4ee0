package order

import (
	"testing"

	"github.com/stretchr/testify/require"
	v1 "k8s.io/api/core/v1"
	apires "k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
)

// half is half a Unit; the nodes below are used to simple shares, so that scores can be told by hand.
const half, quarter = Unit / 2, Unit / 4

// stateWith returns a state with one node of 8 cpu, 16 GiB and 4 GPUs of which so much is used, and the node.
func stateWith(t *testing.T, usedCPU, usedMemory, usedGPU string) (*cluster.State, *cluster.Node) {
	t.Helper()
	s := cluster.New()
	n := &v1.Node{ObjectMeta: metav1.ObjectMeta{Name: "n", Labels: map[string]string{"disk": "ssd"}}}
	n.Status.Allocatable = list("8", "16Gi", "4")
	n.Status.Allocatable["pods"] = apires.MustParse("110")
	n.Spec.Taints = []v1.Taint{{Key: "soft", Effect: v1.TaintEffectPreferNoSchedule}, {Key: "softer", Effect: v1.TaintEffectPreferNoSchedule}}
	s.SetNode(cluster.ReadNode(n))
	p := &v1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "p", UID: "p"}}
	p.Spec.NodeName = "n"
	p.Spec.Containers = []v1.Container{{Resources: v1.ResourceRequirements{Requests: list(usedCPU, usedMemory, usedGPU)}}}
	s.SetPod(cluster.ReadPod(p, "sluice"))
	return s, s.Node("n")
}

func list(cpu, memory, gpu string) v1.ResourceList {
	return v1.ResourceList{"cpu": apires.MustParse(cpu), "memory": apires.MustParse(memory), "nvidia.com/gpu": apires.MustParse(gpu)}
}

func TestStaticScores(t *testing.T) {
	ratio := []Point{{0, 0}, {50, 10}, {100, 2}}
	gpu := []Resource{{"cpu", 1}, {"nvidia.com/gpu", 3}, {"never.heard/of", 9}}
	for name, c := range map[string]struct {
		e                Evaluator
		cpu, memory, gpu string
		want             int64
	}{
		"least allocated is the mean of the free shares":       {Evaluator{Kind: LeastAllocated}, "4", "4Gi", "0", (half + 3*quarter) / 2},
		"most allocated is the mean of the used shares":        {Evaluator{Kind: MostAllocated}, "4", "4Gi", "0", (half + quarter) / 2},
		"weights, and no say for what the node does not offer": {Evaluator{Kind: MostAllocated, Resources: gpu}, "4", "0", "4", (half + 3*Unit) / 4},
		"the ratio follows the line below the middle":          {Evaluator{Kind: RequestedToCapacityRatio, Shape: ratio}, "2", "4Gi", "0", half},
		"and beyond it": {Evaluator{Kind: RequestedToCapacityRatio, Shape: ratio}, "6", "12Gi", "0", Unit * 6 / 10},
		"the ratio of a full node is the last point's":       {Evaluator{Kind: RequestedToCapacityRatio, Shape: ratio}, "8", "16Gi", "0", Unit * 2 / 10},
		"like shares are balanced":                           {Evaluator{Kind: Balanced}, "4", "8Gi", "0", Unit},
		"one full and one empty are not":                     {Evaluator{Kind: Balanced}, "8", "0", "0", 0},
		"the dominant share is the largest":                  {Evaluator{Kind: DominantShare}, "2", "12Gi", "0", quarter},
		"a label's value":                                    {Evaluator{Kind: NodeLabel, Label: "disk", Values: map[string]int64{"ssd": 75}}, "0", "0", "0", 3 * quarter},
		"a value without a score":                            {Evaluator{Kind: NodeLabel, Label: "disk", Values: map[string]int64{"hdd": 75}}, "0", "0", "0", 0},
		"nodes with all of the scarce free are avoided most": {Evaluator{Kind: ScarceAvoidance}, "0", "0", "0", 0},
		"less the less is free":                              {Evaluator{Kind: ScarceAvoidance}, "0", "0", "2", quarter},
		"and not when nothing is":                            {Evaluator{Kind: ScarceAvoidance}, "0", "0", "4", Unit},
		"what is used beyond the whole counts as all of it":  {Evaluator{Kind: MostAllocated}, "80", "16Gi", "0", Unit},
		"weights of evaluators multiply":                     {Evaluator{Kind: DominantShare, Weight: 7}, "4", "0", "0", 7 * half},
	} {
		t.Run(name, func(t *testing.T) {
			c.e.Weight = max(1, c.e.Weight)
			s, n := stateWith(t, c.cpu, c.memory, c.gpu)
			scarce := &Scarce{spec: ScarceSpec{Always: []string{"nvidia.com/gpu"}}}
			scarce.update(s)
			score := Spec{Evaluators: []Evaluator{c.e}}.static(s.Space, scarce)
			require.InDelta(t, c.want, score(n), 3)
		})
	}
}

func TestDynamicScores(t *testing.T) {
	s, n := stateWith(t, "4", "4Gi", "0")
	shape := &cluster.Shape{Demand: &cluster.Demand{}, Request: []int64{1, 2000, 4 << 30}}
	score := func(kind Kind) int64 {
		spec := Spec{Evaluators: []Evaluator{{Kind: kind, Weight: 1}}}
		return spec.preference(shape, n) + spec.withRequest(s.Space, shape, n)
	}
	require.InDelta(t, (quarter+half)/2, score(RequestLeastAllocated), 3)
	require.InDelta(t, (3*quarter+half)/2, score(RequestMostAllocated), 3)
	require.EqualValues(t, Unit/3, score(TaintToleration), "two soft taints")
	shape.Tolerations = []v1.Toleration{{Key: "soft", Operator: v1.TolerationOpExists}}
	require.EqualValues(t, Unit/2, score(TaintToleration), "one is tolerated")
	require.Zero(t, score(NodeAffinity), "no preference")
}

func TestStrandedCountsWhatUsualRequestsCannotUse(t *testing.T) {
	s, _ := stateWith(t, "0", "0", "0")
	slot, _ := s.Space.Slot("nvidia.com/gpu")
	u := newUsual()
	one := cluster.ReadPod(&v1.Pod{ObjectMeta: metav1.ObjectMeta{UID: "one"}, Spec: v1.PodSpec{Containers: []v1.Container{
		{Resources: v1.ResourceRequirements{Requests: list("2", "1Gi", "1")}},
	}}}, "sluice")
	u.note(s.SetPod(one).Shape)
	free := func(cpu, gpu int64) []int64 {
		v := make([]int64, s.Space.Len())
		v[0], v[1], v[2], v[slot] = 100, cpu, 64<<30, gpu
		return v
	}
	require.Zero(t, u.stranded(slot, free(8000, 4)), "all four can be used")
	require.EqualValues(t, 2*Unit, u.stranded(slot, free(5000, 4)), "cpu is there for two of four")
	require.EqualValues(t, 4*Unit, u.stranded(slot, free(1000, 4)), "cpu is there for none")
	require.Zero(t, u.stranded(slot, free(0, 0)), "what is not free is not stranded")
}

// TestScarceFollowsTheNodes: below the share scarce, above it not; always and never overrule.
func TestScarceFollowsTheNodes(t *testing.T) {
	s, _ := stateWith(t, "0", "0", "0")
	names := func(spec ScarceSpec) []string {
		x := &Scarce{spec: spec}
		x.update(s)
		return x.Names(s.Space)
	}
	require.Empty(t, names(ScarceSpec{Below: 50}), "the only node offers it")
	for _, name := range []string{"a", "b", "c"} {
		s.SetNode(&cluster.NodeFact{Name: name})
	}
	require.Equal(t, []string{"nvidia.com/gpu"}, names(ScarceSpec{Below: 50}), "one node of four")
	require.Empty(t, names(ScarceSpec{Below: 25}), "not fewer than a quarter")
	require.Empty(t, names(ScarceSpec{Below: 50, Never: []string{"nvidia.com/gpu"}}))
	require.Equal(t, []string{"cpu"}, names(ScarceSpec{Always: []string{"cpu"}}))
	s.RemoveNode("n")
	require.Empty(t, names(ScarceSpec{Below: 50}), "nobody offers it any more")
}
