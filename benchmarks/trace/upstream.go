package trace

import (
	"context"
	"fmt"
	"math/rand/v2"

	v1 "k8s.io/api/core/v1"
	"k8s.io/klog/v2"
	fwk "k8s.io/kube-scheduler/framework"
	"k8s.io/kubernetes/pkg/scheduler/apis/config"
	"k8s.io/kubernetes/pkg/scheduler/framework"
	"k8s.io/kubernetes/pkg/scheduler/framework/plugins/feature"
	"k8s.io/kubernetes/pkg/scheduler/framework/plugins/nodeaffinity"
	"k8s.io/kubernetes/pkg/scheduler/framework/plugins/noderesources"
)

// Variant is a way to configure kube-scheduler's scoring.
type Variant struct {
	// Strategy of NodeResourcesFit, over cpu and memory of weight 1 and GPUs of weight GPUWeight.
	Strategy  config.ScoringStrategyType
	GPUWeight int64
	// Balanced adds NodeResourcesBalancedAllocation over cpu and memory with weight 1, as the default profile has it.
	Balanced bool
}

// String names the variant.
func (v Variant) String() string {
	s := fmt.Sprintf("%s gpu=%d", v.Strategy, v.GPUWeight)
	if v.Balanced {
		s += " +balanced"
	}
	return s
}

// Upstream places pods as kube-scheduler would, by its own plugins: NodeAffinity and NodeResourcesFit filter, NodeResourcesFit and, if the variant
// says so, NodeResourcesBalancedAllocation score. Every feasible node is scored, none is sampled, and one of those with the highest score is drawn
// at random, as in kube-scheduler. The other scoring plugins of the default profile say the same of all nodes here: there are no taints,
// preferences, images, or services to spread.
//
// What the plugins say of a demand and a node is remembered until the node changes, which alters nothing but the time it takes.
type Upstream struct {
	affinity fwk.FilterPlugin
	fit      fitPlugin
	balanced balancedPlugin
	nodes    []*framework.NodeInfo
	// version counts the changes of each node.
	version []uint32
	at      map[string]int
	pods    map[string]*v1.Pod
	known   map[Demand]*verdicts
	rng     *rand.Rand
}

// fitPlugin and balancedPlugin are what is used of the two plugins.
type fitPlugin interface {
	fwk.PreFilterPlugin
	fwk.FilterPlugin
	balancedPlugin
}

type balancedPlugin interface {
	fwk.PreScorePlugin
	fwk.ScorePlugin
}

// verdicts is what the plugins said of a demand.
type verdicts struct {
	pod   *v1.Pod
	state fwk.CycleState
	// balanced: the plugin wants to score the pod.
	balanced bool
	// nodes are those that the pod's affinity allows; seen is the version of the node that was judged, plus one; score is negative where it does not
	// fit.
	nodes []int
	seen  []uint32
	score []int64
}

// bare is a handle for plugins that need none of what it could give.
type bare struct{ fwk.Handle }

func (bare) SharedDRAManager() fwk.SharedDRAManager { return nil }

// NewUpstream returns a scheduler with that scoring for the machines; the seed is for ties.
func NewUpstream(v Variant, machines []Machine, seed uint64) (*Upstream, error) {
	u := &Upstream{
		version: make([]uint32, len(machines)), at: map[string]int{}, pods: map[string]*v1.Pod{}, known: map[Demand]*verdicts{},
		rng: rand.New(rand.NewPCG(seed, 4)),
	}
	for i := range machines {
		info := framework.NewNodeInfo()
		info.SetNode(machines[i].Node())
		u.nodes = append(u.nodes, info)
		u.at[machines[i].Name] = i
	}
	return u, u.plug(v)
}

// plug makes the plugins.
func (u *Upstream) plug(v Variant) error {
	ctx, gates := context.Background(), feature.Features{EnablePodLevelResources: true}
	affinity, err := nodeaffinity.New(ctx, &config.NodeAffinityArgs{}, bare{}, gates)
	if err != nil {
		return fmt.Errorf("NodeAffinity: %w", err)
	}
	u.affinity = affinity.(fwk.FilterPlugin)
	both := []config.ResourceSpec{{Name: "cpu", Weight: 1}, {Name: "memory", Weight: 1}}
	all := append(both[:2:2], config.ResourceSpec{Name: GPU, Weight: v.GPUWeight})
	fit, err := noderesources.NewFit(ctx, &config.NodeResourcesFitArgs{
		ScoringStrategy: &config.ScoringStrategy{Type: v.Strategy, Resources: all},
	}, bare{}, gates)
	if err != nil {
		return fmt.Errorf("NodeResourcesFit: %w", err)
	}
	u.fit = fit.(fitPlugin)
	if v.Balanced {
		balanced, err := noderesources.NewBalancedAllocation(ctx, &config.NodeResourcesBalancedAllocationArgs{Resources: both}, bare{}, gates)
		if err != nil {
			return fmt.Errorf("NodeResourcesBalancedAllocation: %w", err)
		}
		u.balanced = balanced.(balancedPlugin)
	}
	return nil
}

// Place puts one pod; the node is empty if it fits nowhere.
func (u *Upstream) Place(name string, d Demand) (node string, err error) {
	w := u.known[d]
	if w == nil {
		if w, err = u.meet(d); err != nil {
			return "", err
		}
		u.known[d] = w
	}
	best, high, ties := -1, int64(-1), 0
	for k, i := range w.nodes {
		if w.seen[k] != u.version[i]+1 {
			if w.score[k], err = u.judge(w, u.nodes[i]); err != nil {
				return "", err
			}
			w.seen[k] = u.version[i] + 1
		}
		switch score := w.score[k]; {
		case score > high:
			best, high, ties = i, score, 1
		case score == high && score >= 0:
			if ties++; u.rng.IntN(ties) == 0 {
				best = i
			}
		}
	}
	if best < 0 {
		return "", nil
	}
	return u.nodes[best].Node().Name, u.put(name, d, best)
}

// meet lets the plugins look at a demand for the first time.
func (u *Upstream) meet(d Demand) (*verdicts, error) {
	ctx := context.Background()
	w := &verdicts{pod: d.Pod("any", start), state: framework.NewCycleState()}
	if _, st := u.fit.PreFilter(ctx, w.state, w.pod, nil); !st.IsSuccess() {
		return nil, st.AsError()
	}
	if st := u.fit.PreScore(ctx, w.state, w.pod, nil); !st.IsSuccess() {
		return nil, st.AsError()
	}
	if u.balanced != nil {
		st := u.balanced.PreScore(ctx, w.state, w.pod, nil)
		if w.balanced = st.IsSuccess(); !w.balanced && !st.IsSkip() {
			return nil, st.AsError()
		}
	}
	_, st := u.affinity.(fwk.PreFilterPlugin).PreFilter(ctx, w.state, w.pod, nil)
	for i, n := range u.nodes {
		if st.IsSkip() || u.affinity.Filter(ctx, w.state, w.pod, n).IsSuccess() {
			w.nodes = append(w.nodes, i)
		}
	}
	w.seen, w.score = make([]uint32, len(w.nodes)), make([]int64, len(w.nodes))
	return w, nil
}

// judge returns the score of a node, -1 where the pod does not fit.
func (u *Upstream) judge(w *verdicts, n *framework.NodeInfo) (int64, error) {
	ctx := context.Background()
	if !u.fit.Filter(ctx, w.state, w.pod, n).IsSuccess() {
		return -1, nil
	}
	score, st := u.fit.Score(ctx, w.state, w.pod, n)
	if st.IsSuccess() && w.balanced {
		var more int64
		more, st = u.balanced.Score(ctx, w.state, w.pod, n)
		score += more
	}
	return score, st.AsError()
}

func (u *Upstream) put(name string, d Demand, node int) error {
	pod := d.Pod(name, start)
	info, err := framework.NewPodInfo(pod)
	if err != nil {
		return fmt.Errorf("pod %s: %w", name, err)
	}
	pod.Spec.NodeName = u.nodes[node].Node().Name
	u.nodes[node].AddPodInfo(info)
	u.version[node]++
	u.pods[name] = pod
	return nil
}

// Remove takes a placed pod away.
func (u *Upstream) Remove(name string) error {
	pod := u.pods[name]
	node := u.at[pod.Spec.NodeName]
	delete(u.pods, name)
	u.version[node]++
	return u.nodes[node].RemovePod(klog.Background(), pod)
}
