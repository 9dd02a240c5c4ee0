package gang

import (
	"fmt"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/sluice-scheduler/sluice/pkg/app/flink/spec"
)

// flinkStatus is what matters of the status of a FlinkDeployment.
type flinkStatus struct {
	// job is the state of the job; empty if the status is older than the spec, or an upgrade is under way.
	job string
	// workers is with how many TaskManagers the operator reckons; 0 if it does not say.
	workers int
}

// ends are the states from which a job does not go on.
var ends = []string{"FINISHED", "FAILED", "CANCELED"}

func readFlinkStatus(u *unstructured.Unstructured) (s flinkStatus) {
	if current(u) {
		s.job = text(u.Object, "status", "jobStatus", "state")
	}
	s.workers, _ = number(u.Object, 0, "status", "taskManager", "replicas")
	if s.job != "RUNNING" && !slices.Contains(ends, s.job) {
		return flinkStatus{} // states on the way there say nothing of what the job needs
	}
	return s
}

// current reports whether the status is of the spec as it is now, and no upgrade is under way.
func current(u *unstructured.Unstructured) bool {
	seen, fault := number(u.Object, 0, "status", "observedGeneration")
	upgrading := text(u.Object, "status", "reconciliationStatus", "state") == "UPGRADING"
	return fault == "" && (seen == 0 || int64(seen) >= u.GetGeneration()) && !upgrading
}

// over notes that the job has ended or is not to run.
func (s *flinkStatus) over(c *spec.Cluster, d *draft) {
	switch {
	case c.Suspended:
		d.halted("spec.job.state is suspended")
	case !c.Session && slices.Contains(ends, s.job):
		d.ended(fmt.Sprintf("the job is %s; its JobManager lives on for kubernetes.operator.jm-deployment.shutdown-ttl, one day by default", s.job))
	}
}

// crossCheck compares what is inferred with what the operator publishes of a job that runs.
func (s *flinkStatus) crossCheck(c *spec.Cluster) []string {
	if c.Session || s.job != "RUNNING" || s.workers == 0 || s.workers == int(c.TaskManagers) {
		return nil
	}
	return []string{fmt.Sprintf("the operator reckons with %s (status.taskManager.replicas), the spec with %d; the spec counts when the job starts anew",
		plural(s.workers, "TaskManager"), c.TaskManagers)}
}

// blueGreen is the FlinkBlueGreenDeployment that made a FlinkDeployment; empty for none.
func blueGreen(u *unstructured.Unstructured) string {
	owners := u.GetOwnerReferences()
	at := slices.IndexFunc(owners, func(o metav1.OwnerReference) bool {
		return o.Kind == "FlinkBlueGreenDeployment" && groupOf(o.APIVersion) == flinkDeployments.Group
	})
	if at < 0 {
		return ""
	}
	return owners[at].Name
}

// changes notes that the cluster is one of two that run side by side while a new version takes over.
func (f *flink) changes(by string) {
	if by == "" {
		return
	}
	f.draft.fact.Twice = true
	f.draft.fact.Warnings = append(f.draft.fact.Warnings, fmt.Sprintf(
		"blue/green: while FlinkBlueGreenDeployment %s changes over both clusters run, so its queue must have room for twice %s and %s",
		by, plural(int(f.cluster.JobManagers), "JobManager"), plural(int(f.cluster.TaskManagers), "TaskManager")))
}
