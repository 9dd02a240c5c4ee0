package core

import (
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/types"

	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
	"github.com/sluice-scheduler/sluice/pkg/core/pending"
	"github.com/sluice-scheduler/sluice/pkg/core/resource"
)

// take lets one event into the state.
func (c *Core) take(e Event) {
	c.turnAway() // whoever came before is not to blame
	switch e := e.(type) {
	case NodeSet:
		c.setNode(e.Node)
	case NodeGone:
		if n := c.state.Node(e.Name); n != nil && n.Fact != nil {
			c.turnTo(nil, n.Fact)
		}
		c.contested[e.Name] = true
		c.state.RemoveNode(e.Name)
	case PodSet:
		c.setPod(e.Pod)
	case PodGone:
		c.removePod(e.UID)
	case PodRejected:
		c.stats.Rejected[e.Reason]++
	case BindDone:
		c.answer(e)
	case Lead:
		c.lead(e.On)
	case Quarantine:
		c.setAside(e)
	case OrdersSet:
		c.order.Set(e.Orders, e.Scarce)
	case QueuesSet:
		c.state.SetTree(e.Tree)
		c.pending.Hurry(c.now) // who waits for room may not be let in any more
		c.followApps()
	case NamespaceSet:
		c.state.SetNamespace(e.Namespace)
		c.followKin()
	case NamespaceGone:
		c.state.RemoveNamespace(e.Name)
		c.followKin()
	case NamespacesHidden:
		c.hideSpaces(e.Hidden)
	case SelectorSet:
		c.state.SetSelector(e.Selector)
	case SelectorGone:
		c.state.RemoveSelector(e.ID)
	case GroupSet:
		c.state.SetGroup(e.Group)
	case GroupGone:
		c.state.RemoveGroup(e.Namespace, e.ID, e.Origin)
	case DeviceClassSet:
		c.state.SetDeviceClass(e.Class)
	case DeviceClassGone:
		c.state.RemoveDeviceClass(e.Name)
	default:
		c.takeVolume(e)
	}
}

func (c *Core) setNode(f *cluster.NodeFact) {
	c.turnTo(nil, f)
	c.contested[f.Name] = true
	if _, bad := c.quarantine[f.UID]; bad {
		c.state.RemoveNode(f.Name)
		return
	}
	c.state.SetNode(f)
}

// setAside quarantines an object, which may be known already.
func (c *Core) setAside(e Quarantine) {
	c.quarantine[e.UID] = e.Why
	if p := c.state.Pod(e.UID); p != nil {
		c.setPod(p.Fact)
		return
	}
	for _, n := range c.state.Slots() {
		if n != nil && n.Fact.UID == e.UID {
			c.contested[n.Name] = true
			c.state.RemoveNode(n.Name)
		}
	}
}

func (c *Core) setPod(f *cluster.PodFact) {
	c.turnTo(f, nil)
	f = c.ownNomination(f)
	if why, bad := c.quarantine[f.UID]; bad {
		f = subdued(f, why)
	}
	old := c.state.Pod(f.UID)
	if c.leading && f.Ours && old != nil && boundElsewhere(old, f) {
		c.stats.Elsewhere++
	}
	if f.Terminal {
		c.removePod(f.UID)
		return
	}
	had := heldOn(old, f.Node)
	p := c.state.SetPod(f)
	c.followApps()
	c.followKin()
	if f.Node != "" && !p.Alloc.Uses.Equal(had) {
		c.contested[f.Node] = true
	}
	if x := c.preparing[f.UID]; x != nil && !x.stillMeant(p) {
		c.undo(x)
	}
	if b, underWay := c.binds[f.UID]; underWay && p.Alloc == nil {
		c.expect(p, b.Node)
	}
	if !f.Ours {
		c.pending.Drop(p) // its schedulerName cannot change, but a doubtful fact must not leave it waiting
		return
	}
	c.settle(p)
}

// boundElsewhere reports whether a pod that waited or was assumed turns out to be bound to a node that we did not choose.
func boundElsewhere(old *cluster.Pod, now *cluster.PodFact) bool {
	return old.Fact.Node == "" && now.Node != "" && (old.Alloc == nil || old.Alloc.Node.Name != now.Node)
}

// heldOn is what a pod has been counted with on a node; nil if it was not.
func heldOn(p *cluster.Pod, node string) resource.Vector {
	if p == nil || p.Alloc == nil || p.Alloc.Node.Name != node {
		return nil
	}
	return p.Alloc.Uses
}

// lead begins or ends deciding. What only a leader says of those who wait already is said now: why they are held, and that there is no node order
// of the name they give.
func (c *Core) lead(on bool) {
	c.leading = on
	for _, g := range c.sortedGangs() {
		c.state.TouchGroup(g.group)
	}
	if !on {
		c.giveBack()
		c.giveUpAll()
		c.giveUpGangs()
		return
	}
	for _, p := range c.state.SortedPods() {
		a := c.pending.Ask(p)
		switch {
		case a == nil:
		case a.State == pending.Held:
			c.settle(p)
		case a.State == pending.InLine:
			c.warnOfOrder(p)
		}
	}
}

// quarantined begins the key of a quarantined pod's demand, so that it shares its shape with no pod that is not.
const quarantined = "quarantined "

// expect keeps the room of a pod that was said to be gone and is not: its bind is still out there.
func (c *Core) expect(p *cluster.Pod, node string) {
	c.state.AssumeAt(p, node)
	c.state.Commit()
	c.followApps()
	c.pending.Expect(p, c.now)
	c.contested[node] = true
}

// subdued is the fact of a quarantined pod: it is counted with what it requests, and nothing else of it is looked at.
func subdued(f *cluster.PodFact, why string) *cluster.PodFact {
	if strings.HasPrefix(f.Demand.Key, quarantined) {
		return f
	}
	tame := *f
	tame.Holds, tame.Pin, tame.Liking, tame.Labels, tame.Needs = nil, "", nil, cluster.Labels{}, nil
	tame.Demand = &cluster.Demand{
		Key:      quarantined + f.Demand.Key,
		Requests: f.Demand.Requests,
		Faults:   []string{why},
	}
	return &tame
}

// settle puts a pod of ours where its fact says it belongs.
func (c *Core) settle(p *cluster.Pod) {
	f := p.Fact
	switch g := c.state.GroupOf(p); {
	case g != nil && (p.Alloc == nil || p.Alloc.Reserved):
		c.state.TouchGroup(g)
	case g == nil && p.App.Finished:
		c.state.SetFinished(p.App, false)
		c.followApps()
	}
	if p.Alloc != nil && p.Alloc.Reserved && !c.isDrained(p) && !c.keeps(p) {
		c.stats.Expired++
		c.state.Release(p)
		c.state.Commit()
	}
	switch {
	case p.Alloc != nil && p.Alloc.Bound:
		c.pending.Drop(p)
		c.fill(p)
	case p.Alloc != nil && !p.Alloc.Reserved:
		// Assumed: only its answer or a fact with a node ends that.
	case p.Alloc != nil:
		// Room is kept for it, which ends in its own time.
	case f.Deleting:
		c.pending.Drop(p)
	case f.Gated:
		c.pending.Aside(p, pending.Gated, "", c.now) // the API server itself writes the condition of a gated pod
	default:
		if reason, text := c.whyHeld(p); reason != "" {
			c.hold(p, reason, text)
			return
		}
		if c.state.GroupOf(p) != nil {
			c.settleMember(p)
			return
		}
		if c.pending.Ask(p) == nil {
			c.welcome(p)
		}
		c.pending.Put(p, c.now)
	}
}

// settleMember lets a pod of a group wait where the group is looked at next (gather); one that stands for itself keeps its place.
func (c *Core) settleMember(p *cluster.Pod) {
	switch a := c.pending.Ask(p); {
	case a == nil || a.State != pending.InLine && a.State != pending.InBackoff && a.State != pending.Gathered:
		c.aside(p)
	case a.State == pending.InLine && a.Gang() == nil:
		c.pending.Put(p, c.now)
	}
}

// comeBack lets a pod whose backoff has ended wait for its turn.
func (c *Core) comeBack(a *pending.Ask) {
	if c.state.GroupOf(a.Pod) != nil {
		c.aside(a.Pod)
		c.state.TouchGroup(c.state.GroupOf(a.Pod))
		return
	}
	c.pending.Return(a)
}

// followKin lets waiting pods of which terms make something else now wait with their like.
func (c *Core) followKin() {
	c.state.TakeRekin(func(p *cluster.Pod) {
		if a := c.pending.Ask(p); a != nil && a.State == pending.InLine {
			c.settle(p)
		}
	})
}

// whyHeld says why a waiting pod cannot be tried as it is; the reason is empty when it can.
func (c *Core) whyHeld(p *cluster.Pod) (reason, text string) {
	why, isAside := c.quarantine[p.Fact.UID]
	switch unsupported := p.Fact.Demand.Unsupported; {
	case isAside:
		return ReasonSchedulerError, "set aside, because it made the scheduler panic: " + why +
			". An administrator releases it by removing its entry from quarantine.json and restarting Sluice."
	case len(unsupported) > 0:
		return ReasonUnsupported, c.unsupportedText(unsupported)
	case c.devicesText(p.Shape) != "":
		return ReasonUnsupported, c.devicesText(p.Shape)
	case c.hidden != "" && needsClaims(p):
		return ReasonSchedulerError, "held: the pod has volume claims, and Sluice may not read " + c.hidden + "; give its service account the rights in deploy/base/rbac.yaml."
	case c.spacesHidden && p.Shape.Topology.BySpaces():
		return ReasonSchedulerError, "held: the pod's affinity or anti-affinity has a namespaceSelector, and Sluice may not read namespaces; " +
			"give its service account the rights in deploy/base/rbac.yaml."
	case p.App.Ledger == nil:
		return ReasonNoQueue, p.App.Fault + "."
	}
	return "", ""
}

// hideSpaces holds the pods that mean others by the labels of namespaces while these may not be read, and lets them go when they may.
func (c *Core) hideSpaces(hidden bool) {
	if c.spacesHidden == hidden {
		return
	}
	c.spacesHidden = hidden
	for _, p := range c.state.SortedPods() {
		if p.Shape.Topology.BySpaces() && c.pending.Ask(p) != nil {
			c.settle(p)
		}
	}
}

// welcome notes what a pod that has come to wait asks for.
func (c *Core) welcome(p *cluster.Pod) {
	c.order.Note(p.Shape)
	c.warnOfOrder(p)
}

// warnOfOrder says so if the node order that a waiting pod names does not exist.
func (c *Core) warnOfOrder(p *cluster.Pod) {
	if name := p.Shape.Order; c.leading && !c.order.Known(name) {
		c.emit(Announce{
			Pod: ref(p.Fact), Type: TypeWarning, Reason: EventUnknownNodeOrder, Action: ActionScheduling,
			Note: fmt.Sprintf("there is no node order %q; %q is used. Configured are: %s.", name, c.order.Primary(), strings.Join(c.order.Names(), ", ")),
		})
	}
}

func (c *Core) unsupportedText(fields []string) string {
	return "held: Sluice does not evaluate " + strings.Join(fields, ", ") +
		" yet and will not bind the pod as if that were absent. Remove it" + c.orElsewhere()
}

func (c *Core) removePod(uid types.UID) {
	delete(c.nominations, uid)
	p := c.state.Pod(uid)
	if p == nil {
		return
	}
	c.turnTo(p.Fact, nil)
	if x := c.preparing[uid]; x != nil {
		c.end(x)
	}
	c.pending.Drop(p)
	c.state.RemovePod(uid)
	c.followApps()
	c.followKin()
}

// answer settles what was assumed.
func (c *Core) answer(e BindDone) {
	b, asked := c.binds[e.UID]
	if !asked || b.Node != e.Node {
		return // answered before
	}
	delete(c.binds, e.UID)
	c.count(e.Outcome)
	p := c.state.Pod(e.UID)
	if p == nil {
		return
	}
	c.turnTo(p.Fact, nil)
	if e.Outcome == Bound {
		delete(c.nominations, e.UID)
		c.announceBound(b)
		return
	}
	a := p.Alloc
	if a == nil || a.Bound || a.Node.Name != e.Node {
		return // the watch knows better
	}
	c.state.Release(p)
	c.state.Commit()
	c.tryAgain(p, retry{atOnce: e.Outcome == Recalled, why: "the API server refused to bind it to " + e.Node + ": " + e.Message})
}

func (c *Core) count(o Outcome) {
	switch o {
	case Bound:
		c.stats.Bound++
	case Refused:
		c.stats.Refused++
		c.stats.Errors++
	case Recalled:
		c.stats.Recalled++
	}
}

// retry says how a pod that was assumed comes to wait again: at once, or after its backoff because something failed.
type retry struct {
	atOnce bool
	why    string
}

// tryAgain lets a pod whose bind did not happen wait for another turn.
func (c *Core) tryAgain(p *cluster.Pod, r retry) {
	ask := c.pending.Ask(p)
	if ask != nil {
		ask.Said = p.Fact.Said.Digest // what was said last may never have been written: the bind made it moot
	}
	c.followApps()
	if ask == nil || p.Fact.Deleting {
		c.pending.Drop(p)
		return
	}
	ask.Attempts++
	c.settle(p) // its fact, or its application's home, may have changed while it was away
	if r.atOnce || ask.State != pending.InLine && ask.State != pending.Gathered {
		return
	}
	wait := c.cfg.BackoffInitial << ask.Refusals
	ask.Refusals = min(ask.Refusals+1, pending.MostRefusals)
	c.pending.Backoff(ask, c.now.Add(min(wait, c.cfg.BackoffMax)), r.why)
	if c.leading {
		c.tell(ask, ReasonSchedulerError, r.why, "refused")
	}
}
