package core

import (
	"cmp"
	"maps"
	"slices"

	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
	"github.com/sluice-scheduler/sluice/pkg/core/resource"
	"github.com/sluice-scheduler/sluice/pkg/core/share"
)

// QueueSurvey is the tree of queues as it stands.
type QueueSurvey struct {
	// Hash identifies the configuration in force.
	Hash string
	// Capacity is what the queues share, by resource: what the nodes offer less what pods of others hold there.
	Capacity resource.Amounts
	Root     QueueStatus
}

// QueueStatus is a queue as it stands. Amounts are in base units: millicores, bytes, pieces.
type QueueStatus struct {
	// Name is the full path.
	Name                    string
	Leaf, Dynamic, Draining bool
	// Resources are those of which the queue holds or wants something, or for which something is configured, by name.
	Resources []ResourceStatus
	// Pods and Apps are assumed or bound pods and the applications they belong to, PendingPods those that wait, MaxApps the bound on Apps (0: none).
	Pods, Apps, PendingPods, MaxApps int
	// Members are the users and groups whose use is bounded here, by name.
	Members []MemberStatus
	// Children are by name.
	Children []QueueStatus
}

// ResourceStatus is a queue's standing in one resource.
type ResourceStatus struct {
	Name string
	// Guaranteed and Max are configured or, for a guarantee, the sum of what the children are owed; nil is none.
	Guaranteed, Max *int64
	Weight          int64
	// Used is held by assumed and bound pods, Pending is asked for by those that wait, Fair is the fair share (share.Divide).
	Used, Pending, Fair int64
}

// MemberStatus is the use that a user or group makes of a queue.
type MemberStatus struct {
	// Who is "user NAME" or "group NAME".
	Who        string
	Pods, Apps int
	MaxApps    int
	Used       resource.Amounts
	Max        resource.Amounts
}

// Queues surveys the tree of queues. It is a query, to be made between steps; its cost grows with the tree and with the kinds of waiting pods, not with
// their number.
func (c *Core) Queues() QueueSurvey {
	capacity := c.state.Capacity()
	s := surveyor{core: c, capacity: capacity, pending: map[*cluster.Queue]*waiting{}}
	s.collect()
	s.divide()
	return QueueSurvey{Hash: c.state.Tree().Hash, Capacity: c.amounts(capacity), Root: s.status(c.state.Root())}
}

// surveyor gathers what a survey is made of.
type surveyor struct {
	core     *Core
	capacity resource.Vector
	pending  map[*cluster.Queue]*waiting
	// fair holds the fair shares of a queue by slot.
	fair map[*cluster.Queue]resource.Vector
}

// waiting is what waits in a queue and below.
type waiting struct {
	pods    int
	request resource.Vector
}

// collect sums up what waits, from the leaves upwards.
func (s *surveyor) collect() {
	s.core.pending.Waiting(func(leaf *cluster.Queue, request resource.Vector, pods int) {
		for q := leaf; q != nil; q = q.Parent {
			w := s.pending[q]
			if w == nil {
				w = &waiting{}
				s.pending[q] = w
			}
			w.pods += pods
			w.request = w.request.AddTo(request, int64(pods))
		}
	})
}

func (s *surveyor) waits(q *cluster.Queue) waiting {
	if w := s.pending[q]; w != nil {
		return *w
	}
	return waiting{}
}

// divide computes the fair shares in every resource.
func (s *surveyor) divide() {
	s.fair = map[*cluster.Queue]resource.Vector{}
	for slot := range s.capacity {
		queues := map[*share.Part]*cluster.Queue{}
		root := s.part(s.core.state.Root(), slot, queues)
		share.Divide(root, s.capacity[slot])
		for p, q := range queues {
			v := s.fair[q]
			for len(v) <= slot {
				v = append(v, 0)
			}
			v[slot] = p.Fair
			s.fair[q] = v
		}
	}
}

func (s *surveyor) part(q *cluster.Queue, slot int, queues map[*share.Part]*cluster.Queue) *share.Part {
	p := &share.Part{Name: q.Name, Max: share.Unlimited, Weight: q.Weight(s.core.state.Space, slot)}
	if most, bounded := q.Bound(slot); bounded {
		p.Max = most
	}
	if owed, ok := q.Owed(slot); ok {
		p.Guaranteed = owed
	}
	for _, child := range q.Children() {
		p.Parts = append(p.Parts, s.part(child, slot, queues))
	}
	if len(p.Parts) == 0 {
		p.Demand = q.Used.At(slot) + s.waits(q).request.At(slot)
	}
	queues[p] = q
	return p
}

func (s *surveyor) status(q *cluster.Queue) QueueStatus {
	w := s.waits(q)
	st := QueueStatus{
		Name: q.Name, Leaf: q.Leaf(), Dynamic: q.Dynamic, Draining: q.Draining,
		Pods: q.Pods, Apps: q.Apps, PendingPods: w.pods, MaxApps: q.MaxApps, Members: s.members(q),
	}
	for slot := range s.capacity {
		r := ResourceStatus{
			Name: s.core.state.Space.Name(slot), Weight: q.Weight(s.core.state.Space, slot),
			Used: q.Used.At(slot), Pending: w.request.At(slot), Fair: s.fair[q].At(slot),
		}
		if owed, ok := q.Owed(slot); ok {
			r.Guaranteed = &owed
		}
		if most, ok := q.Bound(slot); ok {
			r.Max = &most
		}
		if r.Guaranteed != nil || r.Max != nil || r.Used != 0 || r.Pending != 0 {
			st.Resources = append(st.Resources, r)
		}
	}
	slices.SortFunc(st.Resources, func(a, b ResourceStatus) int { return cmp.Compare(a.Name, b.Name) })
	for _, child := range q.Children() {
		st.Children = append(st.Children, s.status(child))
	}
	return st
}

func (s *surveyor) members(q *cluster.Queue) (list []MemberStatus) {
	members := q.Members()
	for _, who := range slices.Sorted(maps.Keys(members)) {
		a := members[who]
		m := MemberStatus{Who: who, Pods: a.Pods, Apps: a.Apps, MaxApps: a.MaxApps, Used: s.core.amounts(a.Used)}
		for _, w := range a.Max {
			m.Max = append(m.Max, resource.Amount{Name: s.core.state.Space.Name(w.Slot), Value: w.Value})
		}
		slices.SortFunc(m.Max, func(a, b resource.Amount) int { return cmp.Compare(a.Name, b.Name) })
		list = append(list, m)
	}
	return list
}

// amounts names the slots of a vector that are not zero.
func (c *Core) amounts(v resource.Vector) (list resource.Amounts) {
	for slot, value := range v {
		if value != 0 {
			list = append(list, resource.Amount{Name: c.state.Space.Name(slot), Value: value})
		}
	}
	slices.SortFunc(list, func(a, b resource.Amount) int { return cmp.Compare(a.Name, b.Name) })
	return list
}
