package oracle

import (
	"slices"
	"strings"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/kubernetes/pkg/scheduler/framework/plugins/names"
)

// deliberate are the differences on purpose, by the titles that they have in differences.md.
var deliberate = []struct {
	name string
	// covers reports whether a difference is of this kind.
	covers func(*Difference) bool
}{
	{"A spread constraint that cannot be read", func(d *Difference) bool {
		hard := starts(d.Upstream, "get constraints from pod: obtaining pod's hard topology spread constraints: ")
		return d.Sluice.Code == Unresolvable && starts(d.Sluice, "parsing pod: topologySpreadConstraints: ") &&
			(hard || softUnreadable(podOf(d.Case.End(), d.Case.Pod)))
	}},
	{"A claim for one pod alone whose pod is on a node that has gone", func(d *Difference) bool {
		return starts(d.Sluice, "node(s) unavailable due to PersistentVolumeClaim with ReadWriteOncePod access mode already in-use by another pod") &&
			usedOnGoneNode(d.Case.End(), d.Case.Pod)
	}},
	{"A claim that a pod names twice", func(d *Difference) bool {
		return namesTwice(podOf(d.Case.End(), d.Case.Pod)) &&
			(has(d.Upstream, "node(s) didn't find available persistent volumes to bind") || has(d.Upstream, "node(s) did not have enough free storage"))
	}},
	{"An ephemeral volume of a placed pod whose claim is another's", func(d *Difference) bool {
		return d.Upstream.Code == Failed && len(d.Upstream.Reasons) == 1 && strings.HasSuffix(d.Upstream.Reasons[0], "(pod is not owner)")
	}},
	{"Anti-affinity of a nominated pod, where no other pod has any", func(d *Difference) bool {
		return d.Skipped[slices.Index(Plugins[:], names.InterPodAffinity)] && has(d.Sluice, "node(s) didn't satisfy existing pods anti-affinity rules") &&
			slices.ContainsFunc(nominees(d), keepsApart)
	}},
	{"Which of two reasons, where a nominated pod would meet affinity", func(d *Difference) bool {
		return starts(d.Upstream, "node(s) didn't match Pod's required features") && starts(d.Sluice, "node(s) didn't match pod affinity rules") &&
			d.Upstream.Code == d.Sluice.Code && len(nominees(d)) > 0
	}},
}

// nominees are the pods that wait and are nominated for the node of a difference.
func nominees(d *Difference) (list []*v1.Pod) {
	for _, p := range d.Case.End().Pods {
		if p.Status.NominatedNodeName == d.Node && p.Spec.NodeName == "" && p.Namespace+"/"+p.Name != d.Case.Pod {
			list = append(list, p)
		}
	}
	return list
}

// keepsApart reports whether a pod has required anti-affinity.
func keepsApart(p *v1.Pod) bool {
	a := p.Spec.Affinity
	return a != nil && a.PodAntiAffinity != nil && len(a.PodAntiAffinity.RequiredDuringSchedulingIgnoredDuringExecution) > 0
}

// softUnreadable reports whether a constraint of a pod that only asks (ScheduleAnyway) cannot be read.
func softUnreadable(p *v1.Pod) bool {
	return slices.ContainsFunc(p.Spec.TopologySpreadConstraints, func(c v1.TopologySpreadConstraint) bool {
		_, err := metav1.LabelSelectorAsSelector(c.LabelSelector)
		return err != nil && c.WhenUnsatisfiable == v1.ScheduleAnyway
	})
}

// usedOnGoneNode reports whether one of a pod's claims is used by another pod on a node that is not there.
func usedOnGoneNode(w *World, key string) bool {
	asks := podOf(w, key)
	return asks != nil && slices.ContainsFunc(w.Pods, func(p *v1.Pod) bool {
		return counted(p) && p.Namespace == asks.Namespace &&
			!slices.ContainsFunc(w.Nodes, func(n *v1.Node) bool { return n.Name == p.Spec.NodeName }) && shareClaim(p, asks)
	})
}

func shareClaim(a, b *v1.Pod) bool {
	for i := range a.Spec.Volumes {
		for j := range b.Spec.Volumes {
			x, y := a.Spec.Volumes[i].PersistentVolumeClaim, b.Spec.Volumes[j].PersistentVolumeClaim
			if x != nil && y != nil && x.ClaimName == y.ClaimName {
				return true
			}
		}
	}
	return false
}

// starts reports whether a verdict has one reason, which begins with a text.
func starts(v Verdict, text string) bool {
	return len(v.Reasons) == 1 && strings.HasPrefix(v.Reasons[0], text)
}

// explain names the entry that covers a difference, if one does.
func explain(d *Difference) string {
	for _, e := range deliberate {
		if d.Node != "" && e.covers(d) {
			return e.name
		}
	}
	return ""
}

// has reports whether a verdict has a reason.
func has(v Verdict, reason string) bool { return slices.Contains(v.Reasons, reason) }

// namesTwice reports whether two volumes of a pod are of one claim.
func namesTwice(p *v1.Pod) bool {
	seen := map[string]bool{}
	for i := range p.Spec.Volumes {
		if c := p.Spec.Volumes[i].PersistentVolumeClaim; c != nil {
			if seen[c.ClaimName] {
				return true
			}
			seen[c.ClaimName] = true
		}
	}
	return false
}
