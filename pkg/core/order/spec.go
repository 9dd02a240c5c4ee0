package order

import "github.com/sluice-scheduler/sluice/pkg/core/cluster"

// Kind is what an evaluator looks at.
type Kind string

// The evaluators. Static ones look at the node alone, dynamic ones at node and ask.
const (
	// LeastAllocated (static) prefers nodes with much free, MostAllocated (static) those with little: the weighted mean of the free or used
	// shares of Resources.
	LeastAllocated Kind = "LeastAllocated"
	MostAllocated  Kind = "MostAllocated"
	// RequestedToCapacityRatio (static) maps the used share of each resource through Shape and takes the weighted mean.
	RequestedToCapacityRatio Kind = "RequestedToCapacityRatio"
	// Balanced (static) prefers nodes whose resources are used to like shares: one minus the standard deviation of the shares.
	Balanced Kind = "Balanced"
	// DominantShare (static) prefers nodes whose most used resource is least used.
	DominantShare Kind = "DominantShare"
	// NodeLabel (static) scores nodes by the value of one label.
	NodeLabel Kind = "NodeLabel"
	// ScarceAvoidance keeps asks that want no scarce resource off nodes that have some of it free.
	ScarceAvoidance Kind = "ScarceAvoidance"
	// ScarceFit (dynamic) places asks for a scarce resource where they leave least of it stranded: free, but of no use to the requests that are
	// usual.
	ScarceFit Kind = "ScarceFit"
	// NodeAffinity (dynamic) counts the pod's preferred node affinity, TaintToleration (dynamic) the PreferNoSchedule taints that it does
	// not tolerate.
	NodeAffinity    Kind = "NodeAffinity"
	TaintToleration Kind = "TaintToleration"
	// RequestLeastAllocated and RequestMostAllocated (dynamic) judge the node as it would be with the pod on it, as kube-scheduler does. Every node that
	// has room is scored, so they cost more.
	RequestLeastAllocated Kind = "RequestLeastAllocated"
	RequestMostAllocated  Kind = "RequestMostAllocated"
	// InterPodAffinity (dynamic) prefers nodes by the pods in their domains: preferred affinity and anti-affinity, of the pod and of those that are there.
	// PodTopologySpread (dynamic) spreads pods by their own constraints that forbid nothing, DefaultSpread (dynamic) those that have no constraint, as
	// kube-scheduler's System defaulting does. ImageLocality (dynamic) prefers nodes that have the pod's images already.
	// All of these score every node that fits, for pods that they have something to say of, and hold the scores against each other.
	InterPodAffinity  Kind = "InterPodAffinity"
	PodTopologySpread Kind = "PodTopologySpread"
	DefaultSpread     Kind = "DefaultSpread"
	ImageLocality     Kind = "ImageLocality"
)

// Kinds lists all evaluators.
func Kinds() []Kind {
	return []Kind{
		LeastAllocated, MostAllocated, RequestedToCapacityRatio, Balanced, DominantShare, NodeLabel,
		ScarceAvoidance, ScarceFit, NodeAffinity, TaintToleration, RequestLeastAllocated, RequestMostAllocated,
		InterPodAffinity, PodTopologySpread, DefaultSpread, ImageLocality,
	}
}

// Spec is a node order. A valid Spec is the configuration's to ensure.
type Spec struct {
	Name       string
	Evaluators []Evaluator
}

// Evaluator is one part of an order.
type Evaluator struct {
	Kind Kind
	// Weight multiplies the score; 1 to 100.
	Weight int64
	// Resources are what the allocation kinds look at; none means cpu and memory alike.
	Resources []Resource
	// Shape is for RequestedToCapacityRatio: points by rising utilization, straight lines between them.
	Shape []Point
	// Label and Values are for NodeLabel: nodes score by their value of the label, from 0 to 100; any other value scores 0.
	Label  string
	Values map[string]int64
	// HardWeight and OwnTerms are for InterPodAffinity: what a pod weighs that is there and whose required affinity selects the newcomer; and that
	// terms of others count only for pods that have preferred terms themselves.
	HardWeight int64
	OwnTerms   bool
}

// Needs says what the orders ask of those who read pods and nodes, beyond what all do.
func Needs(specs []Spec) (x cluster.Extra) {
	for _, s := range specs {
		x = x.Or(cluster.Extra{Images: s.weight(ImageLocality) > 0, Selectors: s.weight(DefaultSpread) > 0})
	}
	return x
}

// Resource is a resource and its weight among others.
type Resource struct {
	Name   string
	Weight int64
}

// Point maps a utilization in percent to a score from 0 to 10.
type Point struct{ Utilization, Score int64 }

// Unit is the highest score of an evaluator of weight 1.
const Unit = 1 << 12

// Default is the order that holds when none is configured: spread over nodes, honour what pods prefer, keep scarce resources for those who ask for them.
func Default() Spec {
	return Spec{Name: "default", Evaluators: []Evaluator{
		{Kind: LeastAllocated, Weight: 1},
		{Kind: NodeAffinity, Weight: 2},
		{Kind: TaintToleration, Weight: 3},
		{Kind: InterPodAffinity, Weight: 2, HardWeight: 1},
		{Kind: PodTopologySpread, Weight: 2},
		{Kind: ScarceAvoidance, Weight: 20},
		{Kind: ScarceFit, Weight: 20},
	}}
}
