package oracle

import (
	"context"
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	fwk "k8s.io/kube-scheduler/framework"
	"k8s.io/kubernetes/pkg/scheduler/framework"
	"k8s.io/kubernetes/pkg/scheduler/framework/plugins/feature"
	"k8s.io/kubernetes/pkg/scheduler/framework/plugins/imagelocality"
	"k8s.io/kubernetes/pkg/scheduler/framework/plugins/interpodaffinity"
	"k8s.io/kubernetes/pkg/scheduler/framework/plugins/names"
	"k8s.io/kubernetes/pkg/scheduler/framework/plugins/nodeaffinity"
	"k8s.io/kubernetes/pkg/scheduler/framework/plugins/noderesources"
	"k8s.io/kubernetes/pkg/scheduler/framework/plugins/podtopologyspread"
	"k8s.io/kubernetes/pkg/scheduler/framework/plugins/tainttoleration"

	"github.com/sluice-scheduler/sluice/pkg/core/order"
)

// scoring are the plugins that score and depend on the pod, by the evaluator that says the same.
var scoring = map[order.Kind]struct {
	name string
	make func(context.Context, runtime.Object, fwk.Handle, feature.Features) (fwk.Plugin, error)
}{
	order.TaintToleration:       {names.TaintToleration, tainttoleration.New},
	order.NodeAffinity:          {names.NodeAffinity, nodeaffinity.New},
	order.RequestLeastAllocated: {names.NodeResourcesFit, noderesources.NewFit},
	order.PodTopologySpread:     {names.PodTopologySpread, podtopologyspread.New},
	order.InterPodAffinity:      {names.InterPodAffinity, interpodaffinity.New},
	order.ImageLocality: {names.ImageLocality, func(ctx context.Context, args runtime.Object, h fwk.Handle, _ feature.Features) (fwk.Plugin, error) {
		return imagelocality.New(ctx, args, h)
	}},
}

// Scorers score by kube-scheduler's own plugins, of the world that an Upstream has taken.
type Scorers struct {
	u       *Upstream
	plugins map[order.Kind]fwk.ScorePlugin
}

// NewScorers makes the plugins, with the arguments of the default profile: so pods that do not say how they are spread are spread by Services and owners.
func NewScorers(u *Upstream) (*Scorers, error) {
	args, err := defaults()
	if err != nil {
		return nil, err
	}
	s := &Scorers{u: u, plugins: map[order.Kind]fwk.ScorePlugin{}}
	for kind, p := range scoring {
		made, err := p.make(u.ctx, args[p.name], u.handle, gates())
		if err != nil {
			return nil, fmt.Errorf("%s: %w", p.name, err)
		}
		s.plugins[kind] = made.(fwk.ScorePlugin)
	}
	return s, nil
}

// Select tells the plugins of objects that select pods.
func (s *Scorers) Select(services []*v1.Service, sets []*appsv1.ReplicaSet) error {
	if err := s.u.handle.factory.Core().V1().Services().Informer().GetIndexer().Replace(anys(services), ""); err != nil {
		return fmt.Errorf("services: %w", err)
	}
	if err := s.u.handle.factory.Apps().V1().ReplicaSets().Informer().GetIndexer().Replace(anys(sets), ""); err != nil {
		return fmt.Errorf("replica sets: %w", err)
	}
	return nil
}

// Raw returns the score that each plugin gives some nodes for a pod, before it is normalised. A plugin that skips the pod is missing.
func (s *Scorers) Raw(pod *v1.Pod, nodes []string) (map[order.Kind][]int64, error) {
	fits := make([]fwk.NodeInfo, len(nodes))
	for i, name := range nodes {
		info, err := s.u.handle.Get(name)
		if err != nil {
			return nil, fmt.Errorf("node %s: %w", name, err)
		}
		fits[i] = info
	}
	all := map[order.Kind][]int64{}
	for kind, p := range s.plugins {
		scores, err := s.raw(p, pod, fits)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", p.Name(), err)
		}
		if kind == order.PodTopologySpread && len(pod.Spec.TopologySpreadConstraints) == 0 {
			kind = order.DefaultSpread
		}
		if scores != nil {
			all[kind] = scores
		}
	}
	return all, nil
}

func (s *Scorers) raw(p fwk.ScorePlugin, pod *v1.Pod, fits []fwk.NodeInfo) ([]int64, error) {
	state := framework.NewCycleState()
	if pre, ok := p.(fwk.PreScorePlugin); ok {
		switch status := pre.PreScore(s.u.ctx, state, pod, fits); {
		case status.IsSkip():
			return nil, nil
		case !status.IsSuccess():
			return nil, status.AsError()
		}
	}
	scores := make([]int64, len(fits))
	for i, n := range fits {
		score, status := p.Score(s.u.ctx, state, pod, n)
		if !status.IsSuccess() {
			return nil, status.AsError()
		}
		scores[i] = score
	}
	return scores, nil
}
