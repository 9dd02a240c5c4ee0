package cluster

import (
	"maps"
	"slices"
)

// attachment is a VolumeAttachment and how it is counted.
type attachment struct {
	fact *AttachmentFact
	// volume is the record of its volume; nil for an inline one.
	volume *Volume
	// on is the node that counts it, as what; nil while it is not counted.
	on *Node
	as Attached
}

// SetCSINode takes in the newest fact of a node's drivers.
func (s *State) SetCSINode(f *CSINodeFact) {
	if !s.storage.csiNodes[f.Name].Same(f) {
		s.storage.csiNodes[f.Name] = f
		s.followCSINode(f.Name)
	}
}

// RemoveCSINode forgets the drivers of a node.
func (s *State) RemoveCSINode(name string) {
	if s.storage.csiNodes[name] != nil {
		delete(s.storage.csiNodes, name)
		s.followCSINode(name)
	}
}

func (s *State) followCSINode(name string) {
	if n := s.nodes[name]; n != nil {
		n.CSI = s.storage.csiNodes[name]
		s.touch(n)
		s.improve(n)
	}
}

// SetCSIDriver takes in the newest fact of a driver.
func (s *State) SetCSIDriver(f *CSIDriverFact) {
	if !s.storage.drivers[f.Name].Same(f) {
		s.storage.drivers[f.Name] = f
		s.helpAll()
	}
}

// RemoveCSIDriver forgets a driver.
func (s *State) RemoveCSIDriver(name string) {
	if s.storage.drivers[name] != nil {
		delete(s.storage.drivers, name)
		s.helpAll()
	}
}

// helpAll lets all try that need volumes: what has changed is rare, and of what drivers a pod's volumes are is not kept.
func (s *State) helpAll() {
	for _, key := range slices.Sorted(maps.Keys(s.storage.needs)) {
		s.help([]*Volumes{s.storage.needs[key]})
	}
}

// SetCapacity takes in the newest fact of a driver's capacity. That there is less, as after every volume that is made, helps nobody.
func (s *State) SetCapacity(f *CapacityFact) {
	old := s.storage.capacities[claimKey{f.Namespace, f.Name}]
	if old.Same(f) {
		return
	}
	s.RemoveCapacity(f.Namespace, f.Name)
	k := s.class(f.Class)
	k.capacities.insert(f, f.Pin)
	k.version++
	s.storage.capacities[claimKey{f.Namespace, f.Name}] = f
	if !f.offersMore(old) {
		return
	}
	for _, c := range k.waiting {
		s.help(c.users)
	}
}

// offersMore reports whether a node may have storage by this fact that it had not by an older one: it is new, larger volumes fit, or other nodes can reach it.
func (f *CapacityFact) offersMore(old *CapacityFact) bool {
	if old == nil || f.Most > old.Most {
		return true
	}
	before := *old
	before.Most = f.Most
	return !before.Same(f)
}

// RemoveCapacity forgets a driver's capacity. That helps nobody.
func (s *State) RemoveCapacity(namespace, name string) {
	key := claimKey{namespace, name}
	f := s.storage.capacities[key]
	if f == nil {
		return
	}
	delete(s.storage.capacities, key)
	k := s.class(f.Class)
	k.capacities.remove(f, f.Pin)
	k.version++
	s.dropClass(k)
}

// SetAttachment takes in the newest fact of a VolumeAttachment.
func (s *State) SetAttachment(f *AttachmentFact) {
	if old := s.storage.attachments[f.Name]; old != nil && old.fact.Same(f) {
		return
	}
	s.RemoveAttachment(f.Name)
	a := &attachment{fact: f}
	s.storage.attachments[f.Name] = a
	if f.Volume != "" {
		a.volume = s.volume(f.Volume)
		a.volume.attachments = append(a.volume.attachments, a)
		s.enterAttachment(a)
	}
}

// RemoveAttachment forgets a VolumeAttachment.
func (s *State) RemoveAttachment(name string) {
	a := s.storage.attachments[name]
	if a == nil {
		return
	}
	delete(s.storage.attachments, name)
	s.leaveAttachment(a)
	if v := a.volume; v != nil {
		v.attachments = cut(v.attachments, a)
		s.dropVolume(v)
	}
}

// enterAttachment counts an attachment on its node as what its volume is now. It counts only if that is a CSI volume by its spec.
func (s *State) enterAttachment(a *attachment) {
	s.leaveAttachment(a)
	f := a.volume.Fact
	if a.fact.Driver == "" || f == nil || f.Driver == "" || f.Plugin != "" {
		return
	}
	a.on, a.as = s.node(a.fact.Node), Attached{Driver: a.fact.Driver, Handle: f.Handle}
	a.on.attach(a.as, 0, +1)
	s.touch(a.on)
}

func (s *State) leaveAttachment(a *attachment) {
	n := a.on
	if n == nil {
		return
	}
	a.on = nil
	n.attach(a.as, 0, -1)
	s.touch(n)
	s.improve(n)
	s.left(n)
}
