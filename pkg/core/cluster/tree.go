package cluster

import (
	"time"

	"github.com/sluice-scheduler/sluice/pkg/core/resource"
)

// Tree is a configured tree of queues. It is immutable once made. A valid Tree is the configuration's to ensure.
type Tree struct {
	// Hash identifies the configuration that it was read from.
	Hash string
	// Root is the queue root; it always exists and is a parent unless it has no children and is marked a leaf.
	Root *QueueSpec
	// Rules say in which queue an application belongs, first match first; without any, the queue that it names.
	Rules []Rule
}

// QueueSpec is what is configured of a queue. Amounts are sorted by name, each name once; unlike a request's they may hold zeros: a max of zero lets
// nothing in.
type QueueSpec struct {
	// Name is the last part of the queue's path, in lower case: root for the root.
	Name string
	// Parent: it holds queues; else it is a leaf and holds applications.
	Parent   bool
	Children []*QueueSpec
	// Guaranteed is owed whenever wanted; a resource that is missing has no guarantee. Max is never exceeded; missing is unlimited.
	Guaranteed, Max resource.Amounts
	// Weight is the queue's part of what is left over, beside its siblings'; at least 1. Weights name the resources in which it differs.
	Weight  int64
	Weights resource.Amounts
	// MaxApps is how many applications may run at a time; 0 is unlimited.
	MaxApps int
	// Sort orders the applications of a leaf.
	Sort AppSort
	// PriorityDisabled: applications of a leaf are not ordered by priority.
	PriorityDisabled bool
	// Strict: in a leaf nobody passes the first who wait. By default who fits goes, whoever waits before him.
	Strict bool
	// PriorityOffset is added to the priorities of the subtree when siblings are compared; PriorityFence keeps the subtree's priorities from being
	// seen outside, so that it counts with the offset alone.
	PriorityOffset int32
	PriorityFence  bool
	// PriorityFirst orders the children by priority before guarantees, as YuniKorn does.
	PriorityFirst bool
	// NodeOrder names the node order of the queue's pods; empty for the parent's.
	NodeOrder string
	// Gang says how an autoscaler is brought to grow the cluster for gangs of the queue.
	Gang GangSpec
	// Submit and Admin say who may submit: to this queue or any below it.
	Submit, Admin ACL
	// Limits bound what users and groups may use of the queue.
	Limits []Limit
	// Template is what queues are made of that placement rules create below this parent; nil for nothing but defaults.
	Template *QueueSpec
	// Preemption is for those who take back what was lent.
	Preemption Preemption
}

// WeightIn is the queue's weight in the named resource; at least 1.
func (q *QueueSpec) WeightIn(name string) int64 {
	for i := range q.Weights {
		if q.Weights[i].Name == name {
			return max(1, q.Weights[i].Value)
		}
	}
	return max(1, q.Weight)
}

// AppSort orders the applications of a leaf of equal priority.
type AppSort string

// The orders: by submission, or by who holds the smallest dominant share.
const (
	SortFIFO AppSort = "fifo"
	SortFair AppSort = "fair"
)

// ACL says who may. The zero ACL allows nobody.
type ACL struct {
	Everybody     bool
	Users, Groups []string
}

// Allows reports whether a user, or a member of these groups, may.
func (a ACL) Allows(user string, groups []string) bool {
	if a.Everybody {
		return true
	}
	for _, u := range a.Users {
		if u == user {
			return true
		}
	}
	for _, g := range a.Groups {
		for _, own := range groups {
			if g == own {
				return true
			}
		}
	}
	return false
}

// Limit bounds what each of some users, or all members of each of some groups together, may use of a queue. "*" stands for every user (each by
// himself, and all who are not known together) or group not named by another limit of the queue.
type Limit struct {
	// About is the limit's description.
	About         string
	Users, Groups []string
	Max           resource.Amounts
	// MaxApps is how many applications may run at a time; 0 is unlimited.
	MaxApps int
}

// Preemption is what is configured of taking back from and for a queue.
type Preemption struct {
	// Disabled: nothing is taken for or from the subtree. Fence: nothing is taken outside the subtree for it.
	Disabled, Fence bool
	// Delay is how long an ask waits before anything is taken for it; QuotaDelay how long a queue may stay above a lowered max, 0 for ever.
	Delay, QuotaDelay time.Duration
}

// GangSpec is what is configured of the gangs of a queue. What is empty or zero is the parent's.
type GangSpec struct {
	ScaleUp ScaleUp
	// StartFirstAfter is for ScaleUpStartFirst: how long a gang waits for want of nodes before its first-starter is started alone.
	StartFirstAfter time.Duration
}

// ScaleUp is how a gang whose members do not all exist brings an autoscaler to add nodes for it: held as a whole, it shows the autoscaler nothing that it acts on.
type ScaleUp string

// The ways: not at all; the pod that starts the others is started by itself, so that they appear and wait visibly; the autoscaler is asked for all of
// them by a ProvisioningRequest, which is not carried out yet: it is as none.
const (
	ScaleUpNone       ScaleUp = "none"
	ScaleUpStartFirst ScaleUp = "start-first"
	ScaleUpRequest    ScaleUp = "provisioning-request"
)

// RuleKind is how a placement rule finds a queue.
type RuleKind string

// The kinds of rules: the queue that the application names, one named after its user, a fixed one, one named after a tag such as its namespace.
const (
	RuleProvided RuleKind = "provided"
	RuleUser     RuleKind = "user"
	RuleFixed    RuleKind = "fixed"
	RuleTag      RuleKind = "tag"
)

// Rule is a placement rule.
type Rule struct {
	Kind RuleKind
	// Value is the queue of a fixed rule (a full path from root, or a path below what Parent gives) or the tag of a tag rule.
	Value string
	// Create: a queue that does not exist is made.
	Create bool
	// Parent is the rule that gives the parent queue; nil for root.
	Parent *Rule
	// Filter says for whom the rule is; nil for all.
	Filter *Filter
}

// Filter says for whom a rule is. A single user or group may be a regular expression; see IsPattern.
type Filter struct {
	Deny          bool
	Users, Groups []string
}
