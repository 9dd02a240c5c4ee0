package jobmanager

import (
	"fmt"
	"time"
)

// Phase is how far the job is.
type Phase string

// The phases, in the order of a job's life. Restarting is entered whenever the whole job fails, and lasts until it runs again.
const (
	Starting   Phase = "Starting"   // no JobManager is ready
	Waiting    Phase = "Waiting"    // too few TaskManagers run
	Running    Phase = "Running"    // the job runs
	Restarting Phase = "Restarting" // a TaskManager was lost, or slots did not come in time, and the job does not run again yet
	Finished   Phase = "Finished"   // the work is done; the JobManager lives on
	Failed     Phase = "Failed"     // it failed and may not restart; the JobManager lives on
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
	// Outcome is Finished or Failed once the job has ended for good, and Ended when that was.
	Outcome Phase     `json:"outcome,omitempty"`
	Ended   time.Time `json:"ended,omitzero"`
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
	scheduled time.Time // when it was first seen scheduled
	came      bool      // it has run: it registered
	idleSince time.Time
	tasks     int       // of a batch job, that it works on
	busy      time.Time // until when it does
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
	alone    time.Time // since when there is no JobManager
	job      job
	news     []string
}

// New makes the memory of a cluster's JobManager. name makes the name of a TaskManager. A record stored by an earlier
// simulator process may be given, so that an attempt continues.
func New(cluster string, name func(attempt, index int) string, stored *Record) *State {
	s := &State{cluster: cluster, name: name, workers: map[string]*worker{}, job: job{phase: Starting}}
	if stored != nil {
		s.record, s.stored = *stored, true
	}
	return s
}

// Attempt counts the JobManager processes of this cluster, from 1; 0 before the first.
func (s *State) Attempt() int { return s.record.Attempt }

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
