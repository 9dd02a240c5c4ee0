package cluster

// entry is one call of move, remembered so that it can be undone by the same call with the other sign.
type entry struct {
	alloc *Allocation
	sign  int64
}

// Mark is a point in the journal to roll back to.
type Mark int

// Checkpoint returns the present point in the journal.
func (s *State) Checkpoint() Mark { return Mark(len(s.journal)) }

// Rollback undoes everything since the mark, newest first.
func (s *State) Rollback(to Mark) {
	for i := len(s.journal) - 1; i >= int(to); i-- {
		e := s.journal[i]
		s.move(e.alloc, -e.sign)
	}
	s.journal = s.journal[:to]
	s.sweep()
}

// Commit makes everything since the last commit lasting. Room given back since then counts as changed from now on, so that
// those who wait for it can be woken.
func (s *State) Commit() {
	for _, e := range s.journal {
		s.touchMember(e.alloc.Pod)
		if e.sign < 0 {
			s.improve(e.alloc.Node)
			if e.alloc.mount != nil {
				s.freed(e.alloc.mount)
			}
		} else if e.alloc.unlisted != nil && e.alloc.unlisted != e.alloc.Node {
			s.improve(e.alloc.unlisted)
		}
	}
	for _, e := range s.journal {
		if a := e.alloc.App; a != nil && a.lodger && a.Placed == 0 && a.pods > 0 {
			s.place(a)
		}
	}
	clear(s.journal)
	s.journal = s.journal[:0]
	s.sweep()
}

// Assume places a pending pod on a node, tentatively until Commit.
func (s *State) Assume(p *Pod, n *Node) { s.allocate(p, n, assumed, nil) }

// AssumeWith does so with what is decided for the pod's claims; nil if nothing has to be.
func (s *State) AssumeWith(p *Pod, n *Node, c *Choice) { s.allocate(p, n, assumed, c) }

// AssumeAt does so by the node's name, which need not be known.
func (s *State) AssumeAt(p *Pod, node string) { s.allocate(p, s.node(node), assumed, nil) }

// Reserve keeps room for a pending pod on a node, be there enough or not, tentatively until Commit: what falls free there is nobody else's.
func (s *State) Reserve(p *Pod, n *Node) { s.allocate(p, n, reserved, nil) }

// Release takes a pod off its node, if it is on one, tentatively until Commit.
func (s *State) Release(p *Pod) {
	if p.Alloc != nil {
		s.apply(p.Alloc, -1)
	}
}

// stage is how far an allocation has come.
type stage uint8

const (
	assumed stage = iota
	bound
	reserved
)

func (a *Allocation) stage() stage {
	switch {
	case a.Bound:
		return bound
	case a.Reserved:
		return reserved
	}
	return assumed
}

func (s *State) allocate(p *Pod, n *Node, as stage, c *Choice) {
	a := &Allocation{
		Pod: p, Node: n, Uses: s.uses(p), Presumed: p.Shape.Presumed,
		Bound: as == bound, Reserved: as == reserved,
	}
	if !a.Reserved {
		a.Ports, a.ties, a.mount = p.Shape.Ports, p.tiesOf(), s.mounted(p, c)
	}
	if a.App = p.App; a.App != nil && a.App.Ledger == nil && !a.Reserved {
		a.App.arriving = true
		s.place(a.App)
		a.App.arriving = false
	}
	s.apply(a, +1)
}

func (s *State) apply(a *Allocation, sign int64) {
	s.journal = append(s.journal, entry{a, sign})
	s.move(a, sign)
}

// fewPods is for how many pods a node is given room at first.
const fewPods = 4

// move takes an allocation into (+1) or out of (−1) every account. It is the only function that does, and it cannot fail.
func (s *State) move(a *Allocation, sign int64) {
	n := a.Node
	n.Used = n.Used.AddTo(a.Uses, sign)
	n.movePorts(a.Ports, sign)
	n.Presumed.CPU += sign * a.Presumed.CPU
	n.Presumed.Memory += sign * a.Presumed.Memory
	if a.ties != nil {
		s.tie(a, int32(sign))
	}
	if a.mount != nil {
		s.moveMount(a, int(sign))
	}
	if a.Reserved {
		n.Reserved += int(sign)
	}
	if a.App != nil {
		s.moveApp(a, sign)
	} else if n.Fact != nil {
		s.foreign = s.foreign.AddTo(a.Uses, sign)
	}
	if sign > 0 {
		a.at = len(n.Pods)
		if n.Pods == nil {
			n.Pods = make([]*Allocation, 0, fewPods)
		}
		n.Pods = append(n.Pods, a)
		a.Pod.Alloc = a
		a.unlisted = s.unlist(a.Pod)
	} else {
		last := len(n.Pods) - 1
		n.Pods[a.at] = n.Pods[last]
		n.Pods[a.at].at = a.at
		n.Pods[last] = nil
		n.Pods = n.Pods[:last]
		a.Pod.Alloc = nil
		s.list(a.Pod)
	}
	s.touch(n)
	s.left(n)
}

// moveApp enters an allocation in the accounts of its application.
func (s *State) moveApp(a *Allocation, sign int64) {
	x := a.App
	pods := 1
	if a.Reserved {
		pods = 0
	}
	running, placed := x.running(), x.Placed > 0
	x.Used = x.Used.AddTo(a.Uses, sign)
	x.Placed += int(sign) * pods
	if running == x.running() {
		running = 0
	} else {
		running = 1 // its first, or its last
	}
	if x.Ledger == nil {
		return // only something reserved, and its queue has gone
	}
	if running > 0 || placed != (x.Placed > 0) || x.Ledger.Leaf.Spec.Sort == SortFair {
		s.touchApp(x)
	}
	s.enter(x.Ledger, a.Uses, pods, running, sign)
}
