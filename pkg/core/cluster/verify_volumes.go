package cluster

import (
	"slices"
	"strings"
)

// storage reckons anew what is kept of volumes: who names whom, what lies free, what is taken, and what each node counts.
func (v *verifier) storage() {
	v.needs()
	v.claims()
	v.volumes()
	v.classes()
	v.attachedUses()
	v.labelled()
}

func (v *verifier) needs() {
	pods := map[*Volumes]int{}
	for uid, p := range v.s.pods {
		v.check((p.Volumes == nil) == (p.Fact.Needs == nil), "pod %s has the wrong needs of volumes", uid)
		if p.Volumes != nil {
			pods[p.Volumes]++
			v.check(v.s.storage.needs[p.Volumes.Key] == p.Volumes, "pod %s has needs that are not interned", uid)
			v.check(p.Volumes.Key == p.Fact.Needs.Key, "pod %s has other needs than it says", uid)
		}
		v.check(p.Alloc == nil || p.Alloc.Reserved || (p.Alloc.mount == nil) == (p.Volumes == nil), "pod %s has volumes and does not hold them, or the reverse", uid)
	}
	for key, n := range v.s.storage.needs {
		v.check(n.pods == pods[n] && n.pods > 0, "needs %s count %d pods, have %d", key, n.pods, pods[n])
		for i, a := range n.allocs {
			v.check(a.mount.at == i && a.mount.volumes == n && a.Pod.Alloc == a, "needs %s list an allocation that is not theirs", key)
			v.check(slices.Equal(a.mount.attached, v.s.attachedOf(n)), "pod %s is counted with %v on its node, it has %v", a.Pod.Fact.UID, a.mount.attached, v.s.attachedOf(n))
		}
	}
}

func (v *verifier) claims() {
	placed, choosers := map[*VolumeClaim]int{}, map[*VolumeClaim]int{}
	for _, p := range v.s.pods {
		if p.Alloc == nil || p.Alloc.mount == nil {
			continue
		}
		for i, c := range p.Volumes.claims {
			if !p.Volumes.Claims[i].Ephemeral {
				placed[c]++
			}
		}
		if choice := p.Alloc.Choice(); choice != nil {
			for _, c := range choice.Provisions {
				choosers[c]++
			}
		}
	}
	for key, c := range v.s.storage.claims {
		v.check(c.Fact != nil || len(c.users) > 0 || len(c.Offered) > 0, "claim %v is neither known nor named", key)
		v.check(c.placed == placed[c], "claim %v counts %d pods on nodes, has %d", key, c.placed, placed[c])
		v.check(c.choosers == choosers[c] && (c.choosers > 0 || c.node == ""), "claim %v is assumed for %q by %d pods, by %d in truth", key, c.node, c.choosers, choosers[c])
		for _, n := range c.users {
			v.check(v.s.storage.needs[n.Key] == n, "claim %v is named by needs that have gone", key)
		}
		v.check(slices.IsSortedFunc(c.Offered, func(a, b *Volume) int { return strings.Compare(a.Name, b.Name) }), "claim %v: offers are out of order", key)
		if c.Fact == nil {
			v.check(c.Volume == nil && c.Class == nil, "claim %v is not known and has a volume or class", key)
			continue
		}
		v.check((c.Volume == nil) == (c.Fact.Volume == "") && (c.Volume == nil || v.s.storage.volumes[c.Fact.Volume] == c.Volume), "claim %v has the wrong volume", key)
		v.check((c.Class == nil) == (c.Fact.Class == "") && (c.Class == nil || v.s.storage.classes[c.Fact.Class] == c.Class), "claim %v has the wrong class", key)
		v.check(c.Class == nil || (*c.Class.among(c.Fact))[c.atClass] == c, "claim %v is not listed with its class", key)
	}
}

func (v *verifier) volumes() {
	takers, offers := map[*Volume]int{}, map[*Volume]int{}
	for _, p := range v.s.pods {
		if p.Alloc == nil || p.Alloc.Choice() == nil {
			continue
		}
		for _, b := range p.Alloc.Choice().Bindings {
			takers[b.Volume]++
			v.check(b.Volume.taken == b.Claim, "volume %s is taken for another claim than %s", b.Volume.Name, b.Claim)
		}
	}
	for key, c := range v.s.storage.claims {
		for _, o := range c.Offered {
			offers[o]++
			v.check(o.offeredTo == c, "claim %v is offered volume %s, which is not for it", key, o.Name)
		}
	}
	for name, o := range v.s.storage.volumes {
		v.check(o.Fact != nil || len(o.claims) > 0 || len(o.attachments) > 0 || o.takers > 0, "volume %s is neither known nor named", name)
		v.check(o.takers == takers[o], "volume %s counts %d takers, has %d", name, o.takers, takers[o])
		free := o.Fact != nil && o.Fact.ClaimRef == nil && o.takers == 0 && o.Fact.Available && !o.Fact.Deleting
		v.check(free == (o.class != nil) && (!free || v.s.storage.classes[o.Fact.Class] == o.class), "volume %s: free %t, lies among the free ones %t", name, free, o.class != nil)
		kept := o.Fact != nil && (o.Fact.ClaimRef != nil || o.takers > 0)
		v.check(kept == (o.offeredTo != nil) && offers[o] <= 1 && kept == (offers[o] == 1), "volume %s: kept for a claim %t, among its offers %t", name, kept, o.offeredTo != nil)
		for _, c := range o.claims {
			v.check(c.Volume == o, "volume %s lists a claim that is not its own", name)
		}
	}
}

func (v *verifier) classes() {
	for name, k := range v.s.storage.classes {
		v.check(k.Fact != nil || len(k.waiting)+len(k.settled)+k.free.len()+k.capacities.len() > 0, "class %q is neither known nor named", name)
		k.free.each(func(o *Volume) {
			v.check(o.class == k && v.s.storage.volumes[o.Name] == o, "class %q keeps volume %s, which is not there", name, o.Name)
		})
		for pin, lot := range k.free.pinned {
			v.check(len(lot) > 0 && slices.IsSortedFunc(lot, CompareSize), "class %q: free volumes under %v are out of order", name, pin)
		}
		v.check(slices.IsSortedFunc(k.free.loose, CompareSize), "class %q: free volumes are out of order", name)
		capacities := 0
		k.capacities.each(func(c *CapacityFact) {
			capacities++
			v.check(v.s.storage.capacities[claimKey{c.Namespace, c.Name}] == c, "class %q keeps capacity %s, which is not there", name, c.Name)
		})
		for _, c := range v.s.storage.capacities {
			if c.Class == name {
				capacities--
			}
		}
		v.check(capacities == 0, "class %q: its capacities are off by %d", name, capacities)
	}
}

// labelled holds the nodes by labels against their facts.
func (v *verifier) labelled() {
	for key, values := range v.s.labelled {
		listed, have := 0, 0
		for value, nodes := range values {
			listed += len(nodes)
			for _, n := range nodes {
				v.check(n.Fact != nil && n.Fact.Labels[key] == value && v.s.nodes[n.Name] == n, "node %s is listed under %s=%s", n.Name, key, value)
			}
		}
		for _, n := range v.s.slots {
			if n != nil {
				if _, ok := n.Fact.Labels[key]; ok {
					have++
				}
			}
		}
		v.check(listed == have, "%d nodes are listed by label %s, %d have it", listed, key, have)
	}
}

// attachedUses holds what each node counts against the pods and attachments there.
func (v *verifier) attachedUses() {
	type use struct {
		node           *Node
		driver, handle string
	}
	pods, attachments := map[use]int{}, map[use]int{}
	for _, p := range v.s.pods {
		if p.Alloc != nil && p.Alloc.mount != nil {
			for _, a := range p.Alloc.mount.attached {
				pods[use{p.Alloc.Node, a.Driver, a.Handle}]++
			}
		}
	}
	for name, a := range v.s.storage.attachments {
		counts := a.volume != nil && a.fact.Driver != "" && a.volume.Fact != nil && a.volume.Fact.Driver != "" && a.volume.Fact.Plugin == ""
		v.check(counts == (a.on != nil), "attachment %s: counts %t, is counted %t", name, counts, a.on != nil)
		if a.on != nil {
			v.check(a.on == v.s.nodes[a.fact.Node], "attachment %s is counted on the wrong node", name)
			attachments[use{a.on, a.fact.Driver, a.volume.Fact.Handle}]++
		}
	}
	for name, n := range v.s.nodes {
		v.check(n.CSI == v.s.storage.csiNodes[name], "node %s has the wrong drivers", name)
		for _, u := range n.attached {
			key := use{n, u.Driver, u.Handle}
			v.check(u.pods == pods[key] && u.attachments == attachments[key], "node %s counts volume %s/%s with %d pods and %d attachments, there are %d and %d",
				name, u.Driver, u.Handle, u.pods, u.attachments, pods[key], attachments[key])
			delete(pods, key)
			delete(attachments, key)
		}
		disks := 0
		for _, a := range n.Pods {
			if a.mount != nil && len(a.mount.volumes.Disks) > 0 {
				disks++
			}
		}
		v.check(disks == len(n.disks), "node %s lists %d pods with disks, has %d", name, len(n.disks), disks)
	}
	v.check(len(pods)+len(attachments) == 0, "%d volumes are counted on no node", len(pods)+len(attachments))
}
