package jobmanager

import (
	"fmt"
	"time"
)

// Phase is how far the job is.
type Phase string

// The phases, in the order of a job's life; Restarting is entered whenever a running TaskManager is lost.
const (
	Starting   Phase = "Starting"   // no JobManager is ready
	Waiting    Phase = "Waiting"    // some TaskManagers do not run yet
	Running    Phase = "Running"    // all TaskManagers run
	Restarting Phase = "Restarting" // a running TaskManager was lost and not all run again
)

// Leader is one process of a JobManager: a pod and how often its container was restarted. The zero value means none.
type Leader struct {
	Pod      string `json:"pod"` // UID
	Restarts int32  `json:"restarts"`
}

// Record is what must outlive the simulator, because pods alone do not tell it: which JobManager process made the
// attempt. The shell stores it before it performs the first decision of an attempt.
type Record struct {
	Leader  Leader `json:"leader"`
	Attempt int    `json:"attempt"`
}

// Pod is what the JobManager sees of a TaskManager pod.
type Pod struct {
	Name           string
	Attempt, Index int
	Scheduled      bool // condition PodScheduled is True
	Running        bool // phase Running and ready
	Terminated     bool // phase Failed or Succeeded, or a container has terminated
	Leaving        bool // being deleted
}

// Seen is one observation of the cluster.
type Seen struct {
	Leader Leader // zero: no JobManager is ready
	Pods   []Pod  // all TaskManager pods that exist
	Wanted int    // TaskManagers the job needs now
}

// Rules are the timings of Flink that the JobManager follows.
type Rules struct {
	StartDelay  time.Duration // from a ready JobManager to the first request
	MaxFailures int           // starts that may fail within a minute before requests pause
	RetryPause  time.Duration // how long they pause
	IdleTimeout time.Duration // how long a surplus TaskManager is kept
	SeenWithin  time.Duration // a requested pod not observed after this time must be looked up
	Burst       int           // most requests in one decision, so that changes are noticed between them
}

// DefaultRules are Flink's defaults, with a start delay of one second.
func DefaultRules() Rules {
	return Rules{
		StartDelay: time.Second, MaxFailures: 10, RetryPause: 3 * time.Second, IdleTimeout: 30 * time.Second,
		SeenWithin: 3 * time.Second, Burst: 64,
	}
}

// Request asks for one TaskManager.
type Request struct {
	Name           string
	Attempt, Index int
}

// Decision is what the shell must do, in this order: store Record when it is not nil, delete, create, look up.
type Decision struct {
	Record *Record
	Delete []string
	Create []Request
	LookUp []string // requested long ago and never seen: report each with Found or Failed
	Wake   time.Duration
	News   []string // what happened, for the log
}

// worker is a TaskManager that the JobManager counts on.
type worker struct {
	request   Request
	asked     time.Time
	seen      bool
	running   bool
	idleSince time.Time
}

// State is the memory of one cluster's JobManager. Its zero value is not usable; see New.
type State struct {
	cluster  string
	name     func(attempt, index int) string
	record   Record
	stored   bool // record is known to be stored
	led      bool // this simulator process has begun or continued an attempt
	index    int
	ready    time.Time // when the leader was first seen ready
	workers  map[string]*worker
	failures []time.Time
	paused   time.Time // no requests before this time
	phase    Phase
	restarts int
	news     []string
}

// New makes the memory of a cluster's JobManager. name makes the name of a TaskManager. A record stored by an earlier
// simulator process may be given, so that an attempt continues.
func New(cluster string, name func(attempt, index int) string, stored *Record) *State {
	s := &State{cluster: cluster, name: name, workers: map[string]*worker{}, phase: Starting}
	if stored != nil {
		s.record, s.stored = *stored, true
	}
	return s
}

// Phase tells how far the job is.
func (s *State) Phase() Phase { return s.phase }

// Attempt counts the JobManager processes of this cluster, from 1; 0 before the first.
func (s *State) Attempt() int { return s.record.Attempt }

// Restarts counts how often the whole job restarted because a running TaskManager was lost.
func (s *State) Restarts() int { return s.restarts }

// Stored tells that the record of the last decision has been stored.
func (s *State) Stored() { s.stored = true }

// Failed tells that a requested TaskManager could not be created, or that a look-up found none.
func (s *State) Failed(name string, now time.Time) {
	if _, ok := s.workers[name]; ok {
		delete(s.workers, name)
		s.fail(now)
	}
}

// Found tells that a look-up found the requested TaskManager after all.
func (s *State) Found(name string, now time.Time) {
	if w, ok := s.workers[name]; ok {
		w.asked = now
	}
}

func (s *State) tell(format string, args ...any) {
	s.news = append(s.news, fmt.Sprintf(format, args...))
}

// Withdraw takes back a request that was never performed. Its index is not used again.
func (s *State) Withdraw(name string) { delete(s.workers, name) }

// Leader is the JobManager process of the present attempt.
func (s *State) Leader() Leader { return s.record.Leader }
