package oracle

import (
	"fmt"
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	v1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// World is a cluster as the API server tells of it. Objects in it are never changed, only replaced; lists may be shared as long as they
// are not written to (Copy).
type World struct {
	Namespaces  []*v1.Namespace
	Nodes       []*v1.Node
	Pods        []*v1.Pod
	Claims      []*v1.PersistentVolumeClaim
	Volumes     []*v1.PersistentVolume
	Classes     []*storagev1.StorageClass
	Drivers     []*storagev1.CSIDriver
	CSINodes    []*storagev1.CSINode
	Capacities  []*storagev1.CSIStorageCapacity
	Attachments []*storagev1.VolumeAttachment
	// These select pods, which are spread by it.
	Services     []*v1.Service
	Controllers  []*v1.ReplicationController
	ReplicaSets  []*appsv1.ReplicaSet
	StatefulSets []*appsv1.StatefulSet
}

// Change is one thing that happens to a world.
type Change struct {
	// Set is an object that is new or replaces another; Gone is one that is no more.
	Set, Gone metav1.Object `json:",omitempty"`
	// Assumed: Set is a pod that Sluice itself has placed, and of which the API server has not told; without a node, one whose placement Sluice has taken back.
	Assumed bool `json:",omitempty"`
	// Tried are pods that are placed and at once rolled back, each on the node that it names. The world does not change by it.
	Tried []*v1.Pod `json:",omitempty"`
}

// Copy returns a world that can be changed without changing w.
func (w *World) Copy() *World {
	return &World{
		slices.Clone(w.Namespaces), slices.Clone(w.Nodes), slices.Clone(w.Pods), slices.Clone(w.Claims), slices.Clone(w.Volumes),
		slices.Clone(w.Classes), slices.Clone(w.Drivers), slices.Clone(w.CSINodes), slices.Clone(w.Capacities), slices.Clone(w.Attachments),
		slices.Clone(w.Services), slices.Clone(w.Controllers), slices.Clone(w.ReplicaSets), slices.Clone(w.StatefulSets),
	}
}

// Apply lets a change happen.
func (w *World) Apply(c Change) {
	if c.Gone != nil {
		w.put(c.Gone, true)
	}
	if c.Set != nil {
		w.put(c.Set, false)
	}
}

func (w *World) put(o metav1.Object, gone bool) {
	switch o := o.(type) {
	case *v1.Namespace:
		w.Namespaces = put(w.Namespaces, o, gone)
	case *v1.Node:
		w.Nodes = put(w.Nodes, o, gone)
	case *v1.Pod:
		w.Pods = put(w.Pods, o, gone)
	case *v1.PersistentVolumeClaim:
		w.Claims = put(w.Claims, o, gone)
	case *v1.PersistentVolume:
		w.Volumes = put(w.Volumes, o, gone)
	case *storagev1.StorageClass:
		w.Classes = put(w.Classes, o, gone)
	case *storagev1.CSIDriver:
		w.Drivers = put(w.Drivers, o, gone)
	case *storagev1.CSINode:
		w.CSINodes = put(w.CSINodes, o, gone)
	case *storagev1.CSIStorageCapacity:
		w.Capacities = put(w.Capacities, o, gone)
	case *storagev1.VolumeAttachment:
		w.Attachments = put(w.Attachments, o, gone)
	case *v1.Service:
		w.Services = put(w.Services, o, gone)
	case *v1.ReplicationController:
		w.Controllers = put(w.Controllers, o, gone)
	case *appsv1.ReplicaSet:
		w.ReplicaSets = put(w.ReplicaSets, o, gone)
	case *appsv1.StatefulSet:
		w.StatefulSets = put(w.StatefulSets, o, gone)
	default:
		panic(fmt.Sprintf("no list for %T", o))
	}
}

// put replaces, adds or takes out an object, which is told by its namespace and name.
func put[T metav1.Object](list []T, o T, gone bool) []T {
	i := slices.IndexFunc(list, func(x T) bool { return x.GetName() == o.GetName() && x.GetNamespace() == o.GetNamespace() })
	switch {
	case i < 0 && !gone:
		return append(list, o)
	case i >= 0 && gone:
		return slices.Delete(list, i, i+1)
	case i >= 0:
		list[i] = o
	}
	return list
}

// Each calls f for every object, those first that others refer to.
func (w *World) Each(f func(metav1.Object)) {
	each(w.Namespaces, f)
	each(w.Services, f)
	each(w.Controllers, f)
	each(w.ReplicaSets, f)
	each(w.StatefulSets, f)
	each(w.Classes, f)
	each(w.Drivers, f)
	each(w.Capacities, f)
	each(w.Volumes, f)
	each(w.Claims, f)
	each(w.CSINodes, f)
	each(w.Nodes, f)
	each(w.Attachments, f)
	each(w.Pods, f)
}

func each[T metav1.Object](list []T, f func(metav1.Object)) {
	for _, o := range list {
		f(o)
	}
}

// counted reports whether a pod counts on a node: it has one and has not ended. kube-scheduler watches no others.
func counted(p *v1.Pod) bool {
	return p.Spec.NodeName != "" && p.Status.Phase != v1.PodSucceeded && p.Status.Phase != v1.PodFailed
}
