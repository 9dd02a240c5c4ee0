package cluster

import (
	"slices"
	"strings"
)

// storage is what is known of volumes: records that point at each other and at their newest facts. A record exists as long as there is a fact of it or somebody
// names it.
//
//	Pod ──▶ Volumes ──▶ VolumeClaim ──▶ Volume
//	                        │  ▲          │
//	                        │  └─offered──┘ kept for the claim by the volume's claimRef, or taken for it by us
//	                        └──▶ StorageClass ──▶ the volumes that nobody has claimed, the capacities
type storage struct {
	needs       map[string]*Volumes
	claims      map[claimKey]*VolumeClaim
	volumes     map[string]*Volume
	classes     map[string]*StorageClass
	drivers     map[string]*CSIDriverFact
	csiNodes    map[string]*CSINodeFact
	attachments map[string]*attachment
	capacities  map[claimKey]*CapacityFact
	// helped are those whose pods something may have helped.
	helped []*Volumes
}

type claimKey struct{ namespace, name string }

func newStorage() storage {
	return storage{
		needs: map[string]*Volumes{}, claims: map[claimKey]*VolumeClaim{}, volumes: map[string]*Volume{}, classes: map[string]*StorageClass{},
		drivers: map[string]*CSIDriverFact{}, csiNodes: map[string]*CSINodeFact{}, attachments: map[string]*attachment{},
		capacities: map[claimKey]*CapacityFact{},
	}
}

// VolumeClaim is a PersistentVolumeClaim that exists or that somebody names.
type VolumeClaim struct {
	Namespace, Name string
	// Fact is nil while the claim is not known.
	Fact *VolumeClaimFact
	// Volume is the record of the volume that it names, Class that of its class; nil for none.
	Volume *Volume
	Class  *StorageClass
	// Offered are the volumes that are kept for it or taken for it, by name.
	Offered []*Volume

	// users name it. placed is how many pods that do, other than by an ephemeral volume, are on nodes.
	users  []*Volumes
	placed int
	// node is where it is assumed to be provisioned, for so many pods.
	node     string
	choosers int
	// atClass is the position among those of its class, waiting or settled.
	atClass int
}

// Volume is a PersistentVolume that exists or that somebody names.
type Volume struct {
	Name string
	// Fact is nil while the volume is not known.
	Fact *VolumeFact

	// claims name it as theirs.
	claims []*VolumeClaim
	// taken is the claim that it is assumed to be bound to, for so many pods.
	taken  *VolumeClaim
	takers int
	// class is where it lies among the free ones, offeredTo the claim among whose offers it is.
	class       *StorageClass
	offeredTo   *VolumeClaim
	attachments []*attachment
}

// StorageClass is a StorageClass that exists or that somebody names.
type StorageClass struct {
	Name string
	// Fact is nil while the class is not known.
	Fact *StorageClassFact

	// waiting are the claims of the class that have no volume, settled the others.
	waiting, settled []*VolumeClaim
	free             shelf[*Volume]
	capacities       shelf[*CapacityFact]
	// version grows with every change that could matter to a claim that waits.
	version uint64
}

// SelectedNode returns the node that the claim is to be provisioned for, by its annotation or by what we have decided.
func (c *VolumeClaim) SelectedNode() (node string, selected bool) {
	if c.Fact.Selected {
		return c.Fact.SelectedNode, true
	}
	return c.node, c.choosers > 0
}

// InUse reports whether a pod on a node uses the claim.
func (c *VolumeClaim) InUse() bool { return c.placed > 0 }

// Pods calls f for the pods on nodes that name the claim.
func (c *VolumeClaim) Pods(f func(*Pod)) {
	for _, v := range c.users {
		for _, a := range v.allocs {
			f(a.Pod)
		}
	}
}

// Claims returns the claims that a volume concerns: those that name it as theirs, and the one that it is kept for or taken for.
func (v *Volume) Claims() []*VolumeClaim {
	list := slices.Clone(v.claims)
	if c := v.offeredTo; c != nil && !slices.Contains(list, c) {
		list = append(list, c)
	}
	if c := v.taken; c != nil && !slices.Contains(list, c) {
		list = append(list, c)
	}
	return list
}

// String is the claim's full name.
func (c *VolumeClaim) String() string { return c.Namespace + "/" + c.Name }

// KeptFor reports whether the volume is bound to the claim or kept for it, by its own word or by ours.
func (v *Volume) KeptFor(c *VolumeClaim) bool {
	if r := v.Fact.ClaimRef; r != nil {
		return r.Namespace == c.Namespace && r.Name == c.Name && (r.UID == "" || r.UID == c.Fact.UID)
	}
	return v.takers > 0 && v.taken == c
}

// claim returns the record of a claim and makes one when there is none.
func (s *State) claim(namespace, name string) *VolumeClaim {
	key := claimKey{namespace, name}
	c := s.storage.claims[key]
	if c == nil {
		c = &VolumeClaim{Namespace: namespace, Name: name}
		s.storage.claims[key] = c
	}
	return c
}

func (s *State) dropClaim(c *VolumeClaim) {
	if c.Fact == nil && len(c.users) == 0 && len(c.Offered) == 0 {
		delete(s.storage.claims, claimKey{c.Namespace, c.Name})
	}
}

// volume returns the record of a volume and makes one when there is none.
func (s *State) volume(name string) *Volume {
	v := s.storage.volumes[name]
	if v == nil {
		v = &Volume{Name: name}
		s.storage.volumes[name] = v
	}
	return v
}

func (s *State) dropVolume(v *Volume) {
	if v.Fact == nil && len(v.claims) == 0 && len(v.attachments) == 0 && v.takers == 0 {
		delete(s.storage.volumes, v.Name)
	}
}

// class returns the record of a class and makes one when there is none.
func (s *State) class(name string) *StorageClass {
	c := s.storage.classes[name]
	if c == nil {
		c = &StorageClass{Name: name}
		c.free.less, c.capacities.less = CompareSize, largerCapacity
		s.storage.classes[name] = c
	}
	return c
}

func (s *State) dropClass(c *StorageClass) {
	if c.Fact == nil && len(c.waiting)+len(c.settled)+c.free.len()+c.capacities.len() == 0 {
		delete(s.storage.classes, c.Name)
	}
}

// VolumeClaim returns the record of a claim; nil when nobody knows or names it.
func (s *State) VolumeClaim(namespace, name string) *VolumeClaim {
	return s.storage.claims[claimKey{namespace, name}]
}

// Volume returns the record of a volume; nil when nobody knows or names it.
func (s *State) Volume(name string) *Volume { return s.storage.volumes[name] }

// SetVolumeClaim takes in the newest fact of a claim.
func (s *State) SetVolumeClaim(f *VolumeClaimFact) {
	c := s.claim(f.Namespace, f.Name)
	s.changeClaim(c, f)
}

// RemoveVolumeClaim forgets that a claim exists.
func (s *State) RemoveVolumeClaim(namespace, name string) {
	if c := s.VolumeClaim(namespace, name); c != nil && c.Fact != nil {
		s.changeClaim(c, nil)
		s.dropClaim(c)
	}
}

func (s *State) changeClaim(c *VolumeClaim, f *VolumeClaimFact) {
	if c.Fact.Same(f) {
		c.Fact = f
		return
	}
	s.unlinkClaim(c)
	c.Fact = f
	s.linkClaim(c)
	s.help(c.users)
	s.recountUsers(c)
}

// unlinkClaim takes a claim from the volume and the class that it names.
func (s *State) unlinkClaim(c *VolumeClaim) {
	if k := c.Class; k != nil {
		c.Class = nil
		dropAt(k.among(c.Fact), c.atClass, func(o *VolumeClaim, at int) { o.atClass = at })
		s.dropClass(k)
	}
	if v := c.Volume; v != nil {
		c.Volume = nil
		v.claims = cut(v.claims, c)
		s.dropVolume(v)
	}
}

func (s *State) linkClaim(c *VolumeClaim) {
	if c.Fact == nil {
		return
	}
	if name := c.Fact.Volume; name != "" {
		c.Volume = s.volume(name)
		c.Volume.claims = append(c.Volume.claims, c)
	}
	if name := c.Fact.Class; name != "" {
		c.Class = s.class(name)
		list := c.Class.among(c.Fact)
		c.atClass = len(*list)
		*list = append(*list, c)
	}
}

// among is where claims like this one are listed.
func (k *StorageClass) among(f *VolumeClaimFact) *[]*VolumeClaim {
	if f.Volume == "" {
		return &k.waiting
	}
	return &k.settled
}

// SetVolume takes in the newest fact of a volume.
func (s *State) SetVolume(f *VolumeFact) {
	v := s.volume(f.Name)
	s.changeVolume(v, f)
}

// RemoveVolume forgets that a volume exists.
func (s *State) RemoveVolume(name string) {
	if v := s.Volume(name); v != nil && v.Fact != nil {
		s.changeVolume(v, nil)
		s.dropVolume(v)
	}
}

func (s *State) changeVolume(v *Volume, f *VolumeFact) {
	if v.Fact.Same(f) {
		v.Fact = f
		return
	}
	s.shelve(v, func() { v.Fact = f })
	s.offer(v)
	for _, c := range v.claims {
		s.help(c.users)
		s.recountUsers(c)
	}
	for _, a := range v.attachments {
		s.enterAttachment(a)
	}
}

// shelve lets a change happen to a volume and puts it where it belongs then: among the free ones of its class, or among the offers of a claim. Where it belongs
// depends on its fact and on whether it is taken.
func (s *State) shelve(v *Volume, change func()) {
	if k := v.class; k != nil {
		k.free.remove(v, v.Fact.Pin)
		k.version++
		v.class = nil
		defer s.dropClass(k)
	}
	if c := v.offeredTo; c != nil {
		c.Offered = cut(c.Offered, v)
		s.touchUsers(c)
		v.offeredTo = nil
		defer s.dropClaim(c)
	}
	change()
	switch f := v.Fact; {
	case f == nil:
	case f.ClaimRef != nil:
		s.offerTo(v, s.claim(f.ClaimRef.Namespace, f.ClaimRef.Name))
	case v.takers > 0:
		s.offerTo(v, v.taken)
	case f.Available && !f.Deleting:
		v.class = s.class(f.Class)
		v.class.free.insert(v, f.Pin)
		v.class.version++
	}
}

func (s *State) offerTo(v *Volume, c *VolumeClaim) {
	v.offeredTo = c
	at, _ := slices.BinarySearchFunc(c.Offered, v, func(a, b *Volume) int { return strings.Compare(a.Name, b.Name) })
	c.Offered = slices.Insert(c.Offered, at, v)
	s.touchUsers(c)
}

// offer lets those try whom a volume could help that is there for the taking, or that is kept for their claim.
func (s *State) offer(v *Volume) {
	if c := v.offeredTo; c != nil {
		s.help(c.users)
	}
	if v.class == nil {
		return
	}
	for _, c := range v.class.waiting {
		if Suits(c.Fact, v.Fact) {
			s.help(c.users)
		}
	}
}

// SetStorageClass takes in the newest fact of a class.
func (s *State) SetStorageClass(f *StorageClassFact) { s.changeClass(s.class(f.Name), f) }

// RemoveStorageClass forgets that a class exists.
func (s *State) RemoveStorageClass(name string) {
	if k := s.storage.classes[name]; k != nil && k.Fact != nil {
		s.changeClass(k, nil)
		s.dropClass(k)
	}
}

func (s *State) changeClass(k *StorageClass, f *StorageClassFact) {
	if k.Fact.Same(f) {
		return
	}
	k.Fact = f
	k.version++
	for _, c := range k.waiting {
		s.help(c.users)
		s.recountUsers(c)
	}
	for _, c := range k.settled {
		if c.Volume.Fact == nil {
			s.recountUsers(c) // a claim whose volume has gone is counted by its class
		}
	}
}

// touchUsers makes void what was found out about the pods that name a claim.
func (s *State) touchUsers(c *VolumeClaim) {
	for _, v := range c.users {
		s.changed(v)
	}
}

// help makes void what was found out about pods, and notes that it may have changed for the better.
func (s *State) help(list []*Volumes) {
	for _, v := range list {
		s.changed(v)
		if !v.helped {
			v.helped = true
			s.storage.helped = append(s.storage.helped, v)
		}
	}
}

// TakeHelped hands out those needs that something may have helped since the last call, apart from nodes: claims, volumes, classes, capacities.
func (s *State) TakeHelped(f func(*Volumes)) {
	for _, v := range s.storage.helped {
		v.helped = false
		if v.pods > 0 {
			f(v)
		}
	}
	s.storage.helped = s.storage.helped[:0]
}

// cut takes an element out of a list.
func cut[T comparable](list []T, x T) []T {
	return slices.DeleteFunc(list, func(o T) bool { return o == x })
}
