package gang

import (
	"fmt"
	"strconv"
	"strings"

	batchv1 "k8s.io/api/batch/v1"
	v1 "k8s.io/api/core/v1"
)

// readJob reads a Job. It tells of a group only if its pods are in one: because somebody asks for it, or because they know each other by name (Indexed, with a
// subdomain). All of them are created together, and are to exist before they are tried.
func readJob(r *Reader, j *batchv1.Job, into *Piece) {
	d := begin(j, jobs, "job/"+j.Name)
	m := r.member(j.Namespace, &j.Spec.Template, jobLabels(j))
	switch {
	case strings.HasPrefix(m.claim.Group, jobSetGroup):
		readJobOfSet(j, m.claim.Group, into)
		return
	case m.claim.Group != d.fact.ID:
		return
	}
	all := jobSize(j)
	d.exact = true
	d.add(role{member: m, min: jobMin(j, all), count: all, done: jobDone(j)})
	d.fact.Source = fmt.Sprintf("Job %s: %s at once", j.Name, plural(all, "pod"))
	switch why := jobEnd(j); {
	case why != "":
		d.ended(why)
	case orElse(j.Spec.Suspend, false):
		d.halted("spec.suspend is true")
	}
	d.wishes(j)
	f := d.finish(r)
	if f == nil {
		return
	}
	f.Roles = nil
	into.tell(f)
}

// jobSize is how many pods of the Job run at once, while as many as that are left.
func jobSize(j *batchv1.Job) int {
	at := sane(orElse(j.Spec.Parallelism, 1))
	if j.Spec.Completions != nil {
		at = min(at, sane(*j.Spec.Completions))
	}
	return at
}

// jobDone is by how many fewer are left to run at once, because the others have succeeded, or have failed for good.
func jobDone(j *batchv1.Job) int {
	all := jobSize(j)
	if j.Spec.Completions == nil {
		return min(all, sane(j.Status.Succeeded)) // one that succeeds is not replaced
	}
	left := sane(*j.Spec.Completions) - sane(j.Status.Succeeded) - indexes(j.Status.FailedIndexes)
	return all - max(0, min(all, left))
}

// indexes counts what is written like "1,3-5,7".
func indexes(text *string) (n int) {
	for _, part := range strings.Split(orElse(text, ""), ",") {
		first, last, several := strings.Cut(part, "-")
		if !several {
			last = first
		}
		from, err := strconv.Atoi(first)
		to, wrong := strconv.Atoi(last)
		if err == nil && wrong == nil && 0 <= from && from <= to && to < most {
			n = sane(n + to - from + 1)
		}
	}
	return n
}

// jobMin is how many start together if nobody asks for a number: all, where all indexes run at once and know each other by name.
func jobMin(j *batchv1.Job, all int) int {
	together := isIndexed(j) && j.Spec.Template.Spec.Subdomain != "" && orElse(j.Spec.Parallelism, 1) >= orElse(j.Spec.Completions, 1)
	if together {
		return all
	}
	return min(all, 1)
}

func isIndexed(j *batchv1.Job) bool {
	return j.Spec.CompletionMode != nil && *j.Spec.CompletionMode == batchv1.IndexedCompletion
}

// jobLabels are those that the Job controller gives to pods, as far as they matter.
func jobLabels(j *batchv1.Job) map[string]string {
	labels := map[string]string{batchv1.JobNameLabel: j.Name}
	if isIndexed(j) {
		labels[batchv1.JobCompletionIndexAnnotation] = "0"
	}
	return labels
}

// jobEnd says how the Job has ended; empty while it has not.
func jobEnd(j *batchv1.Job) string {
	for i := range j.Status.Conditions {
		c := &j.Status.Conditions[i]
		if c.Status == v1.ConditionTrue && (c.Type == batchv1.JobComplete || c.Type == batchv1.JobFailed) {
			return "the Job is " + string(c.Type)
		}
	}
	return ""
}
