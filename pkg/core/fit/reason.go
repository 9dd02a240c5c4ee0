package fit

import (
	"slices"
	"strconv"
	"strings"
)

// Code says whether removing pods from the node could make room (kube-scheduler's Unschedulable) or not
// (UnschedulableAndUnresolvable).
type Code uint8

// The codes, by kube-scheduler's names.
const (
	Unschedulable Code = iota
	UnschedulableAndUnresolvable
)

// Kind is the rule that refused.
type Kind uint8

// The kinds of reasons.
const (
	_ Kind = iota
	NotNamed
	Cordoned
	Tainted
	Affinity
	PortTaken
	TooManyPods
	Insufficient
	// NoDomain: the node lacks the label of a spread constraint. Skewed: the pod would make its domain exceed the constraint's skew.
	NoDomain
	Skewed
	// Alone: no pod that required affinity selects is in the node's domain. Repelled: one that anti-affinity selects is. Unwelcome: one is whose own
	// anti-affinity selects the pod.
	Alone
	Repelled
	Unwelcome
	// Featureless: the node does not declare a feature that the pod needs.
	Featureless
	// Unreadable: the pod's terms cannot be parsed.
	Unreadable
	BadClaim
	DiskTaken
	ClaimInUse
	TooManyVolumes
	NoDriver
	VolumeUnreachable
	NoVolume
	NoStorage
	VolumeMissing
	OtherZone
)

// Reason is why a node refuses an ask. It is a value: equal reasons are counted together.
type Reason struct {
	Kind Kind
	// Resource is the lacking one, for Insufficient; for Unreadable it is what is wrong.
	Resource string
	// What is the whole reason, for BadClaim; the driver, for NoDriver.
	What string
	Code Code
}

// String gives the reason in the words of Kubernetes 1.37 (pkg/scheduler/framework/plugins).
func (r Reason) String() string {
	switch r.Kind {
	case NotNamed:
		return "node(s) didn't satisfy plugin(s) [NodeAffinity]"
	case Cordoned:
		return "node(s) were unschedulable"
	case Tainted:
		return "node(s) had untolerated taint(s)"
	case Affinity:
		return "node(s) didn't match Pod's node affinity/selector"
	case PortTaken:
		return "node(s) didn't have free ports for the requested pod ports"
	case TooManyPods:
		return "Too many pods"
	case Insufficient:
		return "Insufficient " + r.Resource
	case NoDomain:
		return "node(s) didn't match pod topology spread constraints (missing required label)"
	case Skewed:
		return "node(s) didn't match pod topology spread constraints"
	case Alone:
		return "node(s) didn't match pod affinity rules"
	case Repelled:
		return "node(s) didn't match pod anti-affinity rules"
	case Unwelcome:
		return "node(s) didn't satisfy existing pods anti-affinity rules"
	case Featureless:
		return "node(s) didn't match Pod's required features"
	case Unreadable:
		return r.Resource
	}
	return r.ofVolumes()
}

func (r Reason) ofVolumes() string {
	switch r.Kind {
	case BadClaim:
		return r.What
	case DiskTaken:
		return "node(s) had no available disk"
	case ClaimInUse:
		return "node(s) unavailable due to PersistentVolumeClaim with ReadWriteOncePod access mode already in-use by another pod"
	case TooManyVolumes:
		return "node(s) exceed max volume count"
	case NoDriver:
		return r.What + " CSI driver is not installed on the node"
	case VolumeUnreachable:
		return "node(s) didn't match PersistentVolume's node affinity"
	case NoVolume:
		return "node(s) didn't find available persistent volumes to bind"
	case NoStorage:
		return "node(s) did not have enough free storage"
	case VolumeMissing:
		return "node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)"
	case OtherZone:
		return "node(s) had no available volume zone"
	}
	return "unknown reason " + strconv.Itoa(int(r.Kind))
}

// Count is how many nodes give a reason. One node may give several reasons.
type Count struct {
	Reason Reason
	Nodes  int
}

// Summary is the message of a failed attempt in the form of kube-scheduler's FitError: "0/5 nodes are available: 3 Insufficient cpu, 2
// node(s) were unschedulable.". An ask whose own terms contradict each other, or whose claims are at fault, has one reason for all nodes, which is not counted.
func Summary(nodes int, a Ask, counts []Count) string {
	if nodes == 0 {
		return "no nodes available to schedule pods"
	}
	prefix := "0/" + strconv.Itoa(nodes) + " nodes are available:"
	if a.Shape.Names != nil && len(a.Shape.Names) == 0 {
		return prefix + " pod affinity terms conflict."
	}
	if b := a.Shape.Bonds; b != nil && b.Unreadable != "" {
		return prefix + " " + b.Unreadable + "."
	}
	merged := map[string]int{}
	for _, c := range counts {
		if c.Reason.Kind == BadClaim {
			return prefix + " " + c.Reason.What + "."
		}
		merged[c.Reason.String()] += c.Nodes // reasons that differ in their code alone read the same
	}
	parts := make([]string, 0, len(merged))
	for text, n := range merged {
		parts = append(parts, strconv.Itoa(n)+" "+text)
	}
	slices.Sort(parts)
	if len(parts) == 0 {
		return prefix
	}
	return prefix + " " + strings.Join(parts, ", ") + "."
}
