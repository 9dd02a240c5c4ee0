package core

import (
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
)

// Effect is a decision for the caller to carry out. The set is closed: Bind, Recall, PrepareVolumes, Condition, GroupStatus, Announce and AnnounceObject.
type Effect interface{ effect() }

// PodRef names a pod for the API server.
type PodRef struct {
	UID       types.UID
	Namespace string
	Name      string
}

// Bind asks for the pod to be bound to the node. It is owed exactly one BindDone.
type Bind struct {
	Pod  PodRef
	Node string
	// Created is the pod's creation time, for measuring.
	Created time.Time
}

// Recall asks for a bind back whose room somebody else has taken meanwhile. If the bind has not been sent it is answered with BindDone
// Recalled; else the Recall is ignored, and the bind's own answer follows. It asks the pod's PrepareVolumes back as well: what is not on its way yet is
// not to be written, and is answered as not stored.
type Recall struct{ UID types.UID }

// PrepareVolumes asks for the claims of a pod that is going to a node to be bound. It is owed a VolumesDone with its serial; one of the same pod with a higher serial
// replaces it. What has been done already, or turns out to be so, is no failure.
type PrepareVolumes struct {
	Pod    PodRef
	Node   string
	Serial uint64
	// Bindings are volumes that are to be kept for claims.
	Bindings []VolumeBinding
	// Provisions are claims that are to be provisioned for the node.
	Provisions []cluster.ClaimRef
}

// VolumeBinding is a volume that is to be kept for a claim.
type VolumeBinding struct {
	Volume string
	UID    types.UID
	Claim  cluster.ClaimRef
}

// Condition asks for the pod's PodScheduled condition to be set to False. A later Condition of the same pod replaces an earlier one that has not been
// written; a Bind of the pod makes it moot.
type Condition struct {
	Pod     PodRef
	Reason  string
	Message string
	// ObservedGeneration is the generation of the pod that was judged.
	ObservedGeneration int64
	// Since is the lastTransitionTime to write: that of the present condition while it has been False, else now.
	Since time.Time
	// Nominates: the pod's status.nominatedNodeName becomes Nominated in the same write, empty for nothing. Else it is left as it is.
	Nominates bool
	Nominated string
}

// Announce asks for an event (events.k8s.io/v1) that regards the pod.
type Announce struct {
	Pod PodRef
	// Type is Normal or Warning.
	Type   string
	Reason string
	Action string
	Note   string
}

// GroupStatus asks for the condition PodGroupInitiallyScheduled of a PodGroup (scheduling.k8s.io) to be set. A later one of the same group replaces an earlier one
// that has not been written. True is final: what would take it back is not written.
type GroupStatus struct {
	// Group is the PodGroup, as GroupFact.Object names it.
	Group cluster.ObjectRef
	// Scheduled: the condition is True with ReasonScheduled, and Reason is not looked at; else it is False with Reason, which is ReasonUnschedulable or
	// ReasonSchedulerError: consumers know no others.
	Scheduled bool
	Reason    string
	Message   string
	// ObservedGeneration is the generation of the PodGroup that was judged (GroupFact.Generation).
	ObservedGeneration int64
}

// AnnounceObject asks for an event that regards any object, such as a FlinkDeployment. The same one is not written again for a while, and of those of one
// object and reason that come in quick succession only the newest; so it may be asked for as often as it is true.
type AnnounceObject struct {
	Object cluster.ObjectRef
	// Type is Normal or Warning.
	Type   string
	Reason string
	Action string
	Note   string
}

func (Bind) effect()           {}
func (Recall) effect()         {}
func (PrepareVolumes) effect() {}
func (Condition) effect()      {}
func (GroupStatus) effect()    {}
func (Announce) effect()       {}
func (AnnounceObject) effect() {}

// Reasons of the PodScheduled condition. Autoscalers add nodes for ReasonUnschedulable alone.
const (
	// ReasonUnschedulable: node room is missing.
	ReasonUnschedulable = "Unschedulable"
	// ReasonQuotaExceeded: the max of a queue, or the limit of a user or group, leaves too little; more nodes would not help.
	ReasonQuotaExceeded = "QuotaExceeded"
	// ReasonWaitingForTurn: the pod's queue is strict, and others come first there.
	ReasonWaitingForTurn = "WaitingForTurn"
	// ReasonWaitingForGang: the pod starts together with others that do not exist yet, or of which nothing is known yet.
	ReasonWaitingForGang = "WaitingForGang"
	// ReasonInvalidGroup: what is told of the group with which the pod starts contradicts itself.
	ReasonInvalidGroup = "InvalidGroup"
	// ReasonNoQueue: the application has no queue: it names none that exists, or one that does not admit its user.
	ReasonNoQueue = "NoQueue"
	// ReasonUnsupported: the pod uses a placement field that Sluice does not evaluate; it is held rather than bound as if the
	// field were absent.
	ReasonUnsupported = "PlacementFieldUnsupported"
	// ReasonPreparing: the pod has been given a node, for which it is nominated, and its volumes are being prepared there before it is bound.
	ReasonPreparing = "PreparingVolumes"
	// ReasonSchedulerError: something is wrong that is not the pod's fault: a refused bind, a quarantine.
	ReasonSchedulerError = "SchedulerError"
)

// ReasonScheduled is that of a PodGroup's condition PodGroupInitiallyScheduled once it is True.
const ReasonScheduled = "Scheduled"

// Event types, reasons and actions, by the names that kube-scheduler uses.
const (
	TypeNormal            = "Normal"
	TypeWarning           = "Warning"
	EventScheduled        = "Scheduled"
	EventFailedScheduling = "FailedScheduling"
	EventUnknownNodeOrder = "UnknownNodeOrder"
	ActionBinding         = "Binding"
	ActionScheduling      = "Scheduling"
)
