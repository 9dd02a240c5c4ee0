package core

import (
	"strconv"

	v1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	apires "k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/sluice-scheduler/sluice/pkg/core"
	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
)

// Storage says what volumes the pods have, one each: none if empty.
type Storage string

// The kinds of storage. All but the last are CSI volumes, of which a node takes volumeLimit.
const (
	// Bound volumes can be reached from everywhere.
	Bound Storage = "bound"
	// Zonal ones are bound and can be reached from one zone.
	Zonal Storage = "zonal"
	// Provisioned ones are made for the node that is chosen: the claims wait for their first consumer.
	Provisioned Storage = "provisioned"
	// Local ones are bound and can be reached from one node each.
	Local Storage = "local"
)

// volumeLimit is upstream's in its benchmark of CSI volumes.
const volumeLimit = 39

const driver = "disk.csi"

func claimName(i int) string { return "claim-" + strconv.Itoa(i) }

// Events tell of the volumes of so many pods, and of the nodes' limits.
func (s Storage) Events(pods []*cluster.PodFact, nodes []*cluster.NodeFact) (events []core.Event) {
	if s == "" {
		return nil
	}
	waits, count := storagev1.VolumeBindingWaitForFirstConsumer, int32(volumeLimit)
	events = append(events, core.StorageClassSet{Class: cluster.ReadStorageClass(&storagev1.StorageClass{
		ObjectMeta: metav1.ObjectMeta{Name: "late"}, Provisioner: driver, VolumeBindingMode: &waits,
	})})
	for _, n := range nodes {
		events = append(events, core.CSINodeSet{Node: cluster.ReadCSINode(&storagev1.CSINode{ObjectMeta: metav1.ObjectMeta{Name: n.Name}, Spec: storagev1.CSINodeSpec{
			Drivers: []storagev1.CSINodeDriver{{Name: driver, Allocatable: &storagev1.VolumeNodeResources{Count: &count}}},
		}})})
	}
	for i, p := range pods {
		pvc := s.claim(i)
		if s != Provisioned {
			pvc.Spec.VolumeName = "pv-" + strconv.Itoa(i)
			pvc.Annotations = map[string]string{"pv.kubernetes.io/bind-completed": "yes"}
			events = append(events, core.VolumeSet{Volume: s.volume(i, p, nodes)})
		}
		events = append(events, core.VolumeClaimSet{Claim: cluster.ReadVolumeClaim(pvc)})
	}
	return events
}

func (s Storage) claim(i int) *v1.PersistentVolumeClaim {
	class := "late"
	return &v1.PersistentVolumeClaim{
		ObjectMeta: metav1.ObjectMeta{Namespace: "bench", Name: claimName(i), UID: types.UID(claimName(i))},
		Spec: v1.PersistentVolumeClaimSpec{
			StorageClassName: &class, Resources: v1.VolumeResourceRequirements{Requests: v1.ResourceList{v1.ResourceStorage: apires.MustParse("1Gi")}},
		},
	}
}

// volume makes the volume of a pod, somewhere where the pod could run.
func (s Storage) volume(i int, p *cluster.PodFact, nodes []*cluster.NodeFact) *cluster.VolumeFact {
	name := "pv-" + strconv.Itoa(i)
	pv := &v1.PersistentVolume{ObjectMeta: metav1.ObjectMeta{Name: name}}
	pv.Spec.ClaimRef = &v1.ObjectReference{Namespace: "bench", Name: claimName(i), UID: types.UID(claimName(i))}
	pv.Spec.CSI = &v1.CSIPersistentVolumeSource{Driver: driver, VolumeHandle: name}
	on := i * 7 % len(nodes)
	for suits(p, nodes[on]) != nil {
		on = (on + 1) % len(nodes)
	}
	switch s {
	case Zonal:
		pv.Spec.NodeAffinity = within(v1.LabelTopologyZone, nodes[on].Labels[v1.LabelTopologyZone])
	case Local:
		pv.Spec.NodeAffinity, pv.Spec.CSI = within(v1.LabelHostname, nodes[on].Name), nil
	}
	return cluster.ReadVolume(pv)
}

func within(label, value string) *v1.VolumeNodeAffinity {
	return &v1.VolumeNodeAffinity{Required: &v1.NodeSelector{NodeSelectorTerms: []v1.NodeSelectorTerm{{
		MatchExpressions: []v1.NodeSelectorRequirement{{Key: label, Operator: v1.NodeSelectorOpIn, Values: []string{value}}},
	}}}}
}

// needs is what a pod asks of volumes.
func (s Storage) needs(i int) *cluster.Needs {
	if s == "" {
		return nil
	}
	return cluster.ReadNeeds(&v1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "bench"}, Spec: v1.PodSpec{Volumes: []v1.Volume{{
		Name: "data", VolumeSource: v1.VolumeSource{PersistentVolumeClaim: &v1.PersistentVolumeClaimVolumeSource{ClaimName: claimName(i)}},
	}}}})
}

// provisioned is what follows a decision to provision: it is stored, the volume is made and the claim bound to it.
func provisioned(e core.PrepareVolumes) (events []core.Event) {
	events = append(events, core.VolumesDone{UID: e.Pod.UID, Serial: e.Serial, Stored: true})
	for _, c := range e.Provisions {
		name := "pv-" + c.Name
		events = append(
			events,
			core.VolumeSet{Volume: &cluster.VolumeFact{Name: name, Driver: driver, Handle: name, ClaimRef: &cluster.ClaimRef{Namespace: c.Namespace, Name: c.Name, UID: c.UID}}},
			core.VolumeClaimSet{Claim: &cluster.VolumeClaimFact{
				Namespace: c.Namespace, Name: c.Name, UID: c.UID, Class: "late", Volume: name, Bound: true, Selected: true, SelectedNode: e.Node,
			}},
		)
	}
	return events
}
