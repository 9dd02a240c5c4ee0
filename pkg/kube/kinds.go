package kube

import (
	"cmp"
	"reflect"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	v1 "k8s.io/api/core/v1"
	resourcev1 "k8s.io/api/resource/v1"
	schedulingv1beta1 "k8s.io/api/scheduling/v1beta1"
	storagev1 "k8s.io/api/storage/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/sluice-scheduler/sluice/pkg/core"
	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
)

func compareKeys(a, b key) int {
	return cmp.Or(cmp.Compare(a.namespace, b.namespace), cmp.Compare(a.name, b.name))
}

func isObject(o any) bool {
	switch o.(type) {
	case *v1.Pod, *v1.Node, *v1.Namespace, *v1.Service, *v1.ReplicationController, *appsv1.ReplicaSet, *appsv1.StatefulSet, *resourcev1.DeviceClass,
		*v1.PersistentVolumeClaim, *v1.PersistentVolume, *storagev1.StorageClass, *storagev1.CSINode, *storagev1.CSIDriver, *storagev1.CSIStorageCapacity,
		*storagev1.VolumeAttachment,
		*unstructured.Unstructured, *schedulingv1beta1.PodGroup, *batchv1.Job, *appsv1.Deployment, *v1.ConfigMap: // what tells of gangs
		return true
	}
	return false
}

// pods are pods of every scheduler that have not ended.
type pods struct {
	reader *reader
	// vanished is told of pods that may have been refused by their kubelet.
	vanished func(*cluster.PodFact)
	// wanted is told of pods of ours; nil if nothing of gangs is read.
	wanted *wanted
}

func (p pods) read(object any) (key, *cluster.PodFact) {
	f := p.reader.pod(object.(*v1.Pod))
	if f.Ours && p.wanted != nil {
		p.wanted.see(object.(*v1.Pod))
	}
	return key{f.Namespace, f.Name}, f
}

func (p pods) set(old **cluster.PodFact, fact *cluster.PodFact) []core.Event {
	switch {
	case old == nil:
		return []core.Event{core.PodSet{Pod: fact}}
	case (*old).UID != fact.UID: // deleted and created again under its name while nobody watched
		p.wanted.drop((*old).UID)
		return []core.Event{core.PodGone{UID: (*old).UID}, core.PodSet{Pod: fact}}
	case samePod(*old, fact):
		return nil
	}
	return []core.Event{core.PodSet{Pod: fact}}
}

// gone also covers a pod that ended: it then leaves the selection of the watch.
func (p pods) gone(fact *cluster.PodFact, object any) []core.Event {
	last, _ := object.(*v1.Pod)
	deleted := fact.Deleting || last != nil && last.DeletionTimestamp != nil
	started := fact.Started || last != nil && last.UID == fact.UID && last.Status.StartTime != nil
	if fact.Ours && fact.Node != "" && !deleted && !started {
		p.vanished(fact)
	}
	p.wanted.drop(fact.UID)
	return []core.Event{core.PodGone{UID: fact.UID}}
}

// samePod reports whether two facts of one pod tell the same. Most updates of a running pod concern its status alone. Demands and claims are
// shared, so equal ones are identical.
func samePod(a, b *cluster.PodFact) bool {
	if a.Demand != b.Demand || a.Liking != b.Liking || a.Claim != b.Claim && !reflect.DeepEqual(a.Claim, b.Claim) {
		return false
	}
	x, y := *a, *b
	x.ResourceVersion, y.ResourceVersion = "", ""
	x.Demand, y.Demand = nil, nil
	x.Liking, y.Liking = nil, nil
	x.Claim, y.Claim = nil, nil
	return reflect.DeepEqual(x, y)
}

// nodes are the nodes that match the selector.
type nodes struct{ reader *reader }

func (n nodes) read(object any) (key, *cluster.NodeFact) {
	f := n.reader.node(object.(*v1.Node))
	return key{name: f.Name}, f
}

func (nodes) set(old **cluster.NodeFact, fact *cluster.NodeFact) []core.Event {
	switch {
	case old == nil:
		return []core.Event{core.NodeSet{Node: fact}}
	case (*old).UID != fact.UID:
		return []core.Event{core.NodeGone{Name: fact.Name}, core.NodeSet{Node: fact}}
	case sameNode(*old, fact):
		return nil
	}
	return []core.Event{core.NodeSet{Node: fact}}
}

func (nodes) gone(fact *cluster.NodeFact, _ any) []core.Event {
	return []core.Event{core.NodeGone{Name: fact.Name}}
}

// sameNode reports whether two facts of one node tell the same, as after a heartbeat.
func sameNode(a, b *cluster.NodeFact) bool {
	x, y := *a, *b
	x.ResourceVersion, y.ResourceVersion = "", ""
	return reflect.DeepEqual(x, y)
}

// namespaces are all namespaces.
type namespaces struct{ reader *reader }

func (n namespaces) read(object any) (key, *cluster.NamespaceFact) {
	f := n.reader.namespace(object.(*v1.Namespace))
	return key{name: f.Name}, f
}

func (n namespaces) set(old **cluster.NamespaceFact, fact *cluster.NamespaceFact) []core.Event {
	if old != nil && sameNamespace(*old, fact) {
		return nil
	}
	if len(fact.Faults) > 0 && (old == nil || !slices.Equal((*old).Faults, fact.Faults)) {
		n.reader.log.Warn("annotations of a namespace cannot be taken as they are", "namespace", fact.Name, "faults", strings.Join(fact.Faults, "; "))
	}
	return []core.Event{core.NamespaceSet{Namespace: fact}}
}

func (namespaces) gone(fact *cluster.NamespaceFact, _ any) []core.Event {
	return []core.Event{core.NamespaceGone{Name: fact.Name}}
}

// sameNamespace reports whether two facts of one namespace tell the same.
func sameNamespace(a, b *cluster.NamespaceFact) bool {
	x, y := *a, *b
	x.ResourceVersion, y.ResourceVersion = "", ""
	return reflect.DeepEqual(x, y)
}

// devices are all DeviceClasses.
type devices struct{}

func (devices) read(object any) (key, *cluster.DeviceClassFact) {
	f := cluster.ReadDeviceClass(object.(*resourcev1.DeviceClass))
	return key{name: f.Name}, f
}

func (devices) set(old **cluster.DeviceClassFact, fact *cluster.DeviceClassFact) []core.Event {
	if old != nil && (*old).Extended == fact.Extended {
		return nil
	}
	return []core.Event{core.DeviceClassSet{Class: fact}}
}

func (devices) gone(fact *cluster.DeviceClassFact, _ any) []core.Event {
	return []core.Event{core.DeviceClassGone{Name: fact.Name}}
}
