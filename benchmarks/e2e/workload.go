package e2e

import (
	"fmt"
	"math/rand/v2"

	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/sluice-scheduler/sluice/benchmarks/stand"
)

const (
	// namespace holds all pods.
	namespace     = "bench"
	zoneLabel     = "topology.kubernetes.io/zone"
	hardwareLabel = "example.com/hardware"
	dedicatedKey  = "example.com/dedicated"
	// firstPort of the host ports; the shapes that want one have one each.
	firstPort = 20000
)

// Workload is a cluster and what is asked of it. Equal workloads make equal objects.
type Workload struct {
	// Nodes is how many there are.
	Nodes int `json:"nodes"`
	// Pods is how many there are. Together they must fit, see validate.
	Pods int `json:"pods"`
	// Bound is how many of them have a node from the beginning, so that the scheduler finds them in its first list. The others are to be placed.
	Bound int `json:"bound,omitempty"`
	// Shapes is how many different demands the pods have; each is asked for by about as many pods, and they arrive shuffled.
	Shapes int `json:"shapes"`
	// Zones and Hardware are how many values these node labels have. They are dealt to the nodes independently of each other.
	Zones    int `json:"zones"`
	Hardware int `json:"hardware"`
	// TaintEvery says that one node in so many is tainted, for pods that tolerate it.
	TaintEvery int `json:"taintEvery"`
	// Select, Affinity, Tolerate and Port are the shares of the shapes, in percent, that select a zone, require a kind of hardware, tolerate the
	// tainted nodes and want a host port. No shape does two of these.
	Select   int `json:"select"`
	Affinity int `json:"affinity"`
	Tolerate int `json:"tolerate"`
	Port     int `json:"port"`
	// Hollow is how many nodes of real kubelet code there are besides.
	Hollow int `json:"hollow,omitempty"`
	// Seed of all that is drawn.
	Seed uint64 `json:"seed"`
}

// validate refuses what makes no sense or cannot be placed by an unlucky order.
func (w Workload) validate() error {
	switch {
	case w.Nodes < 1 || w.Pods < 1 || w.Shapes < 1 || w.Zones < 1 || w.Hardware < 1 || w.TaintEvery < 2:
		return fmt.Errorf("nodes, pods, shapes, zones and hardware must be at least 1, taintEvery at least 2")
	case w.Bound < 0 || w.Bound >= w.Pods:
		return fmt.Errorf("%d of %d pods are bound: at least one must be left to place", w.Bound, w.Pods)
	case w.Select+w.Affinity+w.Tolerate+w.Port > 100 || min(w.Select, w.Affinity, w.Tolerate, w.Port) < 0:
		return fmt.Errorf("select, affinity, tolerate and port are percentages that together are at most 100")
	case w.Pods > 20*w.Nodes:
		return fmt.Errorf("%d pods on %d nodes: more than 20 a node might not all fit", w.Pods, w.Nodes)
	case w.Port > 0 && w.Pods/w.Shapes*4 > w.Nodes:
		return fmt.Errorf("%d pods of each shape: too many for one host port on %d nodes", w.Pods/w.Shapes, w.Nodes)
	}
	return nil
}

// ToPlace is how many pods the scheduler has to place.
func (w Workload) ToPlace() int { return w.Pods - w.Bound }

// NodeObjects makes the nodes: 32 cores, 128 GiB and room for 110 pods each.
func (w Workload) NodeObjects() []*v1.Node {
	room := v1.ResourceList{
		v1.ResourceCPU: resource.MustParse("32"), v1.ResourceMemory: resource.MustParse("128Gi"),
		v1.ResourceEphemeralStorage: resource.MustParse("500Gi"), v1.ResourcePods: resource.MustParse("110"),
	}
	ready := v1.NodeCondition{
		Type: v1.NodeReady, Status: v1.ConditionTrue, Reason: "KubeletReady", Message: "a node without a kubelet",
		LastHeartbeatTime: metav1.Now(), LastTransitionTime: metav1.Now(),
	}
	nodes := make([]*v1.Node, w.Nodes)
	for i := range nodes {
		name := fmt.Sprintf("node-%05d", i)
		n := &v1.Node{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{
			v1.LabelHostname: name, v1.LabelOSStable: "linux", v1.LabelArchStable: "amd64",
			zoneLabel: w.zone(i), hardwareLabel: w.hardware(i / w.Zones),
		}}}
		if i%w.TaintEvery == w.TaintEvery-1 {
			n.Spec.Taints = []v1.Taint{{Key: dedicatedKey, Value: "batch", Effect: v1.TaintEffectNoSchedule}}
		}
		n.Status = v1.NodeStatus{Capacity: room, Allocatable: room, Conditions: []v1.NodeCondition{ready}}
		nodes[i] = n
	}
	return nodes
}

func (w Workload) zone(i int) string     { return fmt.Sprintf("zone-%d", i%w.Zones) }
func (w Workload) hardware(i int) string { return fmt.Sprintf("gen-%d", i%w.Hardware) }

// PodObjects makes the pods in the order in which they are created.
func (w Workload) PodObjects() []*v1.Pod {
	rng := rand.New(rand.NewPCG(w.Seed, 1))
	shapes := make([]v1.PodSpec, w.Shapes)
	for i := range shapes {
		shapes[i] = w.shape(i)
	}
	pods := make([]*v1.Pod, w.Pods)
	for i, k := range rng.Perm(w.Pods) {
		shape := k % w.Shapes
		pods[i] = &v1.Pod{
			ObjectMeta: metav1.ObjectMeta{
				Namespace: namespace, Name: fmt.Sprintf("pod-%06d", i),
				Labels: map[string]string{"app": fmt.Sprintf("app-%d", shape)},
			},
			Spec: *shapes[shape].DeepCopy(),
		}
	}
	return pods
}

// Seated makes the pods as PodObjects does and gives the first of them, as many as are bound, a node.
func (w Workload) Seated() ([]*v1.Pod, error) {
	pods := w.PodObjects()
	return pods, seat(pods[:w.Bound], w.NodeObjects())
}

// shape makes the demand number i: its requests, which no other shape has, and what else it asks for.
func (w Workload) shape(i int) v1.PodSpec {
	rng := rand.New(rand.NewPCG(w.Seed, 2+uint64(i)))
	c := v1.Container{Name: "main", Image: "registry.example.com/bench:1"}
	c.Resources.Requests = v1.ResourceList{
		v1.ResourceCPU:    *resource.NewMilliQuantity(int64(100+50*(i%39)), resource.DecimalSI),
		v1.ResourceMemory: *resource.NewQuantity(int64(256+64*(i%61)+i/(39*61))<<20, resource.BinarySI),
	}
	spec := v1.PodSpec{SchedulerName: stand.SchedulerName}
	// Dealt evenly over the numbers, for a few hundred shapes are too few to leave the shares to chance.
	turn := (i*37 + 11) % 100
	switch {
	case turn < w.Select:
		spec.NodeSelector = map[string]string{zoneLabel: w.zone(rng.IntN(w.Zones))}
	case turn < w.Select+w.Affinity:
		spec.Affinity = requireHardware(w.hardware(rng.IntN(w.Hardware)))
	case turn < w.Select+w.Affinity+w.Tolerate:
		spec.Tolerations = []v1.Toleration{{Key: dedicatedKey, Operator: v1.TolerationOpExists, Effect: v1.TaintEffectNoSchedule}}
	case turn < w.Select+w.Affinity+w.Tolerate+w.Port:
		c.Ports = []v1.ContainerPort{{ContainerPort: 80, HostPort: int32(firstPort + i), Protocol: v1.ProtocolTCP}}
	}
	spec.Containers = []v1.Container{c}
	return spec
}

func requireHardware(value string) *v1.Affinity {
	term := v1.NodeSelectorTerm{MatchExpressions: []v1.NodeSelectorRequirement{
		{Key: hardwareLabel, Operator: v1.NodeSelectorOpIn, Values: []string{value}},
	}}
	return &v1.Affinity{NodeAffinity: &v1.NodeAffinity{
		RequiredDuringSchedulingIgnoredDuringExecution: &v1.NodeSelector{NodeSelectorTerms: []v1.NodeSelectorTerm{term}},
	}}
}
