package core

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
	"github.com/sluice-scheduler/sluice/pkg/core/fit"
	"github.com/sluice-scheduler/sluice/pkg/core/pending"
)

// Standing is where a pod stands.
type Standing string

// The standings.
const (
	StandingUnknown Standing = "unknown"
	StandingReady   Standing = "ready"  // its turn has not come
	StandingParked  Standing = "parked" // it fits on no node; a change that helps wakes it
	// StandingHeldBack: its queue, user or group has no quota left for it.
	StandingHeldBack Standing = "held-back"
	StandingBackoff  Standing = "backoff" // its bind was refused, or its volumes could not be prepared
	StandingGated    Standing = "gated"   // it has scheduling gates
	StandingHeld     Standing = "held"    // it cannot be tried as it is
	StandingAssumed  Standing = "assumed" // decided, not yet confirmed
	StandingBound    Standing = "bound"
	// StandingReserved: room is kept for it on a node as it falls free.
	StandingReserved Standing = "reserved"
	// StandingGathered: it starts together with others of its group.
	StandingGathered Standing = "gathered"
	StandingLeaving  Standing = "leaving" // it is being deleted and was never bound
	StandingForeign  Standing = "foreign" // it belongs to another scheduler
)

// Explanation says why a pod is where it is.
type Explanation struct {
	Pod      PodRef
	Standing Standing
	// Node is where it runs or is going to.
	Node string
	// App is its application, AppFrom what decided about that, Role the pod's part in it.
	App, AppFrom, Role string
	// Group is the group that it starts with, GroupLine how that stands, in one line.
	Group, GroupLine string
	// Queue is the application's queue, QueueWhy what decided about it.
	Queue, QueueWhy string
	// Faults names what of the pod could not be read, or not as it is written.
	Faults []string
	// Reason and Message are those of its condition, if it waits.
	Reason, Message string
	// Nodes is how many there were at the last attempt, Counts how many of them gave which reason.
	Nodes  int
	Counts []fit.Count
	// Since is when it began to wait; Attempts is how often it was the one tried.
	Since    time.Time
	Attempts int
	// Until is the end of its backoff.
	Until time.Time
}

// Explain says why the pod of that namespace and name is where it is; of several that have had the name, the newest. It is a query, to be made between
// steps. The cost is that of passing all pods and comparing their names (tens of milliseconds for 100,000): an index would cost every pod for the sake of the few
// that are asked about.
func (c *Core) Explain(namespace, name string) Explanation {
	var found *cluster.Pod
	c.state.Pods(func(p *cluster.Pod) {
		f := p.Fact
		if !f.Expected && f.Name == name && f.Namespace == namespace && (found == nil || newer(f, found.Fact)) {
			found = p
		}
	})
	if found == nil {
		return Explanation{Pod: PodRef{Namespace: namespace, Name: name}, Standing: StandingUnknown}
	}
	return c.explain(found)
}

// newer reports whether a pod came after another of its name.
func newer(f, than *cluster.PodFact) bool {
	if f.Created.Equal(than.Created) {
		return f.UID > than.UID
	}
	return f.Created.After(than.Created)
}

func (c *Core) explain(p *cluster.Pod) Explanation {
	x := Explanation{Pod: ref(p.Fact)}
	if claim := p.Fact.Claim; claim != nil {
		x.AppFrom, x.Role, x.Faults = claim.AppFrom, claim.Role, claim.Faults
	}
	x.Faults = append(slices.Clip(x.Faults), p.Fact.Demand.Faults...)
	if p.App != nil {
		x.App, x.QueueWhy = p.App.ID, p.App.Why
		if q := p.App.Queue(); q != nil {
			x.Queue = q.Name
		}
	}
	if g := c.gangOf(p); g != nil {
		survey := c.surveyGroup(g)
		x.Group, x.GroupLine = g.group.ID, survey.Line()
	}
	a := c.pending.Ask(p)
	switch {
	case p.Alloc != nil && p.Alloc.Bound:
		x.Standing, x.Node = StandingBound, p.Alloc.Node.Name
	case !p.Fact.Ours:
		x.Standing = StandingForeign
	case p.Alloc != nil && !p.Alloc.Reserved:
		x.Standing, x.Node = StandingAssumed, p.Alloc.Node.Name
		if prep := c.preparing[p.Fact.UID]; prep != nil {
			x.Message = "its volumes are being prepared: " + prep.missing()
		}
	case a == nil:
		x.Standing = StandingLeaving
	default:
		c.explainAsk(&x, a)
		if line := a.Line(); line != nil && line.Behind() {
			x.Reason, x.Message, _ = c.why(line)
		}
	}
	return x
}

func (c *Core) explainAsk(x *Explanation, a *pending.Ask) {
	x.Since, x.Attempts, x.Message = a.Entered, int(a.Attempts), a.Why
	switch a.State {
	case pending.Gated:
		x.Standing = StandingGated
	case pending.Held:
		x.Standing = StandingHeld
		x.Reason, _ = c.whyHeld(a.Pod)
	case pending.Gathered:
		x.Standing = StandingGathered
		if g := c.gangOf(a.Pod); g != nil {
			x.Reason = g.told.Reason
		}
	case pending.Reserved:
		x.Standing, x.Reason, x.Node = StandingReserved, ReasonUnschedulable, a.Pod.Alloc.Node.Name
	case pending.InBackoff:
		x.Standing, x.Reason, x.Until = StandingBackoff, ReasonSchedulerError, a.Until
	default:
		x.Standing, x.Message = StandingReady, ""
		line := a.Line()
		if f := line.Lot.Failure; f != nil {
			x.Reason, x.Message, x.Nodes, x.Counts = ReasonUnschedulable, f.Text, f.Nodes, f.Counts
		}
		if line.Lot.Parked() && !line.Behind() {
			x.Standing = StandingParked
		}
		if h := line.Hold; h != nil {
			x.Standing, x.Reason, x.Message, x.Nodes, x.Counts = StandingHeldBack, ReasonQuotaExceeded, h.Text, 0, nil
		}
	}
}

// Dump writes the state canonically: two cores that were told the same facts, and are at rest, dump the same.
func (c *Core) Dump() string {
	var b strings.Builder
	c.state.Dump(&b)
	for _, p := range c.state.SortedPods() {
		if a := c.pending.Ask(p); a != nil {
			fmt.Fprintf(&b, "waits %s/%s uid=%s %s\n", p.Fact.Namespace, p.Fact.Name, p.Fact.UID, stand(a))
		}
	}
	return b.String()
}

func stand(a *pending.Ask) string {
	switch a.State {
	case pending.Gated:
		return "gated"
	case pending.Held:
		return a.Why
	case pending.Away:
		return "for its bind"
	case pending.Gathered:
		return "with its group"
	case pending.Reserved:
		return "for room that is kept for it"
	}
	return "for room"
}
