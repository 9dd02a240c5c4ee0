package cluster

import "slices"

// A nominee is a pod that waits and that somebody has nominated for a node (status.nominatedNodeName): its scheduler, while others leave for it there, or an
// autoscaler. Nobody of its priority or below may take its room meanwhile. It holds nothing, for it may end up elsewhere: the node lists it, and only who asks
// for that node's room looks at the list.
//
//	waits, nominated ──> listed ── placed anywhere, gone, leaving, nominated no more or for another ──> not listed
//	                       ^───────────────────────── its placing is undone ─────────────────────────────────┘

// nominated is the node that lists the pod; empty if none should.
func (p *Pod) nominated() string {
	if p.Alloc != nil || p.Fact.Deleting {
		return ""
	}
	return p.Fact.Nominated
}

// list puts a pod on the list of the node that it is nominated for.
func (s *State) list(p *Pod) {
	name := p.nominated()
	if name == "" || p.nominee != nil {
		return
	}
	n := s.node(name)
	p.nominee, p.atNominee = n, int32(len(n.Nominees))
	n.Nominees = append(n.Nominees, p)
	if p.nomineeWith = p.Volumes; p.Volumes != nil {
		p.Volumes.nominees = append(p.Volumes.nominees, p)
	}
	s.touch(n)
	s.raise(p.Fact.Priority)
}

// raise notes that from now on pods up to a priority may have to leave room to nominees. As long as nobody is nominated, pods need not be told apart by their
// priority to be placed.
func (s *State) raise(priority int32) {
	if int64(priority) <= s.yieldTo {
		return
	}
	s.yieldTo = int64(priority)
	for _, p := range s.pods {
		if !p.Yields && s.yields(p) {
			p.Yields = true
			s.yielding = append(s.yielding, p)
		}
	}
}

// yields reports whether a pod of ours may have to leave room to nominees.
func (s *State) yields(p *Pod) bool { return p.Fact.Ours && int64(p.Fact.Priority) <= s.yieldTo }

// TakeYielding returns the pods that have begun to yield since the last call, sorted; some may be gone.
func (s *State) TakeYielding() []*Pod {
	pods := s.yielding
	s.yielding = nil
	slices.SortFunc(pods, comparePods)
	return pods
}

// unlist takes a pod off the list that it is on and returns that list's node; nil if it is on none.
func (s *State) unlist(p *Pod) *Node {
	n := p.nominee
	if n == nil {
		return nil
	}
	last := len(n.Nominees) - 1
	moved := n.Nominees[last]
	n.Nominees[p.atNominee], moved.atNominee = moved, p.atNominee
	n.Nominees[last] = nil
	n.Nominees = n.Nominees[:last]
	p.nominee = nil
	if v := p.nomineeWith; v != nil {
		v.nominees = cut(v.nominees, p)
		p.nomineeWith = nil
	}
	s.touch(n)
	s.left(n)
	return n
}

// relist follows a fact that replaced old. Where a nomination ends or asks for less, others may fit.
func (s *State) relist(p *Pod, old *PodFact) {
	if n := p.nominee; n != nil && (n.Name != p.nominated() || old.Demand.Key != p.Fact.Demand.Key || old.Priority != p.Fact.Priority || old.Labels != p.Fact.Labels || p.Volumes != p.nomineeWith) {
		s.unlist(p)
		s.improve(n)
	}
	s.list(p)
}

// nominees checks the lists: each waiting pod is on that of the node it is nominated for, and on no other.
func (v *verifier) nominees() {
	listed := 0
	for name, n := range v.s.nodes {
		for i, p := range n.Nominees {
			listed++
			v.check(p.nominee == n && int(p.atNominee) == i && v.s.pods[p.Fact.UID] == p, "pod %s is on the list of node %s and does not know", p.Fact.UID, name)
		}
	}
	for uid, p := range v.s.pods {
		want := ""
		if p.nominee != nil {
			want = p.nominee.Name
			listed--
		}
		v.check(p.nominee == nil && p.nomineeWith == nil || p.nominee != nil && p.nomineeWith == p.Volumes, "nominee %s is listed with other volumes", uid)
		v.check(p.Yields == v.s.yields(p), "pod %s yields: %t", uid, p.Yields)
		v.check(want == p.nominated(), "pod %s is nominated for %q but listed on %q", uid, p.nominated(), want)
	}
	v.check(listed == 0, "%d nominations are listed that nobody has", listed)
}
