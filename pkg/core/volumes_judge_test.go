package core_test

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"

	"github.com/sluice-scheduler/sluice/pkg/core"
	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
)

type claimID struct{ namespace, name string }

// storageBooks are the facts of volumes by themselves, and what is being prepared.
type storageBooks struct {
	pvcs        map[claimID]*cluster.VolumeClaimFact
	volumes     map[string]*cluster.VolumeFact
	classes     map[string]*cluster.StorageClassFact
	csiNodes    map[string]*cluster.CSINodeFact
	drivers     map[string]*cluster.CSIDriverFact
	capacities  map[string]*cluster.CapacityFact
	attachments map[string]*cluster.AttachmentFact
	hidden      string
	// spacesHidden: namespaces may not be read.
	spacesHidden bool
	// preparing are the pods whose claims are being bound.
	preparing map[types.UID]core.PrepareVolumes
}

func newStorageBooks() storageBooks {
	return storageBooks{
		pvcs: map[claimID]*cluster.VolumeClaimFact{}, volumes: map[string]*cluster.VolumeFact{}, classes: map[string]*cluster.StorageClassFact{},
		csiNodes: map[string]*cluster.CSINodeFact{}, drivers: map[string]*cluster.CSIDriverFact{}, capacities: map[string]*cluster.CapacityFact{},
		attachments: map[string]*cluster.AttachmentFact{}, preparing: map[types.UID]core.PrepareVolumes{},
	}
}

func (b *storageBooks) learnVolumes(e core.Event) {
	switch e := e.(type) {
	case core.VolumeClaimSet:
		b.pvcs[claimID{e.Claim.Namespace, e.Claim.Name}] = e.Claim
	case core.VolumeClaimGone:
		delete(b.pvcs, claimID{e.Namespace, e.Name})
	case core.VolumeSet:
		b.volumes[e.Volume.Name] = e.Volume
	case core.VolumeGone:
		delete(b.volumes, e.Name)
	case core.StorageClassSet:
		b.classes[e.Class.Name] = e.Class
	case core.StorageClassGone:
		delete(b.classes, e.Name)
	case core.CSINodeSet:
		b.csiNodes[e.Node.Name] = e.Node
	case core.CSINodeGone:
		delete(b.csiNodes, e.Name)
	case core.CSIDriverSet:
		b.drivers[e.Driver.Name] = e.Driver
	case core.CSIDriverGone:
		delete(b.drivers, e.Name)
	case core.CapacitySet:
		b.capacities[e.Capacity.Name] = e.Capacity
	case core.CapacityGone:
		delete(b.capacities, e.Name)
	case core.AttachmentSet:
		b.attachments[e.Attachment.Name] = e.Attachment
	case core.AttachmentGone:
		delete(b.attachments, e.Name)
	case core.VolumesHidden:
		b.hidden = e.What
	case core.NamespacesHidden:
		b.spacesHidden = e.Hidden
	}
}

// everyVolume tells all that is true of volumes.
func (b *storageBooks) everyVolume(tell func(core.Event)) {
	for _, id := range slices.SortedFunc(maps.Keys(b.pvcs), func(x, y claimID) int {
		return cmp.Or(cmp.Compare(x.namespace, y.namespace), cmp.Compare(x.name, y.name))
	}) {
		tell(core.VolumeClaimSet{Claim: b.pvcs[id]})
	}
	inOrder(b.volumes, func(f *cluster.VolumeFact) { tell(core.VolumeSet{Volume: f}) })
	inOrder(b.classes, func(f *cluster.StorageClassFact) { tell(core.StorageClassSet{Class: f}) })
	inOrder(b.csiNodes, func(f *cluster.CSINodeFact) { tell(core.CSINodeSet{Node: f}) })
	inOrder(b.drivers, func(f *cluster.CSIDriverFact) { tell(core.CSIDriverSet{Driver: f}) })
	inOrder(b.capacities, func(f *cluster.CapacityFact) { tell(core.CapacitySet{Capacity: f}) })
	inOrder(b.attachments, func(f *cluster.AttachmentFact) { tell(core.AttachmentSet{Attachment: f}) })
	tell(core.VolumesHidden{What: b.hidden})
	tell(core.NamespacesHidden{Hidden: b.spacesHidden})
}

func inOrder[F any](m map[string]F, f func(F)) {
	for _, name := range slices.Sorted(maps.Keys(m)) {
		f(m[name])
	}
}

// keptFor is a volume that is kept for this very claim.
func (b *storageBooks) keptFor(f *cluster.VolumeClaimFact) (kept *cluster.VolumeFact) {
	inOrder(b.volumes, func(v *cluster.VolumeFact) {
		if r := v.ClaimRef; kept == nil && r != nil && r.Name == f.Name && r.Namespace == f.Namespace && r.UID == f.UID {
			kept = v
		}
	})
	return kept
}

// forget takes out what is not being prepared any more, by what the core says of its pods: it undoes without a word.
func (j *judge) forget(c *core.Core) {
	for uid, e := range j.preparing {
		x := c.Explain(e.Pod.Namespace, e.Pod.Name)
		if x.Pod.UID == uid && x.Standing == core.StandingAssumed && x.Node == e.Node {
			continue
		}
		delete(j.preparing, uid)
		if p := j.pods[uid]; p != nil && p.Node == "" && j.inFlight[uid] == "" {
			delete(j.at, uid)
		}
	}
}

// claimsOf are a pod's claims.
func (j *judge) claimsOf(uid types.UID) (ids []claimID) {
	p := j.pods[uid]
	if p == nil || p.Needs == nil || j.quarantined[uid] {
		return nil
	}
	for _, use := range p.Needs.Claims {
		ids = append(ids, claimID{p.Namespace, use.Name})
	}
	return ids
}

// judgeVolumes says what is wrong with placing a pod for the sake of its volumes, with what is to be prepared of them.
func (j *judge) judgeVolumes(p *cluster.PodFact, n *cluster.NodeFact, e core.PrepareVolumes) error {
	if p.Needs == nil {
		return nil
	}
	if j.hidden != "" && len(p.Needs.Claims) > 0 {
		return fmt.Errorf("volumes are hidden")
	}
	chosen := map[claimID]string{}
	for _, b := range e.Bindings {
		chosen[claimID{b.Claim.Namespace, b.Claim.Name}] = b.Volume
	}
	for _, c := range e.Provisions {
		chosen[claimID{c.Namespace, c.Name}] = "new"
	}
	unneeded := maps.Clone(chosen)
	for _, use := range p.Needs.Claims {
		id := claimID{p.Namespace, use.Name}
		if err := j.judgeClaim(p, n, use, chosen[id], chosen); err != nil {
			return fmt.Errorf("claim %v: %w", id, err)
		}
		delete(unneeded, id)
	}
	if len(unneeded) > 0 {
		return fmt.Errorf("chosen without need: %v", unneeded)
	}
	if err := j.judgeDisks(p, n); err != nil {
		return err
	}
	return j.judgeLimits(p, n)
}

// volumesFit reports whether there is a choice for a pod's claims with which it could be placed.
func (j *judge) volumesFit(p *cluster.PodFact, n *cluster.NodeFact) bool {
	var waiting []*cluster.VolumeClaimFact
	for _, id := range j.claimsOf(p.UID) {
		if f := j.pvcs[id]; f != nil && !f.Bound {
			waiting = append(waiting, f)
		}
	}
	slices.SortStableFunc(waiting, func(a, b *cluster.VolumeClaimFact) int { return a.Request.Cmp(b.Request) })
	chosen, e := map[claimID]string{}, core.PrepareVolumes{}
	for _, f := range waiting {
		id := claimID{f.Namespace, f.Name}
		ref := cluster.ClaimRef{Namespace: f.Namespace, Name: f.Name, UID: f.UID}
		best := ""
		if j.selectedFor(p, id) == "" {
			best = j.bestVolume(p, n, id, chosen)
		}
		if best == "" {
			e.Provisions = append(e.Provisions, ref)
			continue
		}
		chosen[id] = best
		e.Bindings = append(e.Bindings, core.VolumeBinding{Volume: best, Claim: ref})
	}
	return j.bothWays(p, n, func() error { return j.judgeVolumes(p, n, e) }) == nil
}

// selectedFor is the node that a claim is to be provisioned for, by its annotation or for another pod; empty for none.
func (j *judge) selectedFor(p *cluster.PodFact, id claimID) string {
	f := j.pvcs[id]
	for uid, e := range j.preparing {
		for _, c := range e.Provisions {
			if uid != p.UID && !f.Selected && (claimID{c.Namespace, c.Name}) == id {
				return e.Node
			}
		}
	}
	return f.SelectedNode
}

func (j *judge) judgeClaim(p *cluster.PodFact, n *cluster.NodeFact, use cluster.ClaimUse, choice string, chosen map[claimID]string) error {
	id := claimID{p.Namespace, use.Name}
	f := j.pvcs[id]
	switch {
	case f == nil || f.Lost || f.Deleting:
		return fmt.Errorf("missing, lost or deleting")
	case use.Ephemeral && f.Owner != p.UID:
		return fmt.Errorf("of another pod")
	}
	if !use.Ephemeral && slices.Contains(f.Modes, v1.ReadWriteOncePod) {
		for other := range j.at {
			if other != p.UID && slices.Contains(j.claimsOf(other), id) {
				return fmt.Errorf("in use by %s", other)
			}
		}
	}
	if f.Bound {
		v := j.volumes[f.Volume]
		if v == nil || choice != "" || !reachable(v, n) || !use.Ephemeral && !inZones(v, n) {
			return fmt.Errorf("bound to %v, chosen %q", v, choice)
		}
		return nil
	}
	k := j.classes[f.Class]
	if f.Volume != "" || k == nil || !k.Waits {
		return fmt.Errorf("should be bound")
	}
	return j.judgeChoice(p, n, id, k, choice, chosen)
}

func (j *judge) judgeChoice(p *cluster.PodFact, n *cluster.NodeFact, id claimID, k *cluster.StorageClassFact, choice string, chosen map[claimID]string) error {
	f := j.pvcs[id]
	selected := j.selectedFor(p, id)
	if selected != "" && (selected != n.Name || choice != "new") {
		return fmt.Errorf("selected for %s, chosen %q", selected, choice)
	}
	best := ""
	if selected == "" {
		best = j.bestVolume(p, n, id, chosen)
	}
	if best != "" || choice != "new" {
		if choice != best {
			return fmt.Errorf("chosen %q, best is %q", choice, best)
		}
		return nil
	}
	if k.Provisioner == cluster.NoProvisioner || len(k.Topologies) > 0 && !k.Topologies[0].Matches(labels.Set(n.Labels)) {
		return fmt.Errorf("cannot be provisioned")
	}
	if d := j.drivers[k.Provisioner]; d != nil && d.Capacity {
		for _, c := range j.capacities {
			if c.Class == k.Name && c.Topology != nil && c.Topology.Matches(labels.Set(n.Labels)) && c.Most >= f.Request.Value() {
				return nil
			}
		}
		return fmt.Errorf("no capacity")
	}
	return nil
}

// bestVolume is the volume kept for a claim, or else the smallest that is free and suits; empty when there is none.
func (j *judge) bestVolume(p *cluster.PodFact, n *cluster.NodeFact, id claimID, chosen map[claimID]string) string {
	f := j.pvcs[id]
	taken := map[string]claimID{}
	for uid, e := range j.preparing {
		for _, b := range e.Bindings {
			if uid != p.UID {
				taken[b.Volume] = claimID{b.Claim.Namespace, b.Claim.Name}
			}
		}
	}
	for other, volume := range chosen {
		if other != id {
			if o := j.pvcs[other]; o != nil && o.Request.Cmp(f.Request) <= 0 && (o.Request.Cmp(f.Request) < 0 || other.name < id.name) {
				taken[volume] = other // this one chose before
			}
		}
	}
	var best *cluster.VolumeFact
	kept, keptHere := false, ""
	inOrder(j.volumes, func(v *cluster.VolumeFact) {
		if v.Class != f.Class || v.Deleting || v.Capacity.Cmp(f.Request) < 0 {
			return
		}
		mine := v.ClaimRef != nil && v.ClaimRef.Namespace == id.namespace && v.ClaimRef.Name == id.name && (v.ClaimRef.UID == "" || v.ClaimRef.UID == f.UID)
		by, isTaken := taken[v.Name]
		if v.ClaimRef == nil && isTaken && by == id {
			mine = true
		} else if isTaken && by != id || v.ClaimRef != nil && !mine {
			return
		}
		if mine {
			if !kept && reachable(v, n) {
				keptHere = v.Name
			}
			kept = true
			return
		}
		if !v.Available || f.Selector != nil && !f.Selector.Matches(labels.Set(v.Labels)) || !reachable(v, n) {
			return
		}
		if best == nil || v.Capacity.Cmp(best.Capacity) < 0 {
			best = v
		}
	})
	switch {
	case kept:
		return keptHere
	case best == nil:
		return ""
	}
	return best.Name
}

func reachable(v *cluster.VolumeFact, n *cluster.NodeFact) bool {
	if v.Affinity == nil {
		return true
	}
	ok, _ := v.Affinity.Match(&v1.Node{ObjectMeta: metav1.ObjectMeta{Labels: n.Labels}})
	return ok
}

func inZones(v *cluster.VolumeFact, n *cluster.NodeFact) bool {
	zone, zoned := n.Labels[v1.LabelTopologyZone]
	for _, z := range v.Zones {
		if zoned && !slices.Contains(z.Values, zone) {
			return false
		}
	}
	return true
}

func (j *judge) judgeDisks(p *cluster.PodFact, n *cluster.NodeFact) error {
	for uid, on := range j.at {
		if on != n.Name || uid == p.UID || j.pods[uid].Needs == nil || j.quarantined[uid] {
			continue
		}
		for _, a := range p.Needs.Disks {
			for _, b := range j.pods[uid].Needs.Disks {
				if a.Name == b.Name && !(a.ReadOnly && b.ReadOnly) {
					return fmt.Errorf("disk %s is used by %s", a.Name, uid)
				}
			}
		}
	}
	return nil
}

// handles are the volumes of disk.csi that a pod attaches.
func (j *judge) handles(uid types.UID) map[string]bool {
	list := map[string]bool{}
	for _, id := range j.claimsOf(uid) {
		f := j.pvcs[id]
		if f == nil || id.name == "p6-v0" && f.Owner != uid {
			continue
		}
		if v := j.volumes[f.Volume]; v != nil {
			if v.Driver == "disk.csi" {
				list[v.Handle] = true
			}
		} else if k := j.classes[f.Class]; k != nil && k.Provisioner == "disk.csi" {
			list[fmt.Sprint("unbound ", id)] = true
		}
	}
	return list
}

func (j *judge) judgeLimits(p *cluster.PodFact, n *cluster.NodeFact) error {
	fresh := j.handles(p.UID)
	limit := -1
	if c := j.csiNodes[n.Name]; c != nil && len(c.Drivers) > 0 {
		limit = c.Drivers[0].Max
	} else if d := j.drivers["disk.csi"]; d != nil && d.Needed && len(fresh) > 0 {
		return fmt.Errorf("the driver is needed")
	}
	there := map[string]bool{}
	for uid, on := range j.at {
		if on == n.Name && uid != p.UID {
			maps.Copy(there, j.handles(uid))
		}
	}
	for h := range there {
		delete(fresh, h)
	}
	for _, a := range j.attachments {
		if v := j.volumes[a.Volume]; a.Node == n.Name && v != nil && v.Driver != "" {
			there[v.Handle] = true
		}
	}
	if limit >= 0 && len(fresh) > 0 && len(there)+len(fresh) > limit {
		return fmt.Errorf("%d volumes are there, %d come, the limit is %d", len(there), len(fresh), limit)
	}
	return nil
}

// judgePrepare judges the decision to place a pod whose claims are to be bound first.
func (j *judge) judgePrepare(e core.PrepareVolumes) error {
	if j.at[e.Pod.UID] != "" && j.preparing[e.Pod.UID].Serial != 0 {
		delete(j.at, e.Pod.UID) // undone and placed anew within a step
	}
	delete(j.preparing, e.Pod.UID)
	if err := j.judgePlacing(core.Bind{Pod: e.Pod, Node: e.Node}, e); err != nil {
		return err
	}
	j.at[e.Pod.UID], j.preparing[e.Pod.UID] = e.Node, e
	return nil
}

// judgePrepared judges the bind of a pod whose claims were to be bound first: now they must be.
func (j *judge) judgePrepared(b core.Bind, e core.PrepareVolumes) error {
	delete(j.preparing, b.Pod.UID)
	if e.Node != b.Node {
		return fmt.Errorf("%v: prepared on %s", b, e.Node)
	}
	n := j.nodes[b.Node]
	for _, id := range j.claimsOf(b.Pod.UID) {
		f := j.pvcs[id]
		if f == nil || !f.Bound || j.volumes[f.Volume] == nil || !reachable(j.volumes[f.Volume], n) {
			return fmt.Errorf("%v: claim %v is not bound or cannot be reached", b, id)
		}
	}
	j.inFlight[b.Pod.UID] = b.Node
	return nil
}
