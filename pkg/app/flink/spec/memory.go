package spec

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/api/resource"
)

// Mebi is the number of bytes in one MiB, the grain in which Flink asks Kubernetes for memory.
const Mebi = int64(1) << 20

// maxMemory bounds every size (1 PiB), so that sums of sizes cannot overflow.
const maxMemory = int64(1) << 50

var memoryUnits = map[string]int64{
	"": 1, "b": 1, "bytes": 1,
	"k": 1 << 10, "kb": 1 << 10, "kibibytes": 1 << 10,
	"m": 1 << 20, "mb": 1 << 20, "mebibytes": 1 << 20,
	"g": 1 << 30, "gb": 1 << 30, "gibibytes": 1 << 30,
	"t": 1 << 40, "tb": 1 << 40, "tebibytes": 1 << 40,
}

// ParseMemorySize reads Flink's own memory syntax and returns bytes. All units are binary and their case is free:
// "2048m", "2048 MB" and "2g" are the same size. It knows neither fractions nor the Kubernetes suffixes Mi and Gi.
func ParseMemorySize(text string) (int64, error) {
	trimmed := strings.TrimSpace(text)
	cut := strings.IndexFunc(trimmed, func(r rune) bool { return r < '0' || r > '9' })
	if cut < 0 {
		cut = len(trimmed)
	}
	if cut == 0 {
		return 0, fmt.Errorf(`%q is not a memory size; write for example "2048m" or "2g"`, shorten(text))
	}
	unit, ok := memoryUnits[strings.ToLower(strings.TrimSpace(trimmed[cut:]))]
	if !ok {
		return 0, fmt.Errorf("%q has an unknown memory unit; use b, k, m, g or t", shorten(text))
	}
	n, err := strconv.ParseInt(trimmed[:cut], 10, 64)
	if err != nil || n > maxMemory/unit {
		return 0, fmt.Errorf("%q is larger than any memory", shorten(text))
	}
	return n * unit, nil
}

// FormatMemory writes a size as Flink does: in the largest unit that divides it, "2 gb" or "1536 mb".
func FormatMemory(bytes int64) string {
	for _, u := range []struct {
		name string
		size int64
	}{{"tb", 1 << 40}, {"gb", 1 << 30}, {"mb", 1 << 20}, {"kb", 1 << 10}} {
		if bytes > 0 && bytes%u.size == 0 {
			return strconv.FormatInt(bytes/u.size, 10) + " " + u.name
		}
	}
	return strconv.FormatInt(bytes, 10) + " bytes"
}

// ParseMemory reads the memory of a FlinkDeployment's resources in bytes, as the operator does: Flink's syntax first,
// a Kubernetes quantity only when that fails. So "2048m" is 2048 MiB (not 2.048 bytes) and "1G" is 1 GiB, while
// "2Gi" and "1.5G" are read as quantities.
func ParseMemory(text string) (int64, error) {
	if n, err := ParseMemorySize(text); err == nil {
		return positive(n, text)
	}
	q := strings.ToUpper(strings.Join(strings.Fields(text), ""))
	q = strings.TrimSuffix(q, "B")
	if s, ok := strings.CutSuffix(q, "I"); ok {
		q = s + "i"
	}
	if s, ok := strings.CutSuffix(q, "K"); ok {
		q = s + "k"
	}
	parsed, err := resource.ParseQuantity(q)
	if err != nil || parsed.Cmp(*resource.NewQuantity(maxMemory, resource.BinarySI)) > 0 {
		return 0, fmt.Errorf(`%q is neither a Flink memory size ("2048m") nor a Kubernetes quantity ("2Gi")`, shorten(text))
	}
	return positive(parsed.Value(), text)
}

func positive(n int64, text string) (int64, error) {
	if n <= 0 {
		return 0, fmt.Errorf("%q is not more than zero", shorten(text))
	}
	return n, nil
}

// Layout is how a TaskManager divides its process memory, all in bytes. Flink passes it to the process as arguments
// and JVM options; nothing in Kubernetes depends on the parts, only on Process.
type Layout struct {
	Process, Metaspace, Overhead                 int64
	FrameworkHeap, FrameworkOffHeap, TaskOffHeap int64
	TaskHeap, Managed, Network                   int64
}

// portion is a part of memory sized as a fraction of a whole, kept within bounds.
type portion struct {
	fraction float64
	min, max int64
}

func (p portion) of(whole int64) int64 {
	return max(p.min, min(p.max, int64(float64(whole)*p.fraction)))
}

// TaskManagerLayout divides a TaskManager's memory after Flink's memory model. It fails when the fixed parts do not
// leave room, as Flink's client does before anything is deployed.
func TaskManagerLayout(c Config) (Layout, error) {
	r := reader{c: c}
	l := Layout{
		Metaspace:        r.bytes(256*Mebi, "taskmanager.memory.jvm-metaspace.size"),
		FrameworkHeap:    r.bytes(128*Mebi, "taskmanager.memory.framework.heap.size"),
		FrameworkOffHeap: r.bytes(128*Mebi, "taskmanager.memory.framework.off-heap.size"),
		TaskOffHeap:      r.bytes(0, "taskmanager.memory.task.off-heap.size"),
	}
	overhead := r.portion("taskmanager.memory.jvm-overhead", 0.1, 192*Mebi, 1024*Mebi)
	network := r.portion("taskmanager.memory.network", 0.1, 64*Mebi, math.MaxInt64)
	managed := r.fraction(0.4, "taskmanager.memory.managed.fraction")
	total := r.process("taskmanager", 1728*Mebi, l.Metaspace, overhead)
	if r.err != nil {
		return Layout{}, r.err
	}
	l.Process, l.Overhead = total, overhead.of(total)
	flink := total - l.Metaspace - l.Overhead
	l.Managed = r.bytes(int64(float64(max(flink, 0))*managed), "taskmanager.memory.managed.size")
	l.Network = network.of(max(flink, 0))
	rest := flink - l.FrameworkHeap - l.FrameworkOffHeap - l.TaskOffHeap - l.Managed - l.Network
	l.TaskHeap = r.bytes(rest, "taskmanager.memory.task.heap.size")
	if r.err == nil && (rest < 0 || l.TaskHeap > rest) {
		missing := max(l.TaskHeap, 0) - rest
		r.err = fmt.Errorf("TaskManager memory of %d MiB is too small for its parts: %d MiB are missing; raise taskManager.resources.requests.memory or lower taskmanager.memory.*",
			total/Mebi, (missing+Mebi-1)/Mebi)
	}
	return l, r.err
}

// JobManagerMemory returns the process memory of a JobManager in bytes.
func JobManagerMemory(c Config) (int64, error) {
	r := reader{c: c}
	metaspace := r.bytes(256*Mebi, "jobmanager.memory.jvm-metaspace.size")
	overhead := r.portion("jobmanager.memory.jvm-overhead", 0.1, 192*Mebi, 1024*Mebi)
	total := r.process("jobmanager", 1600*Mebi, metaspace, overhead)
	return total, r.err
}

// reader reads several options and keeps the first fault, so that the arithmetic above reads without checks.
type reader struct {
	c   Config
	err error
}

func (r *reader) bytes(unset int64, key string) int64 {
	n, err := r.c.Bytes(unset, key)
	r.err = errors.Join(r.err, err)
	return n
}

func (r *reader) fraction(unset float64, key string) float64 {
	f, err := r.c.Float(unset, key)
	if err == nil && f >= 1 {
		err = fmt.Errorf("flinkConfiguration %q: %v is not a fraction below 1", key, f)
	}
	r.err = errors.Join(r.err, err)
	return f
}

func (r *reader) portion(prefix string, fraction float64, least, most int64) portion {
	return portion{
		fraction: r.fraction(fraction, prefix+".fraction"),
		min:      r.bytes(least, prefix+".min"),
		max:      r.bytes(most, prefix+".max"),
	}
}

// process finds the total: given as process size, or built up from the Flink size, or the default of Flink's image.
func (r *reader) process(role string, unset, metaspace int64, overhead portion) int64 {
	if _, ok := r.c[role+".memory.process.size"]; ok {
		return r.bytes(0, role+".memory.process.size")
	}
	if _, ok := r.c[role+".memory.flink.size"]; !ok {
		return unset
	}
	inner := r.bytes(0, role+".memory.flink.size")
	if r.err != nil {
		return 0
	}
	inner += metaspace
	scaled := portion{fraction: overhead.fraction / (1 - overhead.fraction), min: overhead.min, max: overhead.max}
	return inner + scaled.of(inner)
}
