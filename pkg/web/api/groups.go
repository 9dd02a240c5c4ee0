package api

import "time"

// Groups is the answer to GET /api/v1/groups.
type Groups struct {
	// Leading as in Queues.
	Leading bool `json:"leading"`
	// Groups are by namespace and id.
	Groups []Group `json:"groups"`
}

// GroupAnswer is the answer to GET /api/v1/groups/{namespace}/{id}.
type GroupAnswer struct {
	// Leading as in Queues.
	Leading bool  `json:"leading"`
	Group   Group `json:"group"`
}

// Group is pods that start together or not at all, as they stand.
type Group struct {
	Namespace string `json:"namespace"`
	ID        string `json:"id"`
	// Standing is one of: loose (nothing asks its pods to start together), empty (it has no pods), invalid (what is told of it contradicts itself), gathering (pods that it needs do not
	// exist yet), held (none of its pods can be tried as it is), waiting (its turn has not come), held-back (a quota is spent), parked (there is not room for all), draining (room is kept for
	// all of it as it falls free), begun (it has had room for all that it needs), lapsed (it has begun, and what was to come did not in time), over (the application has ended).
	Standing string `json:"standing"`
	// Source is who says that they are a group, and what; left out when nobody does. Overruled say something, too, which does not count.
	Source    *GroupSource  `json:"source,omitempty"`
	Overruled []GroupSource `json:"overruled,omitempty"`
	// Min is how many pods start together.
	Min int `json:"min"`
	// Applications are those of its pods, Queue that of the first of them.
	Applications []string `json:"applications,omitempty"`
	Queue        string   `json:"queue,omitempty"`
	// Topology is the node label of which all its pods are to have one value; left out for none.
	Topology *GroupTopology `json:"topology,omitempty"`
	// Roles are its pods by role, those first that start others.
	Roles []GroupRole `json:"roles"`
	// Since is when the oldest of its pods was created.
	Since time.Time `json:"since,omitzero"`
	// KeptSince is since when pods are expected for which room is kept, KeptUntil until when that goes on at the latest.
	KeptSince time.Time `json:"keptSince,omitzero"`
	KeptUntil time.Time `json:"keptUntil,omitzero"`
	// Deadline is when the application gives up waiting for what is missing, DeadlineText says so in words. Both are left out when nothing is missing or it is not known.
	Deadline     time.Time `json:"deadline,omitzero"`
	DeadlineText string    `json:"deadlineText,omitempty"`
	// Reason and Message are what its pods are told, while they wait for it to start.
	Reason  string `json:"reason,omitempty"`
	Message string `json:"message,omitempty"`
	// Nodes and Refusals as in Pod: why nodes have no room for those of its pods for which there is the least.
	Nodes    int       `json:"nodes,omitempty"`
	Refusals []Refusal `json:"refusals,omitempty"`
	// Faults are contradictions in what is told of it, Warnings what will hurt, Remedy what would help.
	Faults   []string `json:"faults,omitempty"`
	Warnings []string `json:"warnings,omitempty"`
	Remedy   string   `json:"remedy,omitempty"`
}

// GroupSource is somebody who says that pods are a group.
type GroupSource struct {
	// Origin is one of: pod-group, annotations, task-groups, group-labels, object, config-map, controllers.
	Origin string `json:"origin"`
	// Text is what is said, and how it was reckoned.
	Text string `json:"text,omitempty"`
	// Object is what people look at when they ask about the group; left out for none.
	Object *ObjectRef `json:"object,omitempty"`
}

// ObjectRef names an object of the Kubernetes API.
type ObjectRef struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	Namespace  string `json:"namespace"`
	Name       string `json:"name"`
	UID        string `json:"uid"`
}

// GroupTopology is a node label of which all pods of a group are to have one value.
type GroupTopology struct {
	Key string `json:"key"`
	// Required: the group waits rather than be spread.
	Required bool `json:"required"`
}

// GroupRole is a group's pods of one role.
type GroupRole struct {
	// Role is empty for pods without one.
	Role string `json:"role"`
	// Min is how many of them must start together, Count how many there are to be in all. First: they start the others, which exist only after they run.
	Min   int  `json:"min"`
	Count int  `json:"count"`
	First bool `json:"first,omitempty"`
	// Existing are those that exist: Bound, Assumed (a bind is under way) or Waiting.
	Existing int `json:"existing"`
	Bound    int `json:"bound"`
	Assumed  int `json:"assumed"`
	Waiting  int `json:"waiting"`
	// Expected are those that do not exist yet and are wanted, Kept where room is kept for them; or, as it falls free, for those that have waited long.
	Expected int        `json:"expected"`
	Kept     []KeptRoom `json:"kept,omitempty"`
	// Request is what one of them asks for.
	Request map[string]Quantity `json:"request"`
}

// KeptRoom is room that is kept on a node.
type KeptRoom struct {
	Node string `json:"node"`
	Pods int    `json:"pods"`
}
