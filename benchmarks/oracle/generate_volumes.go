package oracle

import (
	"fmt"
	"slices"
	"strings"

	v1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/component-helpers/storage/volume"
)

const (
	driverA = "a.csi.example.com"
	driverB = "b.csi.example.com"
	ebs     = "ebs.csi.aws.com"
	inTree  = "kubernetes.io/aws-ebs"
)

// classes are names of storage classes; the last one is of a class that never exists.
var classes = []string{"wait-a", "wait-b", "local", "ebs", "at-once", "unknown"}

// storage makes the objects that have to do with volumes.
func (g *Generator) storage(w *World) {
	for _, name := range classes[:len(classes)-1] {
		if !g.chance(5) {
			w.Classes = append(w.Classes, g.class(name))
		}
	}
	for _, name := range []string{driverA, driverB, ebs} {
		if g.chance(80) {
			w.Drivers = append(w.Drivers, g.driver(name))
		}
	}
	for i := range g.between(2, 9) {
		w.Volumes = append(w.Volumes, g.volume(fmt.Sprintf("v%d", i), i))
	}
	for i := range g.between(0, 5) {
		w.Capacities = append(w.Capacities, g.capacity(fmt.Sprintf("cap%d", i)))
	}
	for i := range g.between(3, 8) {
		w.Claims = append(w.Claims, g.claim(claimName(i)))
	}
	for i := range g.IntN(4) {
		w.Attachments = append(w.Attachments, g.attachment(fmt.Sprintf("att%d", i)))
	}
}

func claimName(i int) string { return fmt.Sprintf("c%d", i) }

func (g *Generator) class(name string) *storagev1.StorageClass {
	c := &storagev1.StorageClass{ObjectMeta: metav1.ObjectMeta{Name: name}, VolumeBindingMode: ref(storagev1.VolumeBindingWaitForFirstConsumer)}
	switch name {
	case "wait-a":
		c.Provisioner = driverA
	case "wait-b":
		c.Provisioner = driverB
	case "local":
		c.Provisioner = volume.NotSupportedProvisioner
	case "ebs":
		c.Provisioner = inTree
	case "at-once":
		c.Provisioner, c.VolumeBindingMode = driverA, ref(storagev1.VolumeBindingImmediate)
	}
	if g.chance(40) {
		c.AllowedTopologies = several(g.draw, 1, 2, func() v1.TopologySelectorTerm {
			if g.chance(5) {
				return v1.TopologySelectorTerm{} // matches nothing
			}
			return v1.TopologySelectorTerm{MatchLabelExpressions: several(g.draw, 1, 2, func() v1.TopologySelectorLabelRequirement {
				key := one(g.draw, v1.LabelTopologyZone, v1.LabelTopologyZone, v1.LabelTopologyRegion)
				return v1.TopologySelectorLabelRequirement{Key: key, Values: some(g.draw, 60, labelValues[key]...)}
			})}
		})
	}
	return c
}

// driver says what it wants of the scheduler. Only one of them may be missed on a node: which of several kube-scheduler names is chance.
func (g *Generator) driver(name string) *storagev1.CSIDriver {
	d := &storagev1.CSIDriver{ObjectMeta: metav1.ObjectMeta{Name: name}}
	if g.chance(50) {
		d.Spec.StorageCapacity = ref(g.chance(80))
	}
	if name == driverB && g.chance(60) {
		d.Spec.PreventPodSchedulingIfMissing = ref(g.chance(80))
	}
	return d
}

func (g *Generator) csiNode(name string) *storagev1.CSINode {
	c := &storagev1.CSINode{ObjectMeta: metav1.ObjectMeta{Name: name}}
	for _, driver := range some(g.draw, 75, driverA, driverB, ebs) {
		d := storagev1.CSINodeDriver{Name: driver, NodeID: name}
		if g.chance(75) {
			d.Allocatable = &storagev1.VolumeNodeResources{}
			if g.chance(90) {
				d.Allocatable.Count = ref(int32(g.IntN(4)))
			}
		}
		c.Spec.Drivers = append(c.Spec.Drivers, d)
	}
	if g.chance(60) {
		c.Annotations = map[string]string{v1.MigratedPluginsAnnotationKey: one(g.draw, "", inTree, inTree+",kubernetes.io/gce-pd", "kubernetes.io/gce-pd")}
	}
	return c
}

// sizes are in pieces of this.
const piece = 1 << 20

// volume makes a volume. Sizes differ from volume to volume: of equal ones kube-scheduler takes any.
func (g *Generator) volume(name string, number int) *v1.PersistentVolume {
	v := &v1.PersistentVolume{ObjectMeta: metav1.ObjectMeta{Name: name, UID: types.UID("uid-" + name), Labels: g.volumeLabels()}}
	v.Spec.Capacity = v1.ResourceList{v1.ResourceStorage: whole(int64(g.between(1, 6)*100+number) * piece)}
	v.Spec.AccessModes = g.accessModes()
	if v.Spec.StorageClassName = one(g.draw, classes...); g.chance(g.local) {
		v.Spec.StorageClassName = "local"
	}
	v.Status.Phase = v1.VolumeAvailable
	if g.chance(15) {
		v.Status.Phase = one(g.draw, v1.VolumeReleased, v1.VolumePending, v1.VolumeFailed, v1.VolumeBound)
	}
	if g.chance(6) {
		v.DeletionTimestamp = &metav1.Time{}
	}
	if g.chance(10) {
		v.Spec.VolumeMode = ref(one(g.draw, v1.PersistentVolumeBlock, v1.PersistentVolumeFilesystem))
	}
	if g.chance(8) {
		v.Spec.VolumeAttributesClassName = ref("gold")
	}
	if g.chance(60) {
		v.Spec.NodeAffinity = g.volumeAffinity()
	}
	g.source(v)
	return v
}

func (g *Generator) source(v *v1.PersistentVolume) {
	switch g.IntN(10) {
	case 0:
		v.Spec.Local = &v1.LocalVolumeSource{Path: "/disk"}
	case 1, 2, 3:
		id := "vol-" + one(g.draw, "1", "2", "3")
		if g.chance(30) {
			id = "aws://z1/" + id
		}
		v.Spec.AWSElasticBlockStore = &v1.AWSElasticBlockStoreVolumeSource{VolumeID: id}
	default:
		v.Spec.CSI = &v1.CSIPersistentVolumeSource{Driver: one(g.draw, driverA, driverA, driverB, ebs), VolumeHandle: "h-" + one(g.draw, v.Name, "1", "2")}
	}
}

// volumeLabels may name zones, several at once, by the old label or the new one, well or badly.
func (g *Generator) volumeLabels() map[string]string {
	labels := map[string]string{}
	if g.chance(30) {
		labels["kind"] = one(g.draw, "x", "y")
	}
	if g.chance(35) {
		labels[one(g.draw, v1.LabelTopologyZone, v1.LabelFailureDomainBetaZone)] = one(g.draw, "z1", "z2", "z3", "z1__z2", "z2__z3", "z1__z2__z3", "z1 __ z3", "z1__")
	}
	if g.chance(15) {
		labels[one(g.draw, v1.LabelTopologyRegion, v1.LabelFailureDomainBetaRegion)] = one(g.draw, "r1", "r2", "r1__r2")
	}
	return labels
}

func (g *Generator) accessModes() []v1.PersistentVolumeAccessMode {
	switch g.IntN(8) {
	case 0:
		return []v1.PersistentVolumeAccessMode{v1.ReadWriteMany, v1.ReadOnlyMany}
	case 1:
		return []v1.PersistentVolumeAccessMode{v1.ReadWriteOncePod}
	case 2:
		return []v1.PersistentVolumeAccessMode{v1.ReadWriteOnce, v1.ReadOnlyMany}
	}
	return []v1.PersistentVolumeAccessMode{v1.ReadWriteOnce}
}

func (g *Generator) volumeAffinity() *v1.VolumeNodeAffinity {
	return &v1.VolumeNodeAffinity{Required: &v1.NodeSelector{NodeSelectorTerms: several(g.draw, 1, one(g.draw, 1, 1, 2), func() v1.NodeSelectorTerm {
		key := one(g.draw, v1.LabelTopologyZone, v1.LabelTopologyZone, v1.LabelHostname, v1.LabelTopologyRegion)
		values := some(g.draw, 60, labelValues[key]...)
		if key == v1.LabelHostname {
			values = several(g.draw, 1, 3, func() string { return one(g.draw, g.world.Nodes...).Name })
		}
		if len(values) == 0 {
			values = []string{"none"}
		}
		t := v1.NodeSelectorTerm{MatchExpressions: []v1.NodeSelectorRequirement{{Key: key, Operator: v1.NodeSelectorOpIn, Values: values}}}
		if g.chance(4) {
			t.MatchFields = []v1.NodeSelectorRequirement{g.fieldIn()}
		}
		if g.chance(3) {
			g.spoil(&t.MatchExpressions[0])
		}
		return t
	})}}
}

func (g *Generator) capacity(name string) *storagev1.CSIStorageCapacity {
	c := &storagev1.CSIStorageCapacity{ObjectMeta: metav1.ObjectMeta{Namespace: "storage", Name: name}, StorageClassName: one(g.draw, "wait-a", "wait-a", "wait-b", "ebs")}
	if g.chance(90) {
		c.NodeTopology = &metav1.LabelSelector{MatchLabels: map[string]string{v1.LabelTopologyZone: one(g.draw, labelValues[v1.LabelTopologyZone]...)}}
		if g.chance(15) {
			c.NodeTopology = &metav1.LabelSelector{} // all nodes
		}
	}
	size := whole(int64(g.IntN(6)) * 100 * piece)
	if g.chance(90) {
		c.Capacity = &size
	}
	if g.chance(30) {
		most := whole(int64(g.IntN(6)) * 100 * piece)
		c.MaximumVolumeSize = &most
	}
	return c
}

// claim makes a claim: bound, half bound, waiting, lost or on its way out. What it is bound to refers back to it, mostly.
func (g *Generator) claim(name string) *v1.PersistentVolumeClaim {
	c := &v1.PersistentVolumeClaim{ObjectMeta: metav1.ObjectMeta{
		Namespace: namespaces[0], Name: name, UID: types.UID("uid-" + name), Annotations: map[string]string{},
	}}
	c.Spec.AccessModes = g.accessModes()
	c.Spec.Resources.Requests = v1.ResourceList{v1.ResourceStorage: whole(int64(g.between(0, 6)) * 100 * piece)}
	if g.chance(3) {
		c.Spec.Resources.Requests = nil
	}
	c.Spec.StorageClassName = ref(one(g.draw, "wait-a", "wait-a", "wait-b", "local", "local", "ebs"))
	if g.chance(g.local) {
		c.Spec.StorageClassName = ref("local")
	}
	switch g.IntN(40) {
	case 0:
		c.Spec.StorageClassName = one(g.draw, nil, ref(""), ref("unknown"))
	case 1:
		c.Spec.StorageClassName = ref("at-once")
	case 2:
		c.Annotations[v1.BetaStorageClassAnnotation] = one(g.draw, "wait-b", "local", "")
	case 3:
		c.Status.Phase = v1.ClaimLost
	case 4:
		c.DeletionTimestamp = &metav1.Time{}
	}
	if g.chance(10) {
		c.Spec.VolumeMode = ref(one(g.draw, v1.PersistentVolumeBlock, v1.PersistentVolumeFilesystem))
	}
	if g.chance(8) {
		c.Spec.VolumeAttributesClassName = ref(one(g.draw, "gold", ""))
	}
	if g.chance(12) {
		c.Spec.Selector = &metav1.LabelSelector{MatchLabels: map[string]string{"kind": one(g.draw, "x", "y")}}
	}
	if g.chance(12) {
		c.Annotations[volume.AnnSelectedNode] = g.nodeName()
	}
	if g.chance(55 - g.local/2) {
		g.bind(c)
	} else if g.chance(25) {
		g.keep(c)
	}
	return c
}

// bind binds a claim to a volume, or to one that does not exist; the controller may not be done with it.
func (g *Generator) bind(c *v1.PersistentVolumeClaim) {
	c.Spec.VolumeName = "missing"
	if len(g.world.Volumes) > 0 && !g.chance(3) {
		c.Spec.VolumeName = one(g.draw, g.world.Volumes...).Name
	}
	if !g.chance(4) {
		c.Annotations[volume.AnnBindCompleted] = "yes"
	}
	g.refer(c.Spec.VolumeName, c, c.UID)
}

// keep keeps a volume for a claim that is not bound yet, as somebody may write it by hand.
func (g *Generator) keep(c *v1.PersistentVolumeClaim) {
	g.refer("v"+one(g.draw, "0", "1", "2", "3"), c, one(g.draw, c.UID, "", "uid-of-another"))
}

// refer lets a volume name a claim, unless it names one.
func (g *Generator) refer(name string, c *v1.PersistentVolumeClaim, uid types.UID) {
	i := slices.IndexFunc(g.world.Volumes, func(v *v1.PersistentVolume) bool { return v.Name == name })
	kept := slices.ContainsFunc(g.world.Volumes, func(v *v1.PersistentVolume) bool {
		return v.Spec.ClaimRef != nil && v.Spec.ClaimRef.Name == c.Name // of several kube-scheduler takes any
	})
	if i < 0 || g.world.Volumes[i].Spec.ClaimRef != nil || kept {
		return
	}
	v := *g.world.Volumes[i]
	v.Spec.ClaimRef = &v1.ObjectReference{Namespace: c.Namespace, Name: c.Name, UID: uid}
	if c.Spec.VolumeName != "" {
		v.Status.Phase = v1.VolumeBound
	}
	g.world.Volumes[i] = &v
}

func (g *Generator) attachment(name string) *storagev1.VolumeAttachment {
	a := &storagev1.VolumeAttachment{ObjectMeta: metav1.ObjectMeta{Name: name}}
	a.Spec.Attacher = one(g.draw, driverA, driverA, driverB, ebs)
	a.Spec.NodeName = one(g.draw, g.world.Nodes...).Name
	if g.chance(90) {
		a.Spec.Source.PersistentVolumeName = ref(one(g.draw, "v0", "v1", "v2", "v3", "v4", "missing"))
	}
	return a
}

// mounts gives a pod volumes: claims, disks that it names itself, and some that restrict nothing.
func (g *Generator) mounts(p *v1.Pod, placed bool) {
	p.Namespace = namespaces[0]
	if g.chance(5) {
		p.Namespace = namespaces[1] // where there are no claims
	}
	most := one(g.draw, 1, 1, 2, 3)
	if g.chance(g.local) {
		most = 4
	}
	p.Spec.Volumes = several(g.draw, 1, most, func() v1.Volume { return g.mount(p, placed) })
	for i := range p.Spec.Volumes {
		p.Spec.Volumes[i].Name = fmt.Sprintf("vol%d", i)
	}
}

func (g *Generator) mount(p *v1.Pod, placed bool) (m v1.Volume) {
	kind := g.IntN(20)
	if g.chance(g.local) {
		kind = 19 // a claim
	}
	switch kind {
	case 0, 1:
		m.GCEPersistentDisk = &v1.GCEPersistentDiskVolumeSource{PDName: one(g.draw, "d1", "d2"), ReadOnly: g.chance(40)}
	case 2, 3:
		m.AWSElasticBlockStore = &v1.AWSElasticBlockStoreVolumeSource{VolumeID: "vol-" + one(g.draw, "1", "2", "3"), ReadOnly: g.chance(40)}
	case 4:
		m.ISCSI = &v1.ISCSIVolumeSource{TargetPortal: "10.0.0.1", IQN: one(g.draw, "iqn.1", "iqn.2"), Lun: int32(g.IntN(2)), ReadOnly: g.chance(40)}
	case 5:
		m.RBD = &v1.RBDVolumeSource{CephMonitors: some(g.draw, 50, "m1", "m2", "m3"), RBDPool: one(g.draw, "p", "q"), RBDImage: "i", ReadOnly: g.chance(40)}
	case 6:
		m.EmptyDir = &v1.EmptyDirVolumeSource{}
	case 7:
		m.AzureDisk = &v1.AzureDiskVolumeSource{DiskName: "d", DataDiskURI: "/subscriptions/s/disks/" + one(g.draw, "1", "2")}
	case 8, 9:
		if !placed {
			m.Ephemeral = &v1.EphemeralVolumeSource{VolumeClaimTemplate: &v1.PersistentVolumeClaimTemplate{}}
			break
		}
		fallthrough
	default:
		name := claimName(g.IntN(9))
		if list := g.claimsThere(); len(list) > 0 && !g.chance(4) {
			name = one(g.draw, list...)
		}
		m.PersistentVolumeClaim = &v1.PersistentVolumeClaimVolumeSource{ClaimName: name, ReadOnly: g.chance(20)}
	}
	return m
}

// claimsThere are the claims that exist and are nobody's own.
func (g *Generator) claimsThere() (list []string) {
	for _, c := range g.world.Claims {
		if len(c.OwnerReferences) == 0 {
			list = append(list, c.Name)
		}
	}
	return list
}

// ephemerals are the claims that a controller makes for a pod's ephemeral volumes; it may not have come to them yet, or somebody else's is in their place.
func (g *Generator) ephemerals(p *v1.Pod) (list []Change) {
	for i := range p.Spec.Volumes {
		if p.Spec.Volumes[i].Ephemeral == nil || g.chance(8) {
			continue
		}
		list = append(list, g.newClaim(func() *v1.PersistentVolumeClaim {
			c := g.claim(p.Name + "-" + p.Spec.Volumes[i].Name)
			c.Namespace = p.Namespace
			c.OwnerReferences = []metav1.OwnerReference{{Kind: "Pod", Name: p.Name, UID: p.UID, Controller: ref(true)}}
			if g.chance(5) {
				c.OwnerReferences[0].UID = "uid-of-another"
			}
			return c
		})...)
	}
	return list
}

// storageChanges is something that happens to volumes.
func (g *Generator) storageChanges() []Change {
	w := g.world
	switch g.IntN(8) {
	case 0:
		return []Change{{Set: g.class(one(g.draw, classes[:len(classes)-1]...))}}
	case 1:
		return []Change{{Set: g.driver(one(g.draw, driverA, driverB, ebs))}}
	case 2:
		return []Change{{Set: g.csiNode(one(g.draw, w.Nodes...).Name)}}
	case 3:
		return []Change{{Set: g.capacity(fmt.Sprintf("cap%d", g.IntN(6)))}}
	case 4:
		return []Change{{Set: g.attachment(fmt.Sprintf("att%d", g.IntN(4)))}}
	case 5:
		return g.storageGoes()
	case 6:
		number := g.IntN(9)
		return []Change{{Set: g.volume(fmt.Sprintf("v%d", number), number)}}
	}
	return g.newClaim(func() *v1.PersistentVolumeClaim { return g.claim(claimName(g.IntN(9))) })
}

// newClaim is that a claim is made, and with it that a volume begins to refer to it.
func (g *Generator) newClaim(make func() *v1.PersistentVolumeClaim) []Change {
	before := slices.Clone(g.world.Volumes)
	out := []Change{{Set: make()}}
	for i, v := range g.world.Volumes {
		if v != before[i] {
			out = append(out, Change{Set: v})
		}
	}
	return out
}

func (g *Generator) storageGoes() []Change {
	var all []metav1.Object
	w := g.world
	each(w.Classes, func(o metav1.Object) { all = append(all, o) })
	each(w.Drivers, func(o metav1.Object) { all = append(all, o) })
	each(w.CSINodes, func(o metav1.Object) { all = append(all, o) })
	each(w.Capacities, func(o metav1.Object) { all = append(all, o) })
	each(w.Attachments, func(o metav1.Object) { all = append(all, o) })
	each(w.Volumes, func(o metav1.Object) { all = append(all, o) })
	each(w.Claims, func(o metav1.Object) {
		if !strings.HasPrefix(o.GetName(), "p") { // those of pods go with them
			all = append(all, o)
		}
	})
	if len(all) == 0 {
		return nil
	}
	return []Change{{Gone: one(g.draw, all...)}}
}
