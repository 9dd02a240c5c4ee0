package core

import (
	"cmp"
	"slices"

	"github.com/sluice-scheduler/sluice/pkg/core/resource"
	"github.com/sluice-scheduler/sluice/pkg/core/share"
)

// QueueSurvey is the tree of queues as it stands.
type QueueSurvey struct {
	// Leading: the core that was surveyed decides; one that does not follows what the leader does.
	Leading bool
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
	// Headroom is what the queue may still take: the least over it and all above it of max − used; nil when none of them is bounded. It is negative where a
	// max was lowered below what is used.
	Headroom *int64
	Weight   int64
	// Used is held by assumed and bound pods and by reservations, Reserved is the part of it that is only kept for pods which still wait; Pending is asked
	// for by those for whom nothing is kept; Fair is the fair share (share.Divide).
	Used, Reserved, Pending, Fair int64
}

// MemberStatus is the use that a user or group makes of a queue.
type MemberStatus struct {
	// Who is "user NAME", "group NAME", or "user (unknown)" for all whose user is not known.
	Who        string
	Pods, Apps int
	// MaxApps bounds Apps; 0 does not.
	MaxApps int
	Used    resource.Amounts
	// Max names the resources that are bounded, zeros included.
	Max resource.Amounts
}

// Survey computes the tree from the copy, with everybody's fair share. It depends on nothing else.
func (s *QueueSnapshot) Survey() QueueSurvey {
	n := len(s.queues)
	v := surveyor{QueueSnapshot: s, children: make([][]int, n), waits: make([]waits, n), fair: make([]int64, n*len(s.capacity))}
	v.link()
	v.gather(s.root)
	v.divide()
	return QueueSurvey{Leading: s.leading, Hash: s.hash, Capacity: v.amounts(s.capacity), Root: v.status(s.root)}
}

// surveyor puts the copies in order and adds up.
type surveyor struct {
	*QueueSnapshot
	// children are by the index of their parent, and among themselves by name.
	children [][]int
	// waits holds what waits in a queue and below.
	waits []waits
	// fair holds the fair shares, by queue and then by slot.
	fair []int64
}

// waits is how many pods wait and what they ask for.
type waits struct {
	pods    int
	request resource.Vector
}

// link joins the queues to a tree.
func (v *surveyor) link() {
	for i, q := range v.queues {
		if q.spec != nil && q.parent >= 0 {
			v.children[q.parent] = append(v.children[q.parent], i)
		}
	}
	for _, list := range v.children {
		slices.SortFunc(list, func(a, b int) int { return cmp.Compare(v.queues[a].name, v.queues[b].name) })
	}
}

// gather adds up what waits in a subtree, from the leaves upwards.
func (v *surveyor) gather(i int) *waits {
	w, own := &v.waits[i], v.queues[i].waits
	w.pods, w.request = own.pods, slices.Clone(own.request)
	for _, child := range v.children[i] {
		below := v.gather(child)
		w.pods += below.pods
		w.request = w.request.AddTo(below.request, +1)
	}
	return w
}

// divide computes the fair shares in every resource.
func (v *surveyor) divide() {
	parts := make([]*share.Part, len(v.queues))
	root := v.parts(v.root, parts)
	for slot, capacity := range v.capacity {
		for i, p := range parts {
			if p != nil {
				v.prepare(p, i, slot)
			}
		}
		share.Divide(root, capacity)
		for i, p := range parts {
			if p != nil {
				v.fair[i*len(v.capacity)+slot] = p.Fair
			}
		}
	}
}

// parts makes the tree that is divided among, once for all resources.
func (v *surveyor) parts(i int, parts []*share.Part) *share.Part {
	p := &share.Part{Name: v.queues[i].name}
	for _, child := range v.children[i] {
		p.Parts = append(p.Parts, v.parts(child, parts))
	}
	parts[i] = p
	return p
}

// prepare says what a queue wants and may have of a resource.
func (v *surveyor) prepare(p *share.Part, i, slot int) {
	q := &v.queues[i]
	p.Demand = q.used.At(slot) + v.waits[i].request.At(slot)
	p.Guaranteed, _ = of(q.guaranteed, slot)
	p.Weight = q.spec.WeightIn(v.names[slot])
	most, bounded := of(q.most, slot)
	if !bounded {
		most = share.Unlimited
	}
	p.Max = most
}

func (v *surveyor) status(i int) QueueStatus {
	q := &v.queues[i]
	st := QueueStatus{
		Name: q.name, Leaf: q.leaf, Dynamic: q.dynamic, Draining: q.draining, Resources: v.resources(i),
		Pods: q.pods, Apps: q.apps, PendingPods: v.waits[i].pods, MaxApps: q.maxApps, Members: v.members(q),
	}
	for _, child := range v.children[i] {
		st.Children = append(st.Children, v.status(child))
	}
	return st
}

func (v *surveyor) resources(i int) (list []ResourceStatus) {
	q := &v.queues[i]
	for slot, name := range v.names {
		r := ResourceStatus{
			Name: name, Weight: q.spec.WeightIn(name),
			Used: q.used.At(slot), Reserved: q.reserved.At(slot), Pending: v.waits[i].request.At(slot), Fair: v.fair[i*len(v.capacity)+slot],
		}
		if owed, ok := of(q.guaranteed, slot); ok {
			r.Guaranteed = &owed
		}
		if most, ok := of(q.most, slot); ok {
			r.Max = &most
		}
		if room, ok := v.headroom(i, slot); ok {
			r.Headroom = &room
		}
		if r.Guaranteed != nil || r.Max != nil || r.Used != 0 || r.Pending != 0 {
			list = append(list, r)
		}
	}
	slices.SortFunc(list, func(a, b ResourceStatus) int { return cmp.Compare(a.Name, b.Name) })
	return list
}

// headroom is what a queue may still take of a resource; bounded is false when nothing on its path is.
func (v *surveyor) headroom(i, slot int) (room int64, bounded bool) {
	for ; i >= 0; i = v.queues[i].parent {
		q := &v.queues[i]
		if most, has := of(q.most, slot); has {
			if left := most - q.used.At(slot); !bounded || left < room {
				room, bounded = left, true
			}
		}
	}
	return room, bounded
}

func (v *surveyor) members(q *queueCopy) (list []MemberStatus) {
	for _, m := range q.members {
		st := MemberStatus{Who: m.who, Pods: m.pods, Apps: m.apps, MaxApps: m.maxApps, Used: v.amounts(m.used)}
		for _, w := range m.most {
			st.Max = append(st.Max, resource.Amount{Name: v.names[w.Slot], Value: w.Value})
		}
		slices.SortFunc(st.Max, byName)
		list = append(list, st)
	}
	slices.SortFunc(list, func(a, b MemberStatus) int { return cmp.Compare(a.Who, b.Who) })
	return list
}

// amounts names the slots of a vector that are not zero.
func (v *surveyor) amounts(vector resource.Vector) (list resource.Amounts) {
	for slot, value := range vector {
		if value != 0 {
			list = append(list, resource.Amount{Name: v.names[slot], Value: value})
		}
	}
	slices.SortFunc(list, byName)
	return list
}

func byName(a, b resource.Amount) int { return cmp.Compare(a.Name, b.Name) }

// of returns the value of a slot, and whether there is one.
func of(wants []resource.Want, slot int) (value int64, ok bool) {
	for _, w := range wants {
		if w.Slot == slot {
			return w.Value, true
		}
	}
	return 0, false
}
