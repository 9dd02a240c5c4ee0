package kube

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	v1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/sluice-scheduler/sluice/pkg/core"
	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
)

// comparing facts know whether another tells the same.
type comparing[F any] interface{ Same(other F) bool }

// stored are the objects of one kind that has to do with volumes.
type stored[F comparing[F]] struct {
	reader *reader
	// fact reads an object; bare is what is told of one that cannot be read.
	fact func(object any) F
	bare func(metav1.Object) F
	is   func(F) core.Event
	lost func(F) core.Event
}

func (s stored[F]) read(object any) (at key, fact F) {
	m := object.(metav1.Object)
	at = key{m.GetNamespace(), m.GetName()}
	defer func() {
		if why := recover(); why != nil {
			s.reader.complain(fmt.Sprintf("%T", object), at.namespace, at.name, why)
			fact = s.bare(m)
		}
	}()
	return at, s.fact(object)
}

func (s stored[F]) set(old *F, fact F) []core.Event {
	if old != nil && (*old).Same(fact) {
		return nil
	}
	return []core.Event{s.is(fact)}
}

func (s stored[F]) gone(fact F, _ any) []core.Event { return []core.Event{s.lost(fact)} }

// The resources that have to do with volumes.
const (
	volumeClaims   = "persistentvolumeclaims"
	volumes        = "persistentvolumes"
	storageClasses = "storageclasses"
	csiNodes       = "csinodes"
	csiDrivers     = "csidrivers"
	capacities     = "csistoragecapacities"
	attachments    = "volumeattachments"
)

// inStorage reports whether a resource is of the API group storage.k8s.io.
func inStorage(resource string) bool {
	return slices.Contains([]string{storageClasses, csiNodes, csiDrivers, capacities, attachments}, resource)
}

// withoutStorage prepares for what of volumes cannot be read. Without claims, volumes or classes nobody can tell where a pod with claims may run, so such pods
// are held; without the others Sluice goes on as if there were none.
func (w *Watch) withoutStorage() {
	for _, resource := range []string{volumeClaims, volumes, storageClasses} {
		d := w.without(resource, "pods with volume claims are held")
		d.begun = func() { w.hide(resource, true) }
	}
	w.without(csiNodes, "how many volumes a node can take is not known, and pods are placed as if there were no limit").optional = true
	w.without(csiDrivers, "drivers that publish their capacity, or that must be on the node, are treated as if they did not").optional = true
	w.without(capacities, "claims of drivers that publish their capacity find none").optional = true
	w.without(attachments, "volumes that are still attached where no pod uses them are not counted against a node's limit").optional = true
}

// hide tells the core what cannot be read for want of which it holds pods, whenever that changes. It can be again when all of it is in the sink.
func (w *Watch) hide(resource string, hidden bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.hidden[resource] == hidden {
		return
	}
	w.hidden[resource] = hidden
	if resource == spaces {
		w.sink.Put(core.NamespacesHidden{Hidden: hidden})
		return
	}
	what := slices.DeleteFunc(slices.Sorted(maps.Keys(w.hidden)), func(r string) bool { return !w.hidden[r] || r == spaces })
	w.sink.Put(core.VolumesHidden{What: strings.Join(what, ", ")})
}

// trackStorage watches all that has to do with volumes.
func (w *Watch) trackStorage(ctx context.Context, start func(func())) {
	r := w.reader
	start(func() { track(ctx, w, claimsTracked(r)) })
	start(func() { track(ctx, w, volumesTracked(r)) })
	start(func() { track(ctx, w, classesTracked(r)) })
	start(func() { track(ctx, w, csiNodesTracked(r)) })
	start(func() { track(ctx, w, csiDriversTracked(r)) })
	start(func() { track(ctx, w, capacitiesTracked(r)) })
	start(func() { track(ctx, w, attachmentsTracked(r)) })
}

func claimsTracked(r *reader) tracked[*cluster.VolumeClaimFact] {
	type fact = *cluster.VolumeClaimFact
	return tracked[fact]{volumeClaims, made[v1.PersistentVolumeClaim], made[v1.PersistentVolumeClaimList], stored[fact]{
		r,
		func(o any) fact { return cluster.ReadVolumeClaim(o.(*v1.PersistentVolumeClaim)) },
		func(o metav1.Object) fact {
			return &cluster.VolumeClaimFact{Namespace: o.GetNamespace(), Name: o.GetName(), UID: o.GetUID(), ResourceVersion: o.GetResourceVersion()}
		},
		func(f fact) core.Event { return core.VolumeClaimSet{Claim: f} },
		func(f fact) core.Event { return core.VolumeClaimGone{Namespace: f.Namespace, Name: f.Name} },
	}}
}

func volumesTracked(r *reader) tracked[*cluster.VolumeFact] {
	type fact = *cluster.VolumeFact
	return tracked[fact]{volumes, made[v1.PersistentVolume], made[v1.PersistentVolumeList], stored[fact]{
		r,
		func(o any) fact { return ReadVolume(o.(*v1.PersistentVolume)) },
		func(o metav1.Object) fact {
			return &cluster.VolumeFact{Name: o.GetName(), UID: o.GetUID(), ResourceVersion: o.GetResourceVersion()}
		},
		func(f fact) core.Event { return core.VolumeSet{Volume: f} },
		func(f fact) core.Event { return core.VolumeGone{Name: f.Name} },
	}}
}

func classesTracked(r *reader) tracked[*cluster.StorageClassFact] {
	type fact = *cluster.StorageClassFact
	return tracked[fact]{storageClasses, made[storagev1.StorageClass], made[storagev1.StorageClassList], stored[fact]{
		r,
		func(o any) fact { return ReadStorageClass(o.(*storagev1.StorageClass)) },
		func(o metav1.Object) fact { return &cluster.StorageClassFact{Name: o.GetName()} },
		func(f fact) core.Event { return core.StorageClassSet{Class: f} },
		func(f fact) core.Event { return core.StorageClassGone{Name: f.Name} },
	}}
}

func csiNodesTracked(r *reader) tracked[*cluster.CSINodeFact] {
	type fact = *cluster.CSINodeFact
	return tracked[fact]{csiNodes, made[storagev1.CSINode], made[storagev1.CSINodeList], stored[fact]{
		r,
		func(o any) fact { return cluster.ReadCSINode(o.(*storagev1.CSINode)) },
		func(o metav1.Object) fact { return &cluster.CSINodeFact{Name: o.GetName()} },
		func(f fact) core.Event { return core.CSINodeSet{Node: f} },
		func(f fact) core.Event { return core.CSINodeGone{Name: f.Name} },
	}}
}

func csiDriversTracked(r *reader) tracked[*cluster.CSIDriverFact] {
	type fact = *cluster.CSIDriverFact
	return tracked[fact]{csiDrivers, made[storagev1.CSIDriver], made[storagev1.CSIDriverList], stored[fact]{
		r,
		func(o any) fact { return cluster.ReadCSIDriver(o.(*storagev1.CSIDriver)) },
		func(o metav1.Object) fact { return &cluster.CSIDriverFact{Name: o.GetName()} },
		func(f fact) core.Event { return core.CSIDriverSet{Driver: f} },
		func(f fact) core.Event { return core.CSIDriverGone{Name: f.Name} },
	}}
}

func capacitiesTracked(r *reader) tracked[*cluster.CapacityFact] {
	type fact = *cluster.CapacityFact
	return tracked[fact]{capacities, made[storagev1.CSIStorageCapacity], made[storagev1.CSIStorageCapacityList], stored[fact]{
		r,
		func(o any) fact { return cluster.ReadCapacity(o.(*storagev1.CSIStorageCapacity)) },
		func(o metav1.Object) fact {
			return &cluster.CapacityFact{Namespace: o.GetNamespace(), Name: o.GetName(), Most: -1}
		},
		func(f fact) core.Event { return core.CapacitySet{Capacity: f} },
		func(f fact) core.Event { return core.CapacityGone{Namespace: f.Namespace, Name: f.Name} },
	}}
}

func attachmentsTracked(r *reader) tracked[*cluster.AttachmentFact] {
	type fact = *cluster.AttachmentFact
	return tracked[fact]{attachments, made[storagev1.VolumeAttachment], made[storagev1.VolumeAttachmentList], stored[fact]{
		r,
		func(o any) fact { return cluster.ReadAttachment(o.(*storagev1.VolumeAttachment)) },
		func(o metav1.Object) fact { return &cluster.AttachmentFact{Name: o.GetName()} },
		func(f fact) core.Event { return core.AttachmentSet{Attachment: f} },
		func(f fact) core.Event { return core.AttachmentGone{Name: f.Name} },
	}}
}

// made makes an empty object.
func made[T any, P interface {
	*T
	runtime.Object
}]() runtime.Object {
	return P(new(T))
}
