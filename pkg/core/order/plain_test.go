package order_test

import (
	"math"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/component-helpers/scheduling/corev1/nodeaffinity"

	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
	"github.com/sluice-scheduler/sluice/pkg/core/order"
)

// plain reckons what pods would like by reading API objects, as the rules are written: over all nodes and pods each time, with nothing of the code that it is
// compared with.
type plain struct {
	nodes map[string]*v1.Node
	// placed are pods by name, on the nodes that their specs name.
	placed   map[string]*v1.Pod
	spaces   map[string]*v1.Namespace
	services map[string]*v1.Service
	sets     map[string]*appsv1.ReplicaSet
}

// liked returns what the evaluators that see all nodes give to each of the nodes that fit, weights included.
func (w *plain) liked(p *v1.Pod, by order.Spec, fits []string) map[string]int64 {
	sum := map[string]int64{}
	for _, e := range by.Evaluators {
		var scores map[string]int64
		switch e.Kind {
		case order.ImageLocality:
			scores = w.images(p, fits)
		case order.InterPodAffinity:
			scores = w.company(p, e, fits)
		case order.PodTopologySpread:
			scores = w.spread(p, w.softConstraints(p), true, fits)
		case order.DefaultSpread:
			scores = w.spread(p, w.defaultConstraints(p), false, fits)
		}
		for name, score := range scores {
			sum[name] += e.Weight * score
		}
	}
	return sum
}

// images scores by the bytes of the pod's images that a node has.
func (w *plain) images(p *v1.Pod, fits []string) map[string]int64 {
	var wanted []string
	for _, c := range append(append([]v1.Container{}, p.Spec.InitContainers...), p.Spec.Containers...) {
		name := c.Image
		if last := name[strings.LastIndex(name, "/")+1:]; !strings.Contains(last, ":") {
			name += ":latest"
		}
		wanted = append(wanted, name)
	}
	scores := map[string]int64{}
	for _, on := range fits {
		sum := int64(0)
		for _, name := range wanted {
			size, has := imageOn(w.nodes[on], name)
			if !has {
				continue
			}
			have := 0
			for _, n := range w.nodes {
				if _, has := imageOn(n, name); has {
					have++
				}
			}
			sum += int64(float64(size) * (float64(have) / float64(len(w.nodes))))
		}
		least, most := int64(23<<20), int64(len(wanted))*1000<<20
		if sum < least {
			sum = least
		}
		if sum > most {
			sum = most
		}
		scores[on] = order.Unit * (sum - least) / (most - least)
	}
	return scores
}

func imageOn(n *v1.Node, name string) (size int64, has bool) {
	for _, image := range n.Status.Images {
		for _, x := range image.Names {
			if x == name {
				return image.SizeBytes, true
			}
		}
	}
	return 0, false
}

// company scores by the pods that are near, for and against.
func (w *plain) company(p *v1.Pod, e order.Evaluator, fits []string) map[string]int64 {
	near, apart := preferred(p)
	if e.OwnTerms && len(near)+len(apart) == 0 {
		return nil
	}
	raw, least, most := map[string]int64{}, int64(math.MaxInt64), int64(math.MinInt64)
	for _, on := range fits {
		for _, other := range w.placed {
			there := w.nodes[other.Spec.NodeName]
			if there == nil {
				continue
			}
			count := func(owner, of *v1.Pod, t *v1.PodAffinityTerm, weight int64, lenient bool) {
				if together(w.nodes[on], there, t.TopologyKey) && w.means(owner, t, of, lenient) {
					raw[on] += weight
				}
			}
			for _, t := range near {
				count(p, other, &t.PodAffinityTerm, int64(t.Weight), false)
			}
			for _, t := range apart {
				count(p, other, &t.PodAffinityTerm, -int64(t.Weight), false)
			}
			theirNear, theirApart := preferred(other)
			for _, t := range theirNear {
				count(other, p, &t.PodAffinityTerm, int64(t.Weight), true)
			}
			for _, t := range theirApart {
				count(other, p, &t.PodAffinityTerm, -int64(t.Weight), true)
			}
			if a := other.Spec.Affinity; a != nil && a.PodAffinity != nil {
				for _, t := range a.PodAffinity.RequiredDuringSchedulingIgnoredDuringExecution {
					count(other, p, &t, e.HardWeight, true)
				}
			}
		}
		least, most = min(least, raw[on]), max(most, raw[on])
	}
	scores := map[string]int64{}
	for _, on := range fits {
		if most > least {
			scores[on] = order.Unit * (raw[on] - least) / (most - least)
		}
	}
	return scores
}

func preferred(p *v1.Pod) (near, apart []v1.WeightedPodAffinityTerm) {
	if a := p.Spec.Affinity; a != nil && a.PodAffinity != nil {
		near = a.PodAffinity.PreferredDuringSchedulingIgnoredDuringExecution
	}
	if a := p.Spec.Affinity; a != nil && a.PodAntiAffinity != nil {
		apart = a.PodAntiAffinity.PreferredDuringSchedulingIgnoredDuringExecution
	}
	return near, apart
}

func together(a, b *v1.Node, key string) bool {
	x, has := a.Labels[key]
	y, hasToo := b.Labels[key]
	return has && hasToo && x == y
}

// means reports whether the term of its owner selects a pod. Labels of namespaces that are not known are taken to be none where it is lenient.
func (w *plain) means(owner *v1.Pod, t *v1.PodAffinityTerm, p *v1.Pod, lenient bool) bool {
	in := len(t.Namespaces) == 0 && t.NamespaceSelector == nil && p.Namespace == owner.Namespace
	for _, name := range t.Namespaces {
		in = in || name == p.Namespace
	}
	if s, _ := metav1.LabelSelectorAsSelector(t.NamespaceSelector); t.NamespaceSelector != nil {
		space := w.spaces[p.Namespace]
		switch {
		case len(t.NamespaceSelector.MatchLabels)+len(t.NamespaceSelector.MatchExpressions) == 0:
			in = true
		case space != nil:
			in = in || s.Matches(labels.Set(space.Labels))
		default:
			in = in || lenient && s.Matches(labels.Set{})
		}
	}
	s, _ := metav1.LabelSelectorAsSelector(t.LabelSelector)
	return in && s.Matches(labels.Set(p.Labels))
}

// constraint is one that forbids nothing.
type constraint struct {
	key      string
	maxSkew  int32
	selector labels.Selector
	affinity bool
	taints   bool
}

func (w *plain) softConstraints(p *v1.Pod) (list []constraint) {
	for _, c := range p.Spec.TopologySpreadConstraints {
		if c.WhenUnsatisfiable != v1.ScheduleAnyway {
			continue
		}
		s, _ := metav1.LabelSelectorAsSelector(c.LabelSelector)
		for _, k := range c.MatchLabelKeys {
			if v, has := p.Labels[k]; has {
				r, _ := labels.NewRequirement(k, "=", []string{v})
				s = s.Add(*r)
			}
		}
		list = append(list, constraint{
			c.TopologyKey, c.MaxSkew, s, c.NodeAffinityPolicy == nil || *c.NodeAffinityPolicy == "Honor", c.NodeTaintsPolicy != nil && *c.NodeTaintsPolicy == "Honor",
		})
	}
	return list
}

func (w *plain) defaultConstraints(p *v1.Pod) []constraint {
	if len(p.Spec.TopologySpreadConstraints) > 0 {
		return nil
	}
	all := labels.Set{}
	for _, s := range w.services {
		if s.Namespace == p.Namespace && len(s.Spec.Selector) > 0 && labels.SelectorFromSet(s.Spec.Selector).Matches(labels.Set(p.Labels)) {
			all = labels.Merge(all, s.Spec.Selector)
		}
	}
	selector := labels.SelectorFromSet(all)
	if len(p.OwnerReferences) > 0 && p.OwnerReferences[0].Kind == "ReplicaSet" {
		if rs := w.sets[p.OwnerReferences[0].Name]; rs != nil && rs.Namespace == p.Namespace {
			own, _ := metav1.LabelSelectorAsSelector(rs.Spec.Selector)
			list, _ := own.Requirements()
			selector = selector.Add(list...)
		}
	}
	if selector.Empty() {
		return nil
	}
	return []constraint{{"kubernetes.io/hostname", 3, selector, true, false}, {"topology.kubernetes.io/zone", 5, selector, true, false}}
}

// spread scores by the pods that constraints select in the domains of each node.
func (w *plain) spread(p *v1.Pod, list []constraint, all bool, fits []string) map[string]int64 {
	if len(list) == 0 {
		return nil
	}
	carries := func(n *v1.Node) bool {
		for _, c := range list {
			if _, has := n.Labels[c.key]; !has {
				return false
			}
		}
		return true
	}
	var compared []string
	for _, on := range fits {
		if !all || carries(w.nodes[on]) {
			compared = append(compared, on)
		}
	}
	sums := map[string]float64{}
	for _, c := range list {
		domains := map[string]bool{}
		for _, on := range compared {
			value := w.nodes[on].Labels[c.key]
			if c.key == "kubernetes.io/hostname" {
				value = on
			}
			domains[value] = true
		}
		weight := math.Log(float64(len(domains) + 2))
		for _, on := range compared {
			value, has := w.nodes[on].Labels[c.key]
			if !has {
				continue
			}
			count := 0
			for name, n := range w.nodes {
				switch {
				case c.key == "kubernetes.io/hostname" && name != on:
				case c.key != "kubernetes.io/hostname" && (n.Labels[c.key] != value || all && !carries(n) || !includes(c, p, n)):
				default:
					count += w.counted(p, c, name)
				}
			}
			sums[on] += float64(count)*weight + float64(c.maxSkew-1)
		}
	}
	least, most := int64(math.MaxInt64), int64(0)
	for _, on := range compared {
		least, most = min(least, int64(math.Round(sums[on]))), max(most, int64(math.Round(sums[on])))
	}
	scores := map[string]int64{}
	for _, on := range compared {
		if scores[on] = order.Unit; most > 0 {
			scores[on] = order.Unit * (most + least - int64(math.Round(sums[on]))) / most
		}
	}
	return scores
}

// includes reports whether pods on a node count for a constraint of a pod.
func includes(c constraint, p *v1.Pod, n *v1.Node) bool {
	if match, _ := nodeaffinity.GetRequiredNodeAffinity(p).Match(n); c.affinity && !match {
		return false
	}
	for i := range n.Spec.Taints {
		t := &n.Spec.Taints[i]
		if c.taints && t.Effect != v1.TaintEffectPreferNoSchedule && !cluster.Tolerates(p.Spec.Tolerations, t) {
			return false
		}
	}
	return true
}

// counted is how many of the pods on a node a constraint counts.
func (w *plain) counted(p *v1.Pod, c constraint, on string) (count int) {
	for _, other := range w.placed {
		if other.Spec.NodeName == on && other.Namespace == p.Namespace && other.DeletionTimestamp == nil && !c.selector.Empty() && c.selector.Matches(labels.Set(other.Labels)) {
			count++
		}
	}
	return count
}
