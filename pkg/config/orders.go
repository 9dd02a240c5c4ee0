package config

import (
	"encoding/json"
	"fmt"
	"slices"

	kubescheduler "k8s.io/kube-scheduler/config/v1"

	"github.com/sluice-scheduler/sluice/pkg/config/strict"
	"github.com/sluice-scheduler/sluice/pkg/core/order"
)

// NodeOrder is a named way to choose among the nodes that have room for a pod: the node with the highest sum of weighted scores
// is taken. A pod chooses an order by the annotation `sluice.dev/node-order`.
type NodeOrder struct {
	// Name is what pods choose the order by; 1 to 63 lower-case letters, digits and '-'. No two orders may share one.
	Name string `yaml:"name"`
	// Evaluators are what the score is made of; at least one. Those that look at the node alone cost least.
	Evaluators []Evaluator `yaml:"evaluators"`
}

// Evaluator is one part of an order's score: either a ScoringStrategy, or a Type. Each gives between 0 and its weight.
type Evaluator struct {
	// Type is one of `Balanced` (resources used to like shares), `DominantShare` (the most used resource is least used), `NodeLabel` (by the
	// value of a label), `ScarceAvoidance` (keeps pods that ask for nothing scarce off nodes where something scarce is free),
	// `ScarceFit` (places pods that ask for something scarce where they strand least of it), `NodeAffinity` (preferred node
	// affinity), `InterPodAffinity` (preferred affinity and anti-affinity between pods), `PodTopologySpread` (constraints with ScheduleAnyway), `DefaultSpread` (spreads
	// pods without constraints from those that their Services and their owner select, as kube-scheduler does by default), `TaintToleration` (PreferNoSchedule taints) and `ImageLocality` (nodes that have the pod's images already). Empty with a ScoringStrategy.
	Type string `yaml:"type,omitempty"`
	// Weight multiplies the score, from 1 to 100; 0 or none means 1, as in kube-scheduler.
	Weight int64 `yaml:"weight,omitempty"`
	// ScoringStrategy judges how much of the node is allocated, in the words of kube-scheduler's NodeResourcesFit: a type (`LeastAllocated`,
	// `MostAllocated`, `RequestedToCapacityRatio`), resources with weights (cpu and memory alike when there are none), and
	// for the ratio a shape.
	ScoringStrategy *ScoringStrategy `yaml:"scoringStrategy,omitempty"`
	// WithRequest makes a ScoringStrategy judge the node as it would be with the pod on it, as kube-scheduler does. Every node that has room
	// is scored then, which costs more the larger the cluster is. Not for `RequestedToCapacityRatio`.
	WithRequest bool `yaml:"withRequest,omitempty"`
	// Resources are those that `Balanced` and `DominantShare` look at; cpu and memory when there are none.
	Resources []string `yaml:"resources,omitempty"`
	// Label is the node label of `NodeLabel`, and Values says how its values score, from 0 to 100. Other values score 0.
	Label string `yaml:"label,omitempty"`
	// Values are the scores of the label's values.
	Values map[string]int64 `yaml:"values,omitempty"`
	// HardPodAffinityWeight is for `InterPodAffinity`: what a pod weighs that is on a node already and whose required affinity selects the newcomer, from 0 to
	// 100. None means 1, as in kube-scheduler; at 0 such pods weigh nothing.
	HardPodAffinityWeight *int64 `yaml:"hardPodAffinityWeight,omitempty"`
	// IgnorePreferredTermsOfExistingPods is for `InterPodAffinity`: pods without preferred terms of their own are placed without regard to what pods on the nodes
	// would like, as in kube-scheduler. Pods that many others' terms select are placed faster then.
	IgnorePreferredTermsOfExistingPods bool `yaml:"ignorePreferredTermsOfExistingPods,omitempty"`
}

// ScoringStrategy is kube-scheduler's type of that name, read and written by its own keys.
type ScoringStrategy struct {
	kubescheduler.ScoringStrategy `yaml:",inline"`
}

// MarshalYAML writes the strategy by the keys that kube-scheduler's configuration has.
func (s ScoringStrategy) MarshalYAML() (any, error) {
	data, err := json.Marshal(s.ScoringStrategy)
	if err != nil {
		return nil, fmt.Errorf("encode a scoring strategy: %w", err)
	}
	var keys map[string]any
	err = json.Unmarshal(data, &keys)
	return keys, err
}

// ScarceResources says which resources are scarce: few nodes offer them, so that pods which do not need them are better off elsewhere.
type ScarceResources struct {
	// DetectBelow makes an extended resource scarce that fewer than this percentage of the nodes offer, from 0 to 100. At 0 nothing is
	// detected; at 100 every extended resource is scarce that not all nodes offer. What is scarce now is shown by the
	// metric `sluice_scarce_units` and at the end of /debug/dump.
	DetectBelow int64 `yaml:"detectBelow"`
	// Always lists resources that are scarce however many nodes offer them.
	Always []string `yaml:"always"`
	// Never lists resources that are not, however few do.
	Never []string `yaml:"never"`
}

// Check holds the rules of an order.
func (o *NodeOrder) Check(at *strict.Place) {
	if !orderName(o.Name) {
		at.Faultf("name", "must be 1 to 63 lower-case letters, digits or '-', but is %q", o.Name)
	}
	if len(o.Evaluators) == 0 {
		at.Faultf("evaluators", "must list at least one evaluator")
	}
}

func orderName(name string) bool {
	for _, r := range name {
		if (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '-' {
			return false
		}
	}
	return name != "" && len(name) <= 63
}

// plainTypes are the evaluators that are named by type.
var plainTypes = []string{
	string(order.Balanced), string(order.DominantShare), string(order.NodeLabel), string(order.ScarceAvoidance), string(order.ScarceFit),
	string(order.NodeAffinity), string(order.TaintToleration),
	string(order.InterPodAffinity), string(order.PodTopologySpread), string(order.DefaultSpread), string(order.ImageLocality),
}

// Check holds the rules of an evaluator.
func (e *Evaluator) Check(at *strict.Place) {
	if e.Weight < 0 || e.Weight > 100 {
		at.Faultf("weight", "must be between 1 and 100, but is %d", e.Weight)
	}
	switch {
	case e.ScoringStrategy != nil && e.Type != "":
		at.Faultf("type", "must not be set beside scoringStrategy, which has a type of its own")
	case e.ScoringStrategy != nil:
		e.checkStrategy(at)
	case e.Type == "":
		at.Faultf("type", "is missing; give a type, or a scoringStrategy")
	case slices.Contains([]string{"LeastAllocated", "MostAllocated", "RequestedToCapacityRatio"}, e.Type):
		at.Faultf("type", "must be written as scoringStrategy: {type: %s}", e.Type)
	default:
		strict.OneOf(at, "type", e.Type, plainTypes...)
	}
	e.checkFields(at)
}

// checkFields refuses fields that the evaluator would not look at.
func (e *Evaluator) checkFields(at *strict.Place) {
	if e.WithRequest && e.ScoringStrategy == nil {
		at.Faultf("withRequest", "goes with a scoringStrategy only")
	}
	if len(e.Resources) > 0 && e.Type != string(order.Balanced) && e.Type != string(order.DominantShare) {
		at.Faultf("resources", "go with Balanced and DominantShare only; a scoringStrategy has resources of its own")
	}
	isLabel := e.Type == string(order.NodeLabel)
	switch {
	case isLabel && e.Label == "":
		at.Faultf("label", "is missing; NodeLabel needs one")
	case isLabel && len(e.Values) == 0:
		at.Faultf("values", "are missing; say how the values of %s score, such as {ssd: 100}", e.Label)
	case !isLabel && (e.Label != "" || len(e.Values) > 0):
		at.Faultf(at.First("label", "values"), "goes with NodeLabel only")
	}
	e.checkAffinity(at)
	for value, score := range e.Values {
		if score < 0 || score > 100 {
			at.Faultf("values", "must score from 0 to 100, but %q scores %d", value, score)
		}
	}
}

func (e *Evaluator) checkAffinity(at *strict.Place) {
	const weight, ignore = "hardPodAffinityWeight", "ignorePreferredTermsOfExistingPods"
	switch {
	case e.Type != string(order.InterPodAffinity) && (e.HardPodAffinityWeight != nil || e.IgnorePreferredTermsOfExistingPods):
		at.Faultf(at.First(weight, ignore), "goes with InterPodAffinity only")
	case e.HardPodAffinityWeight != nil:
		strict.Between(at, weight, *e.HardPodAffinityWeight, 0, 100)
	}
}

func (e *Evaluator) checkStrategy(at *strict.Place) {
	s := &e.ScoringStrategy.ScoringStrategy
	const key = "scoringStrategy"
	ratio := s.Type == kubescheduler.RequestedToCapacityRatio
	strict.OneOf(at, key+".type", string(s.Type), string(kubescheduler.LeastAllocated), string(kubescheduler.MostAllocated), string(kubescheduler.RequestedToCapacityRatio))
	for i, r := range s.Resources {
		item := fmt.Sprintf("%s.resources[%d]", key, i)
		if r.Name == "" {
			at.Faultf(item, "needs a name")
		}
		if r.Weight < 0 || r.Weight > 100 {
			at.Faultf(item+".weight", "must be between 1 and 100, but is %d", r.Weight)
		}
	}
	switch {
	case ratio && e.WithRequest:
		at.Faultf("withRequest", "is not for RequestedToCapacityRatio")
	case ratio && (s.RequestedToCapacityRatio == nil || len(s.RequestedToCapacityRatio.Shape) == 0):
		at.Faultf(key, "needs requestedToCapacityRatio.shape, a list such as {utilization: 0, score: 0}, {utilization: 100, score: 10}")
	case !ratio && s.RequestedToCapacityRatio != nil:
		at.Faultf(key+".requestedToCapacityRatio", "goes with the type RequestedToCapacityRatio only")
	case ratio:
		checkShape(at, key+".requestedToCapacityRatio.shape", s.RequestedToCapacityRatio.Shape)
	}
}

// checkShape holds the rules that kube-scheduler has for a shape.
func checkShape(at *strict.Place, key string, shape []kubescheduler.UtilizationShapePoint) {
	for i, p := range shape {
		item := fmt.Sprintf("%s[%d]", key, i)
		switch {
		case p.Utilization < 0 || p.Utilization > 100:
			at.Faultf(item+".utilization", "must be between 0 and 100, but is %d", p.Utilization)
		case i > 0 && p.Utilization <= shape[i-1].Utilization:
			at.Faultf(item+".utilization", "must be above that of the point before, which is %d, but is %d", shape[i-1].Utilization, p.Utilization)
		}
		if p.Score < 0 || p.Score > 10 {
			at.Faultf(item+".score", "must be between 0 and 10, but is %d", p.Score)
		}
	}
}

// Check holds the rules of what is scarce.
func (s *ScarceResources) Check(at *strict.Place) {
	strict.Between(at, "detectBelow", s.DetectBelow, 0, 100)
	for i, name := range s.Always {
		if slices.Contains(s.Never, name) {
			at.Faultf(fmt.Sprintf("always[%d]", i), "is also listed under never: %s", name)
		}
	}
}

// Orders returns the node orders as the core takes them; none when the built-in order holds.
func (c *Configuration) Orders() []order.Spec {
	specs := make([]order.Spec, 0, len(c.NodeOrders))
	for _, o := range c.NodeOrders {
		s := order.Spec{Name: o.Name}
		for _, e := range o.Evaluators {
			s.Evaluators = append(s.Evaluators, e.spec())
		}
		specs = append(specs, s)
	}
	return specs
}

// Scarce returns what is scarce as the core takes it.
func (c *Configuration) Scarce() order.ScarceSpec {
	s := c.ScarceResources
	return order.ScarceSpec{Below: s.DetectBelow, Always: s.Always, Never: s.Never}
}

func (e *Evaluator) spec() order.Evaluator {
	spec := order.Evaluator{Kind: order.Kind(e.Type), Weight: max(1, e.Weight), Label: e.Label, Values: e.Values}
	if spec.Kind == order.InterPodAffinity {
		spec.HardWeight, spec.OwnTerms = 1, e.IgnorePreferredTermsOfExistingPods
		if e.HardPodAffinityWeight != nil {
			spec.HardWeight = *e.HardPodAffinityWeight
		}
	}
	for _, name := range e.Resources {
		spec.Resources = append(spec.Resources, order.Resource{Name: name, Weight: 1})
	}
	if e.ScoringStrategy == nil {
		return spec
	}
	s := e.ScoringStrategy.ScoringStrategy
	spec.Kind = order.Kind(s.Type)
	if e.WithRequest {
		spec.Kind = "Request" + spec.Kind
	}
	for _, r := range s.Resources {
		spec.Resources = append(spec.Resources, order.Resource{Name: r.Name, Weight: max(1, r.Weight)})
	}
	if s.RequestedToCapacityRatio != nil {
		for _, p := range s.RequestedToCapacityRatio.Shape {
			spec.Shape = append(spec.Shape, order.Point{Utilization: int64(p.Utilization), Score: int64(p.Score)})
		}
	}
	return spec
}
