package flink

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"github.com/sluice-scheduler/sluice/pkg/app/flink/spec"
	"github.com/sluice-scheduler/sluice/pkg/sim/flink/jobmanager"
)

// publish tells users how far the cluster is: the FlinkDeployment's status for kubectl, the picture for Go callers.
// c is nil while no valid manifest is known; owner is nil while nothing is deployed.
func (s *Simulator) publish(ctx context.Context, cr *unstructured.Unstructured, j *job, c *spec.Cluster, owner *appsv1.Deployment) error {
	picture := Job{Namespace: cr.GetNamespace(), Name: cr.GetName(), Error: j.trouble}
	if c != nil {
		s.count(c, j, &picture, owner)
	}
	picture.Steps = j.steps
	s.tell(types.NamespacedName{Namespace: picture.Namespace, Name: picture.Name}, j, picture)
	for _, sj := range s.sessionJobsOf(picture.Namespace, picture.Name) {
		s.add(kindSessionJob, sj.Namespace, sj.Name)
	}
	return s.patchStatus(ctx, kindDeployment, cr, deploymentStatus(cr, c, owner, picture))
}

// count fills the picture from the pods and notes the steps that were reached. Pods of an earlier cluster of the name,
// on their way out during an upgrade, do not count.
func (s *Simulator) count(c *spec.Cluster, j *job, p *Job, owner *appsv1.Deployment) {
	var masters, workers []*corev1.Pod
	if owner != nil {
		masters, workers = s.podsOf(c, spec.ComponentJobManager), s.podsOf(c, spec.ComponentTaskManager)
	}
	if c.Mode == spec.Native {
		workers = slices.DeleteFunc(workers, func(p *corev1.Pod) bool { return !ownedByUID(p, owner.UID) })
	}
	p.JobManagers, p.TaskManagers = tally(masters), tally(workers)
	if !c.Suspended {
		p.JobManagers.Wanted, p.TaskManagers.Wanted = int(c.JobManagers), int(c.TaskManagers)
	}
	if j.outcome != "" {
		p.TaskManagers.Wanted = 0
	}
	if j.state != nil {
		n := j.state.Counts()
		p.Attempt, p.Restarts, p.SlotTimeouts, p.Rescales, p.Unregistered = j.state.Attempt(), n.Restarts, n.SlotTimeouts, n.Rescales, n.Unregistered
		p.Deadline = j.deadline
	}
	p.State = state(c, j, p, owner)
	s.steps(&j.steps, p, masters, workers)
}

func tally(pods []*corev1.Pod) Count {
	n := Count{}
	for _, p := range pods {
		if p.DeletionTimestamp != nil || terminated(p) {
			continue
		}
		n.Created++
		if bound(p) {
			n.Bound++
		}
		if ready(p) {
			n.Running++
		}
	}
	return n
}

func (s *Simulator) steps(t *Steps, p *Job, masters, workers []*corev1.Pod) {
	if len(masters) > 0 {
		t.reach(&t.JobManagerCreated, s.when(masters[0].CreationTimestamp.Time))
	}
	if p.JobManagers.Bound > 0 {
		t.reach(&t.JobManagerBound, s.when(latest(masters, corev1.PodScheduled)))
	}
	if p.JobManagers.Running > 0 {
		t.reach(&t.JobManagerRunning, s.when(latest(masters, corev1.PodReady)))
	}
	if len(workers) > 0 {
		t.reach(&t.FirstTaskManagerCreated, s.when(workers[0].CreationTimestamp.Time))
	}
	if wanted := p.TaskManagers.Wanted; wanted > 0 && p.TaskManagers.Bound >= wanted {
		t.reach(&t.AllTaskManagersBound, s.when(latest(workers, corev1.PodScheduled)))
	}
	if p.Done() && p.TaskManagers.Wanted > 0 {
		t.reach(&t.AllRunning, s.when(latest(workers, corev1.PodReady)))
	}
}

// latest is when the last of the pods came to a condition; zero if one of them says no time.
func latest(pods []*corev1.Pod, kind corev1.PodConditionType) (last time.Time) {
	for _, p := range pods {
		for _, c := range p.Status.Conditions {
			if c.Type == kind && c.LastTransitionTime.After(last) {
				last = c.LastTransitionTime.Time
			}
		}
	}
	return last
}

// state is the job's status in Flink's words. CREATED means that too few TaskManagers run. A job that has ended keeps its word when its JobManager is gone.
func state(c *spec.Cluster, j *job, p *Job, owner *appsv1.Deployment) string {
	phase := cmp.Or(j.outcome, jobmanager.Starting)
	if j.outcome == "" && j.state != nil {
		phase = j.state.Phase()
	}
	switch {
	case c.Suspended:
		return "SUSPENDED"
	case phase == jobmanager.Finished:
		return "FINISHED"
	case phase == jobmanager.Failed:
		return "FAILED"
	case owner == nil || p.JobManagers.Running == 0 || phase == jobmanager.Starting:
		return "RECONCILING"
	case phase == jobmanager.Restarting:
		return "RESTARTING"
	case phase == jobmanager.Running:
		return "RUNNING"
	default:
		return "CREATED"
	}
}

// deploymentStatus is the status as the operator would write it. nil removes a field.
func deploymentStatus(cr *unstructured.Unstructured, c *spec.Cluster, owner *appsv1.Deployment, p Job) map[string]any {
	status := map[string]any{
		"observedGeneration":         cr.GetGeneration(),
		"error":                      orNil(p.Error),
		"jobManagerDeploymentStatus": managerStatus(owner, p),
		"lifecycleState":             lifecycle(c, owner, p),
	}
	if c == nil {
		return status
	}
	status["taskManager"] = map[string]any{
		"replicas":      int64(p.TaskManagers.Wanted),
		"labelSelector": fmt.Sprintf("component=%s,app=%s", spec.ComponentTaskManager, c.ID),
	}
	status["clusterInfo"] = map[string]any{"flink-version": c.Version}
	if owner != nil {
		status["reconciliationStatus"] = map[string]any{"state": "DEPLOYED"}
	}
	if !c.Session {
		status["jobStatus"] = map[string]any{
			"jobId": spec.JobID(string(cr.GetUID())), "jobName": c.Config["pipeline.name"], "state": p.State,
		}
	}
	return status
}

func managerStatus(owner *appsv1.Deployment, p Job) string {
	switch {
	case owner == nil:
		return "MISSING"
	case p.JobManagers.Running > 0:
		return "READY"
	default:
		return "DEPLOYING"
	}
}

func lifecycle(c *spec.Cluster, owner *appsv1.Deployment, p Job) string {
	switch {
	case c == nil || p.State == "FAILED":
		return "FAILED"
	case c.Suspended:
		return "SUSPENDED"
	case p.State == "RUNNING" || p.State == "FINISHED":
		return "STABLE"
	case owner == nil && !p.Steps.JobManagerCreated.IsZero():
		return "UPGRADING"
	case owner == nil:
		return "CREATED"
	default:
		return "DEPLOYED"
	}
}

func orNil(text string) any {
	if text == "" {
		return nil
	}
	return text
}

// patchStatus writes the fields that differ from what the object has. An object deleted meanwhile is no fault.
func (s *Simulator) patchStatus(ctx context.Context, k kind, cr *unstructured.Unstructured, want map[string]any) error {
	is, _, _ := unstructured.NestedMap(cr.Object, "status")
	if !differs(is, want) {
		return nil
	}
	data, err := json.Marshal(map[string]any{"status": want})
	if err != nil {
		return err
	}
	_, err = s.dynamic.Resource(resourceOf(k)).Namespace(cr.GetNamespace()).
		Patch(ctx, cr.GetName(), types.MergePatchType, data, metav1.PatchOptions{}, "status")
	if err != nil && !apierrors.IsNotFound(err) {
		return fmt.Errorf("write status of %s %s: %w", k, cr.GetName(), err)
	}
	return nil
}

func differs(is, want map[string]any) bool {
	for field, value := range want {
		old, exists := is[field]
		if m, ok := value.(map[string]any); ok {
			o, _ := old.(map[string]any)
			if differs(o, m) {
				return true
			}
			continue
		}
		if value == nil && !exists {
			continue
		}
		if !reflect.DeepEqual(old, value) {
			return true
		}
	}
	return false
}
