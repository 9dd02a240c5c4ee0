package cluster

import (
	"time"

	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/sluice-scheduler/sluice/pkg/core/resource"
)

// PodFact is everything the scheduler keeps of a pod, as the API server last told it. It is immutable once made, so that the
// watch cache and the core may share it. ReadPod makes one.
type PodFact struct {
	UID       types.UID
	Namespace string
	Name      string
	// ResourceVersion of the object this was read from, for the watch cache; the core compares it with nothing.
	ResourceVersion string
	// Created orders pods of equal priority; whole seconds, as the API keeps it.
	Created    time.Time
	Generation int64
	Priority   int32
	// Ours: the pod's schedulerName is the one we serve. Pods of others are only counted.
	Ours bool
	// Node is spec.nodeName; empty while unbound.
	Node string
	// Nominated is status.nominatedNodeName.
	Nominated string
	// Pin is the one node named by required affinity on metadata.name (as DaemonSet pods have it), kept out of the demand so that
	// pinned pods share a shape. Empty means any node.
	Pin string
	// Deleting: deletionTimestamp is set.
	Deleting bool
	// Gated: spec.schedulingGates is not empty.
	Gated bool
	// Terminal: the pod has succeeded or failed and holds nothing any more.
	Terminal bool
	// Expected: there is no such pod yet. It stands for one that is to come, for which room is kept, and the API server knows nothing of it.
	Expected bool
	// Started: the kubelet has reported on the pod (status.startTime), so it was admitted or rejected there.
	Started bool
	// Scheduled and Ready are since when a bound pod of ours has the conditions PodScheduled and Ready; zero while it has not. They matter for groups: pods
	// without one may be told without them.
	Scheduled, Ready time.Time
	Demand           *Demand
	// Liking is what the pod would like beyond what it demands; nil when that is nothing.
	Liking *Liking
	// Labels are what terms of other pods, and its own, select it by.
	Labels Labels
	// Needs is what it asks of volumes; nil if nothing.
	Needs *Needs
	// Claim says to whom the pod belongs and where it wants to queue. ReadPod leaves it nil; whoever hands on the fact sets it for pods of ours,
	// by app.Identify, and may share one among pods.
	Claim *Claim
	// Holds is what the pod holds on its node where that differs from Demand.Requests (an in-place resize, by status);
	// nil where it does not.
	Holds resource.Amounts
	// Said is the PodScheduled condition that the API server has.
	Said Condition
}

// Condition is the part of a pod's PodScheduled=False condition that tells whether it must be written again. The zero value means
// that there is none.
type Condition struct {
	// Digest of reason, message and observed generation: see Digest.
	Digest uint64
	// Since is the condition's lastTransitionTime.
	Since time.Time
}

// NodeFact is everything the scheduler keeps of a node. It is immutable once made. ReadNode makes one.
type NodeFact struct {
	Name            string
	UID             types.UID
	ResourceVersion string
	Labels          map[string]string
	// Taints that keep pods away: effects NoSchedule and NoExecute only.
	Taints []v1.Taint
	// SoftTaints are those that only ask to keep away: effect PreferNoSchedule.
	SoftTaints    []v1.Taint
	Unschedulable bool
	Allocatable   resource.Amounts
	// Images are those that the node has, by name. They are read only if a node order asks for them (see Extra).
	Images []ImageHandle
	// Features are those that the node declares and that a pod may need, sorted.
	Features []string
	// Faults are quantities that could not be taken as they are.
	Faults []string
}

// Port is a host port that a pod occupies on its node.
type Port struct {
	Protocol v1.Protocol
	// IP is the host address; "0.0.0.0" (also for the empty string) means all of them.
	IP     string
	Number int32
}

// Digest returns a number that is equal for equal conditions (FNV-1a over the three, separated), so that a fact needs not
// keep the message itself.
func Digest(reason, message string, observedGeneration int64) uint64 {
	h := uint64(14695981039346656037)
	mix := func(b byte) { h = (h ^ uint64(b)) * 1099511628211 }
	for _, s := range [...]string{reason, message} {
		for i := range len(s) {
			mix(s[i])
		}
		mix(0)
	}
	for shift := 0; shift < 64; shift += 8 {
		mix(byte(observedGeneration >> shift))
	}
	return h
}
