package gang

import (
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/sluice-scheduler/sluice/pkg/app/flink/spec"
	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
)

// sessionJob is a FlinkSessionJob: a job in a session cluster, which makes TaskManagers come, and none of which is waited for.
type sessionJob struct {
	cluster string
	// slots is its parallelism; 0 if that is the cluster's default. ended: it asks for none any more.
	slots int
	ended bool
}

// readSessionJob reads a FlinkSessionJob. Of one that cannot be read nothing is told; its operator says so.
func readSessionJob(_ *Reader, o metav1.Object, into *Piece) {
	u, ok := o.(*unstructured.Unstructured)
	if !ok {
		return
	}
	j, err := spec.DecodeSessionJob(u)
	if err != nil {
		return
	}
	ended := j.Job.State == "suspended" || current(u) && slices.Contains(ends, text(u.Object, "status", "jobStatus", "state"))
	into.part = &sessionJob{cluster: j.Deployment, slots: sane(orElse(j.Job.Parallelism, 0)), ended: ended}
}

func (p *sessionJob) group() string          { return flinkGroup + p.cluster }
func (p *sessionJob) origin() cluster.Origin { return cluster.FromObject }
func (p *sessionJob) mounts() Key            { return Key{} }

// join tells nothing: without its cluster, which comes before it among the parts, a job has no pods.
func (p *sessionJob) join([]part, func(Key) spec.Config) *cluster.GroupFact { return nil }

// asked adds up the slots that the jobs of a session cluster ask for.
func (f *flink) asked(all []part) {
	unset := max(1, f.number("parallelism.default"))
	for _, other := range all {
		if j, ok := other.(*sessionJob); ok && f.cluster.Session && !j.ended {
			f.jobs++
			if j.slots == 0 {
				j = &sessionJob{slots: unset}
			}
			f.slots = min(f.slots+j.slots, spec.MaxParallelism)
		}
	}
}
