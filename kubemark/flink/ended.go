package flink

import (
	"encoding/json"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"github.com/sluice-scheduler/sluice/pkg/app/flink/spec"
	"github.com/sluice-scheduler/sluice/pkg/sim/flink/jobmanager"
)

// RecordAnnotation on a FlinkDeployment is the simulator's own: which JobManager process made the present attempt, and how the job ended.
// A simulator that starts anew reads it to tell a JobManager that was restarted meanwhile from one that was not, and a job that has ended from one that has
// not begun.
const RecordAnnotation = "flink-simulator.sluice.dev/jobmanager"

// record is the value of the annotation.
type record struct {
	Deployment types.UID `json:"deployment"`
	Generation int64     `json:"generation"` // of the FlinkDeployment
	jobmanager.Record
}

func recordOf(cr *unstructured.Unstructured) (r record, ok bool) {
	text := cr.GetAnnotations()[RecordAnnotation]
	return r, text != "" && json.Unmarshal([]byte(text), &r) == nil && r.Attempt > 0
}

// keptAfterEnd is how long the JobManager of a job that has ended lives on, unless kubernetes.operator.jm-deployment.shutdown-ttl says otherwise.
const keptAfterEnd = 24 * time.Hour

// expiry tells how a job ended that has done so for good and whose manifest has not changed since, and how long its JobManager is still kept; what is over is
// not positive. The outcome of any other job is empty.
func (s *Simulator) expiry(cr *unstructured.Unstructured, c *spec.Cluster) (left time.Duration, outcome jobmanager.Phase) {
	r, ok := recordOf(cr)
	if !ok || r.Outcome == "" || r.Generation != c.Generation {
		return 0, ""
	}
	kept, err := c.Config.Duration(keptAfterEnd, "kubernetes.operator.jm-deployment.shutdown-ttl")
	if err != nil {
		kept = keptAfterEnd
	}
	kept = time.Duration(float64(kept) / s.options.Pace)
	return r.Ended.Add(kept).Sub(s.now()), r.Outcome
}
