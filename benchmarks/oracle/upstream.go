package oracle

import (
	"context"
	"fmt"
	"slices"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/sets"
	toolscache "k8s.io/client-go/tools/cache"
	corev1helpers "k8s.io/component-helpers/scheduling/corev1"
	fwk "k8s.io/kube-scheduler/framework"
	"k8s.io/kubernetes/pkg/scheduler/backend/cache"
	"k8s.io/kubernetes/pkg/scheduler/framework"
)

// Upstream judges by kube-scheduler's own plugins.
type Upstream struct {
	ctx     context.Context
	handle  *handle
	plugins []plugin
	scorers []scorer
	stores  []store
	nodes   []fwk.NodeInfo
	// nominated are pods that wait and are nominated for a node, by node.
	nominated map[string][]*framework.PodInfo
}

// store is an informer's, and what the world has for it.
type store struct {
	indexer toolscache.Indexer
	fill    func(*World) []any
	filled  int
}

// NewUpstream makes the plugins.
func NewUpstream() (*Upstream, error) {
	h, err := newHandle()
	if err != nil {
		return nil, err
	}
	u := &Upstream{ctx: quiet(), handle: h}
	if u.plugins, err = plug(h); err != nil {
		return nil, err
	}
	if u.scorers, err = plugScorers(h); err != nil {
		return nil, err
	}
	apps := h.factory.Apps().V1()
	core, storage := h.factory.Core().V1(), h.factory.Storage().V1()
	u.stores = []store{
		{indexer: core.Namespaces().Informer().GetIndexer(), fill: func(w *World) []any { return anys(w.Namespaces) }},
		{indexer: core.PersistentVolumeClaims().Informer().GetIndexer(), fill: func(w *World) []any { return anys(w.Claims) }},
		{indexer: core.PersistentVolumes().Informer().GetIndexer(), fill: func(w *World) []any { return anys(w.Volumes) }},
		{indexer: core.Services().Informer().GetIndexer(), fill: func(w *World) []any { return anys(w.Services) }},
		{indexer: core.ReplicationControllers().Informer().GetIndexer(), fill: func(w *World) []any { return anys(w.Controllers) }},
		{indexer: apps.ReplicaSets().Informer().GetIndexer(), fill: func(w *World) []any { return anys(w.ReplicaSets) }},
		{indexer: apps.StatefulSets().Informer().GetIndexer(), fill: func(w *World) []any { return anys(w.StatefulSets) }},
		{indexer: storage.StorageClasses().Informer().GetIndexer(), fill: func(w *World) []any { return anys(w.Classes) }},
		{indexer: storage.CSIDrivers().Informer().GetIndexer(), fill: func(w *World) []any { return anys(w.Drivers) }},
		{indexer: storage.CSINodes().Informer().GetIndexer(), fill: func(w *World) []any { return anys(w.CSINodes) }},
		{indexer: storage.CSIStorageCapacities().Informer().GetIndexer(), fill: func(w *World) []any { return anys(w.Capacities) }},
		{indexer: storage.VolumeAttachments().Informer().GetIndexer(), fill: func(w *World) []any { return anys(w.Attachments) }},
	}
	return u, nil
}

func anys[T metav1.Object](list []T) []any {
	out := make([]any, len(list))
	for i, o := range list {
		out[i] = o
	}
	return out
}

// Take makes a snapshot of the world, as the scheduler's cache would: pods count that are on known nodes and have not ended.
func (u *Upstream) Take(w *World) error {
	for i := range u.stores {
		s := &u.stores[i]
		objects := s.fill(w)
		if len(objects) == 0 && s.filled == 0 {
			continue
		}
		s.filled = len(objects)
		if err := s.indexer.Replace(objects, ""); err != nil {
			return fmt.Errorf("filling a lister: %w", err)
		}
	}
	known := make(map[string]bool, len(w.Nodes))
	for _, n := range w.Nodes {
		known[n.Name] = true
	}
	pods := make([]*v1.Pod, 0, len(w.Pods))
	for _, p := range w.Pods {
		if counted(p) && known[p.Spec.NodeName] {
			pods = append(pods, p)
		}
	}
	u.handle.Snapshot = cache.NewSnapshot(pods, w.Nodes)
	u.nodes = u.nodes[:0]
	for _, n := range w.Nodes {
		info, err := u.handle.Get(n.Name)
		if err != nil {
			return fmt.Errorf("node %s: %w", n.Name, err)
		}
		u.nodes = append(u.nodes, info)
	}
	u.Nominate(w)
	return nil
}

// Nominate collects those who wait and are nominated for a node, as the nominator of the scheduling queue would.
func (u *Upstream) Nominate(w *World) {
	u.nominated = map[string][]*framework.PodInfo{}
	for _, p := range w.Pods {
		if node := p.Status.NominatedNodeName; node != "" && p.Spec.NodeName == "" && p.DeletionTimestamp == nil && p.Status.Phase == "" {
			info, err := framework.NewPodInfo(p)
			if err != nil {
				continue // it never gets as far
			}
			u.nominated[node] = append(u.nominated[node], info)
		}
	}
}

// Session is a pod before the plugins: what their PreFilters have said.
type Session struct {
	u     *Upstream
	pod   *v1.Pod
	state *framework.CycleState
	// skip are the plugins that have nothing to say of the pod.
	skip [len(Plugins)]bool
	// rejected is the verdict on all nodes, if a PreFilter has refused the pod as a whole.
	rejected *Verdict
	// names are the nodes to which PreFilters have narrowed the search, nil for all; narrowed is the one plugin that has, and outside the verdict on others.
	names    sets.Set[string]
	narrowed int
	outside  Verdict
}

// Meet lets the PreFilters look at a pod, in the way of RunPreFilterPlugins and findNodesThatFitPod.
func (u *Upstream) Meet(pod *v1.Pod) *Session {
	s := &Session{u: u, pod: pod, state: framework.NewCycleState()}
	var result *fwk.PreFilterResult
	for i, p := range u.plugins {
		r, status := p.PreFilter(u.ctx, s.state, pod, u.nodes)
		if status.IsSkip() {
			s.skip[i] = true
			continue
		}
		if !status.IsSuccess() {
			v := read(status, i)
			s.rejected = &v
			return s
		}
		if !r.AllNodes() {
			s.narrowed = i
		}
		result = result.Merge(r)
	}
	if !result.AllNodes() {
		s.names = result.NodeNames
		s.outside = Verdict{Code: Unresolvable, Reasons: []string{fmt.Sprintf("node(s) didn't satisfy plugin(s) [%s]", Plugins[s.narrowed])}, Plugin: s.narrowed}
	}
	return s
}

// Judge says whether the pod may run on a node. reached is told of each plugin that had a say.
func (s *Session) Judge(node fwk.NodeInfo, reached func(plugin int)) Verdict {
	if s.rejected != nil {
		reached(s.rejected.Plugin)
		return *s.rejected
	}
	if s.names != nil && !s.names.Has(node.Node().Name) {
		reached(s.narrowed)
		return s.outside
	}
	if state, with := s.withNominated(node); with != nil {
		if v := s.filter(state, with, func(int) {}); v.Code != Fits {
			reached(v.Plugin)
			return v
		}
	}
	return s.filter(s.state, node, reached)
}

// filter runs the plugins that filter.
func (s *Session) filter(state fwk.CycleState, node fwk.NodeInfo, reached func(plugin int)) Verdict {
	for i, p := range s.u.plugins {
		if s.skip[i] {
			continue
		}
		reached(i)
		if status := p.Filter(s.u.ctx, state, s.pod, node); !status.IsSuccess() {
			return read(status, i)
		}
	}
	return Verdict{}
}

// withNominated is the node as it would be if those were there that are nominated for it and of the pod's priority or above; nil if there are none. See
// RunFilterPluginsWithNominatedPods.
func (s *Session) withNominated(node fwk.NodeInfo) (state fwk.CycleState, with fwk.NodeInfo) {
	for _, info := range s.u.nominated[node.Node().Name] {
		if corev1helpers.PodPriority(info.Pod) < corev1helpers.PodPriority(s.pod) || info.Pod.UID == s.pod.UID {
			continue
		}
		if with == nil {
			state, with = s.state.Clone(), node.Snapshot()
		}
		with.AddPodInfo(info)
		for i, p := range s.u.plugins {
			if ext := p.PreFilterExtensions(); ext != nil && !s.skip[i] {
				if status := ext.AddPod(s.u.ctx, state, s.pod, info, with); !status.IsSuccess() {
					panic(status.Message())
				}
			}
		}
	}
	return state, with
}

// read makes a verdict of a status.
func read(status *fwk.Status, plugin int) Verdict {
	v := Verdict{Code: Failed, Plugin: plugin, Reasons: slices.Sorted(slices.Values(status.Reasons()))}
	switch status.Code() {
	case fwk.Unschedulable:
		v.Code = Unschedulable
	case fwk.UnschedulableAndUnresolvable:
		v.Code = Unresolvable
	}
	return v
}

// Message is what kube-scheduler would write about a pod that fits nowhere, the findings of preemption apart.
func (s *Session) Message(verdicts []Verdict) string {
	e := framework.FitError{Pod: s.pod, NumAllNodes: len(verdicts), Diagnosis: framework.Diagnosis{NodeToStatus: framework.NewDefaultNodeToStatus()}}
	if s.rejected != nil {
		e.Diagnosis.PreFilterMsg = fwk.NewStatus(fwk.UnschedulableAndUnresolvable, s.rejected.Reasons...).Message()
		return e.Error()
	}
	for i, v := range verdicts {
		e.Diagnosis.NodeToStatus.Set(s.u.nodes[i].Node().Name, fwk.NewStatus(fwk.Unschedulable, v.Reasons...))
	}
	return e.Error()
}
