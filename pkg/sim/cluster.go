package sim

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"

	v1 "k8s.io/api/core/v1"
	resourcev1 "k8s.io/api/resource/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/sluice-scheduler/sluice/pkg/app"
	"github.com/sluice-scheduler/sluice/pkg/core"
	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
)

// Scheduler is the schedulerName that simulated pods of ours carry.
const Scheduler = "sluice"

// read is all that a node order can ask for.
var read = cluster.Extra{Images: true, Selectors: true}

// start is when virtual time begins.
var start = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// Cluster is an API server in memory with a core that follows it. The zero Cluster is not usable; see New.
type Cluster struct {
	Core *core.Core
	// Log receives every effect, if set.
	Log func(at time.Duration, e core.Effect)
	// Refuse says, if set, why a PrepareVolumes fails; empty if it does not. Returning false keeps the answer back.
	Refuse func(core.PrepareVolumes) (why string, answered bool)
	// Answer decides the outcome of a bind, if set; otherwise all are bound. Returning false keeps the answer back.
	Answer func(core.Bind) (core.BindDone, bool)
	// Act, if set, lets those act who act by themselves, such as controllers, whenever the core is at rest. It says when they are to act again, by Now, negative for never, and whether they
	// did anything.
	Act func() (next time.Duration, moved bool, err error)

	cfg    core.Config
	now    time.Time
	events []core.Event
	nodes  map[string]*v1.Node
	pods   map[types.UID]*v1.Pod
	byName map[string]types.UID
	serial int
	// tree is nil until one is set.
	tree       *cluster.Tree
	namespaces map[string]*v1.Namespace
	devices    map[string]*resourcev1.DeviceClass
	volumes    *volumes
	selectors  map[cluster.SelectorID]*cluster.SelectorFact
	tellers    *tellers
}

// New returns an empty cluster whose core leads.
func New(cfg core.Config) *Cluster {
	c := &Cluster{
		cfg: cfg, now: start,
		nodes: map[string]*v1.Node{}, pods: map[types.UID]*v1.Pod{}, byName: map[string]types.UID{},
		namespaces: map[string]*v1.Namespace{}, devices: map[string]*resourcev1.DeviceClass{}, volumes: newVolumes(),
		selectors: map[cluster.SelectorID]*cluster.SelectorFact{}, tellers: newTellers(),
	}
	c.Core = core.New(cfg)
	c.tell(core.Lead{On: true})
	return c
}

// Now returns the virtual time since the start.
func (c *Cluster) Now() time.Duration { return c.now.Sub(start) }

// Sleep lets virtual time pass without a step.
func (c *Cluster) Sleep(d time.Duration) { c.now = c.now.Add(d) }

func (c *Cluster) tell(e core.Event) { c.events = append(c.events, e) }

// SetNode creates or replaces a node.
func (c *Cluster) SetNode(n *v1.Node) {
	if n.UID == "" {
		n.UID = types.UID("node-" + n.Name)
	}
	c.nodes[n.Name] = n
	c.tell(core.NodeSet{Node: read.ReadNode(n)})
}

// SetDeviceClass creates or replaces a DeviceClass.
func (c *Cluster) SetDeviceClass(d *resourcev1.DeviceClass) {
	c.devices[d.Name] = d
	c.tell(core.DeviceClassSet{Class: cluster.ReadDeviceClass(d)})
}

// DeleteDeviceClass deletes a DeviceClass.
func (c *Cluster) DeleteDeviceClass(name string) {
	delete(c.devices, name)
	c.tell(core.DeviceClassGone{Name: name})
}

// Node returns a node; nil when there is none.
func (c *Cluster) Node(name string) *v1.Node { return c.nodes[name] }

// DeleteNode deletes a node; its pods stay until they are deleted themselves.
func (c *Cluster) DeleteNode(name string) {
	delete(c.nodes, name)
	c.tell(core.NodeGone{Name: name})
}

// CreatePod creates a pod, giving it a UID and a creation time when it has none. A pod of the same name is deleted first.
func (c *Cluster) CreatePod(p *v1.Pod) {
	c.DeletePod(p.Namespace, p.Name)
	c.serial++
	if p.UID == "" {
		p.UID = types.UID(fmt.Sprintf("pod-%d", c.serial))
	}
	if p.CreationTimestamp.IsZero() {
		p.CreationTimestamp = metav1.NewTime(c.now)
	}
	c.pods[p.UID] = p
	c.byName[p.Namespace+"/"+p.Name] = p.UID
	c.told(p)
}

// Pod returns a pod by name; nil when there is none.
func (c *Cluster) Pod(namespace, name string) *v1.Pod {
	return c.pods[c.byName[namespace+"/"+name]]
}

// ChangePod lets f change a pod and tells the core.
func (c *Cluster) ChangePod(namespace, name string, f func(*v1.Pod)) {
	if p := c.Pod(namespace, name); p != nil {
		f(p)
		c.told(p)
	}
}

func (c *Cluster) told(p *v1.Pod) {
	f := read.ReadPod(p, Scheduler)
	if f.Ours {
		claim := app.Identify(p, true)
		f.Claim = &claim
	}
	c.tell(core.PodSet{Pod: f})
}

// DeletePod deletes a pod at once, if it exists.
func (c *Cluster) DeletePod(namespace, name string) {
	key := namespace + "/" + name
	if uid, ok := c.byName[key]; ok {
		delete(c.pods, uid)
		delete(c.byName, key)
		c.tell(core.PodGone{UID: uid})
	}
}

// Restart replaces the core by a new one that is told of all objects, as a restarted process would be.
func (c *Cluster) Restart() {
	c.Core = core.New(c.cfg)
	c.events = nil
	c.Relist()
	c.tell(core.Lead{On: true})
}

// Relist tells the core of every object again.
func (c *Cluster) Relist() {
	c.relistQueues()
	c.relistSelectors()
	c.relistGroups()
	for _, name := range slices.Sorted(maps.Keys(c.devices)) {
		c.tell(core.DeviceClassSet{Class: cluster.ReadDeviceClass(c.devices[name])})
	}
	c.relistVolumes()
	for _, name := range slices.Sorted(maps.Keys(c.nodes)) {
		c.tell(core.NodeSet{Node: read.ReadNode(c.nodes[name])})
	}
	pods := slices.SortedFunc(maps.Values(c.pods), func(a, b *v1.Pod) int { return cmp.Compare(a.UID, b.UID) })
	for _, p := range pods {
		c.told(p)
	}
}

// Step lets the core take in what has happened and carries out what it decides. It fails when an invariant is broken.
func (c *Cluster) Step() (effects []core.Effect, err error) {
	events := c.events
	c.events = nil
	effects = c.Core.Step(c.now, events)
	for _, e := range effects {
		if c.Log != nil {
			c.Log(c.Now(), e)
		}
		c.perform(e)
	}
	return effects, c.Check()
}

// Run steps until nothing is left to do, and goes on through virtual time for d, stepping whenever the core wants to be woken.
func (c *Cluster) Run(d time.Duration) error {
	end := c.now.Add(d)
	for steps := 0; ; steps++ {
		if steps > 100_000 {
			return fmt.Errorf("the core does not come to rest")
		}
		if _, err := c.Step(); err != nil {
			return err
		}
		if len(c.events) > 0 {
			continue
		}
		at, ok := c.Core.Wake()
		if c.Act != nil {
			next, moved, err := c.Act()
			if err != nil {
				return err
			}
			if moved || len(c.events) > 0 {
				continue
			}
			if acts := start.Add(next); next >= 0 && (!ok || acts.Before(at)) {
				at, ok = acts, true
			}
		}
		if !ok || at.After(end) {
			c.now = end
			return nil
		}
		c.now = maxTime(c.now, at)
	}
}

func maxTime(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// perform does to the objects what an API server would.
func (c *Cluster) perform(e core.Effect) {
	switch e := e.(type) {
	case core.Bind:
		done, answered := core.BindDone{UID: e.Pod.UID, Node: e.Node}, true
		if c.Answer != nil {
			done, answered = c.Answer(e)
		}
		if answered {
			c.Finish(e, done)
		}
	case core.PrepareVolumes:
		c.prepare(e)
	case core.Condition:
		if p := c.pods[e.Pod.UID]; p != nil {
			setCondition(p, e)
			c.told(p)
		}
	}
}

// Finish stores a bind, if its outcome says so, and tells the core. An API server refuses to bind a pod that is gone, on its way out, bound
// already or gated.
func (c *Cluster) Finish(b core.Bind, done core.BindDone) {
	p := c.pods[b.Pod.UID]
	switch {
	case done.Outcome != core.Bound:
	case p == nil:
		done.Outcome, done.Message = core.Refused, "pod not found"
	case p.DeletionTimestamp != nil:
		done.Outcome, done.Message = core.Refused, "pod is being deleted"
	case p.Spec.NodeName != "" && p.Spec.NodeName != b.Node:
		done.Outcome, done.Message = core.Refused, "pod is already assigned to node "+p.Spec.NodeName
	case len(p.Spec.SchedulingGates) > 0:
		done.Outcome, done.Message = core.Refused, "pod has scheduling gates"
	default:
		p.Spec.NodeName, p.Status.NominatedNodeName = b.Node, ""
		p.Status.Conditions = []v1.PodCondition{{Type: v1.PodScheduled, Status: v1.ConditionTrue}}
		c.told(p)
	}
	c.tell(done)
}

func setCondition(p *v1.Pod, e core.Condition) {
	if e.Nominates {
		p.Status.NominatedNodeName = e.Nominated
	}
	p.Status.Conditions = []v1.PodCondition{{
		Type: v1.PodScheduled, Status: v1.ConditionFalse, Reason: e.Reason, Message: e.Message,
		ObservedGeneration: e.ObservedGeneration, LastTransitionTime: metav1.NewTime(e.Since),
	}}
}
