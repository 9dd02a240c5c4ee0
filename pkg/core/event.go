package core

import (
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
	"github.com/sluice-scheduler/sluice/pkg/core/order"
)

// Event is a fact or an answer that Step takes in. The set is closed: NodeSet, NodeGone, PodSet, PodGone, PodRejected, BindDone,
// Lead, Quarantine, OrdersSet, QueuesSet, NamespaceSet, NamespaceGone, NamespacesHidden, SelectorSet, SelectorGone, GroupSet, GroupGone, DeviceClassSet, DeviceClassGone, and those of volumes
// (volumeevent.go).
type Event interface{ event() }

// NodeSet is the newest state of a node that Sluice may use.
type NodeSet struct{ Node *cluster.NodeFact }

// NodeGone says that a node no longer exists or may no longer be used.
type NodeGone struct{ Name string }

// PodSet is the newest state of a pod, of whatever scheduler. A terminal pod counts as gone. A pod that was deleted and created again under
// its old name is another pod: it has another UID, and PodGone of the old one is owed.
type PodSet struct{ Pod *cluster.PodFact }

// PodGone says that the pod with this UID no longer exists or has ended.
type PodGone struct{ UID types.UID }

// NamespaceSet is the newest state of a namespace. A pod may be told before its namespace, and where namespaces may not be read none is told at all.
type NamespaceSet struct{ Namespace *cluster.NamespaceFact }

// NamespaceGone says that a namespace no longer exists.
type NamespaceGone struct{ Name string }

// NamespacesHidden says whether namespaces may not be read. While that lasts pods are held that require something of pods in namespaces with certain labels:
// whom they mean is not known.
type NamespacesHidden struct{ Hidden bool }

// SelectorSet is the newest state of a Service or controller that selects pods. They are told only where a node order spreads pods by their selectors.
type SelectorSet struct{ Selector *cluster.SelectorFact }

// SelectorGone says that such an object no longer exists.
type SelectorGone struct{ ID cluster.SelectorID }

// GroupSet is the newest of what one source tells of a group; it replaces what the same origin told before. What pods themselves tell of their groups comes with
// them (cluster.Claim) and not as an event.
type GroupSet struct{ Group *cluster.GroupFact }

// GroupGone says that a source tells nothing of a group any more.
type GroupGone struct {
	Namespace, ID string
	Origin        cluster.Origin
}

// DeviceClassSet is the newest state of a DeviceClass. Where they do not exist or may not be read none is told.
type DeviceClassSet struct{ Class *cluster.DeviceClassFact }

// DeviceClassGone says that a DeviceClass no longer exists.
type DeviceClassGone struct{ Name string }

// QueuesSet replaces the tree of queues. The tree must be valid; applications follow within this and the next steps.
type QueuesSet struct{ Tree *cluster.Tree }

// PodRejected says that the kubelet refused a pod that we had bound (OutOfcpu, OutOfpods, NodePorts …), as happens when somebody
// else filled the node at the same moment. It is counted; the accounts follow PodGone or PodSet as for any pod.
type PodRejected struct {
	UID    types.UID
	Node   string
	Reason string
}

// BindDone answers a Bind or a Recall.
type BindDone struct {
	UID     types.UID
	Node    string
	Outcome Outcome
	// Message says why a bind was refused, for people.
	Message string
}

// Outcome of a bind. There is no "perhaps": whoever carries out a bind whose answer was lost asks the API server until it knows.
type Outcome uint8

const (
	// Bound: the API server has stored the binding to that node.
	Bound Outcome = iota
	// Refused: it definitely has not and will not; the pod waits out its backoff and is tried again.
	Refused
	// Recalled: the bind was not sent, because a Recall came first; the pod is tried again at once.
	Recalled
)

// Lead says whether this instance decides. A core that does not lead follows all facts and neither assumes nor emits. It starts without the lead.
type Lead struct{ On bool }

// Quarantine sets an object aside that made an earlier instance panic: a pod is never tried, a node gets no pods. It lasts as
// long as the object does, or until the next start without it.
type Quarantine struct {
	UID types.UID
	// Why is shown in the pod's condition.
	Why string
}

func (NodeSet) event()          {}
func (NodeGone) event()         {}
func (PodSet) event()           {}
func (PodGone) event()          {}
func (PodRejected) event()      {}
func (BindDone) event()         {}
func (Lead) event()             {}
func (Quarantine) event()       {}
func (OrdersSet) event()        {}
func (QueuesSet) event()        {}
func (NamespaceSet) event()     {}
func (NamespaceGone) event()    {}
func (NamespacesHidden) event() {}
func (SelectorSet) event()      {}
func (SelectorGone) event()     {}
func (GroupSet) event()         {}
func (GroupGone) event()        {}
func (DeviceClassSet) event()   {}
func (DeviceClassGone) event()  {}

// OrdersSet replaces the node orders, of which the first holds where none is named (none: the built-in one), and says what is scarce.
type OrdersSet struct {
	Orders []order.Spec
	Scarce order.ScarceSpec
}

// Subject is what the core is busy with: a pod or a node, or nothing.
type Subject struct {
	// Kind is "pod", "node" or empty.
	Kind      string
	UID       types.UID
	Namespace string
	Name      string
}

// Config is what the core is told about how to decide. The zero value of a field means its default.
type Config struct {
	// Budget is how many nodes a step may look at before it ends early; default 200,000 (some ten milliseconds). One attempt is never cut, so a step
	// may exceed it by one look at every node.
	Budget int
	// BackoffInitial and BackoffMax bound the wait after a refused bind, which doubles each time; defaults 1 s and 10 s.
	BackoffInitial time.Duration
	BackoffMax     time.Duration
	// RetryAfter is how long a pod is parked at most before it is tried again without cause; default 5 min. It is a safety net: what
	// could help a parked pod wakes it at once.
	RetryAfter time.Duration
	// RefreshAfter is how often a message may change when only its counts do; default 1 min.
	RefreshAfter time.Duration
	// VolumesWithin is how long the claims of a pod that has been placed may take to be bound; default 10 min, that of kube-scheduler. Then the pod is taken off
	// its node and tried again.
	VolumesWithin time.Duration
	// StarvationAfter is how long a pod that fits nowhere waits, while none that asks for the same is placed, until room may be kept for it; it is given up when for twice as long nothing
	// more has fallen free there. Zero: no room is ever kept.
	StarvationAfter time.Duration
	// HoldFor is how long room is kept for pods of a group that do not exist yet, once the pod that starts them has been given a node; default 10 min.
	HoldFor time.Duration
	// ReentryFor is how long the room of an application that is gone, but whose source says that it is to run, is kept for its return, as between the two halves of an
	// upgrade; default 5 min.
	ReentryFor time.Duration
	// SourceWithin is how long a pod that starts others waits for the source that tells of them, where its group says that there is to be one, such as a
	// ConfigMap that is made after the pod; default 10 s. Then it is placed by itself.
	SourceWithin time.Duration
	// InPlace: this scheduler serves the pods that name none, so that nobody is sent to kube-scheduler.
	InPlace bool
	// Watch, if set, is told each subject before the core turns to it. It is for tests that inject faults.
	Watch func(Subject)
}
