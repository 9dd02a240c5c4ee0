package gang

import (
	"fmt"
	"math"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	appsv1 "k8s.io/api/apps/v1"
	v1 "k8s.io/api/core/v1"

	"github.com/sluice-scheduler/sluice/pkg/app/flink/objects"
	"github.com/sluice-scheduler/sluice/pkg/app/flink/spec"
	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
)

// flinkGroup begins the IDs of the groups of Flink clusters, as package app has them.
const flinkGroup = "flink/"

// flinkDeployment is what a FlinkDeployment tells: what the operator will make of it, and what has become of it.
type flinkDeployment struct {
	reader *Reader
	spec   *spec.Deployment
	object cluster.ObjectRef
	meta   metav1.ObjectMeta // labels and annotations
	status flinkStatus
	// changing is the FlinkBlueGreenDeployment that it is one of two of; empty for none.
	changing string
	ending   bool // it is being deleted
}

// readFlinkDeployment reads a FlinkDeployment.
func readFlinkDeployment(r *Reader, o metav1.Object, into *Piece) {
	u, ok := o.(*unstructured.Unstructured)
	if !ok {
		return
	}
	d, err := spec.Decode(u)
	if err == nil {
		_, err = spec.Resolve(d)
	}
	if err != nil {
		into.tell(unread(u, err))
		return
	}
	d.Namespace = u.GetNamespace()
	into.part = &flinkDeployment{
		reader: r, spec: d, object: refer(u, flinkDeployments), meta: metav1.ObjectMeta{Labels: u.GetLabels(), Annotations: u.GetAnnotations()},
		status: readFlinkStatus(u), changing: blueGreen(u), ending: u.GetDeletionTimestamp() != nil,
	}
}

func (p *flinkDeployment) group() string          { return flinkGroup + p.spec.Name }
func (p *flinkDeployment) origin() cluster.Origin { return cluster.FromObject }

// mounts is the ConfigMap in which the operator puts the configuration with which it deploys the cluster, its own defaults and what its autoscaler overrides included.
func (p *flinkDeployment) mounts() Key {
	return Key{configMaps.Group, configMaps.Kind, p.object.Namespace, objects.ConfigMapName(p.spec.Name)}
}

// join makes the fact. What the spec does not say is as it was deployed, if that is known already.
func (p *flinkDeployment) join(all []part, mounted func(Key) spec.Config) *cluster.GroupFact {
	c, err := spec.ResolveOver(p.spec, mounted(p.mounts()))
	if err != nil {
		c, _ = spec.Resolve(p.spec)
	}
	d := &draft{fact: cluster.GroupFact{Namespace: p.object.Namespace, ID: p.group(), Origin: p.origin(), Object: p.object}, ending: p.ending}
	f := flink{reader: p.reader, cluster: c, draft: d}
	f.asked(all)
	f.roles(f.manager(), f.worker())
	f.say("FlinkDeployment " + c.ID)
	p.status.over(c, d)
	d.wishes(&p.meta)
	f.unpassed()
	d.fact.Warnings = append(d.fact.Warnings, p.status.crossCheck(c)...)
	f.changes(p.changing)
	return d.finish(p.reader)
}

// unread is what is told of a FlinkDeployment that cannot be read. It is the least of all that may be told of the group: what runs was made of an earlier
// generation, which the cluster's ConfigMap still tells of.
func unread(u *unstructured.Unstructured, err error) *cluster.GroupFact {
	f := &cluster.GroupFact{
		Namespace: u.GetNamespace(), ID: flinkGroup + u.GetName(), Origin: cluster.FromControllers, Object: refer(u, flinkDeployments), Min: 1,
		Source: "FlinkDeployment " + u.GetName() + ", which cannot be read",
	}
	for _, line := range strings.Split(err.Error(), "\n") {
		f.Warnings = append(f.Warnings, "it cannot be read, so its pods start one by one: "+line)
	}
	return f
}

// flink makes up the fact of a Flink cluster.
type flink struct {
	reader  *Reader
	cluster *spec.Cluster
	draft   *draft
	// jobs are how many are known to be in a session cluster, slots how many they ask for.
	jobs, slots int
}

// manager is a JobManager as the operator makes it.
func (f *flink) manager() *member {
	return f.reader.member(f.cluster.Namespace, &objects.JobManager(f.cluster).Spec.Template, nil)
}

// worker is a TaskManager as the JobManager or the operator makes it.
func (f *flink) worker() *member {
	if f.cluster.Mode == spec.Standalone {
		return f.reader.member(f.cluster.Namespace, &objects.StandaloneTaskManagers(f.cluster).Spec.Template, nil)
	}
	pod := objects.TaskManager(f.cluster, &appsv1.Deployment{}, 1, 1)
	return f.reader.member(f.cluster.Namespace, &v1.PodTemplateSpec{ObjectMeta: pod.ObjectMeta, Spec: pod.Spec}, nil)
}

// roles says how many of each role there are, and how many the job cannot do without.
func (f *flink) roles(manager, worker *member) {
	c, native := f.cluster, f.cluster.Mode == spec.Native
	least, count := f.workers()
	f.draft.exact = !native
	f.draft.add(role{name: spec.ComponentJobManager, member: manager, min: 1, count: int(c.JobManagers), first: native})
	f.draft.add(role{name: spec.ComponentTaskManager, member: worker, min: least, count: count})
	f.draft.fact.Soft = native && !c.Session
	f.draft.fact.Together = c.Adaptive()
	f.clock()
}

// workers is how many TaskManagers the job cannot do without, and how many there are to be.
func (f *flink) workers() (least, count int) {
	c := f.cluster
	count = int(c.TaskManagers)
	least = count
	switch {
	case c.Session && c.Mode == spec.Standalone:
		least = 0
	case c.Adaptive() || c.Batch():
		least = min(1, count)
	}
	if c.Mode == spec.Standalone {
		return least, count
	}
	least, count = max(least, f.total()), max(count, f.total(), int(c.TaskManagersFor(int64(f.slots))))
	count += f.number("slotmanager.redundant-taskmanager-num")
	if slots := f.number("slotmanager.number-of-slots.max"); slots > 0 {
		return f.capped(least, count, max(1, slots/int(c.Slots)))
	}
	return least, count
}

// total is how many TaskManagers make up the resources that a cluster is to have before any job (slotmanager.min-total-resource).
func (f *flink) total() int {
	c := f.cluster
	cores, err := c.Config.Float(0, "slotmanager.min-total-resource.cpu")
	if err != nil || c.TaskManager.CPU <= 0 {
		cores = 0
	}
	memory, err := c.Config.Bytes(0, "slotmanager.min-total-resource.memory")
	if err != nil || c.Memory.Process <= 0 {
		memory = 0
	}
	n := 0
	if cores > 0 {
		n = int(min(math.Ceil(cores/c.TaskManager.CPU), spec.MaxParallelism))
	}
	if memory > 0 {
		n = max(n, int(min((memory+c.Memory.Process-1)/c.Memory.Process, spec.MaxParallelism)))
	}
	return n
}

// capped keeps to slotmanager.number-of-slots.max. A job that needs more slots at once can never start.
func (f *flink) capped(least, count, most int) (int, int) {
	if least > most {
		f.draft.fact.Warnings = append(f.draft.fact.Warnings, fmt.Sprintf(
			"slotmanager.number-of-slots.max allows %s and the job needs %d, so it can never start: raise it, or lower the parallelism", plural(most, "TaskManager"), least))
		return least, count
	}
	return least, min(count, most)
}

// number reads a number of slots or TaskManagers; 0 if there is none that makes sense.
func (f *flink) number(key string) int {
	n, err := f.cluster.Config.Int(0, key)
	if err != nil {
		return 0
	}
	return int(min(max(n, 0), spec.MaxParallelism))
}

// clock says how long the job waits for its slots, by which setting, and what it does then.
func (f *flink) clock() {
	fact := &f.draft.fact
	fact.Patience = f.patience()
	switch {
	case fact.Patience == 0:
	case f.cluster.Adaptive():
		fact.Clock, fact.Ends = "resource-wait-timeout", "Flink will fail the job for want of slots"
	default:
		fact.Clock, fact.Ends = "slot.request.timeout", "Flink will fail this slot request"
	}
}

// patience is how long the job waits for its slots before it fails. Standalone clusters do not wait, but with the adaptive scheduler.
func (f *flink) patience() time.Duration {
	c := f.cluster
	keys := []string{"slot.request.timeout"}
	switch {
	case f.cluster.Reactive(): // waits for ever
		return 0
	case f.cluster.Adaptive():
		keys = []string{"jobmanager.adaptive-scheduler.submission.resource-wait-timeout", "jobmanager.adaptive-scheduler.resource-wait-timeout"}
	case c.Mode == spec.Standalone:
		return 0
	}
	for _, key := range keys {
		if _, ok := c.Config[key]; !ok {
			continue
		}
		if d, err := c.Config.Duration(0, key); err == nil {
			return d
		}
		f.draft.fact.Warnings = append(f.draft.fact.Warnings, fmt.Sprintf("flinkConfiguration %s is not a duration; Flink's default of 5 min is taken", key))
	}
	return 5 * time.Minute
}

// say puts into words how the numbers came about.
func (f *flink) say(what string) {
	c := f.cluster
	workers := fmt.Sprintf("parallelism %d / %s = %s", c.Parallelism, plural(int(c.Slots), "slot"), plural(int(c.TaskManagers), "TaskManager"))
	switch {
	case c.Session && c.Mode == spec.Native && max(int(c.TaskManagers), f.total()) > 0:
		workers = "session that is to have " + plural(max(int(c.TaskManagers), f.total()), "TaskManager") + " before any job"
	case c.Session:
		workers = "session"
	case c.Mode == spec.Standalone:
		workers = "standalone, " + plural(int(c.TaskManagers), "TaskManager")
	}
	switch {
	case f.jobs > 0:
		workers += fmt.Sprintf(", %s asking for %s", plural(f.jobs, "job"), plural(f.slots, "slot"))
	case c.Session:
	case f.cluster.Reactive():
		workers += ", reactive: runs with 1"
	case f.cluster.Adaptive():
		workers += ", adaptive: runs with 1"
	case f.cluster.Batch():
		workers += ", batch: runs with 1"
	}
	if c.JobManagers > 1 {
		workers += fmt.Sprintf("; %d JobManagers, of which 1 leads", c.JobManagers)
	}
	f.draft.fact.Source = what + ": " + workers
}

// unpassed warns of devices that are asked for in the way of native clusters, which standalone ones do not pass on.
func (f *flink) unpassed() {
	for _, e := range f.cluster.TaskManager.External {
		if e.Key != "" && f.cluster.Mode == spec.Standalone {
			f.draft.fact.Warnings = append(f.draft.fact.Warnings, fmt.Sprintf(
				"external-resources are not passed on in standalone mode, so TaskManagers get no %s; ask for it in taskManager.resources", e.Key))
		}
	}
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
