package core

import (
	"k8s.io/apimachinery/pkg/types"

	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
)

// A pod whose volumes are being prepared has its node, though nobody sees that until it is bound, which may take minutes. So it is nominated for the node, and its
// condition says what it waits for: autoscalers add no node for it, and other schedulers leave it the room.
//
//	prepared for a node ── condition and nomination, in one write ──▶ nominated ── bound: the API server ends it
//	                                                                     └── undone ── the next condition takes it back
//
// Here the room is taken by the allocation, so the nomination is not counted a second time: it is taken out of the fact. It is known by its condition, which is
// written with it, so a next leader knows it too.

// nomination is one that is to be taken back unless its pod is bound.
type nomination struct {
	// withdrawn: that has been asked for.
	withdrawn bool
}

// nominate says that a pod's volumes are being prepared on a node.
func (c *Core) nominate(x *preparation) {
	f := x.pod.Fact
	text := preparingText(x.bind.Node)
	said := cluster.Digest(ReasonPreparing, text, f.Generation)
	if a := c.pending.Ask(x.pod); a != nil {
		a.Said = said
	}
	old := c.nominations[f.UID]
	c.nominations[f.UID] = nomination{}
	if said == f.Said.Digest && !old.withdrawn {
		return // the API server has it from before a restart
	}
	c.emit(Condition{
		Pod: ref(f), Reason: ReasonPreparing, Message: text, ObservedGeneration: f.Generation, Since: c.falseSince(f), Nominates: true, Nominated: x.bind.Node,
	})
}

func preparingText(node string) string {
	return "node " + node + " has room for the pod, and its volumes are being prepared there."
}

// owesWithdrawal reports whether a pod that waits is still nominated by us.
func (c *Core) owesWithdrawal(uid types.UID) bool {
	n, nominated := c.nominations[uid]
	return nominated && !n.withdrawn
}

// withdraw takes back a nomination of ours with a condition.
func (c *Core) withdraw(e *Condition) {
	if _, nominated := c.nominations[e.Pod.UID]; nominated {
		c.nominations[e.Pod.UID] = nomination{withdrawn: true}
		e.Nominates, e.Nominated = true, ""
	}
}

// ownNomination takes a nomination of ours out of a fact, and notes it.
func (c *Core) ownNomination(f *cluster.PodFact) *cluster.PodFact {
	if f.Node != "" || !f.Ours {
		delete(c.nominations, f.UID)
		return f
	}
	if f.Nominated == "" || f.Said.Digest != cluster.Digest(ReasonPreparing, preparingText(f.Nominated), f.Generation) {
		return f
	}
	if _, noted := c.nominations[f.UID]; !noted {
		c.nominations[f.UID] = nomination{}
	}
	own := *f
	own.Nominated = ""
	return &own
}
