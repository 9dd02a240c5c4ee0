package flink

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"github.com/sluice-scheduler/sluice/pkg/app/flink/objects"
	"github.com/sluice-scheduler/sluice/pkg/app/flink/spec"
	"github.com/sluice-scheduler/sluice/pkg/sim/flink/jobmanager"
	"github.com/sluice-scheduler/sluice/pkg/sim/flink/rules"
)

// Job is a native Flink application on a World.
type Job struct {
	world *World
	cr    *unstructured.Unstructured
	// Hidden: the FlinkDeployment is not there to be read, as where there is no operator. What the job needs is then known from its ConfigMaps. Set it before the first Play.
	Hidden bool
	// ConfigAfter is how long after the JobManager's pod its ConfigMaps come.
	ConfigAfter time.Duration

	cluster  *spec.Cluster
	rules    jobmanager.Rules
	state    *jobmanager.State
	deployed *appsv1.Deployment   // nil while nothing is
	since    time.Duration        // when that was
	config   bool                 // its ConfigMaps are there
	told     string               // the state that the FlinkDeployment's status has
	master   string               // name of the JobManager's pod
	pods     map[string]time.Time // of the TaskManagers that exist, when each had its node; zero: not yet
	changed  bool
}

// resolve reads the manifest.
func (j *Job) resolve() (err error) {
	if j.cluster, err = spec.ResolveObject(j.cr); err != nil {
		return err
	}
	if j.cluster.Mode != spec.Native || j.cluster.Session {
		return fmt.Errorf("%s: only native applications are played here", j.cr.GetName())
	}
	j.rules, err = rules.Of(j.cluster, j.cr.GetAnnotations())
	return err
}

// State is the job's phase.
func (j *Job) State() jobmanager.Phase {
	if j.state == nil {
		return jobmanager.Starting
	}
	return j.state.Phase()
}

// Counts tells what went wrong so far.
func (j *Job) Counts() jobmanager.Counts {
	if j.state == nil {
		return jobmanager.Counts{}
	}
	return j.state.Counts()
}

// TaskManagers are the names of those that exist, and of those that have a node.
func (j *Job) TaskManagers() (exist, bound []string) {
	for _, name := range slices.Sorted(maps.Keys(j.pods)) {
		exist = append(exist, name)
		if p := j.pod(name); p != nil && p.Spec.NodeName != "" {
			bound = append(bound, name)
		}
	}
	return exist, bound
}

// JobManager is its pod; nil while there is none.
func (j *Job) JobManager() *v1.Pod { return j.pod(j.master) }

func (j *Job) pod(name string) *v1.Pod { return j.world.Pod(namespace, name) }

// KillJobManager deletes the JobManager's pod; its ReplicaSet makes another at once.
func (j *Job) KillJobManager() { j.world.DeletePod(namespace, j.master) }

// Kill deletes a TaskManager's pod.
func (j *Job) Kill(name string) { j.world.DeletePod(namespace, name) }

// Upgrade changes the manifest: the cluster is deleted, and deployed anew a moment later.
func (j *Job) Upgrade(change func(spec map[string]any)) error {
	body, _, _ := unstructured.NestedMap(j.cr.Object, "spec")
	change(body)
	j.cr = j.cr.DeepCopy()
	j.cr.Object["spec"] = body
	j.cr.SetGeneration(j.cr.GetGeneration() + 1)
	if err := j.remove(); err != nil {
		return err
	}
	j.since = j.world.Now() + j.world.RedeployAfter
	if !j.Hidden {
		j.world.SetGrouping(j.cr)
	}
	return j.resolve()
}

// remove deletes everything of the cluster but the FlinkDeployment. Pods end one after another, and the scheduler sees each of them end.
func (j *Job) remove() error {
	for _, m := range j.configMaps() {
		j.world.DeleteGrouping(m)
	}
	for _, name := range append(slices.Sorted(maps.Keys(j.pods)), j.master) {
		j.world.DeletePod(namespace, name)
		if err := j.world.Run(0); err != nil {
			return err
		}
	}
	j.deployed, j.state, j.master, j.pods, j.config, j.told = nil, nil, "", map[string]time.Time{}, false, ""
	return nil
}

// turn does what is due for the job now, and says when more is.
func (j *Job) turn() (next time.Duration, moved bool, err error) {
	j.changed = false
	if j.deployed == nil {
		if j.world.Now() < j.since {
			return j.since, false, nil
		}
		j.deploy()
	}
	j.keepMaster()
	next = earlier(j.furnish(), j.start())
	d := j.state.Decide(j.world.time(), j.seen(), j.rules)
	if d.Record != nil {
		j.state.Stored()
	}
	if len(d.LookUp) > 0 {
		return 0, false, fmt.Errorf("%v were made and not seen", d.LookUp)
	}
	for _, name := range d.Delete {
		j.world.DeletePod(namespace, name)
		delete(j.pods, name)
		j.changed = true
	}
	for _, r := range d.Create {
		p := objects.TaskManager(j.cluster, j.deployed, r.Attempt, r.Index)
		j.create(p)
		j.pods[p.Name] = time.Time{}
	}
	if d.Wake > 0 {
		next = earlier(next, j.world.Now()+d.Wake)
	}
	j.tell()
	return next, j.changed, nil
}

func (j *Job) create(p *v1.Pod) {
	if p.Spec.SchedulerName == "" {
		p.Spec.SchedulerName = "default-scheduler"
	}
	j.world.CreatePod(p)
	j.changed = true
}

// deploy makes the Deployment, by which everything is owned.
func (j *Job) deploy() {
	if !j.Hidden {
		j.world.SetGrouping(j.cr)
	}
	j.world.serial++
	j.deployed = objects.JobManager(j.cluster)
	j.deployed.UID = types.UID(fmt.Sprintf("deployment-%d", j.world.serial))
	j.since = j.world.Now()
	j.state = jobmanager.New(j.cluster.ID, func(attempt, index int) string { return objects.TaskManagerName(j.cluster.ID, attempt, index) }, nil)
	j.changed = true
}

// keepMaster is the Deployment's controller: there is one JobManager.
func (j *Job) keepMaster() {
	if j.pod(j.master) != nil {
		return
	}
	j.world.serial++
	yes := true
	t := j.deployed.Spec.Template
	p := &v1.Pod{ObjectMeta: *t.ObjectMeta.DeepCopy(), Spec: *t.Spec.DeepCopy()}
	p.Name, p.Namespace = fmt.Sprintf("%s-7d9f8c6b5-%d", j.cluster.ID, j.world.serial), namespace
	p.OwnerReferences = []metav1.OwnerReference{{
		APIVersion: "apps/v1", Kind: "ReplicaSet", Name: j.cluster.ID + "-7d9f8c6b5", UID: "rs-" + j.deployed.UID, Controller: &yes, BlockOwnerDeletion: &yes,
	}}
	j.master = p.Name
	j.create(p)
}

// furnish makes the ConfigMaps once it is time, and says when that is.
func (j *Job) furnish() time.Duration {
	at := j.since + j.ConfigAfter
	switch {
	case j.config:
		return -1
	case j.world.Now() < at:
		return at
	}
	for _, m := range j.configMaps() {
		j.world.SetGrouping(m)
	}
	j.config, j.changed = true, true
	return -1
}

func (j *Job) configMaps() (all []*v1.ConfigMap) {
	if j.deployed == nil {
		return nil
	}
	all, err := objects.ConfigMaps(j.cluster, j.deployed)
	if err != nil {
		return nil // its template was read from YAML
	}
	return all
}

// start lets pods run that have had their node for long enough, and says when the next has.
func (j *Job) start() (next time.Duration) {
	next = -1
	for _, name := range append(slices.Sorted(maps.Keys(j.pods)), j.master) {
		p := j.pod(name)
		if p == nil || p.Spec.NodeName == "" || p.Status.Phase == v1.PodRunning {
			continue
		}
		if p.Status.StartTime == nil {
			j.world.ChangePod(namespace, name, func(p *v1.Pod) { p.Status.StartTime = &metav1.Time{Time: j.world.time()} })
			j.changed = true
		}
		at := p.Status.StartTime.Sub(epoch) + j.world.StartAfter
		if j.world.Now() < at {
			next = earlier(next, at)
			continue
		}
		j.world.ChangePod(namespace, name, func(p *v1.Pod) {
			p.Status.Phase = v1.PodRunning
			p.Status.Conditions = append(p.Status.Conditions, v1.PodCondition{
				Type: v1.PodReady, Status: v1.ConditionTrue, LastTransitionTime: metav1.NewTime(j.world.time()),
			})
		})
		j.changed = true
	}
	return next
}

// seen is what the JobManager sees.
func (j *Job) seen() jobmanager.Seen {
	s := jobmanager.Seen{Wanted: int(j.cluster.TaskManagers)}
	if p := j.JobManager(); p != nil && p.Status.Phase == v1.PodRunning {
		s.Leader.Pod = string(p.UID)
	}
	for _, name := range slices.Sorted(maps.Keys(j.pods)) {
		p := j.pod(name)
		if p == nil {
			delete(j.pods, name)
			continue
		}
		attempt, index, _ := objects.ParseTaskManagerName(j.cluster.ID, name)
		s.Pods = append(s.Pods, jobmanager.Pod{
			Name: name, Attempt: attempt, Index: index, Scheduled: p.Spec.NodeName != "", Running: p.Status.Phase == v1.PodRunning,
		})
	}
	return s
}

// words are Flink's for the phases.
var words = map[jobmanager.Phase]string{
	jobmanager.Starting: "RECONCILING", jobmanager.Waiting: "CREATED", jobmanager.Running: "RUNNING", jobmanager.Restarting: "RESTARTING",
	jobmanager.Finished: "FINISHED", jobmanager.Failed: "FAILED",
}

// tell writes the FlinkDeployment's status when the job's state has changed.
func (j *Job) tell() {
	state := words[j.state.Phase()]
	if j.Hidden || state == j.told {
		return
	}
	j.told, j.changed = state, true
	j.cr = j.cr.DeepCopy()
	j.cr.Object["status"] = map[string]any{
		"observedGeneration": j.cr.GetGeneration(), "jobManagerDeploymentStatus": "DEPLOYED", "lifecycleState": strings.ToUpper(state),
		"jobStatus":   map[string]any{"state": state},
		"taskManager": map[string]any{"replicas": j.cluster.TaskManagers},
	}
	j.world.SetGrouping(j.cr)
}
