package flink

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/types"
)

// Count is how far the pods of one role are. Each number includes the ones after it, except Wanted.
type Count struct {
	Wanted, Created, Bound, Running int
}

// Steps are the times at which a job first reached each step; zero where it has not. Times before the simulator's
// start come from the API server, to the second; later ones are its own observations.
type Steps struct {
	Submitted               time.Time // the FlinkDeployment was seen
	JobManagerCreated       time.Time // its first JobManager pod exists
	JobManagerBound         time.Time
	JobManagerRunning       time.Time // running and ready
	FirstTaskManagerCreated time.Time
	AllTaskManagersBound    time.Time
	AllRunning              time.Time
}

// Step is one named step of a job.
type Step struct {
	Name string
	At   time.Time
}

// Job is a picture of a Flink cluster at one moment.
type Job struct {
	Namespace, Name string
	// State is Flink's word: RECONCILING, CREATED, RUNNING, RESTARTING, FINISHED, FAILED, SUSPENDED, or empty before the first.
	State        string
	JobManagers  Count
	TaskManagers Count
	Attempt      int       // which JobManager process this is, from 1
	Restarts     int       // how often the whole job restarted because a TaskManager was lost
	SlotTimeouts int       // how often it failed because its slots did not come in time
	Rescales     int       // how often it restarted to use more TaskManagers
	Unregistered int       // TaskManagers given up that had a node and never ran
	Deadline     time.Time // when it will fail unless its slots come; zero while no such clock runs
	Error        string    // what is wrong with the manifest, or what the API server refused last
	Steps        Steps
	Gone         bool // the FlinkDeployment was deleted
}

// String is one line for a terminal: "JobManager 1/1, TaskManagers 5/8".
func (j Job) String() string {
	line := fmt.Sprintf("JobManager %d/%d, TaskManagers %d/%d",
		j.JobManagers.Running, j.JobManagers.Wanted, j.TaskManagers.Running, j.TaskManagers.Wanted)
	if j.Error != "" {
		line += ": " + j.Error
	}
	return line
}

// Done says whether everything that the job wants runs.
func (j Job) Done() bool {
	return j.JobManagers.Wanted > 0 && j.JobManagers.Running >= j.JobManagers.Wanted &&
		j.TaskManagers.Running >= j.TaskManagers.Wanted && !j.Gone
}

// Reached lists the steps that were reached, in the order of time.
func (s Steps) Reached() []Step {
	all := []Step{
		{"submitted", s.Submitted},
		{"JobManager created", s.JobManagerCreated},
		{"JobManager bound", s.JobManagerBound},
		{"JobManager running", s.JobManagerRunning},
		{"first TaskManager created", s.FirstTaskManagerCreated},
		{"all TaskManagers bound", s.AllTaskManagersBound},
		{"all running", s.AllRunning},
	}
	all = slices.DeleteFunc(all, func(s Step) bool { return s.At.IsZero() })
	slices.SortStableFunc(all, func(a, b Step) int { return cmp.Compare(a.At.UnixNano(), b.At.UnixNano()) })
	return all
}

// reach notes the first time of a step.
func (s *Steps) reach(step *time.Time, at time.Time) {
	if step.IsZero() {
		*step = at
	}
}

// when is the best known time of something that the API server stamped to the second: our own observation, unless it
// happened before this simulator ran.
func (s *Simulator) when(stamp time.Time) time.Time {
	if !stamp.IsZero() && stamp.Before(s.begun.Add(-2*time.Second)) {
		return stamp
	}
	return s.now()
}

// Job tells how far a FlinkDeployment is; false when the simulator knows none of this name.
func (s *Simulator) Job(namespace, name string) (Job, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	j, ok := s.jobs[types.NamespacedName{Namespace: namespace, Name: name}]
	if !ok {
		return Job{}, false
	}
	return j.told, true
}

// Watch sends a picture of the job now, if it is known, and whenever it changes, until the context ends; then the
// channel is closed. A slow reader misses pictures but never the latest. The job need not exist yet.
func (s *Simulator) Watch(ctx context.Context, namespace, name string) <-chan Job {
	k := types.NamespacedName{Namespace: namespace, Name: name}
	ch := make(chan Job, 1)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.watchers[k] == nil {
		s.watchers[k] = map[chan Job]struct{}{}
	}
	s.watchers[k][ch] = struct{}{}
	if j, ok := s.jobs[k]; ok {
		ch <- j.told
	}
	context.AfterFunc(ctx, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.watchers[k], ch)
		if len(s.watchers[k]) == 0 {
			delete(s.watchers, k)
		}
		close(ch)
	})
	return ch
}

// Wait returns the first picture of the job that satisfies the condition. When the context ends first, the error
// holds the last picture, so that the reader learns what was missing.
func (s *Simulator) Wait(ctx context.Context, namespace, name string, until func(Job) bool) (Job, error) {
	watching, stop := context.WithCancel(ctx)
	defer stop()
	last := Job{Namespace: namespace, Name: name}
	for j := range s.Watch(watching, namespace, name) {
		if last = j; until(j) {
			return j, nil
		}
	}
	return last, errors.Join(fmt.Errorf("waiting for Flink job %s/%s: %s", namespace, name, last), context.Cause(ctx))
}

// tell stores a new picture and sends it to whoever watches.
func (s *Simulator) tell(name types.NamespacedName, j *job, picture Job) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if j.told == picture {
		return
	}
	j.told = picture
	s.send(name, picture)
}

// send replaces what a slow reader has not read yet. The lock is held.
func (s *Simulator) send(name types.NamespacedName, picture Job) {
	for ch := range s.watchers[name] {
		select {
		case <-ch:
		default:
		}
		ch <- picture
	}
}

// forget drops a FlinkDeployment that no longer exists.
func (s *Simulator) forget(name types.NamespacedName) {
	s.mu.Lock()
	defer s.mu.Unlock()
	j, ok := s.jobs[name]
	if !ok {
		return
	}
	delete(s.jobs, name)
	last := j.told
	last.Gone = true
	s.send(name, last)
}
