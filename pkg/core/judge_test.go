package core_test

import (
	"fmt"
	"maps"
	"slices"
	"time"

	v1 "k8s.io/api/core/v1"
	apires "k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/klog/v2"

	"github.com/sluice-scheduler/sluice/pkg/core"
	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
)

// judge keeps the last facts by itself and allows or forbids binds by a plain reading of the rules: sums over all pods, maps, no shapes, no
// indexes.
type judge struct {
	nodes map[string]*cluster.NodeFact
	pods  map[types.UID]*cluster.PodFact
	// at is where each pod was last bound or assumed.
	at          map[types.UID]string
	inFlight    map[types.UID]string
	quarantined map[types.UID]bool
}

func newJudge() *judge {
	return &judge{
		nodes: map[string]*cluster.NodeFact{}, pods: map[types.UID]*cluster.PodFact{},
		at: map[types.UID]string{}, inFlight: map[types.UID]string{}, quarantined: map[types.UID]bool{},
	}
}

func (j *judge) learn(e core.Event) {
	switch e := e.(type) {
	case core.NodeSet:
		j.nodes[e.Node.Name] = e.Node
	case core.NodeGone:
		delete(j.nodes, e.Name)
	case core.PodSet:
		j.learnPod(e.Pod)
	case core.PodGone:
		delete(j.pods, e.UID)
		delete(j.at, e.UID)
	case core.BindDone:
		if j.inFlight[e.UID] == e.Node {
			delete(j.inFlight, e.UID)
			if p := j.pods[e.UID]; e.Outcome != core.Bound && p != nil && p.Node == "" && j.at[e.UID] == e.Node {
				delete(j.at, e.UID)
			}
		}
	case core.Quarantine:
		j.quarantined[e.UID] = true
	}
}

// learnPod keeps the truth: a fact without a node that comes after one with a node is late.
func (j *judge) learnPod(f *cluster.PodFact) {
	if f.Terminal {
		delete(j.pods, f.UID)
		delete(j.at, f.UID)
		return
	}
	if old := j.pods[f.UID]; old != nil && old.Node != "" && f.Node == "" {
		return
	}
	j.pods[f.UID] = f
	if f.Node != "" {
		j.at[f.UID] = f.Node
	} else if on := j.inFlight[f.UID]; on != "" && j.at[f.UID] == "" {
		j.at[f.UID] = on // it was said to be gone while its bind was under way
	}
}

// everything tells all that is true.
func (j *judge) everything(tell func(core.Event)) {
	for _, name := range slices.Sorted(maps.Keys(j.nodes)) {
		tell(core.NodeSet{Node: j.nodes[name]})
	}
	for _, uid := range slices.Sorted(maps.Keys(j.pods)) {
		tell(core.PodSet{Pod: j.pods[uid]})
	}
}

// judge says what is wrong with an effect.
func (j *judge) judge(e core.Effect) error {
	b, ok := e.(core.Bind)
	if !ok {
		return nil
	}
	p, n := j.pods[b.Pod.UID], j.nodes[b.Node]
	switch {
	case p == nil || n == nil:
		return fmt.Errorf("%v: the pod or the node does not exist", b)
	case j.at[p.UID] != "":
		return fmt.Errorf("%v: the pod is on %s already", b, j.at[p.UID])
	case !p.Ours || p.Gated || p.Deleting || len(p.Demand.Unsupported) > 0 || j.quarantined[p.UID] || j.quarantined[n.UID]:
		return fmt.Errorf("%v: the pod (ours %t, gated %t, deleting %t, fields %v, quarantined %t) or the node (quarantined %t) is not for placing", b,
			p.Ours, p.Gated, p.Deleting, p.Demand.Unsupported, j.quarantined[p.UID], j.quarantined[n.UID])
	case p.Pin != "" && p.Pin != n.Name:
		return fmt.Errorf("%v: pinned to %s", b, p.Pin)
	}
	if err := j.allowed(p, n); err != nil {
		return fmt.Errorf("%v: %w", b, err)
	}
	j.at[p.UID], j.inFlight[p.UID] = b.Node, b.Node
	return nil
}

func (j *judge) allowed(p *cluster.PodFact, n *cluster.NodeFact) error {
	taints := slices.Clone(n.Taints)
	if n.Unschedulable {
		taints = append(taints, v1.Taint{Key: "node.kubernetes.io/unschedulable", Effect: v1.TaintEffectNoSchedule})
	}
	for _, t := range taints {
		if !slices.ContainsFunc(p.Demand.Tolerations, func(tol v1.Toleration) bool { return tol.ToleratesTaint(klog.Logger{}, &t, false) }) {
			return fmt.Errorf("taint %v", t)
		}
	}
	if p.Demand.Affinity != nil {
		if ok, _ := p.Demand.Affinity.Match(&v1.Node{ObjectMeta: metav1.ObjectMeta{Name: n.Name, Labels: n.Labels}}); !ok {
			return fmt.Errorf("selector")
		}
	}
	used, ports := j.load(n.Name)
	for _, a := range p.Demand.Requests {
		if used[a.Name]+a.Value > n.Allocatable.Get(a.Name) {
			return fmt.Errorf("%s: %d used, %d asked, %d offered", a.Name, used[a.Name], a.Value, n.Allocatable.Get(a.Name))
		}
	}
	if used["pods"]+1 > n.Allocatable.Get("pods") {
		return fmt.Errorf("pods: %d", used["pods"])
	}
	for _, want := range p.Demand.Ports {
		for _, have := range ports {
			if want.Number == have.Number && want.Protocol == have.Protocol && (want.IP == have.IP || want.IP == cluster.AnyIP || have.IP == cluster.AnyIP) {
				return fmt.Errorf("port %v", want)
			}
		}
	}
	return nil
}

func (j *judge) load(node string) (used map[string]int64, ports []cluster.Port) {
	used = map[string]int64{}
	for uid, at := range j.at {
		if at != node {
			continue
		}
		p := j.pods[uid]
		held := p.Holds
		if held == nil || j.quarantined[uid] {
			held = p.Demand.Requests
		}
		for _, a := range held {
			used[a.Name] += a.Value
		}
		used["pods"]++
		if !j.quarantined[uid] {
			ports = append(ports, p.Demand.Ports...)
		}
	}
	return used, ports
}

// foreign keeps a pod's scheduler what it was, as the API does.
func (j *judge) foreign(uid types.UID, otherwise bool) bool {
	if old := j.pods[uid]; old != nil {
		return !old.Ours
	}
	return otherwise
}

func (r *runner) nodeName() string { return fmt.Sprintf("n%d", r.src.below(5)) }

func (r *runner) podUID() types.UID { return types.UID(fmt.Sprintf("p%d", r.src.below(14))) }

func (r *runner) node() *cluster.NodeFact {
	name := r.nodeName()
	n := &v1.Node{ObjectMeta: metav1.ObjectMeta{Name: name, UID: types.UID("uid-" + name)}}
	n.Status.Allocatable = v1.ResourceList{
		"cpu":    apires.MustParse([]string{"4", "2", "1", "0"}[r.src.below(4)]),
		"memory": apires.MustParse([]string{"4Gi", "1Gi"}[r.src.below(2)]),
		"pods":   apires.MustParse([]string{"5", "2"}[r.src.below(2)]),
	}
	if r.src.chance(4) {
		n.Status.Allocatable["example.com/gpu"] = apires.MustParse("1")
	}
	if r.src.chance(3) {
		n.Labels = map[string]string{"zone": "z"}
	}
	if r.src.chance(5) {
		n.Spec.Taints = []v1.Taint{{Key: "k", Effect: v1.TaintEffectNoSchedule}}
	}
	n.Spec.Unschedulable = r.src.chance(8)
	return cluster.ReadNode(n)
}

func (r *runner) pod() *cluster.PodFact {
	uid := r.podUID()
	priority := int32(r.src.below(3))
	p := &v1.Pod{ObjectMeta: metav1.ObjectMeta{Name: string(uid), Namespace: "ns", UID: uid}}
	p.CreationTimestamp = metav1.NewTime(r.now.Truncate(time.Second))
	if old := r.judge.pods[uid]; old != nil {
		p.CreationTimestamp, priority = metav1.NewTime(old.Created), old.Priority
		p.Spec.NodeName = old.Node // the API never unbinds
	}
	p.Spec.Priority, p.Spec.SchedulerName = &priority, "sluice"
	if foreign := r.src.chance(6); r.judge.foreign(uid, foreign) {
		p.Spec.SchedulerName = "other"
	}
	requests := v1.ResourceList{"cpu": apires.MustParse([]string{"1", "500m", "2", "0", "1e20"}[r.src.below(5)])}
	if r.src.chance(6) {
		requests["example.com/gpu"] = apires.MustParse("1")
	}
	p.Spec.Containers = []v1.Container{{Name: "main", Resources: v1.ResourceRequirements{Requests: requests}}}
	switch r.src.below(14) {
	case 1:
		p.Spec.NodeSelector = map[string]string{"zone": "z"}
	case 2:
		p.Spec.Tolerations = []v1.Toleration{{Operator: v1.TolerationOpExists}}
	case 3:
		p.Spec.Containers[0].Ports = []v1.ContainerPort{{HostPort: 80}}
	case 4:
		p.Spec.Affinity = pinned(r.nodeName())
	case 5:
		p.Spec.SchedulingGates = []v1.PodSchedulingGate{{Name: "g"}}
	case 6:
		p.Spec.ResourceClaims = []v1.PodResourceClaim{{Name: "c"}}
	case 7:
		p.DeletionTimestamp = &metav1.Time{Time: r.now}
	case 8:
		p.Status.Phase = v1.PodFailed
	case 9, 10:
		if p.Spec.NodeName == "" {
			p.Spec.NodeName = r.nodeName() // somebody else bound it
		}
	case 11:
		p.Status.ContainerStatuses = []v1.ContainerStatus{{Name: "main", AllocatedResources: v1.ResourceList{"cpu": apires.MustParse("3")}}}
	}
	return cluster.ReadPod(p, "sluice")
}

func pinned(node string) *v1.Affinity {
	return &v1.Affinity{NodeAffinity: &v1.NodeAffinity{RequiredDuringSchedulingIgnoredDuringExecution: &v1.NodeSelector{
		NodeSelectorTerms: []v1.NodeSelectorTerm{{MatchFields: []v1.NodeSelectorRequirement{{Key: "metadata.name", Operator: "In", Values: []string{node}}}}},
	}}}
}
