package gang

import (
	"fmt"
	"slices"

	batchv1 "k8s.io/api/batch/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/sluice-scheduler/sluice/pkg/app/flink/spec"
	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
)

// jobSet is what is read of a JobSet.
type jobSet struct {
	Spec struct {
		Suspend *bool `json:"suspend"`
		Startup struct {
			Order string `json:"startupPolicyOrder"`
		} `json:"startupPolicy"`
		Jobs []replicatedJob `json:"replicatedJobs"`
	} `json:"spec"`
	Status struct {
		Terminal string `json:"terminalState"`
		Jobs     []struct {
			Name      string `json:"name"`
			Succeeded int32  `json:"succeeded"` // Jobs, not pods
		} `json:"replicatedJobsStatus"`
	} `json:"status"`
}

type replicatedJob struct {
	Name      string `json:"name"`
	Replicas  *int32 `json:"replicas"`
	DependsOn []struct {
		Name   string `json:"name"`
		Status string `json:"status"`
	} `json:"dependsOn"`
	Template struct {
		Spec batchv1.JobSpec `json:"spec"`
	} `json:"template"`
}

// jobSetPart is what a JobSet tells: all its Jobs start together, but those that wait for others to complete. How many of their pods have succeeded its Jobs
// know best.
type jobSetPart struct {
	reader *Reader
	draft  draft
	jobs   []jobOfSet
}

// jobOfSet is what is known of a replicated Job.
type jobOfSet struct {
	name string
	// in is its role among those of the draft, done how many of its pods have succeeded with their whole Jobs.
	in, done int
}

// readJobSet reads a JobSet, as that of a TrainJob.
func readJobSet(r *Reader, o metav1.Object, into *Piece) {
	d := begin(o, jobSets, jobSetGroup+o.GetName())
	var s jobSet
	if err := decode(o, &s); err != nil {
		d.refuse(err, into)
		return
	}
	d.exact = true
	p := &jobSetPart{reader: r}
	for i := range s.Spec.Jobs {
		p.jobs = append(p.jobs, s.add(i, d, r, o))
	}
	total := 0
	for i := range d.roles {
		total += d.roles[i].min
	}
	d.fact.Source = fmt.Sprintf("JobSet %s: %s in %s", o.GetName(), plural(total, "pod"), plural(len(s.Spec.Jobs), "replicated Job"))
	switch {
	case s.Status.Terminal != "":
		d.ended("the JobSet is " + s.Status.Terminal)
	case orElse(s.Spec.Suspend, false):
		d.halted("spec.suspend is true")
	}
	d.wishes(o)
	p.draft = *d
	into.part = p
}

// add puts in the role of a replicated Job.
func (s *jobSet) add(at int, d *draft, r *Reader, o metav1.Object) jobOfSet {
	j := &s.Spec.Jobs[at]
	each := jobSize(&batchv1.Job{Spec: j.Template.Spec})
	pods := sane(sane(orElse(j.Replicas, 1)) * each)
	w := role{member: j.member(r, o), min: pods, count: pods, first: s.starts(at)}
	if s.waits(j) {
		w.min = 0
	}
	d.add(w)
	in := slices.IndexFunc(d.roles, func(other role) bool { return other.name == w.member.claim.Role })
	return jobOfSet{j.Name, in, min(pods, sane(s.succeeded(j.Name)*each))}
}

func (p *jobSetPart) group() string          { return p.draft.fact.ID }
func (p *jobSetPart) origin() cluster.Origin { return p.draft.fact.Origin }
func (p *jobSetPart) mounts() Key            { return Key{} }

// join takes off what has succeeded, by what each Job tells of its pods or by how many Jobs are complete, whichever is more.
func (p *jobSetPart) join(all []part, _ func(Key) spec.Config) *cluster.GroupFact {
	d := p.draft
	d.roles = slices.Clone(d.roles)
	for _, j := range p.jobs {
		done := 0
		for _, other := range all {
			if child, ok := other.(*jobOfSetPart); ok && child.job == j.name {
				done = sane(done + child.done)
			}
		}
		d.roles[j.in].done += max(j.done, done)
	}
	return d.finish(p.reader)
}

// jobOfSetPart is a Job of a JobSet of whose pods some have succeeded.
type jobOfSetPart struct {
	id, job string
	done    int
}

// readJobOfSet reads a Job of the JobSet in whose group its pods are.
func readJobOfSet(j *batchv1.Job, group string, into *Piece) {
	if done := jobDone(j); done > 0 {
		into.part = &jobOfSetPart{group, j.Spec.Template.Labels[replicatedJobName], done}
	}
}

func (p *jobOfSetPart) group() string          { return p.id }
func (p *jobOfSetPart) origin() cluster.Origin { return cluster.FromObject }
func (p *jobOfSetPart) mounts() Key            { return Key{} }

// join leaves it to the JobSet.
func (p *jobOfSetPart) join(all []part, mounted func(Key) spec.Config) *cluster.GroupFact {
	for _, other := range all {
		if set, ok := other.(*jobSetPart); ok {
			return set.join(all, mounted)
		}
	}
	return nil
}

const (
	// jobSetGroup begins the IDs of the groups of JobSets, as package app has them.
	jobSetGroup       = "jobset/"
	replicatedJobName = "jobset.sigs.k8s.io/replicatedjob-name"
)

// waits reports whether a Job begins only when another is complete that is not yet, so that they never need room at once.
func (s *jobSet) waits(j *replicatedJob) bool {
	for _, on := range j.DependsOn {
		if on.Status == "Complete" && !s.complete(on.Name) {
			return true
		}
	}
	return false
}

// complete reports whether all Jobs of that name have succeeded.
func (s *jobSet) complete(name string) bool {
	at := slices.IndexFunc(s.Spec.Jobs, func(j replicatedJob) bool { return j.Name == name })
	done := s.succeeded(name)
	return at >= 0 && done > 0 && done >= sane(orElse(s.Spec.Jobs[at].Replicas, 1))
}

// succeeded is how many Jobs of a replicated Job have.
func (s *jobSet) succeeded(name string) int {
	for _, status := range s.Status.Jobs {
		if status.Name == name {
			return sane(status.Succeeded)
		}
	}
	return 0
}

// starts reports whether others are created only after this one runs.
func (s *jobSet) starts(at int) bool {
	if s.Spec.Startup.Order == "InOrder" {
		return at < len(s.Spec.Jobs)-1
	}
	for i := range s.Spec.Jobs {
		for _, on := range s.Spec.Jobs[i].DependsOn {
			if on.Name == s.Spec.Jobs[at].Name && on.Status == "Ready" {
				return true
			}
		}
	}
	return false
}

// member is a pod with the labels that JobSet gives it.
func (j *replicatedJob) member(r *Reader, o metav1.Object) *member {
	return r.member(o.GetNamespace(), &j.Template.Spec.Template, map[string]string{
		"jobset.sigs.k8s.io/jobset-name": o.GetName(), replicatedJobName: j.Name,
		batchv1.JobNameLabel: o.GetName() + "-" + j.Name + "-0",
	})
}
