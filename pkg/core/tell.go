package core

import (
	"time"

	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
	"github.com/sluice-scheduler/sluice/pkg/core/pending"
	"github.com/sluice-scheduler/sluice/pkg/core/share"
)

// tell says in the pod's condition why it waits, if that is news, and announces it when the kinds of reasons have changed.
func (c *Core) tell(a *pending.Ask, reason, text, kinds string) { c.say(a, reason, text, kinds, true) }

// say does so, with an event or without.
func (c *Core) say(a *pending.Ask, reason, text, kinds string, announce bool) {
	f := a.Pod.Fact
	news := announce && a.Kinds != kinds
	a.Kinds = kinds
	said := cluster.Digest(reason, text, f.Generation)
	if said == a.Said && !c.owesWithdrawal(f.UID) {
		return // the API server has it, perhaps from before a restart
	}
	a.Said = said
	e := Condition{Pod: ref(f), Reason: reason, Message: text, ObservedGeneration: f.Generation, Since: c.falseSince(f)}
	c.withdraw(&e)
	c.emit(e)
	if news {
		c.emit(Announce{Pod: ref(f), Type: TypeWarning, Reason: EventFailedScheduling, Action: ActionScheduling, Note: text})
	}
}

// falseSince is since when a pod's condition has been False.
func (c *Core) falseSince(f *cluster.PodFact) time.Time {
	if f.Said.Since.IsZero() {
		return c.now
	}
	return f.Said.Since
}

// why returns what a line that waits is to be told.
func (c *Core) why(l *pending.Line) (reason, text, kinds string) {
	hold, failure := l.Why()
	switch {
	case hold != nil:
		return ReasonQuotaExceeded, hold.Text, hold.Text
	case l.Behind():
		text = "queue " + l.Ledger().Leaf.Name + " is strict: nobody there passes those who came first, and they still wait."
		return ReasonWaitingForTurn, text, text
	case failure != nil:
		return ReasonUnschedulable, failure.Text, failure.Kinds
	}
	return "", "", ""
}

// tellLine tells the pods of a line that has just come to wait: at once when the reasons have changed, and not more often than RefreshAfter when
// only their numbers have. Pods that joined since are told by tellUnheard.
func (c *Core) tellLine(l *pending.Line) {
	reason, text, kinds := c.why(l)
	told := l.Told
	if reason == "" || told != nil && told.Reason == reason && told.Kinds == kinds && (told.Text == text || c.now.Sub(told.At) < c.cfg.RefreshAfter) {
		return
	}
	l.Told = &pending.Told{Reason: reason, Text: text, Kinds: kinds, At: c.now}
	l.Each(func(a *pending.Ask) { c.tell(a, reason, text, kinds) })
	if l.Lot.Gang != nil {
		c.tellGangLine(l, reason, text, kinds)
	}
}

// tellUnheard tells those who have come to wait. Who joins a lot that is parked may be refused by an account as well: that goes first, for it is not
// room that such a pod lacks. Who is ready after a step that had time for all waits behind others in a strict queue.
func (c *Core) tellUnheard() {
	c.pending.Unheard(!c.unfinished, func(a *pending.Ask) {
		if !c.refused(a.Line()) {
			reason, text, kinds := c.why(a.Line())
			c.tell(a, reason, text, kinds)
			if a.Gang() != nil {
				c.tellGangLine(a.Line(), reason, text, kinds)
			}
		}
	})
}

// refused holds a line back that waits for room, if an account would not let it in anyway.
func (c *Core) refused(l *pending.Line) bool {
	if l.Hold != nil || !l.Waits() {
		return false
	}
	r, refused := share.Refuses(l.Ledger(), l.Request(), l.Starting())
	if refused {
		c.holdBack(l, r)
	}
	return refused
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
		Note: "Successfully assigned " + b.Pod.Namespace + "/" + b.Pod.Name + " to " + b.Node,
	})
}
