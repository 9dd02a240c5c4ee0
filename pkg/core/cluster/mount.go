package cluster

import "slices"

// Choice is what was decided for the claims of a pod that are bound when it is placed: which volumes they get, and which are provisioned for its node.
type Choice struct {
	Bindings   []Binding
	Provisions []*VolumeClaim
}

// Binding is a claim and the volume that it is to be bound to.
type Binding struct {
	Claim  *VolumeClaim
	Volume *Volume
}

// Empty reports whether nothing had to be decided.
func (c *Choice) Empty() bool { return c == nil || len(c.Bindings)+len(c.Provisions) == 0 }

// mount is what an allocation has added to the accounts of volumes.
type mount struct {
	volumes *Volumes
	// choice is assumed; nil if there was none.
	choice *Choice
	// attached is what its node counts it with. It follows the claims; see reattach.
	attached []Attached
	// at is the position in Volumes.allocs.
	at int
}

// Choice returns what was decided for the allocation's claims; nil if nothing had to be.
func (a *Allocation) Choice() *Choice {
	if a.mount == nil {
		return nil
	}
	return a.mount.choice
}

func (s *State) mounted(p *Pod, c *Choice) *mount {
	if p.Volumes == nil {
		return nil
	}
	return &mount{volumes: p.Volumes, choice: c, attached: s.attachedOf(p.Volumes)}
}

// moveMount enters (+1) or takes back (−1) what an allocation holds of volumes. It is part of move.
func (s *State) moveMount(a *Allocation, sign int) {
	m := a.mount
	v := m.volumes
	for _, at := range m.attached {
		a.Node.attach(at, sign, 0)
	}
	if sign > 0 {
		m.at = len(v.allocs)
		v.allocs = append(v.allocs, a)
	} else {
		dropAt(&v.allocs, m.at, func(o *Allocation, at int) { o.mount.at = at })
	}
	if len(v.Disks) > 0 {
		a.Node.moveDisks(a, sign)
	}
	for i, c := range v.claims {
		if v.Claims[i].Ephemeral {
			continue
		}
		c.placed += sign
		if c.Fact != nil && c.Fact.OncePod() {
			s.touchUsers(c)
		}
	}
	if m.choice != nil {
		s.moveChoice(m.choice, a.Node.Name, sign)
	}
}

// moveChoice assumes a choice, or forgets it.
func (s *State) moveChoice(choice *Choice, node string, sign int) {
	for _, b := range choice.Bindings {
		s.storage.volumes[b.Volume.Name] = b.Volume
		s.shelve(b.Volume, func() {
			b.Volume.takers += sign
			b.Volume.taken = b.Claim
			if b.Volume.takers == 0 {
				b.Volume.taken = nil
			}
		})
		s.dropVolume(b.Volume)
	}
	for _, c := range choice.Provisions {
		c.choosers += sign
		c.node = node
		if c.choosers == 0 {
			c.node = ""
		}
		s.touchUsers(c)
	}
}

// unchoose ends what was assumed for the claims of a pod that is bound: by now the API server says it. The pod stays where it is, so nothing falls free on its node.
func (s *State) unchoose(p *Pod) {
	a := p.Alloc
	choice := a.Choice()
	if choice == nil {
		return
	}
	a.mount.choice = nil
	s.moveChoice(choice, a.Node.Name, -1)
	s.unchosen(choice)
}

// freed lets those try whom it may help that an allocation has gone, on whichever node they would run.
func (s *State) freed(m *mount) {
	for i, c := range m.volumes.claims {
		if !m.volumes.Claims[i].Ephemeral && c.placed == 0 && c.Fact != nil && c.Fact.OncePod() {
			s.help(c.users)
		}
	}
	if m.choice != nil {
		s.unchosen(m.choice)
	}
}

// unchosen lets those try whom it may help that a choice is not assumed any more.
func (s *State) unchosen(c *Choice) {
	for _, b := range c.Bindings {
		s.offer(b.Volume)
	}
	for _, claim := range c.Provisions {
		s.help(claim.users)
	}
}

// recountUsers counts the pods that name a claim as its volume is counted now.
func (s *State) recountUsers(c *VolumeClaim) {
	s.touchUsers(c)
	for _, v := range c.users {
		if len(v.allocs) == 0 {
			continue
		}
		now := s.attachedOf(v)
		for _, a := range v.allocs {
			if !slices.Equal(a.mount.attached, now) {
				s.reattach(a, now)
			}
		}
	}
}

// reattach counts an allocation with other volumes on its node. Most often that is one volume instead of a claim that had none, which helps nobody.
func (s *State) reattach(a *Allocation, now []Attached) {
	n, old := a.Node, a.mount.attached
	before := len(n.attached)
	for _, at := range old {
		n.attach(at, -1, 0)
	}
	for _, at := range now {
		n.attach(at, +1, 0)
	}
	a.mount.attached = now
	s.touch(n)
	if len(n.attached) < before || !slices.EqualFunc(old, now, func(a, b Attached) bool { return a.Driver == b.Driver }) {
		s.improve(n)
	}
}

// attachedUse is a volume on a node, by how many pods and VolumeAttachments it is there.
type attachedUse struct {
	Attached
	pods, attachments int
}

// attach changes by how many pods and attachments a volume is on the node.
func (n *Node) attach(a Attached, pods, attachments int) {
	at := slices.IndexFunc(n.attached, func(u attachedUse) bool { return u.same(a) })
	if at < 0 {
		n.attached = append(n.attached, attachedUse{Attached: a})
		at = len(n.attached) - 1
	}
	u := &n.attached[at]
	u.pods += pods
	u.attachments += attachments
	if u.pods == 0 && u.attachments == 0 {
		last := len(n.attached) - 1
		n.attached[at] = n.attached[last]
		n.attached = n.attached[:last]
	}
}

// Attaches reports whether a pod on the node attaches a volume.
func (n *Node) Attaches(a Attached) bool {
	_, present := n.AttachedNow(a)
	return present
}

// AttachedNow returns how many volumes of a driver are on the node, by pods or by attachments, and whether a certain one is there by a pod.
func (n *Node) AttachedNow(a Attached) (count int, present bool) {
	for i := range n.attached {
		u := &n.attached[i]
		if u.Driver != a.Driver {
			continue
		}
		count++
		present = present || u.pods > 0 && u.Handle == a.Handle
	}
	return count, present
}

// moveDisks notes an allocation with disks that exclude others, or that it has gone.
func (n *Node) moveDisks(a *Allocation, sign int) {
	if sign > 0 {
		n.disks = append(n.disks, a)
	} else {
		n.disks = cut(n.disks, a)
	}
}

// DisksFree reports whether no pod on the node has a disk that excludes one of these.
func (n *Node) DisksFree(want []Disk) bool {
	for _, a := range n.disks {
		if DisksClash(want, a.mount.volumes.Disks) {
			return false
		}
	}
	return true
}
