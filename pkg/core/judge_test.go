package core_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/klog/v2"

	"github.com/sluice-scheduler/sluice/pkg/core"
	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
	"github.com/sluice-scheduler/sluice/pkg/core/resource"
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

	tree   *cluster.Tree
	spaces map[string]*cluster.NamespaceFact
	// claims are the latest of each pod, also where the fact that brought one was late.
	claims map[types.UID]*cluster.Claim
	// objects are what the facts were read from; latest is the newest fact of each pod, also where it was late.
	objects map[*cluster.Demand]*v1.Pod
	latest  map[types.UID]*cluster.PodFact
	// devices are the DeviceClasses.
	devices map[string]*cluster.DeviceClassFact
	// coming are those who are nominated and counted as if they were there already.
	coming map[types.UID]bool
	// said are the reasons and texts of the conditions asked for.
	said map[types.UID]core.Condition
	// told counts the conditions with each of topologyReasons.
	told    map[string]int
	leading bool
	// keeps: room may be kept for somebody, of which the judge knows nothing more.
	keeps bool

	storageBooks
	groupBooks
}

func newJudge() *judge {
	return &judge{
		nodes: map[string]*cluster.NodeFact{}, pods: map[types.UID]*cluster.PodFact{},
		at: map[types.UID]string{}, inFlight: map[types.UID]string{}, quarantined: map[types.UID]bool{},
		tree: cluster.DefaultTree(), spaces: map[string]*cluster.NamespaceFact{}, claims: map[types.UID]*cluster.Claim{},
		objects: map[*cluster.Demand]*v1.Pod{}, latest: map[types.UID]*cluster.PodFact{},
		said: map[types.UID]core.Condition{}, told: map[string]int{}, devices: map[string]*cluster.DeviceClassFact{}, storageBooks: newStorageBooks(),
		groupBooks: newGroupBooks(),
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
	case core.QueuesSet:
		j.tree = e.Tree
	case core.NamespaceSet:
		j.spaces[e.Namespace.Name] = e.Namespace
	case core.NamespaceGone:
		delete(j.spaces, e.Name)
	case core.DeviceClassSet:
		j.devices[e.Class.Name] = e.Class
	case core.DeviceClassGone:
		delete(j.devices, e.Name)
	case core.Lead:
		j.leading = e.On
	case core.GroupSet, core.GroupGone:
		j.learnGroup(e)
	default:
		j.learnVolumes(e)
	}
}

// learnPod keeps the truth: a fact without a node that comes after one with a node is late.
func (j *judge) learnPod(f *cluster.PodFact) {
	if f.Terminal {
		delete(j.pods, f.UID)
		delete(j.at, f.UID)
		return
	}
	j.claims[f.UID], j.latest[f.UID] = f.Claim, f
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
	tell(core.QueuesSet{Tree: j.tree})
	j.everyGroup(tell)
	j.everyVolume(tell)
	for _, name := range slices.Sorted(maps.Keys(j.spaces)) {
		tell(core.NamespaceSet{Namespace: j.spaces[name]})
	}
	for _, name := range slices.Sorted(maps.Keys(j.devices)) {
		tell(core.DeviceClassSet{Class: j.devices[name]})
	}
	for _, name := range slices.Sorted(maps.Keys(j.nodes)) {
		tell(core.NodeSet{Node: j.nodes[name]})
	}
	for _, uid := range slices.Sorted(maps.Keys(j.pods)) {
		tell(core.PodSet{Pod: j.pods[uid]})
	}
}

// judge says what is wrong with an effect.
func (j *judge) judge(e core.Effect) error {
	switch e := e.(type) {
	case core.Bind:
		delete(j.said, e.Pod.UID) // moot
		return j.judgeBind(e)
	case core.PrepareVolumes:
		return j.judgePrepare(e)
	case core.Condition:
		j.said[e.Pod.UID] = e
		for _, text := range topologyReasons {
			if strings.Contains(e.Message, text+",") || strings.Contains(e.Message, text+".") {
				j.told[text]++
			}
		}
	}
	return nil
}

// nominatedByOthers is the node that a pod is nominated for, unless its condition says that the core did that itself: then it is as the core pleases.
func nominatedByOthers(f *cluster.PodFact) string {
	own := "node " + f.Nominated + " has room for the pod, and its volumes are being prepared there."
	if f.Said.Digest == cluster.Digest(core.ReasonPreparing, own, f.Generation) {
		return ""
	}
	return f.Nominated
}

func (j *judge) judgeBind(b core.Bind) error {
	if e, prepared := j.preparing[b.Pod.UID]; prepared {
		return j.judgePrepared(b, e)
	}
	if j.held[b.Pod.UID] == b.Node {
		delete(j.held, b.Pod.UID)
		j.inFlight[b.Pod.UID] = b.Node
		return nil
	}
	if err := j.judgePlacing(b, core.PrepareVolumes{}); err != nil {
		return err
	}
	j.at[b.Pod.UID], j.inFlight[b.Pod.UID] = b.Node, b.Node
	return nil
}

// judgePlacing judges the decision to place a pod, with what is to be done for its claims first.
func (j *judge) judgePlacing(b core.Bind, e core.PrepareVolumes) error {
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
	if j.byDevicesAlone(p) {
		return fmt.Errorf("%v: it asks for what only a DeviceClass provides", b)
	}
	if j.spacesHidden && meansByLabels(j.raw(p.UID)) {
		return fmt.Errorf("%v: it means pods by the labels of namespaces, which may not be read", b)
	}
	if err := j.allowed(p, n); err != nil {
		return fmt.Errorf("%v: %w", b, err)
	}
	if first := j.nodes[nominatedByOthers(p)]; !j.keeps && first != nil && first != n && !j.quarantined[first.UID] && (p.Pin == "" || p.Pin == first.Name) && j.allowed(p, first) == nil && j.volumesFit(p, first) {
		return fmt.Errorf("%v: it is nominated for %s and fits there", b, first.Name)
	}
	if err := j.bothWays(p, n, func() error { return j.judgeVolumes(p, n, e) }); err != nil {
		return fmt.Errorf("%v: %w", b, err)
	}
	if err := j.books().quota(p); err != nil {
		return fmt.Errorf("%v: %w", b, err)
	}
	return nil
}

// allowed says what forbids the node.
func (j *judge) allowed(p *cluster.PodFact, n *cluster.NodeFact) error {
	return j.bothWays(p, n, func() error { return j.allowedNow(p, n) })
}

// bothWays asks twice: with those as if they ran there who wait, are nominated for the node and are of the pod's priority or above, and without them.
func (j *judge) bothWays(p *cluster.PodFact, n *cluster.NodeFact, ask func() error) error {
	real := j.at
	defer func() { j.at = real }()
	j.at = maps.Clone(real)
	for uid, other := range j.pods {
		if uid != p.UID && nominatedByOthers(other) == n.Name && real[uid] == "" && !other.Deleting && other.Priority >= p.Priority {
			j.at[uid] = n.Name
		}
	}
	if err := ask(); err != nil {
		return err
	}
	j.at = real
	return ask()
}

func (j *judge) allowedNow(p *cluster.PodFact, n *cluster.NodeFact) error {
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
	return j.topology(p, n)
}

func (j *judge) load(node string) (used map[string]int64, ports []cluster.Port) {
	used = map[string]int64{}
	for uid, at := range j.at {
		if at != node {
			continue
		}
		for _, a := range j.holds(uid) {
			used[a.Name] += a.Value
		}
		used["pods"]++
		if !j.quarantined[uid] {
			ports = append(ports, j.pods[uid].Demand.Ports...)
		}
	}
	for _, room := range j.rooms {
		if room.Node == node {
			for _, a := range room.Pod.Demand.Requests {
				used[a.Name] += a.Value
			}
			used["pods"]++
			ports = append(ports, room.Pod.Demand.Ports...)
		}
	}
	return used, ports
}

// byDevicesAlone reports whether a pod asks for what no node offers and a DeviceClass provides.
func (j *judge) byDevicesAlone(p *cluster.PodFact) bool {
	return slices.ContainsFunc(p.Demand.Requests, func(a resource.Amount) bool {
		for _, n := range j.nodes {
			if n.Allocatable.Get(a.Name) > 0 && !j.quarantined[n.UID] {
				return false
			}
		}
		for _, c := range j.devices {
			if a.Name == c.Extended || a.Name == "deviceclass.resource.kubernetes.io/"+c.Name {
				return a.Value > 0
			}
		}
		return false
	})
}

// holds is what a pod takes from its node and its accounts, besides its being a pod.
func (j *judge) holds(uid types.UID) resource.Amounts {
	p := j.pods[uid]
	if p.Holds == nil || j.quarantined[uid] {
		return p.Demand.Requests
	}
	return p.Holds
}

// foreign keeps a pod's scheduler what it was, as the API does.
func (j *judge) foreign(uid types.UID, otherwise bool) bool {
	if old := j.pods[uid]; old != nil {
		return !old.Ours
	}
	return otherwise
}
