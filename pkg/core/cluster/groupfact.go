package cluster

import (
	"time"

	"k8s.io/apimachinery/pkg/types"
)

// GroupFact is what one source tells of a group: pods that start together or not at all. It is immutable once made. A group is known by its namespace and
// ID, which is what its pods have in Claim.Group. Several sources may tell of one group; what the one of the lowest Origin tells holds, whole, and is shown.
type GroupFact struct {
	Namespace, ID string
	Origin        Origin
	// Source says in words what told this and how it was reckoned, such as "FlinkDeployment orders: parallelism 8 / 2 slots = 4 TaskManagers".
	Source string
	// Object is what people look at when they ask about the group, to be told of it in events; the zero value for none.
	Object ObjectRef
	// Generation is that of Object where its status is ours to write, as a PodGroup's is; else 0, and there too where the API server gives PodGroups none. Scheduled: its status says already that the group has been scheduled,
	// which is final; Said is what it says while it does not.
	Generation int64
	Scheduled  bool
	Said       Condition
	// Min is how many pods must have room together before any is bound, those that are bound already included. Below 2 it asks for nothing.
	Min int
	// Roles are what is known of the pods by role. Where it is empty, Min pods must exist before the group is tried.
	Roles []RoleFact
	// Topology keeps the group within one domain; nil for anywhere.
	Topology *GroupTopology
	// Priority is the group's own, which its pods must have, too; nil for that of its pods.
	Priority *int32
	// Together: pods beyond Min that come at about the same time are bound in one step, for each arrival costs the application a restart.
	Together bool
	// Over: the application has ended, or is not to run, so it is owed nothing although pods of it may live on; Why says so in words.
	Over bool
	Why  string
	// Finished: it is Over because the application has ended by itself, for good; one that is suspended or is being deleted is Over without that.
	Finished bool
	// Patience is how long the application waits for its pods once the first of them runs (Flink's slot.request.timeout); 0 if that is not known.
	Patience time.Duration
	// Clock is the setting that Patience is, such as "slot.request.timeout", and Ends what happens then, as the beginning of a sentence that goes on with the time: "Flink will
	// fail this slot request". Both may be empty.
	Clock, Ends string
	// Soft: the numbers are a guess that the application may undercut, so what is kept for pods that do not come is given up early.
	Soft bool
	// Twice: a second group of its size runs beside it while it is renewed (blue/green), so that its queue must have room for both.
	Twice bool
	// Faults are contradictions in what the source says, in words that say what to do. A group with faults is not tried: its pods are held.
	Faults []string
	// Warnings are what will hurt but stops nothing.
	Warnings []string
	// Key is a text that equal facts of one group have in common and different ones have not; only facts that come with pods need one.
	Key string
}

// RoleFact is what is known of a group's pods of one role.
type RoleFact struct {
	// Role is that of Claim.Role.
	Role string
	// Min is how many of them are among the group's Min, Count how many there are to be in all, standing by or elastic ones included.
	Min, Count int
	// Template is a pod of the role as far as it is known, without name and UID, for which room may be kept before the pod exists; nil if nothing is known, and
	// then Min pods of the role must exist before the group is tried.
	Template *PodFact
	// First: pods of this role start the others, which exist only after it runs (JobManager, driver, head). They are bound while room is kept for the others.
	First bool
}

// Origin is the kind of source that told of a group, the most explicit first.
type Origin uint8

// The origins, in the order in which they count.
const (
	FromPodGroup    Origin = iota // spec.schedulingGroup and its PodGroup
	FromAnnotations               // sluice.dev/* on the pods
	FromTaskGroups                // YuniKorn's task groups
	FromGroupLabels               // the labels of Volcano, scheduler-plugins, Kueue and KAI, and their objects
	FromObject                    // the object that an engine's operator works from: FlinkDeployment, SparkApplication, RayCluster, Job, JobSet …
	FromConfigMap                 // what an engine keeps of its configuration in the cluster
	FromControllers               // the controllers of an application of plain manifests
	Origins
)

// GroupTopology is a node label that is to have one value on all nodes of a group, such as topology.kubernetes.io/zone.
type GroupTopology struct {
	Key string
	// Required: the group waits rather than be spread; otherwise one domain is only tried first.
	Required bool
}

// ObjectRef names any object of the API.
type ObjectRef struct {
	APIVersion, Kind, Namespace, Name string
	UID                               types.UID
}
