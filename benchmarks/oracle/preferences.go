package oracle

import (
	"fmt"
	"slices"

	v1 "k8s.io/api/core/v1"
	fwk "k8s.io/kube-scheduler/framework"
	"k8s.io/kubernetes/pkg/scheduler/framework/plugins/names"

	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
	"github.com/sluice-scheduler/sluice/pkg/core/order"
	"github.com/sluice-scheduler/sluice/pkg/core/resource"
)

// ScorePlugins are the default plugins that score nodes with regard to the pod and that Sluice has an evaluator for. The scores compared are the raw ones, before
// kube-scheduler normalises them.
var ScorePlugins = [...]string{
	names.TaintToleration, names.NodeAffinity, names.NodeResourcesFit, names.PodTopologySpread, names.InterPodAffinity, names.ImageLocality,
}

// everything is a node order of all evaluators that are compared.
func everything() order.Spec {
	return order.Spec{Name: "default", Evaluators: []order.Evaluator{
		{Kind: order.TaintToleration, Weight: 1},
		{Kind: order.NodeAffinity, Weight: 1},
		{Kind: order.RequestLeastAllocated, Weight: 1},
		{Kind: order.PodTopologySpread, Weight: 1},
		{Kind: order.DefaultSpread, Weight: 1},
		{Kind: order.InterPodAffinity, Weight: 1, HardWeight: 1},
		{Kind: order.ImageLocality, Weight: 1},
	}}
}

// scorer is what is used of a plugin to score; a plugin that cannot skip has no PreScore.
type scorer struct {
	pre   fwk.PreScorePlugin
	score fwk.ScorePlugin
}

// Scores lets kube-scheduler's plugins score nodes that fit; nil stands for a plugin that had nothing to say. ok is false if the attempt would fail.
func (s *Session) Scores(nodes []fwk.NodeInfo) (all [len(ScorePlugins)][]int64, ok bool) {
	for i, p := range s.u.scorers {
		if p.pre != nil {
			status := p.pre.PreScore(s.u.ctx, s.state, s.pod, nodes)
			if status.IsSkip() {
				continue
			}
			if !status.IsSuccess() {
				return all, false
			}
		}
		all[i] = make([]int64, len(nodes))
		for j, n := range nodes {
			score, status := p.score.Score(s.u.ctx, s.state, s.pod, n)
			if !status.IsSuccess() {
				return all, false
			}
			all[i][j] = score
		}
	}
	return all, true
}

// Scores lets Sluice's evaluators do so, in kube-scheduler's units where those are raw.
func (a *Ask) Scores(nodes []*cluster.Node) map[order.Kind][]int64 {
	a.s.Orders.Refresh(a.s.State)
	all := a.s.Orders.Raw(a.s.State, a.pod, "", nodes)
	for kind, scores := range a.s.Orders.Each(a.s.State, a.pod, "", nodes) {
		all[kind] = scores
	}
	return all
}

// compareScores says where the scores of both sides differ, if they do.
func (p *pair) compareScores(pod *v1.Pod, nodes []*cluster.Node, theirs [len(ScorePlugins)][]int64, ours map[order.Kind][]int64, shape *cluster.Shape) string {
	for i, name := range ScorePlugins {
		want, got := theirs[i], ours[order.Kind(name)]
		switch name {
		case names.NodeResourcesFit:
			if !p.plain || pod.Spec.Resources != nil {
				continue
			}
			got = ours[order.RequestLeastAllocated]
		case names.PodTopologySpread:
			if len(pod.Spec.TopologySpreadConstraints) == 0 {
				got = ours[order.DefaultSpread]
			}
		}
		if want == nil && constant(got) || got == nil && constant(want) {
			continue // one side says nothing, the other nothing that tells nodes apart
		}
		p.tally.Scored[i]++
		if name == names.PodTopologySpread && len(pod.Spec.TopologySpreadConstraints) == 0 {
			p.tally.Defaulted++
		}
		for j := range max(len(want), len(got)) {
			if want == nil || got == nil || !agrees(name, want[j], got[j], shape, nodes[j]) {
				return fmt.Sprintf("%s scores %v, sluice %v", name, want, got)
			}
		}
	}
	return ""
}

// agrees compares the scores of one node. Those that Sluice has in Units only are held against what they should be made of.
func agrees(name string, theirs, ours int64, shape *cluster.Shape, n *cluster.Node) bool {
	switch name {
	case names.TaintToleration: // kube-scheduler's raw score is the number of taints that are not tolerated
		return ours == order.Unit/(1+theirs)
	case names.NodeAffinity: // the sum of the weights that match
		return shape.PreferredWeight <= 0 || ours == order.Unit*theirs/shape.PreferredWeight
	case names.NodeResourcesFit: // rounded down to hundredths, for each resource and for all
		if n.Allocatable.At(resource.SlotCPU) == 0 && n.Allocatable.At(resource.SlotMemory) == 0 {
			return true // such a node counts as full there, as empty here
		}
		return ours*100/order.Unit-theirs >= -1 && ours*100/order.Unit-theirs <= 2
	case names.PodTopologySpread: // a node that is not compared has 0 there and less here
		return theirs == max(ours, 0)
	}
	return theirs == ours
}

// plainRequests reports whether no pod of a world has amounts for the pod as a whole, or has been resized. kube-scheduler's NodeResourcesFit leaves the former out of what it
// scores a newcomer by, and takes containers without requests for another amount once they are resized.
func plainRequests(w *World) bool {
	return !slices.ContainsFunc(w.Pods, func(p *v1.Pod) bool {
		return p.Spec.Resources != nil || len(p.Status.ContainerStatuses)+len(p.Status.InitContainerStatuses)+len(p.Status.Conditions) > 0
	})
}

// constant reports whether scores do not tell nodes apart.
func constant(scores []int64) bool {
	for _, s := range scores {
		if s != scores[0] {
			return false
		}
	}
	return true
}
