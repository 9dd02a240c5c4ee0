package cluster

import (
	"fmt"
	"slices"
)

// Volumes is what at least one pod asks of volumes, interned: pods that name the same claims and disks share one.
type Volumes struct {
	*Needs
	Namespace string

	claims []*VolumeClaim // as Needs.Claims
	s      *State
	pods   int
	allocs []*Allocation
	// nominees are the pods of these needs that nodes list.
	nominees []*Pod
	// version grows with every change of the claims and of what they are bound to; plan is as of planned.
	version uint64
	plan    Plan
	planned VolumesVersion
	helped  bool
}

// VolumesVersion tells states of a pod's claims apart.
type VolumesVersion struct{ claims, classes uint64 }

// Plan is what a pod's claims come to as things are: what binds it to nodes, and what is still to be bound. It belongs to its Volumes and is valid until the state
// changes.
type Plan struct {
	// Refusal is why no node will do, in kube-scheduler's words; empty when there is no such reason.
	Refusal string
	// Bound are the volumes that the claims are bound to, in their order; nil stands for one that does not exist.
	Bound []*Volume
	// Zones are the zone labels of the volumes, but those of ephemeral ones.
	Zones []Zone
	// Waiting are the claims that are bound when the pod is placed, the smallest first.
	Waiting []Waiting
	// Once are the claims that one pod alone may use.
	Once []*VolumeClaim
	// Attached is what the pod adds to its node's limits, each once.
	Attached []Attached
	// Needed says which of Attached need their driver on the node; nil if none does.
	Needed []bool
}

// Waiting is a claim that is bound when its pod is placed.
type Waiting struct {
	Claim *VolumeClaim
	Class *StorageClass
	// Metered: what is left of the class's storage is known and may be too little.
	Metered bool
}

// Plan returns the present plan.
func (v *Volumes) Plan() *Plan {
	if now := v.Version(); v.planned != now {
		v.plan, v.planned = v.s.plan(v), now
	}
	return &v.plan
}

// Version changes whenever something has that concerns the claims, wherever a pod runs. What changes of a node is told by the node's.
func (v *Volumes) Version() VolumesVersion {
	now := VolumesVersion{claims: v.version}
	for _, c := range v.claims {
		if c.Fact != nil && c.Fact.Volume == "" && c.Class != nil {
			now.classes += c.Class.version
		}
	}
	return now
}

// Uses reports whether pods of these needs use a claim that others may use as well, or not.
func (v *Volumes) Uses(c *VolumeClaim) bool {
	for i := range v.claims {
		if v.claims[i] == c && !v.Claims[i].Ephemeral {
			return true
		}
	}
	return false
}

// changed makes void what was found out about pods of these needs, and about others where they are nominated.
func (s *State) changed(v *Volumes) {
	v.version++
	for _, p := range v.nominees {
		s.touch(p.nominee)
		s.improve(p.nominee)
	}
}

// setVolumes gives a pod the record of what it asks of volumes; what it holds on a node is entered anew if that has changed.
func (s *State) setVolumes(p *Pod, n *Needs) {
	switch {
	case n == nil && p.Volumes == nil, n != nil && p.Volumes != nil && n.Key == p.Volumes.Key:
		return
	}
	a := p.Alloc
	if a != nil {
		s.Release(p)
	}
	s.dropVolumes(p)
	if n != nil {
		p.Volumes = s.needed(p.Fact.Namespace, n)
		p.Volumes.pods++
	}
	if a != nil {
		s.allocate(p, a.Node, a.stage(), nil)
	}
	s.Commit()
}

func (s *State) needed(namespace string, n *Needs) *Volumes {
	if v := s.storage.needs[n.Key]; v != nil {
		return v
	}
	v := &Volumes{Needs: n, Namespace: namespace, s: s, version: 1}
	s.storage.needs[n.Key] = v
	for _, use := range n.Claims {
		c := s.claim(namespace, use.Name)
		c.users = append(c.users, v)
		v.claims = append(v.claims, c)
	}
	return v
}

// dropVolumes takes a pod from the record of what it asks of volumes.
func (s *State) dropVolumes(p *Pod) {
	v := p.Volumes
	if v == nil {
		return
	}
	p.Volumes = nil
	v.pods--
	if v.pods > 0 {
		return
	}
	delete(s.storage.needs, v.Key)
	for _, c := range v.claims {
		c.users = cut(c.users, v)
		s.dropClaim(c)
	}
}

// plan works out what claims come to. The order in which it finds fault is that of kube-scheduler's plugins VolumeRestrictions, VolumeBinding and
// VolumeZone.
func (s *State) plan(v *Volumes) (p Plan) {
	p.Attached, p.Needed = s.attachedOf(v), nil
	for i, a := range p.Attached {
		if d := s.storage.drivers[a.Driver]; d != nil && d.Needed {
			if p.Needed == nil {
				p.Needed = make([]bool, len(p.Attached))
			}
			p.Needed[i] = true
		}
	}
	if p.Refusal = v.refusal(); p.Refusal != "" {
		return p
	}
	for i, c := range v.claims {
		s.planClaim(&p, c, v.Claims[i].Ephemeral)
	}
	slices.SortStableFunc(p.Waiting, func(a, b Waiting) int { return a.Claim.Fact.Request.Cmp(b.Claim.Fact.Request) })
	return p
}

func (s *State) planClaim(p *Plan, c *VolumeClaim, ephemeral bool) {
	if !ephemeral && c.Fact.OncePod() {
		p.Once = append(p.Once, c)
	}
	switch {
	case !c.Fact.Bound:
		d := s.storage.drivers[c.Class.Fact.Provisioner]
		p.Waiting = append(p.Waiting, Waiting{c, c.Class, d != nil && d.Capacity && c.Fact.Sized})
	case c.Volume.Fact != nil:
		p.Bound = append(p.Bound, c.Volume)
		if !ephemeral {
			p.Zones = append(p.Zones, c.Volume.Fact.Zones...)
		}
	case ephemeral:
		p.Bound = append(p.Bound, nil)
	}
}

// waits reports whether a claim that is not bound is to be bound when its pod is placed.
func (c *VolumeClaim) waits() bool {
	return c.Fact.Volume == "" && c.Class != nil && c.Class.Fact != nil && c.Class.Fact.Waits
}

// refusal is what is wrong with the claims themselves.
func (v *Volumes) refusal() string {
	for i, c := range v.claims {
		if c.Fact == nil && !v.Claims[i].Ephemeral {
			return fmt.Sprintf("persistentvolumeclaim %q not found", c.Name)
		}
	}
	for i, c := range v.claims {
		ephemeral := v.Claims[i].Ephemeral
		switch f := c.Fact; {
		case f == nil:
			return fmt.Sprintf("waiting for ephemeral volume controller to create the persistentvolumeclaim %q", c.Name)
		case f.Lost:
			return fmt.Sprintf("persistentvolumeclaim %q bound to non-existent persistentvolume %q", c.Name, f.Volume)
		case f.Deleting:
			return fmt.Sprintf("persistentvolumeclaim %q is being deleted", c.Name)
		case ephemeral && f.Owner != v.UID:
			return fmt.Sprintf("PVC %s was not created for pod %s/%s (pod is not owner)", c, v.Namespace, v.Pod)
		}
	}
	return v.lack()
}

// lack says that a claim cannot be used yet, or that its volume is gone.
func (v *Volumes) lack() string {
	for _, c := range v.claims {
		if !c.Fact.Bound && !c.waits() {
			return "pod has unbound immediate PersistentVolumeClaims"
		}
	}
	for i, c := range v.claims {
		if c.Fact.Bound && c.Volume.Fact == nil && !v.Claims[i].Ephemeral {
			return fmt.Sprintf("persistentvolume %q not found", c.Volume.Name)
		}
	}
	return ""
}

// attachedOf lists what a pod adds to its node's limits as things are, each once. What cannot be told is not counted.
func (s *State) attachedOf(v *Volumes) (list []Attached) {
	add := func(a Attached) {
		if a.Driver != "" && a.Handle != "" && !slices.ContainsFunc(list, a.same) {
			list = append(list, a)
		}
	}
	for i, c := range v.claims {
		if c.Fact == nil || v.Claims[i].Ephemeral && c.Fact.Owner != v.UID {
			continue
		}
		add(c.attached())
	}
	for _, a := range v.Inline {
		add(a)
	}
	return list
}

func (a Attached) same(b Attached) bool { return a.Driver == b.Driver && a.Handle == b.Handle }

// attached is how a claim's volume is counted: by what it is, or, while there is none, as one of its own of its class's driver.
func (c *VolumeClaim) attached() Attached {
	if v := c.Volume; v != nil && v.Fact != nil {
		return Attached{v.Fact.Driver, v.Fact.Handle, v.Fact.Plugin != ""}
	}
	if c.Class == nil || c.Class.Fact == nil {
		return Attached{}
	}
	return Attached{c.Class.Fact.Driver, "unbound claim " + c.String(), c.Class.Fact.Migrated}
}
