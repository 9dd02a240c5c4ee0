package api

import "time"

// Pod is the answer to GET /api/v1/pods/{namespace}/{name}: why the pod is where it is.
type Pod struct {
	// Leading as in Queues.
	Leading   bool   `json:"leading"`
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
	UID       string `json:"uid"`
	// Standing is one of: ready (its turn has not come), parked (it fits on no node), held-back (a quota is spent), backoff (its bind was
	// refused), gated (it has scheduling gates), held (it cannot be tried as it is), assumed (decided, not yet confirmed), reserved (room is kept for it on a node as it falls free), gathered (it starts together with others of its group), bound,
	// leaving (it is being deleted and was never bound), foreign (it belongs to another scheduler).
	Standing string `json:"standing"`
	// Node is where it runs or is going to.
	Node string `json:"node,omitempty"`
	// Application is the id of its application within the namespace, ApplicationFrom what decided about it, Role the pod's part in it.
	Application     string `json:"application,omitempty"`
	ApplicationFrom string `json:"applicationFrom,omitempty"`
	Role            string `json:"role,omitempty"`
	// Group is the id of the group that it starts with, within the namespace, GroupStanding how that stands, in one line.
	Group         string `json:"group,omitempty"`
	GroupStanding string `json:"groupStanding,omitempty"`
	// Queue is the application's queue, DecidedBy what decided about that.
	Queue     string `json:"queue,omitempty"`
	DecidedBy string `json:"decidedBy,omitempty"`
	// Faults names what of the pod could not be read, or not as it is written.
	Faults []string `json:"faults,omitempty"`
	// Reason and Message are those of its condition PodScheduled, while it waits.
	Reason  string `json:"reason,omitempty"`
	Message string `json:"message,omitempty"`
	// Nodes is how many there were at the last attempt, Refusals for which reasons how many of them were refused.
	Nodes    int       `json:"nodes,omitempty"`
	Refusals []Refusal `json:"refusals,omitempty"`
	// Since is when it began to wait, Attempts how often it was the one tried, Until the end of its backoff.
	Since    time.Time `json:"since,omitzero"`
	Attempts int       `json:"attempts,omitempty"`
	Until    time.Time `json:"until,omitzero"`
}

// Refusal is a reason for which nodes were refused.
type Refusal struct {
	Reason string `json:"reason"`
	Nodes  int    `json:"nodes"`
}

// Error is the answer when there is no other.
type Error struct {
	// Error says in words what is wrong and what to do.
	Error string `json:"error"`
}
