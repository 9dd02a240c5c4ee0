package cluster

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
)

// Topology is what a demand says of other pods: near which it must be, from which apart, and how it is spread among them. It is immutable.
type Topology struct {
	// Together are the terms of required pod affinity: some pod that all of them select must be in the node's domain of each term's key.
	Together []Term
	// Apart are the terms of required anti-affinity: no pod that one of them selects may be in the node's domain of its key.
	Apart []Term
	// Spread are the topology spread constraints that forbid (DoNotSchedule).
	Spread []Spread
	// Unreadable says what cannot be parsed, in the default scheduler's words. Such a pod is placed nowhere, as there.
	Unreadable string
}

// Term is a selection of pods and the node label by which a domain is shared with them.
type Term struct {
	Selection
	Key string
}

// Selection says which pods are meant: those in some namespaces whose labels a selector matches.
type Selection struct {
	// Namespaces are those that are named, sorted.
	Namespaces []string
	// Spaces selects further namespaces by their labels.
	Spaces labels.Selector
	Pods   labels.Selector
	// text is canonical.
	text string
}

// Spread is a topology spread constraint.
type Spread struct {
	Term
	MaxSkew, MinDomains int32
	// HonorAffinity and HonorTaints: only nodes that the pod's node selector and affinity allow, and whose taints it tolerates, make domains.
	HonorAffinity, HonorTaints bool
	// Uncounted: the selector is empty and matches all; then the default scheduler counts no pod but the one that is to be placed.
	Uncounted bool
}

// readTopology reads the terms of a pod; nil when there are none.
func readTopology(pod *v1.Pod) *Topology {
	a := pod.Spec.Affinity
	if (a == nil || a.PodAffinity == nil && a.PodAntiAffinity == nil) && len(pod.Spec.TopologySpreadConstraints) == 0 {
		return nil
	}
	t := &Topology{}
	var faults []string
	if a := pod.Spec.Affinity; a != nil {
		faults = t.readAffinity(pod.Namespace, a)
	}
	if len(faults) > 0 {
		t.Unreadable = "parsing pod: " + aggregate(faults)
	}
	var fault error
	if t.Spread, fault = readSpread(pod, v1.DoNotSchedule); fault == nil {
		_, fault = readSpread(pod, v1.ScheduleAnyway)
	}
	if fault != nil && t.Unreadable == "" {
		t.Unreadable = "parsing pod: topologySpreadConstraints: " + fault.Error()
	}
	if t.Together == nil && t.Apart == nil && t.Spread == nil && t.Unreadable == "" {
		return nil
	}
	return t
}

// aggregate words several errors as k8s.io/apimachinery/pkg/util/errors does.
func aggregate(faults []string) string {
	if len(faults) == 1 {
		return faults[0]
	}
	return "[" + strings.Join(faults, ", ") + "]"
}

// readAffinity reads the required terms. A list with a term that cannot be read counts as empty, for the pod once it is placed; a preferred term that
// cannot be read keeps it from being placed all the same.
func (t *Topology) readAffinity(namespace string, a *v1.Affinity) (faults []string) {
	read := func(name string, terms []v1.PodAffinityTerm) []Term {
		list, err := readTerms(namespace, terms)
		if err != nil {
			faults = append(faults, name+": "+err.Error())
		}
		return list
	}
	if p := a.PodAffinity; p != nil {
		t.Together = read("requiredAffinityTerms", p.RequiredDuringSchedulingIgnoredDuringExecution)
	}
	if p := a.PodAntiAffinity; p != nil {
		t.Apart = read("requiredAntiAffinityTerms", p.RequiredDuringSchedulingIgnoredDuringExecution)
	}
	if p := a.PodAffinity; p != nil {
		read("preferredAffinityTerms", unweighted(p.PreferredDuringSchedulingIgnoredDuringExecution))
	}
	if p := a.PodAntiAffinity; p != nil {
		read("preferredAntiAffinityTerms", unweighted(p.PreferredDuringSchedulingIgnoredDuringExecution))
	}
	return faults
}

func unweighted(list []v1.WeightedPodAffinityTerm) []v1.PodAffinityTerm {
	terms := make([]v1.PodAffinityTerm, len(list))
	for i := range list {
		terms[i] = list[i].PodAffinityTerm
	}
	return terms
}

func readTerms(namespace string, terms []v1.PodAffinityTerm) ([]Term, error) {
	var list []Term
	for i := range terms {
		t := &terms[i]
		names := t.Namespaces
		if len(names) == 0 && t.NamespaceSelector == nil {
			names = []string{namespace}
		}
		s, err := readSelection(names, t.NamespaceSelector, t.LabelSelector)
		if err != nil {
			return nil, err
		}
		list = append(list, Term{s, t.TopologyKey})
	}
	return list, nil
}

func readSelection(namespaces []string, spaces, pods *metav1.LabelSelector) (s Selection, err error) {
	if s.Pods, err = metav1.LabelSelectorAsSelector(pods); err != nil {
		return s, err
	}
	if s.Spaces, err = metav1.LabelSelectorAsSelector(spaces); err != nil {
		return s, err
	}
	s.Namespaces = slices.Compact(slices.Sorted(slices.Values(namespaces)))
	s.name()
	return s, nil
}

// readSpread reads the constraints that forbid, or those that do not. Keys of matchLabelKeys that the API server has not merged into the selector are.
func readSpread(pod *v1.Pod, which v1.UnsatisfiableConstraintAction) (list []Spread, err error) {
	for i := range pod.Spec.TopologySpreadConstraints {
		c := &pod.Spec.TopologySpreadConstraints[i]
		if c.WhenUnsatisfiable != which {
			continue
		}
		s, err := readSelection([]string{pod.Namespace}, nil, c.LabelSelector)
		if err != nil {
			return nil, err
		}
		s.Pods = withKeys(s.Pods, c.MatchLabelKeys, pod.Labels)
		s.name()
		list = append(list, Spread{
			Term: Term{s, c.TopologyKey}, MaxSkew: c.MaxSkew, MinDomains: orOne(c.MinDomains), Uncounted: s.Pods.Empty(),
			HonorAffinity: c.NodeAffinityPolicy == nil || *c.NodeAffinityPolicy == v1.NodeInclusionPolicyHonor,
			HonorTaints:   c.NodeTaintsPolicy != nil && *c.NodeTaintsPolicy == v1.NodeInclusionPolicyHonor,
		})
	}
	return list, nil
}

func orOne(n *int32) int32 {
	if n == nil {
		return 1
	}
	return *n
}

// withKeys narrows a selector to the values that the pod itself has of some labels.
func withKeys(s labels.Selector, keys []string, own map[string]string) labels.Selector {
	more := labels.Set{}
	for _, k := range keys {
		if v, ok := own[k]; ok {
			more[k] = v
		}
	}
	list, selectable := s.Requirements()
	if len(more) == 0 || !selectable {
		return s
	}
	return labels.SelectorFromSet(more).Add(list...)
}

// name writes the canonical text.
func (s *Selection) name() {
	var b strings.Builder
	for _, n := range s.Namespaces {
		b.WriteString(strconv.Quote(n))
	}
	if text := selectorText(s.Spaces); text != nothing {
		b.WriteString(" of {" + text + "}")
	}
	b.WriteString(" {" + selectorText(s.Pods) + "}")
	s.text = b.String()
}

// nothing is the text of a selector that matches nothing; an empty text matches all.
const nothing = "<nothing>"

func selectorText(s labels.Selector) string {
	if _, selectable := s.Requirements(); !selectable {
		return nothing
	}
	return s.String()
}

// inSpace reports whether the selection means pods of a namespace. Of one that is not known a lenient selection takes it that it has no labels, as the
// default scheduler does when it holds a newcomer against the terms of others; a newcomer's own terms select only namespaces that are known.
func (s *Selection) inSpace(name string, fact *NamespaceFact, lenient bool) bool {
	switch {
	case slices.Contains(s.Namespaces, name), s.Spaces.Empty():
		return true
	case fact == nil:
		return lenient && s.Spaces.Matches(labels.Set(nil))
	}
	return s.Spaces.Matches(labels.Set(fact.Labels))
}

// bySpaces reports whether it depends on the labels of namespaces, or on there being one, whether the selection means its pods.
func (s *Selection) bySpaces() bool {
	_, selectable := s.Spaces.Requirements()
	return selectable
}

// BySpaces reports whether the labels of namespaces decide whom required terms mean.
func (t *Topology) BySpaces() bool {
	by := func(x Term) bool { return x.bySpaces() && !x.Spaces.Empty() }
	return t != nil && (slices.ContainsFunc(t.Together, by) || slices.ContainsFunc(t.Apart, by))
}

// write adds the terms to a demand's key.
func (t *Topology) write(q *quoter) {
	if t == nil {
		return
	}
	for i := range t.Together {
		q.quote("near", t.Together[i].Key, t.Together[i].text)
	}
	for i := range t.Apart {
		q.quote("apart", t.Apart[i].Key, t.Apart[i].text)
	}
	for i := range t.Spread {
		t.Spread[i].write(q)
	}
	if t.Unreadable != "" {
		q.quote("unreadable", t.Unreadable)
	}
}

// write adds a constraint to a key.
func (c *Spread) write(q *quoter) {
	q.quote("spread", c.Key, c.text, fmt.Sprint(c.MaxSkew, c.MinDomains, c.HonorAffinity, c.HonorTaints))
}

// narrows reports whether the pod's own node affinity decides which nodes make domains.
func (t *Topology) narrows() bool {
	return t != nil && slices.ContainsFunc(t.Spread, func(c Spread) bool { return c.HonorAffinity })
}
