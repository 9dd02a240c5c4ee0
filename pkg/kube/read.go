package kube

import (
	"fmt"
	"log/slog"
	"runtime/debug"
	"slices"
	"sync/atomic"
	"time"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/sluice-scheduler/sluice/pkg/app"
	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
)

// reader turns API objects into facts. No object, however absurd, ends it.
type reader struct {
	scheduler string
	// others are further names of schedulers whose pods are ours.
	others []string
	// trustUser: users and groups are read from pods.
	trustUser bool
	demands   *pool[cluster.Demand]
	likings   *pool[cluster.Liking]
	claims    *pool[cluster.Claim]
	log       *slog.Logger
	// unreadable counts the objects that made reading panic.
	unreadable atomic.Uint64

	// These do the reading; tests replace them.
	readPod       func(pod *v1.Pod, scheduler string) *cluster.PodFact
	readNode      func(node *v1.Node) *cluster.NodeFact
	readNamespace func(ns *v1.Namespace) *cluster.NamespaceFact
}

func newReader(scheduler string, trustUser bool, log *slog.Logger) *reader {
	return &reader{
		scheduler: scheduler, trustUser: trustUser, log: log,
		demands: newPool[cluster.Demand](), likings: newPool[cluster.Liking](), claims: newPool[cluster.Claim](),
		readPod: cluster.ReadPod, readNode: cluster.ReadNode, readNamespace: app.ReadNamespace,
	}
}

// reading makes the reader read more of pods and nodes.
func (r *reader) reading(x cluster.Extra) *reader {
	r.readPod, r.readNode = x.ReadPod, x.ReadNode
	return r
}

// pod reads a pod. One that cannot be read becomes a pod that is held, with a condition that says why; if it is bound, what it
// holds on its node is not known.
func (r *reader) pod(pod *v1.Pod) (fact *cluster.PodFact) {
	defer func() {
		if why := recover(); why != nil {
			fact = r.heldPod(pod, r.complain("pod", pod.Namespace, pod.Name, why))
		}
	}()
	fact = r.readPod(pod, r.served(pod))
	fact.Demand = r.demands.share(fact.Demand.Key, fact.Demand)
	if l := fact.Liking; l != nil {
		fact.Liking = r.likings.share(l.Key, l)
	}
	if len(pod.Spec.Volumes) > 0 {
		fact.Needs = fact.Needs.WithInline(pod.Namespace, InlineVolumes(pod))
	}
	if fact.Ours {
		fact.Claim = r.claim(app.Identify(pod, r.trustUser))
	}
	if fact.Claim == nil || fact.Claim.Group == "" {
		fact.Scheduled, fact.Ready = time.Time{}, time.Time{} // so that a pod that becomes ready is no news
	}
	return fact
}

// served is the name by which a pod is ours if it gives that: its own if it is one of several that we serve.
func (r *reader) served(pod *v1.Pod) string {
	if slices.Contains(r.others, pod.Spec.SchedulerName) {
		return pod.Spec.SchedulerName
	}
	return r.scheduler
}

// claim lets the pods of an application share what they claim; one that is an application of its own has nobody to share with.
func (r *reader) claim(c cluster.Claim) *cluster.Claim {
	if c.AppFrom == app.FromPodItself {
		return &c
	}
	return r.claims.share(c.Key(), &c)
}

func (r *reader) heldPod(pod *v1.Pod, fault string) *cluster.PodFact {
	key := "unreadable " + fault
	fact := &cluster.PodFact{
		UID: pod.UID, Namespace: pod.Namespace, Name: pod.Name, ResourceVersion: pod.ResourceVersion,
		Created: pod.CreationTimestamp.Time, Generation: pod.Generation,
		Ours:     pod.Spec.SchedulerName == r.served(pod),
		Node:     pod.Spec.NodeName,
		Deleting: pod.DeletionTimestamp != nil,
		Terminal: pod.Status.Phase == v1.PodSucceeded || pod.Status.Phase == v1.PodFailed,
		Started:  pod.Status.StartTime != nil,
		Demand: r.demands.share(key, &cluster.Demand{
			Key: key, Unsupported: []string{"this pod (it " + fault + ")"}, Faults: []string{fault},
		}),
	}
	if fact.Ours {
		fact.Claim = r.claim(app.Alone(pod))
	}
	return fact
}

// node reads a node. One that cannot be read becomes a node that takes no pods.
func (r *reader) node(node *v1.Node) (fact *cluster.NodeFact) {
	defer func() {
		if why := recover(); why != nil {
			fact = &cluster.NodeFact{
				Name: node.Name, UID: node.UID, ResourceVersion: node.ResourceVersion,
				Unschedulable: true, Faults: []string{r.complain("node", "", node.Name, why)},
			}
		}
	}()
	return r.readNode(node)
}

// namespace reads a namespace. One that cannot be read says nothing of queues.
func (r *reader) namespace(ns *v1.Namespace) (fact *cluster.NamespaceFact) {
	defer func() {
		if why := recover(); why != nil {
			fact = &cluster.NamespaceFact{
				Name: ns.Name, ResourceVersion: ns.ResourceVersion, Faults: []string{r.complain("namespace", "", ns.Name, why)},
			}
		}
	}()
	return r.readNamespace(ns)
}

// selector reads an object that selects pods. One that cannot be read selects none.
func (r *reader) selector(object any, read func(any) *cluster.SelectorFact) (fact *cluster.SelectorFact) {
	defer func() {
		if why := recover(); why != nil {
			m := object.(metav1.Object)
			fact = &cluster.SelectorFact{SelectorID: cluster.SelectorID{Namespace: m.GetNamespace(), Name: m.GetName()}}
			r.complain(fmt.Sprintf("%T", object), m.GetNamespace(), m.GetName(), why)
		}
	}()
	return read(object)
}

// complain counts and logs a panic and words it for the fact.
func (r *reader) complain(kind, namespace, name string, why any) string {
	r.unreadable.Add(1)
	fault := fmt.Sprintf("cannot be read: %v", why)
	r.log.Error("an object cannot be read and is held; this is a fault of Sluice, please report it with the object's manifest",
		"kind", kind, "namespace", namespace, "name", name, "why", why, "stack", string(debug.Stack()))
	return fault
}
