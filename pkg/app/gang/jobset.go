package gang

import (
	"fmt"

	batchv1 "k8s.io/api/batch/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
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
			Succeeded int32  `json:"succeeded"`
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

// readJobSet reads a JobSet, as that of a TrainJob: all its Jobs start together, but those that wait for others to complete.
func readJobSet(r *Reader, o metav1.Object, into *Piece) {
	d := begin(o, jobSets, "jobset/"+o.GetName())
	var s jobSet
	if err := decode(o, &s); err != nil {
		d.refuse(err, into)
		return
	}
	d.exact = true
	total := 0
	for i := range s.Spec.Jobs {
		j := &s.Spec.Jobs[i]
		pods := sane(sane(orElse(j.Replicas, 1)) * jobSize(&batchv1.Job{Spec: j.Template.Spec}))
		w := role{member: j.member(r, o), min: pods, count: pods, first: s.starts(i)}
		switch {
		case s.complete(j.Name):
			w.min, w.count = 0, 0
		case s.waits(j):
			w.min = 0
		}
		d.add(w)
		total += w.min
	}
	d.fact.Source = fmt.Sprintf("JobSet %s: %s in %s", o.GetName(), plural(total, "pod"), plural(len(s.Spec.Jobs), "replicated Job"))
	switch {
	case s.Status.Terminal != "":
		d.ended("the JobSet is " + s.Status.Terminal)
	case orElse(s.Spec.Suspend, false):
		d.halted("spec.suspend is true")
	}
	d.end(r, o, into)
}

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
	for _, done := range s.Status.Jobs {
		for i := range s.Spec.Jobs {
			if done.Name == name && s.Spec.Jobs[i].Name == name {
				return done.Succeeded > 0 && done.Succeeded >= orElse(s.Spec.Jobs[i].Replicas, 1)
			}
		}
	}
	return false
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
		"jobset.sigs.k8s.io/jobset-name": o.GetName(), "jobset.sigs.k8s.io/replicatedjob-name": j.Name,
		batchv1.JobNameLabel: o.GetName() + "-" + j.Name + "-0",
	})
}
