package core

import (
	"fmt"
	"math/rand/v2"
	"time"

	v1 "k8s.io/api/core/v1"
	apires "k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
)

// Workload describes a cluster and what is asked of it.
type Workload struct {
	// Nodes and Pods are how many of each; Shapes how many different demands the pods have.
	Nodes, Pods, Shapes int
	// Fill is the share of every node that one foreign pod takes beforehand.
	Fill float64
	// Scarce is the share of the pods that ask for a GPU; one node in ten has eight.
	Scarce float64
	// Terms, if any, are what the pods say of each other; then they are equal in all else.
	Terms Terms
	// Storage says what volumes the pods have.
	Storage Storage
	Seed    uint64
}

const (
	zones     = 4
	hardware  = 3
	dedicated = 20 // one node in so many is tainted
)

// NodeFacts makes the nodes: four zones, three kinds of hardware, some tainted, one in ten with GPUs. A node has 96 cores and 384 GiB.
func (w Workload) NodeFacts() []*cluster.NodeFact {
	facts := make([]*cluster.NodeFact, w.Nodes)
	for i := range facts {
		n := &v1.Node{ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("node-%05d", i), UID: types.UID(fmt.Sprintf("node-%05d", i))}}
		n.Labels = map[string]string{
			"kubernetes.io/hostname":      n.Name,
			"topology.kubernetes.io/zone": fmt.Sprintf("zone-%d", i%zones),
			"hardware":                    fmt.Sprintf("gen-%d", i/zones%hardware),
		}
		cpu, memory := 96, 384
		n.Status.Allocatable = v1.ResourceList{
			"cpu": apires.MustParse(fmt.Sprint(cpu)), "memory": apires.MustParse(fmt.Sprint(memory, "Gi")),
			"ephemeral-storage": apires.MustParse("1Ti"), "pods": apires.MustParse("250"),
		}
		if i%10 == 9 {
			n.Status.Allocatable["nvidia.com/gpu"] = apires.MustParse("8")
		}
		if i%dedicated == 7 {
			n.Spec.Taints = []v1.Taint{{Key: "dedicated", Value: "batch", Effect: v1.TaintEffectNoSchedule}}
		}
		facts[i] = cluster.ReadNode(n)
	}
	return facts
}

// Fillers makes one foreign pod per node that takes its share. What it leaves varies from node to node, so that every shape still fits somewhere.
func (w Workload) Fillers(nodes []*cluster.NodeFact) []*cluster.PodFact {
	if w.Fill == 0 {
		return nil
	}
	rng := rand.New(rand.NewPCG(w.Seed, 2))
	facts := make([]*cluster.PodFact, len(nodes))
	for i, n := range nodes {
		left := (1 - w.Fill) * (0.2 + 1.6*rng.Float64())
		p := &v1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "filler", Name: n.Name, UID: types.UID("filler-" + n.Name)}}
		p.Spec.NodeName, p.Spec.SchedulerName = n.Name, "default-scheduler"
		cpu := int64(float64(n.Allocatable.Get("cpu")) * (1 - left))
		memory := int64(float64(n.Allocatable.Get("memory")) * (1 - left))
		p.Spec.Containers = []v1.Container{{Name: "main", Resources: v1.ResourceRequirements{Requests: v1.ResourceList{
			"cpu": *apires.NewMilliQuantity(cpu, apires.DecimalSI), "memory": *apires.NewQuantity(memory, apires.BinarySI),
		}}}}
		facts[i] = cluster.ReadPod(p, "sluice")
	}
	return facts
}

// PodFacts makes the pods: of all shapes, shuffled; 30 % select by label or affinity, 20 % tolerate the tainted nodes, 5 % want a host port.
func (w Workload) PodFacts(created time.Time) []*cluster.PodFact {
	rng := rand.New(rand.NewPCG(w.Seed, 1))
	demands, likings := map[string]*cluster.Demand{}, map[string]*cluster.Liking{}
	facts := make([]*cluster.PodFact, w.Pods)
	for i := range facts {
		shape := rng.IntN(w.Shapes)
		p := w.pod(i, shape)
		if w.Terms != "" {
			p = w.Terms.pod(i)
		}
		p.CreationTimestamp = metav1.NewTime(created)
		f := cluster.Extra{Selectors: w.Terms == Services}.ReadPod(p, "sluice")
		if d := demands[f.Demand.Key]; d != nil {
			f.Demand = d
		} else {
			demands[f.Demand.Key] = f.Demand
		}
		if l := f.Liking; l != nil {
			if likings[l.Key] == nil {
				likings[l.Key] = l
			}
			f.Liking = likings[l.Key]
		}
		f.Needs = w.Storage.needs(i)
		facts[i] = f
	}
	return facts
}

func (w Workload) pod(i, shape int) *v1.Pod {
	rng := rand.New(rand.NewPCG(w.Seed+uint64(shape), 3))
	p := &v1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "bench", Name: fmt.Sprintf("pod-%06d", i), UID: types.UID(fmt.Sprintf("uid-%06d", i))}}
	p.Spec.SchedulerName = "sluice"
	c := v1.Container{Name: "main"}
	c.Resources.Requests = v1.ResourceList{
		"cpu":    *apires.NewMilliQuantity(20+2*int64(shape%40), apires.DecimalSI),
		"memory": *apires.NewQuantity((64+16*int64(shape%23))<<20, apires.BinarySI),
	}
	if rng.Float64() < w.Scarce {
		c.Resources.Requests["nvidia.com/gpu"] = apires.MustParse("1")
	}
	switch kind := shape % 20; {
	case kind < 3:
		p.Spec.NodeSelector = map[string]string{"topology.kubernetes.io/zone": fmt.Sprintf("zone-%d", rng.IntN(zones))}
	case kind < 6:
		p.Spec.Affinity = inHardware(fmt.Sprintf("gen-%d", rng.IntN(hardware)))
	case kind < 10:
		p.Spec.Tolerations = []v1.Toleration{{Key: "dedicated", Operator: v1.TolerationOpExists}}
	case kind == 10:
		c.Ports = []v1.ContainerPort{{HostPort: int32(10000 + shape)}}
	}
	p.Spec.Containers = []v1.Container{c}
	return p
}

func inHardware(values ...string) *v1.Affinity {
	return &v1.Affinity{NodeAffinity: &v1.NodeAffinity{RequiredDuringSchedulingIgnoredDuringExecution: &v1.NodeSelector{
		NodeSelectorTerms: []v1.NodeSelectorTerm{{MatchExpressions: []v1.NodeSelectorRequirement{{
			Key: "hardware", Operator: v1.NodeSelectorOpIn, Values: values,
		}}}},
	}}}
}
