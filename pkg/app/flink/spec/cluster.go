package spec

import (
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
)

// Mode says who makes the TaskManagers.
type Mode string

// Native: the running JobManager creates TaskManager pods. Standalone: the operator creates a Deployment of them at once.
const (
	Native     Mode = "native"
	Standalone Mode = "standalone"
)

// Labels that identify every object of a Flink cluster.
const (
	LabelApp       = "app"
	LabelComponent = "component"
	LabelType      = "type"

	ComponentJobManager  = "jobmanager"
	ComponentTaskManager = "taskmanager"

	TypeNative     = "flink-native-kubernetes"
	TypeStandalone = "flink-standalone-kubernetes"
)

// MaxParallelism is the largest parallelism that Flink accepts.
const MaxParallelism = 1 << 15

// MaxClusterID is the longest name that Flink accepts for a cluster: its pods' names append to it.
const MaxClusterID = 45

// Cluster is everything that follows from one FlinkDeployment.
type Cluster struct {
	ID         string // the FlinkDeployment's name, and the Deployment's
	Namespace  string
	UID        types.UID // of the FlinkDeployment
	Generation int64

	Mode      Mode
	Session   bool // no job of its own: JobManager alone until a FlinkSessionJob comes
	Suspended bool // spec.job.state: suspended, nothing may run
	Version   string
	Image     string
	Job       *JobSpec

	Slots        int64 // per TaskManager
	Parallelism  int64 // of the job; 0 in a session
	JobManagers  int64
	TaskManagers int64 // what the job needs; in a session only slotmanager.number-of-slots.min asks for any

	JobManager  Role
	TaskManager Role
	Memory      Layout // of each TaskManager

	Config   Config            // what flink-config-<id> holds
	LogFiles map[string]string // log4j-console.properties and logback-console.xml of flink-config-<id>
}

// Role is the shape of a JobManager or TaskManager pod: its size, its template and what Flink's options add.
type Role struct {
	Requests, Limits corev1.ResourceList // of the main container: cpu, memory, external resources
	CPU              float64             // cores, as Flink writes them
	Template         *corev1.Pod         // merged from common and role template; nil when the manifest has none
	Labels           map[string]string
	Annotations      map[string]string
	NodeSelector     map[string]string
	Tolerations      []corev1.Toleration
	Env              []corev1.EnvVar
	ServiceAccount   string
	External         []External // devices, TaskManagers only
}

// External is a device that Flink asks of Kubernetes ("external-resources").
type External struct {
	Name   string // Flink's name, such as gpu
	Key    string // the Kubernetes resource, such as nvidia.com/gpu; empty when Flink asks Kubernetes for nothing
	Amount int64  // per TaskManager
}

// Reactive reports whether the job uses every TaskManager that there is, and restarts whenever that changes.
func (c *Cluster) Reactive() bool {
	return c.Mode == Standalone && !c.Session && strings.EqualFold(c.Config["scheduler-mode"], "reactive")
}

// Adaptive reports whether the job runs with what it gets, and restarts to use more; a reactive one does, too.
func (c *Cluster) Adaptive() bool {
	return !c.Session && !c.Batch() && (c.Reactive() || strings.EqualFold(c.Config["jobmanager.scheduler"], "adaptive"))
}

// Batch reports whether the job is configured to be one that hands its tasks, stage by stage, to however many TaskManagers there are. One that says so in its code only
// is taken for a streaming job.
func (c *Cluster) Batch() bool {
	return !c.Session && (strings.EqualFold(c.Config["execution.runtime-mode"], "batch") || strings.EqualFold(c.Config["jobmanager.scheduler"], "adaptivebatch"))
}

// Type is the value of the label "type" on all objects of the cluster.
func (c *Cluster) Type() string {
	if c.Mode == Standalone {
		return TypeStandalone
	}
	return TypeNative
}

// Labels are the labels common to all objects of the cluster; component is omitted when empty.
func (c *Cluster) Labels(component string) map[string]string {
	l := map[string]string{LabelApp: c.ID, LabelType: c.Type()}
	if component != "" {
		l[LabelComponent] = component
	}
	return l
}

// TaskManagersFor is the number of TaskManagers that offer this many slots.
func (c *Cluster) TaskManagersFor(slots int64) int64 {
	return ceilDiv(slots, c.Slots)
}

func ceilDiv(a, b int64) int64 {
	return (a + b - 1) / b
}
