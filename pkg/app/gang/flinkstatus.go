package gang

import (
	"fmt"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/sluice-scheduler/sluice/pkg/app/flink/spec"
)

// flinkOver reports whether the job has ended or is not to run. A status that is older than the spec says nothing: the job is about to be upgraded.
func flinkOver(u *unstructured.Unstructured, c *spec.Cluster) (over bool, why string) {
	if c.Suspended {
		return true, "spec.job.state is suspended"
	}
	state := text(u.Object, "status", "jobStatus", "state")
	if c.Session || !slices.Contains(ends, state) || !current(u) {
		return false, ""
	}
	return true, fmt.Sprintf("the job is %s; its JobManager lives on for kubernetes.operator.jm-deployment.shutdown-ttl, one day by default", state)
}

// current reports whether the status is of the spec as it is now, and no upgrade is under way.
func current(u *unstructured.Unstructured) bool {
	seen, fault := number(u.Object, 0, "status", "observedGeneration")
	upgrading := text(u.Object, "status", "reconciliationStatus", "state") == "UPGRADING"
	return fault == "" && (seen == 0 || int64(seen) >= u.GetGeneration()) && !upgrading
}

// crossCheck compares what is inferred with what the operator publishes of a job that runs.
func crossCheck(u *unstructured.Unstructured, c *spec.Cluster) []string {
	published, fault := number(u.Object, 0, "status", "taskManager", "replicas")
	running := text(u.Object, "status", "jobStatus", "state") == "RUNNING"
	if fault != "" || published == 0 || c.Session || !running || !current(u) || published == int(c.TaskManagers) {
		return nil
	}
	return []string{fmt.Sprintf("the operator reckons with %s (status.taskManager.replicas), the spec with %d; the spec counts when the job starts anew",
		plural(published, "TaskManager"), c.TaskManagers)}
}

// blueGreen notes that the cluster is one of two that run side by side while a new version takes over.
func (f *flink) blueGreen(u *unstructured.Unstructured) {
	owner := slices.IndexFunc(u.GetOwnerReferences(), func(o metav1.OwnerReference) bool {
		return o.Kind == "FlinkBlueGreenDeployment" && groupOf(o.APIVersion) == flinkDeployments.Group
	})
	if owner < 0 {
		return
	}
	f.draft.fact.Twice = true
	f.draft.fact.Warnings = append(f.draft.fact.Warnings, fmt.Sprintf(
		"blue/green: while FlinkBlueGreenDeployment %s changes over both clusters run, so its queue must have room for twice %s and %s",
		u.GetOwnerReferences()[owner].Name, plural(int(f.cluster.JobManagers), "JobManager"), plural(int(f.cluster.TaskManagers), "TaskManager")))
}
