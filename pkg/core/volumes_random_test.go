package core_test

import (
	"fmt"
	"slices"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	v1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	apires "k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/sluice-scheduler/sluice/pkg/core"
	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
)

// TestRandomVolumes does what TestRandomHistories does where pods ask for volumes and things happen to those.
func TestRandomVolumes(t *testing.T) {
	var sum core.Stats
	var prepared uint64
	for seed := range uint64(300) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			r := newRunner(t, &bytesSource{data: randomBytes(seed+5000, 4000)})
			r.storing = true
			r.run()
			n := r.cores[0].Stats()
			sum.Scheduled += n.Scheduled
			sum.Unschedulable += n.Unschedulable
			sum.Stolen += n.Stolen
			sum.Woken += n.Woken
			sum.VolumesFailed += n.VolumesFailed
			prepared += r.preparations
		})
	}
	t.Logf("%d prepared, %+v", prepared, sum)
	for what, n := range map[string]uint64{
		"scheduled": sum.Scheduled, "unschedulable": sum.Unschedulable, "woken": sum.Woken,
		"prepared": prepared, "failed to prepare": 2 * sum.VolumesFailed, "stolen": 2 * sum.Stolen,
	} {
		require.Greater(t, n, uint64(100), "the histories hardly reach %s", what)
	}
}

// stockUp tells of the classes and of some claims, without which pods would wait all the time.
func (r *runner) stockUp() {
	for range 4 {
		r.tell(core.StorageClassSet{Class: r.storageClass()})
	}
	for range 16 {
		r.tell(core.VolumeClaimSet{Claim: r.volumeClaim()})
	}
}

// volumesOf gives a pod what its spec asks of volumes, which never changes: about half of the pods ask for something.
func volumesOf(uid types.UID, spec *v1.PodSpec) {
	number, _ := strconv.Atoi(string(uid[1:]))
	add := func(source v1.VolumeSource) {
		spec.Volumes = append(spec.Volumes, v1.Volume{Name: fmt.Sprintf("v%d", len(spec.Volumes)), VolumeSource: source})
	}
	claim := func(name string) {
		add(v1.VolumeSource{PersistentVolumeClaim: &v1.PersistentVolumeClaimVolumeSource{ClaimName: name}})
	}
	switch number {
	case 1, 2:
		claim("c0")
	case 3:
		claim("c1")
	case 4, 5:
		claim("c0")
		claim("c1")
	case 6:
		add(v1.VolumeSource{Ephemeral: &v1.EphemeralVolumeSource{}})
	case 7:
		add(v1.VolumeSource{GCEPersistentDisk: &v1.GCEPersistentDiskVolumeSource{PDName: "disk"}})
	case 8:
		add(v1.VolumeSource{GCEPersistentDisk: &v1.GCEPersistentDiskVolumeSource{PDName: "disk", ReadOnly: true}})
		claim("c2")
	case 9, 10, 11:
		claim(fmt.Sprintf("c%d", number-9))
	}
}

// claimNames are the claims that pods name; the last one is made for the ephemeral volume of p6.
var claimNames = []string{"c0", "c1", "c2", "p6-v0"}

// version is the resource version of the next object.
func (r *runner) version() string {
	r.versions++
	return strconv.Itoa(r.versions)
}

// volumeEvent lets one thing happen to storage.
func (r *runner) volumeEvent() {
	switch r.src.below(12) {
	case 0, 1:
		r.tell(core.VolumeClaimSet{Claim: r.volumeClaim()})
	case 2, 3:
		r.tell(core.VolumeSet{Volume: r.volume()})
	case 4:
		r.tell(core.StorageClassSet{Class: r.storageClass()})
	case 5:
		r.tell(core.CSINodeSet{Node: r.csiNode()})
	case 6:
		r.rareVolumeEvent()
	case 7, 8:
		r.answerPreparation()
	case 9:
		r.volumeGoes()
	default:
		r.control(r.src.below(len(claimNames)), r.src.chance(6))
	}
}

func (r *runner) rareVolumeEvent() {
	yes, no := true, false
	switch r.src.below(4) {
	case 0:
		d := &storagev1.CSIDriver{ObjectMeta: metav1.ObjectMeta{Name: "disk.csi"}}
		d.Spec.StorageCapacity = pick(r.src, []*bool{&yes, &no})
		d.Spec.PreventPodSchedulingIfMissing = pick(r.src, []*bool{&yes, &no, &no})
		r.tell(core.CSIDriverSet{Driver: cluster.ReadCSIDriver(d)})
	case 1:
		size := apires.MustParse(pick(r.src, []string{"1Gi", "3Gi"}))
		r.tell(core.CapacitySet{Capacity: cluster.ReadCapacity(&storagev1.CSIStorageCapacity{
			ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("cap%d", r.src.below(2))}, StorageClassName: "late", Capacity: &size,
			NodeTopology: pick(r.src, []*metav1.LabelSelector{{}, {MatchLabels: map[string]string{"zone": "z"}}, nil}),
		})})
	case 2:
		volume := r.volumeName()
		r.tell(core.AttachmentSet{Attachment: cluster.ReadAttachment(&storagev1.VolumeAttachment{
			ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("a%d", r.src.below(3))},
			Spec:       storagev1.VolumeAttachmentSpec{Attacher: "disk.csi", NodeName: r.nodeName(), Source: storagev1.VolumeAttachmentSource{PersistentVolumeName: &volume}},
		})})
	case 3:
		r.tell(core.VolumesHidden{What: pick(r.src, []string{"", "", "", "storageclasses"})})
	}
}

func (r *runner) volumeGoes() {
	switch r.src.below(8) {
	case 0, 1:
		r.tell(core.VolumeClaimGone{Namespace: pick(r.src, someSpaces), Name: pick(r.src, claimNames)})
	case 2:
		r.tell(core.VolumeGone{Name: r.volumeName()})
	case 3:
		r.tell(core.StorageClassGone{Name: pick(r.src, classNames)})
	case 4:
		r.tell(core.CSINodeGone{Name: r.nodeName()})
	case 5:
		r.tell(core.CSIDriverGone{Name: "disk.csi"})
	case 6:
		r.tell(core.CapacityGone{Name: fmt.Sprintf("cap%d", r.src.below(2))})
	case 7:
		r.tell(core.AttachmentGone{Name: fmt.Sprintf("a%d", r.src.below(3))})
	}
}

var classNames = []string{"late", "local", "now"}

func (r *runner) volumeName() string { return fmt.Sprintf("pv%d", r.src.below(5)) }

func (r *runner) volumeClaim() *cluster.VolumeClaimFact {
	pvc := &v1.PersistentVolumeClaim{ObjectMeta: metav1.ObjectMeta{Namespace: pick(r.src, someSpaces), Name: pick(r.src, claimNames), ResourceVersion: r.version()}}
	pvc.UID = types.UID("uid-" + pvc.Namespace + pvc.Name + pick(r.src, []string{"", "", "", "again"}))
	class := pick(r.src, append(classNames, "late", "late", "late", "local", "local", "unknown"))
	pvc.Spec.StorageClassName = &class
	pvc.Spec.Resources.Requests = v1.ResourceList{v1.ResourceStorage: apires.MustParse(pick(r.src, []string{"1Gi", "2Gi"}))}
	pvc.Spec.AccessModes = []v1.PersistentVolumeAccessMode{pick(r.src, []v1.PersistentVolumeAccessMode{v1.ReadWriteOnce, v1.ReadWriteOnce, v1.ReadWriteOncePod})}
	yes := true
	pvc.OwnerReferences = []metav1.OwnerReference{{UID: types.UID(pick(r.src, []string{"p6", "p6", "p6", "p1"})), Controller: &yes}}
	switch r.src.below(24) {
	case 0:
		pvc.DeletionTimestamp = &metav1.Time{Time: r.now}
	case 1:
		pvc.Status.Phase = v1.ClaimLost
	case 2:
		pvc.Spec.Selector = &metav1.LabelSelector{MatchLabels: map[string]string{"tier": "gold"}}
	case 3, 4, 5:
		pvc.Spec.VolumeName = r.volumeName()
		pvc.Annotations = map[string]string{"pv.kubernetes.io/bind-completed": "yes"}
	case 6:
		pvc.Spec.VolumeName = r.volumeName()
	case 7:
		pvc.Annotations = map[string]string{cluster.SelectedNodeAnnotation: r.nodeName()}
	}
	return cluster.ReadVolumeClaim(pvc)
}

func (r *runner) volume() *cluster.VolumeFact {
	pv := &v1.PersistentVolume{ObjectMeta: metav1.ObjectMeta{Name: r.volumeName(), ResourceVersion: r.version()}}
	pv.UID = types.UID("uid-" + pv.Name)
	pv.Spec.StorageClassName = pick(r.src, append(classNames, "local", "local"))
	pv.Spec.Capacity = v1.ResourceList{v1.ResourceStorage: apires.MustParse(pick(r.src, []string{"1Gi", "2Gi", "3Gi"}))}
	pv.Spec.AccessModes = []v1.PersistentVolumeAccessMode{v1.ReadWriteOnce, v1.ReadWriteOncePod}
	pv.Status.Phase = pick(r.src, []v1.PersistentVolumePhase{v1.VolumeAvailable, v1.VolumeAvailable, v1.VolumeAvailable, v1.VolumeReleased})
	pv.Labels = map[string]string{"tier": pick(r.src, []string{"gold", "silver"})}
	if r.src.chance(3) {
		pv.Spec.CSI = &v1.CSIPersistentVolumeSource{Driver: "disk.csi", VolumeHandle: pick(r.src, []string{"h0", "h1", "h2"})}
	}
	if r.src.chance(6) {
		pv.Labels[v1.LabelTopologyZone] = "east__west"
	}
	if r.src.chance(3) {
		pv.Spec.NodeAffinity = &v1.VolumeNodeAffinity{Required: &v1.NodeSelector{NodeSelectorTerms: []v1.NodeSelectorTerm{{
			MatchExpressions: []v1.NodeSelectorRequirement{{Key: "zone", Operator: v1.NodeSelectorOpIn, Values: []string{"z"}}},
		}}}}
	}
	if r.src.chance(5) {
		pv.Spec.ClaimRef = &v1.ObjectReference{Namespace: pick(r.src, someSpaces), Name: pick(r.src, claimNames)}
	}
	if r.src.chance(12) {
		pv.DeletionTimestamp = &metav1.Time{Time: r.now}
	}
	return cluster.ReadVolume(pv)
}

func (r *runner) storageClass() *cluster.StorageClassFact {
	late, now := storagev1.VolumeBindingWaitForFirstConsumer, storagev1.VolumeBindingImmediate
	k := &storagev1.StorageClass{ObjectMeta: metav1.ObjectMeta{Name: pick(r.src, classNames)}, VolumeBindingMode: &late, Provisioner: "disk.csi"}
	switch k.Name {
	case "local":
		k.Provisioner = cluster.NoProvisioner
	case "now":
		k.VolumeBindingMode = &now
	}
	if r.src.chance(3) {
		k.AllowedTopologies = []v1.TopologySelectorTerm{{MatchLabelExpressions: []v1.TopologySelectorLabelRequirement{{Key: "zone", Values: []string{"z"}}}}}
	}
	return cluster.ReadStorageClass(k)
}

func (r *runner) csiNode() *cluster.CSINodeFact {
	n := &storagev1.CSINode{ObjectMeta: metav1.ObjectMeta{Name: r.nodeName()}}
	if !r.src.chance(4) {
		count := int32(r.src.below(4))
		n.Spec.Drivers = []storagev1.CSINodeDriver{{Name: "disk.csi", Allocatable: &storagev1.VolumeNodeResources{Count: &count}}}
	}
	return cluster.ReadCSINode(n)
}

// answerPreparation settles one PrepareVolumes that is owed, sometimes with the watch's events before or after it, or without success.
func (r *runner) answerPreparation() {
	if len(r.prepared) == 0 {
		return
	}
	i := r.src.below(len(r.prepared))
	e := r.prepared[i]
	r.prepared = append(r.prepared[:i], r.prepared[i+1:]...)
	if r.src.chance(5) {
		r.tell(core.VolumesDone{UID: e.Pod.UID, Serial: e.Serial, Message: "fuzz"})
		return
	}
	r.write(e, r.src.chance(2))
}

// recallPreparations drops what has been asked back, unless it is on its way already.
func (r *runner) recallPreparations(e core.Recall) {
	r.prepared = slices.DeleteFunc(r.prepared, func(p core.PrepareVolumes) bool {
		if p.Pod.UID != e.UID || r.src.chance(2) {
			return false
		}
		r.tell(core.VolumesDone{UID: e.UID, Serial: p.Serial, Message: "recalled"})
		return true
	})
}

// write does what a PrepareVolumes asks for, if it can be done.
func (r *runner) write(e core.PrepareVolumes, first bool) {
	var facts []core.Event
	done := core.VolumesDone{UID: e.Pod.UID, Serial: e.Serial, Stored: true}
	for _, b := range e.Bindings {
		v := r.judge.volumes[b.Volume]
		if v == nil || v.ClaimRef != nil && (v.ClaimRef.Name != b.Claim.Name || v.ClaimRef.Namespace != b.Claim.Namespace) {
			done.Stored, done.Message = false, "claimed"
			continue
		}
		now := *v
		now.ClaimRef, now.ResourceVersion = &cluster.ClaimRef{Namespace: b.Claim.Namespace, Name: b.Claim.Name, UID: b.Claim.UID}, r.version()
		facts = append(facts, core.VolumeSet{Volume: &now})
		done.Versions = append(done.Versions, now.ResourceVersion)
	}
	for _, ref := range e.Provisions {
		f := r.judge.pvcs[claimID{ref.Namespace, ref.Name}]
		if f == nil || f.UID != ref.UID || f.Selected && f.SelectedNode != e.Node {
			done.Stored, done.Message = false, "elsewhere"
			continue
		}
		now := *f
		now.Selected, now.SelectedNode, now.ResourceVersion = true, e.Node, r.version()
		facts = append(facts, core.VolumeClaimSet{Claim: &now})
		done.Versions = append(done.Versions, now.ResourceVersion)
	}
	if first {
		r.tell(done)
	}
	for _, fact := range facts {
		r.tell(fact)
	}
	if !first {
		r.tell(done)
	}
}

// control does to one claim of each namespace what controller and provisioner would: bind it to a volume that is kept for it, or make one; or give up.
func (r *runner) control(number int, fails bool) {
	for _, space := range someSpaces {
		f := r.judge.pvcs[claimID{space, claimNames[number]}]
		if f == nil || f.Volume != "" {
			continue
		}
		if kept := r.judge.keptFor(f); kept != nil {
			r.bindClaim(f, kept)
			continue
		}
		if !f.Selected {
			continue
		}
		if fails {
			now := *f
			now.Selected, now.SelectedNode, now.ResourceVersion = false, "", r.version()
			r.tell(core.VolumeClaimSet{Claim: &now})
			continue
		}
		made := &cluster.VolumeFact{
			Name: "made-" + space + f.Name, UID: types.UID("made" + r.version()), Class: f.Class, Capacity: f.Request, Modes: f.Modes,
			Driver: "disk.csi", Handle: "made-" + space + f.Name,
		}
		r.bindClaim(f, made)
	}
}

func (r *runner) bindClaim(f *cluster.VolumeClaimFact, v *cluster.VolumeFact) {
	volume, claim := *v, *f
	volume.ClaimRef = &cluster.ClaimRef{Namespace: f.Namespace, Name: f.Name, UID: f.UID}
	volume.Available, volume.ResourceVersion = false, r.version()
	claim.Volume, claim.Bound, claim.ResourceVersion = v.Name, true, r.version()
	if r.src.chance(2) {
		r.tell(core.VolumeSet{Volume: &volume})
		r.tell(core.VolumeClaimSet{Claim: &claim})
	} else {
		r.tell(core.VolumeClaimSet{Claim: &claim})
		r.tell(core.VolumeSet{Volume: &volume})
	}
}
