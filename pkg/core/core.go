package core

import (
	"cmp"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
	"github.com/sluice-scheduler/sluice/pkg/core/order"
	"github.com/sluice-scheduler/sluice/pkg/core/pending"
	"github.com/sluice-scheduler/sluice/pkg/core/share"
)

// Core is the decider. The zero Core is not usable; see New.
type Core struct {
	cfg     Config
	state   *cluster.State
	order   *order.Orders
	pending *pending.Queue
	scale   *share.Scale
	// treeVersion is that of the tree by which those who wait are in order; homeless are the applications whose pods are held for want of a queue.
	treeVersion uint64
	// deviceVersion is that by which pods are held that ask for devices.
	deviceVersion uint64
	homeless      map[*cluster.App]bool

	// preparing are pods whose claims are being bound; deadlines has them in the order in which their time ends, and some that are over; stirred are
	// those to which something has happened in this step. prepared counts them.
	preparing map[types.UID]*preparation
	// nominations are those of ours that have not ended; see nominate.go.
	nominations map[types.UID]nomination
	deadlines   []*preparation
	stirred     []*preparation
	prepared    uint64
	// hidden is what of volumes may not be read; empty if all may.
	hidden string
	// spacesHidden: namespaces may not be read.
	spacesHidden bool

	leading bool
	now     time.Time
	// binds are those not answered yet.
	binds      map[types.UID]Bind
	quarantine map[types.UID]string
	openings   openings
	// kept are the reservations, in the order in which they were made.
	kept []*reservation
	// gangs are what is made of the groups; gangDue is when one of them is to be looked at although nothing happens.
	gangs   map[*cluster.Group]*gang
	gangDue time.Time
	// short are gangs that are owed room and have not got it.
	short []*gang
	// draining are the gangs for which nodes are drained.
	draining []*gang
	// prospects is what the outlooks of gangs are judged by.
	prospects prospects
	// filled are gangs of which pods have been bound whose status may have to say so.
	filled []*gang
	// contested are nodes on which room that we assumed may be gone.
	contested map[string]bool

	effects []Effect
	stats   Stats
	// scarceAt is when the scarce units in stats were counted.
	scarceAt time.Time
	// visited counts the nodes looked at in this step; unfinished says that the budget ended it.
	visited    int
	unfinished bool
	// woke: those who wait have been woken in this step, so what is given back from now on is for the next (givesBack).
	woke bool

	subjectPod  *cluster.PodFact
	subjectNode *cluster.NodeFact
}

// New returns a core that knows nothing and does not lead.
func New(cfg Config) *Core {
	cfg.Budget = cmp.Or(cfg.Budget, 200_000)
	cfg.BackoffInitial = cmp.Or(cfg.BackoffInitial, time.Second)
	cfg.BackoffMax = cmp.Or(cfg.BackoffMax, 10*time.Second)
	cfg.RetryAfter = cmp.Or(cfg.RetryAfter, 5*time.Minute)
	cfg.RefreshAfter = cmp.Or(cfg.RefreshAfter, time.Minute)
	cfg.VolumesWithin = cmp.Or(cfg.VolumesWithin, 10*time.Minute)
	cfg.HoldFor = cmp.Or(cfg.HoldFor, 10*time.Minute)
	cfg.ReentryFor = cmp.Or(cfg.ReentryFor, 5*time.Minute)
	cfg.SourceWithin = cmp.Or(cfg.SourceWithin, 10*time.Second)
	state := cluster.New()
	scale := share.NewScale(state.Space)
	return &Core{
		cfg:         cfg,
		state:       state,
		order:       order.New(nil, order.DefaultScarce()),
		pending:     pending.New(scale),
		scale:       scale,
		homeless:    map[*cluster.App]bool{},
		binds:       map[types.UID]Bind{},
		preparing:   map[types.UID]*preparation{},
		nominations: map[types.UID]nomination{},
		quarantine:  map[types.UID]string{},
		contested:   map[string]bool{},
		gangs:       map[*cluster.Group]*gang{},
		openings:    openings{opened: map[*cluster.Account]bool{}},
		stats:       Stats{Rejected: map[string]uint64{}},
	}
}

// Step takes in the events, decides, and returns what is to be done. Now must not be before that of the last step.
func (c *Core) Step(now time.Time, events []Event) []Effect {
	c.now, c.visited, c.effects, c.unfinished, c.woke = now, 0, nil, false, false

	for _, e := range events {
		c.take(e)
	}
	c.turnAway()
	if c.leading {
		c.recall()
		c.followAll()
		c.lapse()
		c.turnAway()
	}
	c.rehome() // after all that takes pods off their nodes
	c.regroup()
	c.followDevices()
	c.gather()
	if c.leading {
		c.pending.StarvesFrom = c.starvesFrom()
		c.fulfil()
		c.fulfilDrains()
		c.woke = true
		c.wake()
		c.turnAway()
		c.pending.Tick(now, c.reviewInTurn, c.comeBack)
		c.gather()
		c.decide()
		c.turnAway()
		c.tellDismissed()
		c.pending.Unblocked(c.tellLine)
		c.tellUnheard()
	} else {
		c.state.DirtyQueues(c.pending.Changed)
		c.wakeNeedy()
		c.pending.Unblocked(func(*pending.Line) {})
		c.pending.Next() // nobody is tried; but what has changed is not kept for later
		if len(c.binds) == 0 {
			clear(c.contested) // nothing is assumed, so nothing can be lost
		}
	}

	c.countScarce()
	c.stats.NodesVisited += uint64(c.visited)
	return c.effects
}

// regroup lets pods wait with those of their priority alone, from when on somebody may have been nominated whom they must not pass.
func (c *Core) regroup() {
	for _, p := range c.state.TakeYielding() {
		switch a := c.pending.Ask(p); {
		case a == nil || a.State != pending.InLine:
		case a.Gang() != nil:
			c.state.TouchGroup(a.Gang().Group)
		default:
			c.pending.Put(p, c.now)
		}
	}
}

// Wake returns when Step is to be called if nothing happens; a time in the past means at once, and ok is false when there is
// nothing to wait for.
func (c *Core) Wake() (at time.Time, ok bool) {
	if c.unfinished || c.state.AnyTouched() {
		return c.now, true
	}
	if !c.leading {
		return time.Time{}, false
	}
	at, ok = c.pending.Due()
	if lapse, has := c.lapsesAt(); has && (!ok || lapse.Before(at)) {
		at, ok = lapse, true
	}
	if !c.gangDue.IsZero() && (!ok || c.gangDue.Before(at)) {
		at, ok = c.gangDue, true
	}
	for _, r := range c.kept {
		if end := c.inVainAt(r); !ok || end.Before(at) {
			at, ok = end, true
		}
	}
	for _, g := range c.draining {
		if end := c.drainsUntil(g.drain); !ok || end.Before(at) {
			at, ok = end, true
		}
	}
	return at, ok
}

// Subject returns what the core was busy with, to be read after a panic.
func (c *Core) Subject() Subject {
	switch {
	case c.subjectPod != nil:
		f := c.subjectPod
		return Subject{Kind: "pod", UID: f.UID, Namespace: f.Namespace, Name: f.Name}
	case c.subjectNode != nil:
		return Subject{Kind: "node", UID: c.subjectNode.UID, Name: c.subjectNode.Name}
	}
	return Subject{}
}

// turnTo notes what the core is busy with from now on.
func (c *Core) turnTo(pod *cluster.PodFact, node *cluster.NodeFact) {
	c.subjectPod, c.subjectNode = pod, node
	if c.cfg.Watch != nil {
		c.cfg.Watch(c.Subject())
	}
}

// turnAway notes that the core is done with its subject: what follows concerns many, and nobody is to blame for it.
func (c *Core) turnAway() { c.subjectPod, c.subjectNode = nil, nil }

// reviewInTurn reviews a parked lot that is due as the turn of one of its pods.
func (c *Core) reviewInTurn(lot *pending.Lot) (goOn bool) {
	c.turnTo(lot.Any().Pod.Fact, nil)
	if lot.Gang != nil {
		goOn = c.reviewGang(lot)
	} else {
		goOn = c.review(lot)
	}
	c.turnAway() // not deferred: after a panic the subject must still be known
	return goOn
}

// Stats returns the counters.
func (c *Core) Stats() Stats {
	s := c.stats
	s.Rejected = make(map[string]uint64, len(c.stats.Rejected))
	for reason, n := range c.stats.Rejected {
		s.Rejected[reason] = n
	}
	n := c.pending.Counts()
	s.Ready, s.Parked, s.Backoff, s.Gated, s.Held, s.Assumed = n.Ready, n.Parked, n.Backoff, n.Gated, n.Held, n.Away
	s.HeldBack, s.Reserved, s.Apps = n.HeldBack, n.Reserved, len(c.state.Apps())
	s.Nodes, s.Pods, s.Shapes = c.state.KnownNodes(), c.state.PodCount(), c.state.Shapes()
	s.Gathered = n.Gathered
	c.countGangs(&s)
	s.Quarantined, s.Preparing = len(c.quarantine), len(c.preparing)
	return s
}

func (c *Core) emit(e Effect) { c.effects = append(c.effects, e) }

func ref(f *cluster.PodFact) PodRef {
	return PodRef{UID: f.UID, Namespace: f.Namespace, Name: f.Name}
}
