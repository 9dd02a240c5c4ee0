package core

import (
	"slices"

	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
	"github.com/sluice-scheduler/sluice/pkg/core/resource"
)

// QueueSnapshot is a copy of what a survey of the queues is made of. It shares with the state only what never changes, so it may be read
// while the core steps on.
type QueueSnapshot struct {
	leading  bool
	hash     string
	names    []string // of the resources, by slot
	capacity resource.Vector
	// queues are by Queue.Index; those at unused indices have no spec.
	queues []queueCopy
	root   int
}

// queueCopy is a queue without its surroundings.
type queueCopy struct {
	name                    string
	spec                    *cluster.QueueSpec
	parent                  int // -1 for the root
	leaf, dynamic, draining bool
	guaranteed, most        []resource.Want
	used                    resource.Vector
	// reserved is the part of used that is only kept for pods that still wait; nil for nothing.
	reserved            resource.Vector
	pods, apps, maxApps int
	members             []memberCopy
	// waits is what waits in the queue itself, not below.
	waits waits
}

type memberCopy struct {
	who                 string
	pods, apps, maxApps int
	used                resource.Vector
	most                []resource.Want
}

// Leading reports whether this core decides.
func (c *Core) Leading() bool { return c.leading }

// Queues surveys the tree of queues. It is a query, to be made between steps; who must not hold them up takes a QueueSnapshot and surveys that.
func (c *Core) Queues() QueueSurvey { return c.QueueSnapshot().Survey() }

// QueueSnapshot copies what a survey is made of. It is a query, to be made between steps. It orders and computes nothing: the cost is that of
// copying some numbers for each queue and of adding some for each kind of waiting pods, whatever their number.
func (c *Core) QueueSnapshot() *QueueSnapshot {
	slots := c.state.QueueSlots()
	s := &QueueSnapshot{
		leading: c.leading, hash: c.state.Tree().Hash, capacity: c.state.Capacity(),
		queues: make([]queueCopy, len(slots)), root: c.state.Root().Index,
	}
	for slot := range s.capacity {
		s.names = append(s.names, c.state.Space.Name(slot))
	}
	t := newTray(len(slots), len(s.capacity))
	for i, q := range slots {
		if q != nil {
			t.queue(&s.queues[i], q)
		}
	}
	for _, r := range c.kept {
		for q := r.pod.App.Queue(); q != nil; q = q.Parent {
			s.queues[q.Index].reserved = s.queues[q.Index].reserved.AddTo(r.pod.Alloc.Uses, 1)
		}
	}
	for _, g := range c.gangs {
		for _, p := range g.expected {
			s.expect(p)
		}
		if g.drain != nil {
			for _, p := range g.drain.seats {
				if !p.Fact.Expected {
					s.expect(p)
				}
			}
		}
	}
	c.pending.Waiting(func(leaf *cluster.Queue, request resource.Vector, times, pods int) {
		w := &s.queues[leaf.Index].waits
		w.pods += pods
		for slot, value := range request {
			w.request[slot] += value * int64(times)
		}
	})
	return s
}

// expect counts a room that is kept for a pod of a gang as kept, and one that does not exist yet not as a pod.
func (s *QueueSnapshot) expect(p *cluster.Pod) {
	if p.Alloc == nil {
		return
	}
	for q := p.App.Queue(); q != nil; q = q.Parent {
		x := &s.queues[q.Index]
		x.reserved = x.reserved.AddTo(p.Alloc.Uses, 1)
		if !p.Alloc.Reserved {
			x.pods--
		}
	}
}

// tray is room for what is copied: few large pieces instead of several for each queue.
type tray struct {
	slots  int
	values []int64
	wants  []resource.Want
}

func newTray(queues, slots int) *tray {
	return &tray{slots: slots, values: make([]int64, 2*queues*slots), wants: make([]resource.Want, 0, 4*queues)}
}

// vector returns a vector of zeros.
func (t *tray) vector() resource.Vector {
	v := t.values[:t.slots:t.slots]
	t.values = t.values[t.slots:]
	return v
}

func (t *tray) copyWants(list []resource.Want) []resource.Want {
	from := len(t.wants)
	t.wants = append(t.wants, list...)
	return t.wants[from:len(t.wants):len(t.wants)]
}

func (t *tray) queue(x *queueCopy, q *cluster.Queue) {
	*x = queueCopy{
		name: q.Name, spec: q.Spec, parent: -1, leaf: q.Leaf(), dynamic: q.Dynamic, draining: q.Draining,
		guaranteed: t.copyWants(q.Guaranteed), most: t.copyWants(q.Max), used: t.vector(), waits: waits{request: t.vector()},
		pods: q.Pods, apps: q.Apps, maxApps: q.MaxApps,
	}
	copy(x.used, q.Used)
	if q.Parent != nil {
		x.parent = q.Parent.Index
	}
	for who, a := range q.Members() {
		x.members = append(x.members, memberCopy{
			who: who, pods: a.Pods, apps: a.Apps, maxApps: a.MaxApps, used: slices.Clone(a.Used), most: t.copyWants(a.Max),
		})
	}
}
