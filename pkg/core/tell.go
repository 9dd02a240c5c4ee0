package core

import (
	"fmt"

	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
	"github.com/sluice-scheduler/sluice/pkg/core/pending"
)

// tell says in the pod's condition why it waits, if that is news, and announces it when the kinds of reasons have changed.
func (c *Core) tell(a *pending.Ask, reason, text, kinds string) {
	f := a.Pod.Fact
	news := a.Kinds != kinds
	a.Kinds = kinds
	said := cluster.Digest(reason, text, f.Generation)
	if said == a.Said {
		return // the API server has it, perhaps from before a restart
	}
	a.Said = said
	since := f.Said.Since
	if since.IsZero() {
		since = c.now
	}
	c.emit(Condition{Pod: ref(f), Reason: reason, Message: text, ObservedGeneration: f.Generation, Since: since})
	if news {
		c.emit(Announce{Pod: ref(f), Type: TypeWarning, Reason: EventFailedScheduling, Action: ActionScheduling, Note: text})
	}
}

// tellLot tells the pods of a lot that has just been parked: at once when the reasons have changed, and not more often than RefreshAfter when
// only their numbers have. Pods that joined since are told by tellUnheard.
func (c *Core) tellLot(lot *pending.Lot) {
	f, told := lot.Failure, lot.Told
	if told != nil && told.Kinds == f.Kinds && (told.Text == f.Text || c.now.Sub(told.At) < c.cfg.RefreshAfter) {
		return
	}
	lot.Told = f
	lot.Each(func(a *pending.Ask) { c.tell(a, ReasonUnschedulable, f.Text, f.Kinds) })
}

func (c *Core) tellUnheard() {
	c.pending.Unheard(func(a *pending.Ask) {
		f := a.Lot().Failure
		c.tell(a, ReasonUnschedulable, f.Text, f.Kinds)
	})
}

// hold sets a pod aside and says why.
func (c *Core) hold(p *cluster.Pod, reason, text string) {
	a := c.pending.Aside(p, pending.Held, text, c.now)
	if c.leading {
		c.tell(a, reason, text, reason)
	}
}

func (c *Core) announceBound(b Bind) {
	c.emit(Announce{
		Pod: b.Pod, Type: TypeNormal, Reason: EventScheduled, Action: ActionBinding,
		Note: fmt.Sprintf("Successfully assigned %s/%s to %s", b.Pod.Namespace, b.Pod.Name, b.Node),
	})
}
