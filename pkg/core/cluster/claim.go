package cluster

// Claim says to whom a pod belongs and where it wants to queue, as read from the pod alone. It is immutable; pods of equal claims may
// share one.
type Claim struct {
	// App is the id of the pod's application within its namespace; never empty for a pod of ours.
	App string
	// AppFrom is what decided, in words, such as "label sluice.dev/app".
	AppFrom string
	// Role is the pod's part in the application, such as jobmanager; empty when it has none that is known.
	Role string
	// Queue is the queue that the pod names, as it is written; empty when it names none. QueueFrom is what named it.
	Queue, QueueFrom string
	// User and Groups are on whose behalf the pod was made, where that is known and trusted.
	User   string
	Groups []string
}

// NamespaceFact is what the scheduler keeps of a namespace. It is immutable once made.
type NamespaceFact struct {
	Name            string
	ResourceVersion string
	// Queue is the queue for applications of the namespace that name none, QueueFrom the annotation that says so.
	Queue, QueueFrom string
	// Annotations are those of its annotations that tags of placement rules may name.
	Annotations map[string]string
}
