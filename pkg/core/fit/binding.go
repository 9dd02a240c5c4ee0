package fit

import (
	"slices"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
)

// binding refuses nodes that cannot reach the pod's volumes, or for which the claims that wait to be bound get none (plugin VolumeBinding).
var binding = check{
	fits: func(a Ask, n *cluster.Node) bool { return a.Volumes == nil || bind(a, n, nil) == 0 },
	why: func(a Ask, n *cluster.Node, to []Reason) []Reason {
		faults := bind(a, n, nil)
		for i, kind := range [...]Kind{VolumeUnreachable, NoVolume, NoStorage, VolumeMissing} {
			if faults&(1<<i) != 0 {
				to = append(to, Reason{Kind: kind, Code: UnschedulableAndUnresolvable})
			}
		}
		return to
	},
}

// faults are what is wrong with an ask's volumes on a node.
type faults uint8

const (
	unreachable faults = 1 << iota
	noVolume
	noStorage
	missing
)

// Choose decides which volumes the claims of the ask get on a node on which it fits, and which are provisioned; nil if all are bound.
func Choose(a Ask, n *cluster.Node) *cluster.Choice {
	if a.Volumes == nil || len(a.Volumes.Plan().Waiting) == 0 {
		return nil
	}
	c := &cluster.Choice{}
	bind(a, n, c)
	return c
}

// Bound reports whether all claims of the ask are bound to volumes that the node can reach.
func Bound(a Ask, n *cluster.Node) bool {
	if a.Volumes == nil {
		return true
	}
	p := a.Volumes.Plan()
	return p.Refusal == "" && len(p.Waiting) == 0 && reach(p, n) == 0
}

// bind judges a node for an ask's volumes and notes the choice, if it is to be noted. The order in which it finds fault is kube-scheduler's.
func bind(a Ask, n *cluster.Node, choice *cluster.Choice) faults {
	p := a.Volumes.Plan()
	f := reach(p, n)
	if len(p.Waiting) == 0 {
		return f
	}
	var room [4]cluster.Waiting
	provide := room[:0]
	for _, w := range p.Waiting {
		if node, selected := w.Claim.SelectedNode(); selected {
			if node != n.Name {
				return f | noVolume
			}
			provide = append(provide, w)
		}
	}
	var places [4]*cluster.Volume
	taken := places[:0]
	for _, w := range p.Waiting {
		if _, selected := w.Claim.SelectedNode(); selected {
			continue
		}
		v := match(w, n, taken)
		if v == nil {
			provide = append(provide, w)
			continue
		}
		taken = append(taken, v)
		if choice != nil {
			choice.Bindings = append(choice.Bindings, cluster.Binding{Claim: w.Claim, Volume: v})
		}
	}
	return f | provision(provide, n, choice)
}

// reach judges whether a node can reach the volumes that are bound; the first that it cannot reach, or that is missing, decides.
func reach(p *cluster.Plan, n *cluster.Node) faults {
	for _, v := range p.Bound {
		switch {
		case v == nil:
			return missing
		case !Reaches(n, v.Fact):
			return unreachable
		}
	}
	return 0
}

// Reaches reports whether a node can reach a volume. Where a CSI driver has taken its plugin over, the driver's view holds.
func Reaches(n *cluster.Node, v *cluster.VolumeFact) bool {
	selector := v.Affinity
	if v.Plugin != "" && n.CSI != nil && slices.Contains(n.CSI.Migrated, v.Plugin) {
		selector = v.Translated
	}
	return selector == nil || couldReach(v, n) && matches(selector, n)
}

// couldReach is a quick look that refuses most nodes that cannot reach a volume: by the one label value that all which can have.
func couldReach(v *cluster.VolumeFact, n *cluster.Node) bool {
	return v.Pin.Key == "" || v.Plugin != "" || n.Fact.Labels[v.Pin.Key] == v.Pin.Value
}

// Confined returns the nodes of which one must take the ask, because a volume can be reached from no other, if it is known that these are few.
func Confined(s *cluster.State, a Ask) (nodes []*cluster.Node, few bool) {
	if a.Volumes == nil {
		return nil, false
	}
	for _, v := range a.Volumes.Plan().Bound {
		if v == nil || v.Fact.Pin.Key == "" || v.Fact.Plugin != "" {
			continue
		}
		if list := s.With(v.Fact.Pin); len(list) <= fewNodes && (!few || len(list) < len(nodes)) {
			nodes, few = list, true
		}
	}
	return nodes, few
}

// fewNodes is how many it costs less to look at one by one than to go through all in their order.
const fewNodes = 32

// matches holds a volume's node affinity against a node's labels. Its name is left out, as kube-scheduler does: matchFields of volumes say nothing.
func matches(s interface {
	Match(*v1.Node) (bool, error)
}, n *cluster.Node,
) bool {
	match, err := s.Match(&v1.Node{ObjectMeta: metav1.ObjectMeta{Labels: n.Fact.Labels}})
	return match && err == nil
}

// match finds the volume for a claim on a node: one that is kept for it, or else the smallest that suits. It is the rule of
// k8s.io/component-helpers/storage/volume.FindMatchingVolume. Those in taken are spoken for.
func match(w cluster.Waiting, n *cluster.Node, taken []*cluster.Volume) (best *cluster.Volume) {
	c := w.Claim
	for _, v := range c.Offered {
		if v.Fact.Class != c.Fact.Class || !v.KeptFor(c) || !cluster.Holds(c.Fact, v.Fact) || slices.Contains(taken, v) {
			continue
		}
		if v.Fact.Affinity == nil || matches(v.Fact.Affinity, n) {
			return v
		}
		return nil
	}
	w.Class.FreeFor(c.Fact, n.Fact.Labels, func(v *cluster.Volume) bool {
		if best != nil && cluster.CompareSize(best, v) <= 0 {
			return true // the others are larger still
		}
		if slices.Contains(taken, v) || !cluster.Suits(c.Fact, v.Fact) || v.Fact.Affinity != nil && !matches(v.Fact.Affinity, n) {
			return false
		}
		best = v
		return true
	})
	return best
}

// provision judges whether volumes can be made for claims, where the node can reach them.
func provision(list []cluster.Waiting, n *cluster.Node, choice *cluster.Choice) faults {
	for _, w := range list {
		k := w.Class.Fact
		switch {
		case k.Provisioner == "" || k.Provisioner == cluster.NoProvisioner:
			return noVolume
		case !inTopology(k.Topologies, n):
			return noVolume
		case w.Metered && !w.Class.HasRoom(w.Claim.Fact.Request.Value(), n.Fact.Labels):
			return noStorage
		}
		if choice != nil {
			choice.Provisions = append(choice.Provisions, w.Claim)
		}
	}
	return 0
}

func inTopology(terms []labels.Selector, n *cluster.Node) bool {
	return len(terms) == 0 || slices.ContainsFunc(terms, func(t labels.Selector) bool {
		return t != nil && t.Matches(labels.Set(n.Fact.Labels))
	})
}
