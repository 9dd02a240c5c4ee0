package flink

import (
	"context"
	"fmt"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"github.com/sluice-scheduler/sluice/pkg/app/flink/spec"
)

// reconcileSessionJob tells in a FlinkSessionJob's status what became of it. Its slots are counted where its session
// cluster is reconciled; the job itself makes no pod.
func (s *Simulator) reconcileSessionJob(ctx context.Context, name types.NamespacedName) error {
	cr := get(s.watched.sessionJobs, name)
	if cr == nil || cr.GetDeletionTimestamp() != nil {
		return nil
	}
	state, trouble := s.sessionState(cr)
	lifecycle := map[string]string{"RUNNING": "STABLE", "SUSPENDED": "SUSPENDED", "": "FAILED"}[state]
	if lifecycle == "" {
		lifecycle = "DEPLOYED"
	}
	job := map[string]any{"state": orNil(state)}
	if state != "" {
		job["jobId"], job["jobName"] = spec.JobID(string(cr.GetUID())), cr.GetName()
	}
	return s.patchStatus(ctx, kindSessionJob, cr, map[string]any{
		"observedGeneration": cr.GetGeneration(), "lifecycleState": lifecycle, "error": orNil(trouble), "jobStatus": job,
	})
}

// sessionState is the job's state, and what keeps it from running.
func (s *Simulator) sessionState(cr *unstructured.Unstructured) (state, trouble string) {
	j, err := spec.DecodeSessionJob(cr)
	if err != nil {
		return "", err.Error()
	}
	if j.Job.State == "suspended" {
		return "SUSPENDED", ""
	}
	cluster := get(s.watched.clusters, types.NamespacedName{Namespace: j.Namespace, Name: j.Deployment})
	if cluster == nil {
		return "RECONCILING", fmt.Sprintf("no FlinkDeployment %q in namespace %q; create the session cluster", j.Deployment, j.Namespace)
	}
	if _, application, _ := unstructured.NestedMap(cluster.Object, "spec", "job"); application {
		return "", fmt.Sprintf("FlinkDeployment %q runs a job of its own; a FlinkSessionJob needs one without spec.job", j.Deployment)
	}
	picture, ok := s.Job(j.Namespace, j.Deployment)
	switch {
	case !ok || picture.State == "":
		return "RECONCILING", ""
	case picture.TaskManagers.Wanted == 0: // its slots are not counted yet
		return "CREATED", ""
	default:
		return picture.State, ""
	}
}
