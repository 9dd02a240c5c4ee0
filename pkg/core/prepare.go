package core

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
	"github.com/sluice-scheduler/sluice/pkg/core/fit"
)

// preparation is a pod that is assumed on a node while its claims are being bound. The core writes nothing and waits for nothing: it asks for the writes, and goes
// by the facts of claims and volumes.
//
//	assumed ── PrepareVolumes ──▶ written ── VolumesDone ──▶ followed ── all claims bound ──▶ Bind
//	                                 │ refused                  │ the provisioner gave up, a volume went elsewhere, the time is over
//	                                 └────▶ undone, backoff ◀───┘
//
// What is undone before it is written is recalled. What has been written stays: the next attempt finds it in the facts (a claim that is to be provisioned for a node, a volume that is kept for a claim), and so
// does the next leader.
type preparation struct {
	pod    *cluster.Pod
	bind   Bind
	choice *cluster.Choice
	serial uint64
	until  time.Time
	// stored: it has been answered. The API server has it, with these versions.
	stored   bool
	versions []string
	// fault is why the API server has not stored it.
	fault string
	// over: it has been bound or undone. stirred: it is to be looked at in this step.
	over, stirred bool
}

// prepare asks for the claims of a pod that has just been assumed to be bound.
func (c *Core) prepare(p *cluster.Pod, b Bind, choice *cluster.Choice) {
	c.prepared++
	x := &preparation{pod: p, bind: b, choice: choice, serial: c.prepared, until: c.now.Add(c.cfg.VolumesWithin)}
	c.preparing[p.Fact.UID] = x
	if len(c.deadlines) > 2*len(c.preparing)+64 {
		c.deadlines = slices.DeleteFunc(c.deadlines, func(x *preparation) bool { return x.over })
	}
	c.deadlines = append(c.deadlines, x)
	c.emit(prepareVolumes(x))
	c.nominate(x)
}

func prepareVolumes(x *preparation) PrepareVolumes {
	e := PrepareVolumes{Pod: x.bind.Pod, Node: x.bind.Node, Serial: x.serial}
	for _, b := range x.choice.Bindings {
		e.Bindings = append(e.Bindings, VolumeBinding{Volume: b.Volume.Name, UID: b.Volume.Fact.UID, Claim: claimRef(b.Claim)})
	}
	for _, claim := range x.choice.Provisions {
		e.Provisions = append(e.Provisions, claimRef(claim))
	}
	return e
}

func claimRef(c *cluster.VolumeClaim) cluster.ClaimRef {
	return cluster.ClaimRef{Namespace: c.Namespace, Name: c.Name, UID: c.Fact.UID}
}

// stored takes in how the writes ended.
func (c *Core) stored(e VolumesDone) {
	x := c.preparing[e.UID]
	if x == nil || x.serial != e.Serial {
		return // given up meanwhile
	}
	x.stored, x.versions = true, e.Versions
	if !e.Stored {
		x.fault = cmp.Or(e.Message, "refused")
	}
	c.stir(x)
}

// stir has a preparation looked at when all that has happened is known.
func (c *Core) stir(x *preparation) {
	if !x.stirred {
		x.stirred = true
		c.stirred = append(c.stirred, x)
	}
}

// followClaim stirs the preparations that a claim concerns.
func (c *Core) followClaim(claim *cluster.VolumeClaim) {
	if claim == nil || len(c.preparing) == 0 {
		return
	}
	claim.Pods(func(p *cluster.Pod) {
		if x := c.preparing[p.Fact.UID]; x != nil {
			c.stir(x)
		}
	})
}

func (c *Core) followVolume(name string) {
	if v := c.state.Volume(name); v != nil {
		for _, claim := range v.Claims() {
			c.followClaim(claim)
		}
	}
}

// followAll looks at the preparations to which something has happened.
func (c *Core) followAll() {
	for _, x := range c.stirred {
		x.stirred = false
		c.follow(x)
	}
	clear(c.stirred)
	c.stirred = c.stirred[:0]
}

// follow binds a pod whose claims have been bound, or undoes what will come to nothing.
func (c *Core) follow(x *preparation) {
	if x.over || !x.stored {
		return
	}
	n := c.state.Node(x.bind.Node)
	if n == nil || n.Fact == nil {
		return // it is recalled with the node
	}
	switch ready, fault := x.look(n); {
	case x.fault != "":
		c.fail(x, x.fault)
	case fault != "":
		c.fail(x, fault)
	case ready && !fit.Bound(fit.Of(x.pod), n):
		c.fail(x, fmt.Sprintf("its volumes cannot be reached from node %q", n.Name))
	case ready:
		c.end(x)
		if g := c.gangOf(x.pod); g != nil && g.until.After(c.now) {
			g.held = append(g.held, x.bind)
			c.releaseHeld(g)
			return
		}
		c.binds[x.bind.Pod.UID] = x.bind
		c.emit(x.bind)
	}
}

// look reports whether all claims of the choice are bound, or what has gone wrong. The rules are those of kube-scheduler (checkBindings). What
// a fact says to be so is so, whatever its version: nobody tells of a version that brings nothing new. What it says not to be so, only if it is not from before the write.
func (x *preparation) look(n *cluster.Node) (ready bool, fault string) {
	ready = true
	for i, b := range x.choice.Bindings {
		bound, fault := lookAtBinding(b, n, x.version(i))
		if fault != "" {
			return false, fault
		}
		ready = ready && bound
	}
	for i, claim := range x.choice.Provisions {
		bound, fault := lookAtProvision(claim, n, x.version(len(x.choice.Bindings)+i))
		if fault != "" {
			return false, fault
		}
		ready = ready && bound
	}
	return ready, ""
}

func (x *preparation) version(i int) string {
	if i < len(x.versions) {
		return x.versions[i]
	}
	return ""
}

func lookAtBinding(b cluster.Binding, n *cluster.Node, version string) (bound bool, fault string) {
	v, claim := b.Volume.Fact, b.Claim.Fact
	switch {
	case v == nil:
		return false, fmt.Sprintf("persistentvolume %q not found", b.Volume.Name)
	case claim == nil:
		return false, fmt.Sprintf("persistentvolumeclaim %q not found", b.Claim.Name)
	}
	reached, kept := fit.Reaches(n, v), v.ClaimRef != nil && v.ClaimRef.UID != "" && b.Volume.KeptFor(b.Claim)
	switch {
	case reached && kept:
		return claim.Bound, ""
	case before(v.ResourceVersion, version):
		return false, ""
	case !reached:
		return false, fmt.Sprintf("pv %q node affinity doesn't match node %q", v.Name, n.Name)
	}
	return false, fmt.Sprintf("ClaimRef got reset for pv %q", v.Name)
}

func lookAtProvision(c *cluster.VolumeClaim, n *cluster.Node, version string) (bound bool, fault string) {
	f := c.Fact
	if f == nil {
		return false, fmt.Sprintf("persistentvolumeclaim %q not found", c.Name)
	}
	selected := f.Selected && f.SelectedNode == n.Name
	switch {
	case !selected && before(f.ResourceVersion, version):
		return false, ""
	case !selected:
		return false, fmt.Sprintf("provisioning failed for PVC %q", c.Name)
	case c.Volume == nil || c.Volume.Fact == nil:
		return false, ""
	case !fit.Reaches(n, c.Volume.Fact):
		return false, fmt.Sprintf("pv %q node affinity doesn't match node %q", c.Volume.Name, n.Name)
	}
	return f.Bound, ""
}

// before reports whether a resource version is older than another. They are decimal numbers that may be compared since Kubernetes 1.35.
func before(a, b string) bool {
	return cmp.Or(cmp.Compare(len(a), len(b)), strings.Compare(a, b)) < 0
}

// end forgets a preparation: its pod goes on to be bound, or has been taken off its node. What may not have been written is asked back: it would tie the claims to a
// node for which they are not meant any more.
func (c *Core) end(x *preparation) {
	x.over = true
	delete(c.preparing, x.bind.Pod.UID)
	if !x.stored {
		c.emit(Recall{UID: x.bind.Pod.UID})
	}
}

// undo takes a pod off the node for which its claims were being bound.
func (c *Core) undo(x *preparation) {
	c.end(x)
	if p := x.pod; p.Alloc != nil && !p.Alloc.Bound {
		c.state.Release(p)
		c.state.Commit()
	}
}

// fail undoes a preparation that came to nothing; the pod tries again after its backoff.
func (c *Core) fail(x *preparation, why string) {
	c.turnTo(x.pod.Fact, nil)
	c.stats.VolumesFailed++
	c.undo(x)
	defer c.undoGang(c.gangOf(x.pod))
	c.tryAgain(x.pod, retry{why: "its volumes could not be prepared on " + x.bind.Node + ": " + why})
}

// lapse fails the preparations whose time is over.
func (c *Core) lapse() {
	for len(c.deadlines) > 0 && (c.deadlines[0].over || !c.deadlines[0].until.After(c.now)) {
		x := c.deadlines[0]
		c.deadlines = c.deadlines[1:]
		if !x.over {
			c.fail(x, fmt.Sprintf("not all claims were bound within %v; %s", c.cfg.VolumesWithin, x.missing()))
		}
	}
}

// lapsesAt returns when the next preparation's time is over.
func (c *Core) lapsesAt() (at time.Time, ok bool) {
	for len(c.deadlines) > 0 && c.deadlines[0].over {
		c.deadlines = c.deadlines[1:]
	}
	if len(c.deadlines) == 0 {
		return at, false
	}
	return c.deadlines[0].until, true
}

// missing says what a preparation waits for.
func (x *preparation) missing() string {
	if !x.stored {
		return "the API server has not answered"
	}
	var list []string
	for _, b := range x.choice.Bindings {
		if b.Claim.Fact == nil || !b.Claim.Fact.Bound {
			list = append(list, fmt.Sprintf("claim %s is to be bound to volume %s", b.Claim, b.Volume.Name))
		}
	}
	for _, claim := range x.choice.Provisions {
		if claim.Fact == nil || !claim.Fact.Bound {
			list = append(list, fmt.Sprintf("claim %s is to be provisioned for node %s", claim, x.bind.Node))
		}
	}
	return strings.Join(list, ", ")
}

// giveBack undoes all preparations: another may lead from now on.
func (c *Core) giveBack() {
	for _, x := range c.deadlines {
		if !x.over {
			c.undo(x)
			c.tryAgain(x.pod, retry{atOnce: true})
		}
	}
	c.deadlines = nil
}

// stillMeant reports whether what is being prepared for a pod is still what is to be.
func (x *preparation) stillMeant(p *cluster.Pod) bool {
	f, a := p.Fact, p.Alloc
	return f.Ours && !f.Deleting && !f.Gated && len(f.Demand.Unsupported) == 0 && a != nil && !a.Bound && a.Node.Name == x.bind.Node && a.Choice() == x.choice
}
