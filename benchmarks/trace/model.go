package trace

import (
	"cmp"
	"slices"
	"strings"
	"time"

	v1 "k8s.io/api/core/v1"
	apires "k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

const (
	// GPU is the resource by which whole GPUs are offered and asked for.
	GPU = "nvidia.com/gpu"
	// ModelLabel is the node label that tells the model of a node's GPUs.
	ModelLabel = "gpu-model"

	scheduler   = "sluice"
	podsPerNode = 1000 // more than ever come together on a node: the trace knows no such limit
)

// Machine is a node of a trace.
type Machine struct {
	Name                      string
	MilliCPU, MemoryMiB, GPUs int64
	// Model of the GPUs; empty without any.
	Model string
}

// Demand is what a task asks for. Tasks of equal demand are interchangeable.
type Demand struct {
	// GPUs are whole ones: a share of a GPU counts as one.
	MilliCPU, MemoryMiB, GPUs int64
	// Models lists the GPU models that will do, separated by "|"; empty means any.
	Models string
}

// Task is a pod of a trace.
type Task struct {
	Name string
	Demand
	// Created is when the task came, from the start of the trace; Life is how long it runs once it is placed. Both are 0 in a trace without
	// times.
	Created, Life time.Duration
}

// Trace is a cluster and what was asked of it.
type Trace struct {
	Machines []Machine
	Tasks    []Task
	// Timed says that the tasks have times.
	Timed bool
}

// GPUs returns how many GPUs the machines have.
func (t *Trace) GPUs() (sum int64) {
	for _, m := range t.Machines {
		sum += m.GPUs
	}
	return sum
}

// Demands returns the different demands of the tasks in a fixed order.
func (t *Trace) Demands() []Demand {
	seen := map[Demand]bool{}
	var list []Demand
	for _, task := range t.Tasks {
		if !seen[task.Demand] {
			seen[task.Demand] = true
			list = append(list, task.Demand)
		}
	}
	slices.SortFunc(list, func(a, b Demand) int {
		return cmp.Or(cmp.Compare(a.GPUs, b.GPUs), cmp.Compare(a.MilliCPU, b.MilliCPU), cmp.Compare(a.MemoryMiB, b.MemoryMiB),
			cmp.Compare(a.Models, b.Models))
	})
	return list
}

// Shrink keeps the given share of the machines of each kind, rounded up, the first ones by their order in the trace.
func (t *Trace) Shrink(share float64) *Trace {
	kind := func(m Machine) Machine {
		m.Name = ""
		return m
	}
	total, kept := map[Machine]int{}, map[Machine]int{}
	for _, m := range t.Machines {
		total[kind(m)]++
	}
	small := &Trace{Tasks: t.Tasks, Timed: t.Timed}
	for _, m := range t.Machines {
		if k := kind(m); float64(kept[k]) < share*float64(total[k]) {
			kept[k]++
			small.Machines = append(small.Machines, m)
		}
	}
	return small
}

// Allows reports whether the demand may be met by GPUs of the machine's model.
func (d Demand) Allows(m *Machine) bool {
	return d.Models == "" || slices.Contains(strings.Split(d.Models, "|"), m.Model)
}

// Node returns the machine as the API server would show it.
func (m *Machine) Node() *v1.Node {
	n := &v1.Node{ObjectMeta: metav1.ObjectMeta{Name: m.Name, UID: types.UID(m.Name), Labels: map[string]string{"kubernetes.io/hostname": m.Name}}}
	n.Status.Allocatable = amounts(m.MilliCPU, m.MemoryMiB, m.GPUs)
	n.Status.Allocatable[v1.ResourcePods] = *apires.NewQuantity(podsPerNode, apires.DecimalSI)
	n.Status.Capacity = n.Status.Allocatable
	if m.Model != "" {
		n.Labels[ModelLabel] = m.Model
	}
	return n
}

// Pod returns a pod of that demand as the API server would show it.
func (d Demand) Pod(name string, created time.Time) *v1.Pod {
	p := &v1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "trace", Name: name, UID: types.UID(name), CreationTimestamp: metav1.NewTime(created)}}
	p.Spec.SchedulerName = scheduler
	request := amounts(d.MilliCPU, d.MemoryMiB, d.GPUs)
	p.Spec.Containers = []v1.Container{{Name: "main", Resources: v1.ResourceRequirements{Requests: request, Limits: request}}}
	if d.Models != "" {
		p.Spec.Affinity = &v1.Affinity{NodeAffinity: &v1.NodeAffinity{RequiredDuringSchedulingIgnoredDuringExecution: &v1.NodeSelector{
			NodeSelectorTerms: []v1.NodeSelectorTerm{{MatchExpressions: []v1.NodeSelectorRequirement{{
				Key: ModelLabel, Operator: v1.NodeSelectorOpIn, Values: strings.Split(d.Models, "|"),
			}}}},
		}}}
	}
	return p
}

func amounts(milliCPU, memoryMiB, gpus int64) v1.ResourceList {
	list := v1.ResourceList{
		v1.ResourceCPU:    *apires.NewMilliQuantity(milliCPU, apires.DecimalSI),
		v1.ResourceMemory: *apires.NewQuantity(memoryMiB<<20, apires.BinarySI),
	}
	if gpus > 0 {
		list[GPU] = *apires.NewQuantity(gpus, apires.DecimalSI)
	}
	return list
}
