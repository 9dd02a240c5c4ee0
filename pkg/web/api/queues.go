package api

// Quantity is an amount as Kubernetes writes it; see the package's comment.
type Quantity = string

// Queues is the answer to GET /api/v1/queues and /api/v1/queues/{path}.
type Queues struct {
	// Leading: the Sluice that answers decides. Another one follows what the leader does.
	Leading bool `json:"leading"`
	// Configuration is the hash of the queues file in force; empty while none is.
	Configuration string `json:"configuration"`
	// Capacity is what the queues share, by resource: what the nodes offer less what pods of other schedulers hold there.
	Capacity map[string]Quantity `json:"capacity"`
	// Queue is the one that was asked for, with all below it; the root unless another was named.
	Queue Queue `json:"queue"`
}

// Queue is a queue as it stands, with all below it.
type Queue struct {
	// Name is the full path, such as root.prod.
	Name string `json:"name"`
	// Leaf: applications may be in it.
	Leaf bool `json:"leaf"`
	// Dynamic: a placement rule made it, and it goes with its last application.
	Dynamic bool `json:"dynamic"`
	// Draining: the configuration does not have it any more, and it goes with its last application.
	Draining bool `json:"draining"`
	// Pods is how many hold something in it, bound or about to be; PendingPods how many wait to be placed.
	Pods        int `json:"pods"`
	PendingPods int `json:"pendingPods"`
	// RunningApps is how many applications have pods that hold something, MaxApps how many may at a time; left out when that is not bounded.
	RunningApps int `json:"runningApps"`
	MaxApps     int `json:"maxApps,omitempty"`
	// Resources are those of which something is configured, held or waited for, by name.
	Resources map[string]Resource `json:"resources"`
	// Members are the users and groups whose use of the queue is bounded, by kind and name.
	Members []Member `json:"members,omitempty"`
	// Queues are the children, by name.
	Queues []Queue `json:"queues,omitempty"`
}

// Resource is a queue's standing in one resource.
type Resource struct {
	// Guaranteed is owed to the queue whenever it wants it: what is configured, or what its children are owed if that is more.
	Guaranteed Quantity `json:"guaranteed,omitempty"`
	// Max is never exceeded.
	Max Quantity `json:"max,omitempty"`
	// Headroom is what the queue may still take: the least over it and all above it of max − used. It is negative where a max was lowered below what is used,
	// and left out when none of them is bounded.
	Headroom Quantity `json:"headroom,omitempty"`
	// Weight is the queue's part of what is left over, beside its siblings'.
	Weight int64 `json:"weight"`
	// Used is held by pods and reservations, Pending is asked for by those that wait.
	Used    Quantity `json:"used"`
	Pending Quantity `json:"pending"`
	// Reserved is the part of Used that is only kept for pods which wait until enough has fallen free; left out when there is none.
	Reserved Quantity `json:"reserved,omitempty"`
	// Fair is the fair share: what the queue should have, by guarantees and weights, of what there is now and is wanted now.
	Fair Quantity `json:"fair"`
}

// Member is the use that a user or a group makes of a queue.
type Member struct {
	// Kind is "user" or "group".
	Kind        string `json:"kind"`
	Name        string `json:"name"`
	Pods        int    `json:"pods"`
	RunningApps int    `json:"runningApps"`
	// MaxApps is left out when the number is not bounded.
	MaxApps int                 `json:"maxApps,omitempty"`
	Used    map[string]Quantity `json:"used"`
	// Max names the resources that are bounded.
	Max map[string]Quantity `json:"max,omitempty"`
}
