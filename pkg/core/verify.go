package core

import (
	"errors"
	"fmt"

	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
	"github.com/sluice-scheduler/sluice/pkg/core/fit"
	"github.com/sluice-scheduler/sluice/pkg/core/pending"
)

// Verify reckons everything anew and returns what differs from what is kept; nil when the core is sound. It is to be called between
// steps, by tests, fuzzing and debugging: it looks at every pod and, for those that wait for room, at every node.
//
// It holds that all accounts equal the sum of their allocations; that the order of nodes equals one made from scratch; that every pod
// of ours that is not bound waits somewhere, with a reason or a deadline; and, unless the last step ended early, that no pod
// waits for room while there is some.
func (c *Core) Verify() error {
	c.state.DirtyQueues(c.pending.Changed)
	faults := []error{c.state.Verify(), c.pending.Verify()}
	c.order.Refresh(c.state)
	faults = append(faults, c.order.Verify(c.state))
	for _, p := range c.state.SortedPods() {
		faults = append(faults, c.verifyPod(p))
	}
	for uid, b := range c.binds {
		if p := c.state.Pod(uid); p != nil && p.Alloc == nil {
			faults = append(faults, fmt.Errorf("pod %s has a bind under way to %s and is assumed nowhere", uid, b.Node))
		}
	}
	for _, g := range c.sortedGangs() {
		faults = append(faults, c.verifyGang(g), c.verifySurvey(g))
	}
	for uid := range c.nominations {
		if p := c.state.Pod(uid); p == nil || p.Fact.Node != "" {
			faults = append(faults, fmt.Errorf("pod %s is bound or gone, and a nomination of it is remembered", uid))
		}
	}
	for uid, x := range c.preparing {
		if p := c.state.Pod(uid); p != x.pod || !x.stillMeant(p) || x.over || c.pending.Ask(p) == nil {
			faults = append(faults, fmt.Errorf("pod %s has volumes prepared on %s that are not meant any more", uid, x.bind.Node))
		}
	}
	return errors.Join(faults...)
}

func (c *Core) verifyPod(p *cluster.Pod) error {
	a := c.pending.Ask(p)
	if p.Fact.Expected {
		return c.verifyExpected(p)
	}
	waits := p.Fact.Ours && (p.Alloc == nil || !p.Alloc.Bound) && !p.Fact.Deleting
	switch {
	case waits && a == nil:
		return fmt.Errorf("pod %s is not bound and waits nowhere", p.Fact.UID)
	case a == nil:
		return nil
	case p.Alloc != nil && p.Alloc.Bound:
		return fmt.Errorf("pod %s is bound and still waits", p.Fact.UID)
	case c.isDrained(p) && p.Alloc.Reserved:
		return nil
	case (p.Alloc != nil) != (a.State == pending.Away || a.State == pending.Reserved):
		return fmt.Errorf("pod %s is assumed: %t, but away: %t", p.Fact.UID, p.Alloc != nil, a.State == pending.Away)
	case p.Alloc != nil && p.Alloc.Reserved != (a.State == pending.Reserved):
		return fmt.Errorf("room is reserved for pod %s: %t, but it waits for that: %t", p.Fact.UID, p.Alloc.Reserved, a.State == pending.Reserved)
	case a.State != pending.InLine:
		return nil
	}
	if reason, _ := c.whyHeld(p); reason != "" {
		return fmt.Errorf("pod %s waits although it is to be held for %s", p.Fact.UID, reason)
	}
	if !c.leading || c.unfinished {
		return nil
	}
	return c.verifyParked(a)
}

// verifyParked holds that a pod in a lot is parked, has a reason, and truly fits nowhere. Nodes whose change the core has yet to weigh are
// weighed at its next step.
func (c *Core) verifyParked(a *pending.Ask) error {
	uid := a.Pod.Fact.UID
	line := a.Line()
	if line.Behind() {
		return nil // whatever there is, it is for another first
	}
	if h := line.Hold; h != nil {
		if !h.Holds(line.Request(), line.Starting()) {
			return fmt.Errorf("pod %s is held back although %s would let it in", uid, h.Account.Who)
		}
		return nil
	}
	if line.Lot.Gang != nil {
		return c.verifyGangParked(line)
	}
	if !line.Lot.Parked() || line.Lot.Failure == nil {
		return fmt.Errorf("pod %s is ready after a step that had time for it", uid)
	}
	for _, n := range c.state.Slots() {
		if n != nil && fit.Fits(fit.Of(a.Pod), n) {
			return fmt.Errorf("pod %s is parked although it fits on %s", uid, n.Name)
		}
	}
	return nil
}
