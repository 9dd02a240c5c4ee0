package gang

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/sluice-scheduler/sluice/pkg/app"
	"github.com/sluice-scheduler/sluice/pkg/app/flink/spec"
)

// spark is what a Spark application is submitted with: its properties, as spark-submit knows them.
type spark struct {
	properties map[string]string
	// jvm is false for Python and R, whose processes need more beside the heap.
	jvm    bool
	faults []string
}

func (s *spark) get(keys ...string) string {
	for _, key := range keys {
		if v := strings.TrimSpace(s.properties[key]); v != "" {
			return v
		}
	}
	return ""
}

func (s *spark) fault(key, value, want string) {
	s.faults = append(s.faults, fmt.Sprintf("%s: %q is %s", key, short(value), want))
}

func (s *spark) int(key string, unset int) int {
	text := s.get(key)
	if text == "" {
		return unset
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 || n > most {
		s.fault(key, text, "not a number of pods")
		return unset
	}
	return n
}

func (s *spark) fraction(key string, unset float64) float64 {
	text := s.get(key)
	if text == "" {
		return unset
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil || !(f >= 0 && f < 100) {
		s.fault(key, text, "not a fraction")
		return unset
	}
	return f
}

// memory reads a size in MiB: Spark's units are binary, and none means MiB.
func (s *spark) memory(key string, unset int64) int64 {
	text := s.get(key)
	if text == "" {
		return unset
	}
	if _, err := strconv.Atoi(text); err == nil {
		text += "m"
	}
	n, err := spec.ParseMemorySize(text)
	if err != nil {
		s.fault(key, text, `not a size; write for example "4g"`)
		return unset
	}
	return (n + spec.Mebi - 1) / spec.Mebi
}

// executors is with how many executors the application begins, of which it waits for a part before it starts its first tasks
// (spark.scheduler.minRegisteredResourcesRatio, 0.8 on Kubernetes). One that allocates dynamically runs with its least number.
func (s *spark) executors() (least, count int, how string) {
	if s.get("spark.dynamicAllocation.enabled") == "true" {
		lowest := s.int("spark.dynamicAllocation.minExecutors", 0)
		count = max(lowest, s.int("spark.dynamicAllocation.initialExecutors", 0), s.int("spark.executor.instances", 0))
		least = max(1, lowest)
		return min(least, max(count, least)), max(count, least), "dynamic, runs with " + plural(least, "executor")
	}
	count = s.int("spark.executor.instances", 2)
	ratio := min(1, s.fraction("spark.scheduler.minRegisteredResourcesRatio", 0.8))
	least = int(math.Ceil(float64(count)*ratio - 1e-9))
	if least == count {
		return least, count, "all at once"
	}
	return least, count, fmt.Sprintf("begins when there are %d", least)
}

// size is what the main container of a driver or an executor asks for.
func (s *spark) size(role string) (requests, limits v1.ResourceList) {
	requests, limits = v1.ResourceList{}, v1.ResourceList{}
	cores := s.get("spark.kubernetes."+role+".request.cores", "spark."+role+".cores")
	if cores == "" {
		cores = "1"
	}
	s.quantity(requests, v1.ResourceCPU, "spark."+role+".cores", cores)
	if limit := s.get("spark.kubernetes." + role + ".limit.cores"); limit != "" {
		s.quantity(limits, v1.ResourceCPU, "spark.kubernetes."+role+".limit.cores", limit)
	}
	memory := *resource.NewQuantity(s.mebibytes(role)*spec.Mebi, resource.BinarySI)
	requests[v1.ResourceMemory], limits[v1.ResourceMemory] = memory, memory
	s.devices(role, limits)
	return requests, limits
}

func (s *spark) quantity(list v1.ResourceList, name v1.ResourceName, key, text string) {
	q, err := resource.ParseQuantity(text)
	if err != nil || q.Sign() < 0 {
		s.fault(key, text, "not a quantity")
		return
	}
	list[name] = q
}

// mebibytes is the memory of a pod: heap, what the process needs beside it, and for executors what lies outside the heap.
func (s *spark) mebibytes(role string) int64 {
	heap := s.memory("spark."+role+".memory", 1024)
	factor := 0.1
	if !s.jvm {
		factor = 0.4
	}
	factor = s.fraction("spark.kubernetes.memoryOverheadFactor", factor)
	factor = s.fraction("spark."+role+".memoryOverheadFactor", factor)
	least := s.memory("spark."+role+".minMemoryOverhead", 384)
	all := heap + s.memory("spark."+role+".memoryOverhead", max(least, int64(float64(heap)*factor)))
	if role != app.Executor {
		return all
	}
	if s.get("spark.memory.offHeap.enabled") == "true" {
		all += (s.bytes("spark.memory.offHeap.size") + spec.Mebi - 1) / spec.Mebi
	}
	if !s.jvm {
		all += s.memory("spark.executor.pyspark.memory", 0)
	}
	return all
}

// bytes reads a size whose unit is bytes if there is none.
func (s *spark) bytes(key string) int64 {
	text := s.get(key)
	n, err := spec.ParseMemorySize(text)
	if err != nil && text != "" {
		s.fault(key, text, `not a size; write for example "4g"`)
	}
	return n
}

// devices are what spark.executor.resource.gpu.{amount,vendor} asks of Kubernetes: nvidia.com/gpu.
func (s *spark) devices(role string, limits v1.ResourceList) {
	prefix := "spark." + role + ".resource."
	for key, vendor := range s.properties {
		name, ok := strings.CutSuffix(strings.TrimPrefix(key, prefix), ".vendor")
		if !ok || !strings.HasPrefix(key, prefix) || name == "" || vendor == "" {
			continue
		}
		if amount := s.get(prefix + name + ".amount"); amount != "" {
			s.quantity(limits, v1.ResourceName(vendor+"/"+name), prefix+name+".amount", amount)
		}
	}
}

// pod is a driver or an executor over a template, as Spark makes it.
func (s *spark) pod(role string, base *v1.PodTemplateSpec) *v1.PodTemplateSpec {
	t := base.DeepCopy()
	requests, limits := s.size(role)
	main := mainOf(&t.Spec, s.get("spark.kubernetes."+role+".podTemplateContainerName"))
	main.Resources.Requests = overlaid(main.Resources.Requests, requests)
	main.Resources.Limits = overlaid(main.Resources.Limits, limits)
	t.Labels = overlaid(t.Labels, s.entries("spark.kubernetes."+role+".label."), map[string]string{"spark-role": role})
	t.Annotations = overlaid(t.Annotations, s.entries("spark.kubernetes."+role+".annotation."))
	t.Spec.NodeSelector = overlaid(t.Spec.NodeSelector, s.entries("spark.kubernetes.node.selector."), s.entries("spark.kubernetes."+role+".node.selector."))
	if name := s.get("spark.kubernetes."+role+".scheduler.name", "spark.kubernetes.scheduler.name"); name != "" {
		t.Spec.SchedulerName = name
	}
	return t
}

// entries are the properties below a prefix.
func (s *spark) entries(prefix string) map[string]string {
	out := map[string]string{}
	for key, value := range s.properties {
		if name, ok := strings.CutPrefix(key, prefix); ok && name != "" {
			out[name] = value
		}
	}
	return out
}

// mainOf is the container that Spark completes: the one of that name, else the first, else a new one.
func mainOf(p *v1.PodSpec, name string) *v1.Container {
	for i := range p.Containers {
		if p.Containers[i].Name == name {
			return &p.Containers[i]
		}
	}
	if len(p.Containers) == 0 {
		p.Containers = []v1.Container{{Name: "spark-kubernetes"}}
	}
	return &p.Containers[0]
}

// overlaid joins mappings, later ones winning; no entries give nil.
func overlaid[M ~map[K]V, K comparable, V any](all ...M) M {
	var out M
	for _, m := range all {
		for k, v := range m {
			if out == nil {
				out = M{}
			}
			out[k] = v
		}
	}
	return out
}

func short(s string) string {
	if len(s) > 40 {
		return strings.ToValidUTF8(s[:40], "") + "…"
	}
	return s
}
