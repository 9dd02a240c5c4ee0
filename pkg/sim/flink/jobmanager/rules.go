package jobmanager

import "time"

// Mode is how a job deals with having fewer TaskManagers than it would like.
type Mode string

// The modes. A session is a cluster without a job of its own: its jobs' TaskManagers together are waited for as one streaming job's would be.
const (
	Streaming Mode = "streaming" // runs with all of its TaskManagers or not at all
	Adaptive  Mode = "adaptive"  // runs with at least Rules.Min, and restarts to use more
	Reactive  Mode = "reactive"  // uses every TaskManager that there is; somebody else makes and removes them
	Batch     Mode = "batch"     // works off tasks with any number of TaskManagers
	Session   Mode = "session"
)

// Rules are the timings of Flink that the JobManager follows, as far as they can be seen from Kubernetes. Start from DefaultRules.
type Rules struct {
	Mode Mode
	// Min is how many TaskManagers an adaptive or reactive job needs to run; below 1 counts as 1.
	Min int
	// Made: others make the TaskManagers, as in a standalone cluster. The JobManager asks for none, deletes none, and does not wait for slots.
	Made bool

	StartDelay          time.Duration // from a ready JobManager to the first request
	SlotTimeout         time.Duration // slot.request.timeout: from asking for slots until the job fails if it has not got them
	RegistrationTimeout time.Duration // from PodScheduled until a TaskManager that does not run is given up
	Orphaned            time.Duration // without any JobManager for so long, TaskManagers that run exit
	MaxFailures         int           // starts that may fail within a minute before requests pause
	RetryPause          time.Duration // how long they pause
	IdleTimeout         time.Duration // how long a surplus TaskManager is kept
	Stabilization       time.Duration // how long an adaptive job that could run waits for more
	ScaleInterval       time.Duration // least time between two restarts of an adaptive job for the sake of more TaskManagers
	SeenWithin          time.Duration // a requested pod not observed after this time must be looked up
	Burst               int           // most requests in one decision, so that changes are noticed between them

	Restart Restart
	Work    Work
}

// Restart is what a failed job does: Flink's restart strategy.
type Restart struct {
	// Never: the first failure is the end of the job. It is what Flink does to a job without checkpoints.
	Never bool
	// Attempts bounds the restarts; 0 means without end.
	Attempts int
	// Delay is the wait before the first restart. Each further failure multiplies it by Factor, to MaxDelay at most; a job that ran for
	// ResetAfter begins with Delay again. A Factor below 1 leaves it as it is.
	Delay, MaxDelay time.Duration
	Factor          float64
	ResetAfter      time.Duration
}

// Work is what there is to do. The zero value is a job without an end.
type Work struct {
	// RunFor is how long a streaming job runs in all, restarts aside, until it has FINISHED; 0: without end.
	RunFor time.Duration
	// Stages are worked off one after the other by a batch job; 0: it never ends. Each has Tasks tasks, each of which keeps a slot busy for TaskTime; a
	// TaskManager has Slots of them. A task whose TaskManager is lost is done again.
	Stages, Tasks, Slots int
	TaskTime             time.Duration
}

// DefaultRules are Flink's defaults, with a start delay of one second, for a streaming job with checkpoints.
func DefaultRules() Rules {
	return Rules{
		Mode: Streaming, Min: 1,
		StartDelay: time.Second, SlotTimeout: 5 * time.Minute, RegistrationTimeout: 5 * time.Minute, Orphaned: 5 * time.Minute,
		MaxFailures: 10, RetryPause: 3 * time.Second, IdleTimeout: 30 * time.Second,
		Stabilization: 10 * time.Second, ScaleInterval: 30 * time.Second,
		SeenWithin: 3 * time.Second, Burst: 64,
		Restart: Restart{Delay: time.Second, MaxDelay: time.Minute, Factor: 1.5, ResetAfter: time.Hour},
	}
}

// Faster makes all clocks of Flink run n times as fast. What guards against lost answers of the API server (SeenWithin) stays as it is.
func (r Rules) Faster(n float64) Rules {
	for _, d := range []*time.Duration{
		&r.StartDelay, &r.SlotTimeout, &r.RegistrationTimeout, &r.Orphaned, &r.RetryPause, &r.IdleTimeout, &r.Stabilization, &r.ScaleInterval,
		&r.Restart.Delay, &r.Restart.MaxDelay, &r.Restart.ResetAfter, &r.Work.RunFor, &r.Work.TaskTime,
	} {
		*d = time.Duration(float64(*d) / n)
	}
	return r
}

// least is how many TaskManagers must run for the job to run.
func (r Rules) least(wanted int) int {
	switch r.Mode {
	case Adaptive, Reactive:
		return min(max(r.Min, 1), max(wanted, 1))
	case Batch:
		return min(1, wanted)
	default:
		return wanted
	}
}

// after is the delay before the restart that follows n earlier ones without a calm time between them.
func (r Restart) after(n int) time.Duration {
	d := float64(r.Delay)
	for range n {
		if r.Factor <= 1 || d >= float64(r.MaxDelay) {
			break
		}
		d *= r.Factor
	}
	if r.Factor > 1 && r.MaxDelay > 0 {
		d = min(d, float64(r.MaxDelay))
	}
	return time.Duration(d)
}
