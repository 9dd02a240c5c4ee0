package oracle

import (
	"fmt"
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	v1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/sluice-scheduler/sluice/pkg/app"
	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
	"github.com/sluice-scheduler/sluice/pkg/core/fit"
	"github.com/sluice-scheduler/sluice/pkg/core/order"
	"github.com/sluice-scheduler/sluice/pkg/core/resource"
	"github.com/sluice-scheduler/sluice/pkg/kube"
)

// scheduler is the schedulerName that Sluice serves here.
const scheduler = "sluice"

// Sluice judges by what runs in production: the readers make facts of the objects, a State keeps them, fit answers.
type Sluice struct {
	State *cluster.State
	// Orders have one order, of everything that is compared.
	Orders *order.Orders
	// reasons is room to work in.
	reasons []fit.Reason
}

// NewSluice returns a judge that knows a world.
func NewSluice(w *World) *Sluice {
	s := &Sluice{State: cluster.New(), Orders: order.New([]order.Spec{everything()}, order.ScarceSpec{})}
	w.Each(s.set)
	return s
}

// Apply takes in what has happened.
func (s *Sluice) Apply(c Change) {
	switch {
	case c.Tried != nil:
		s.try(c.Tried)
	case c.Assumed:
		s.assume(c.Set.(*v1.Pod))
	case c.Set != nil:
		s.set(c.Set)
	}
	if c.Gone != nil {
		s.remove(c.Gone)
	}
}

func (s *Sluice) set(o metav1.Object) {
	switch o := o.(type) {
	case *v1.Namespace:
		s.State.SetNamespace(app.ReadNamespace(o))
	case *v1.Node:
		s.State.SetNode(extra.ReadNode(o))
	case *v1.Pod:
		s.State.SetPod(readPod(o))
	case *v1.Service:
		s.State.SetSelector(cluster.ReadService(o))
	case *v1.ReplicationController:
		s.State.SetSelector(cluster.ReadReplicationController(o))
	case *appsv1.ReplicaSet:
		s.State.SetSelector(cluster.ReadReplicaSet(o))
	case *appsv1.StatefulSet:
		s.State.SetSelector(cluster.ReadStatefulSet(o))
	case *v1.PersistentVolumeClaim:
		s.State.SetVolumeClaim(cluster.ReadVolumeClaim(o))
	case *v1.PersistentVolume:
		s.State.SetVolume(kube.ReadVolume(o))
	case *storagev1.StorageClass:
		s.State.SetStorageClass(kube.ReadStorageClass(o))
	case *storagev1.CSIDriver:
		s.State.SetCSIDriver(cluster.ReadCSIDriver(o))
	case *storagev1.CSINode:
		s.State.SetCSINode(cluster.ReadCSINode(o))
	case *storagev1.CSIStorageCapacity:
		s.State.SetCapacity(cluster.ReadCapacity(o))
	case *storagev1.VolumeAttachment:
		s.State.SetAttachment(cluster.ReadAttachment(o))
	}
}

func (s *Sluice) remove(o metav1.Object) {
	switch o := o.(type) {
	case *v1.Namespace:
		s.State.RemoveNamespace(o.Name)
	case *v1.Node:
		s.State.RemoveNode(o.Name)
	case *v1.Pod:
		s.State.RemovePod(o.UID)
	case *v1.Service:
		s.State.RemoveSelector(cluster.ReadService(o).SelectorID)
	case *v1.ReplicationController:
		s.State.RemoveSelector(cluster.ReadReplicationController(o).SelectorID)
	case *appsv1.ReplicaSet:
		s.State.RemoveSelector(cluster.ReadReplicaSet(o).SelectorID)
	case *appsv1.StatefulSet:
		s.State.RemoveSelector(cluster.ReadStatefulSet(o).SelectorID)
	case *v1.PersistentVolumeClaim:
		s.State.RemoveVolumeClaim(o.Namespace, o.Name)
	case *v1.PersistentVolume:
		s.State.RemoveVolume(o.Name)
	case *storagev1.StorageClass:
		s.State.RemoveStorageClass(o.Name)
	case *storagev1.CSIDriver:
		s.State.RemoveCSIDriver(o.Name)
	case *storagev1.CSINode:
		s.State.RemoveCSINode(o.Name)
	case *storagev1.CSIStorageCapacity:
		s.State.RemoveCapacity(o.Namespace, o.Name)
	case *storagev1.VolumeAttachment:
		s.State.RemoveAttachment(o.Name)
	}
}

// extra is what is read of pods and nodes for that order.
var extra = order.Needs([]order.Spec{everything()})

func readPod(o *v1.Pod) *cluster.PodFact {
	f := extra.ReadPod(o, scheduler)
	f.Needs = f.Needs.WithInline(o.Namespace, kube.InlineVolumes(o))
	if f.Ours {
		claim := app.Identify(o, false)
		f.Claim = &claim
	}
	return f
}

// assume places a waiting pod on the node that it names, or takes it back, without a word from the API server.
func (s *Sluice) assume(o *v1.Pod) {
	p := s.State.Pod(o.UID)
	if p == nil {
		return
	}
	s.State.Release(p)
	if o.Spec.NodeName != "" {
		s.State.AssumeAt(p, o.Spec.NodeName)
	}
	s.State.Commit()
}

// try places pods and thinks better of it.
func (s *Sluice) try(pods []*v1.Pod) {
	mark := s.State.Checkpoint()
	for _, o := range pods {
		if p := s.State.Pod(o.UID); p != nil && !p.Fact.Terminal {
			s.State.Release(p)
			s.State.AssumeAt(p, o.Spec.NodeName)
		}
	}
	s.State.Rollback(mark)
}

// Ask is a pod before Sluice, with what is remembered of it.
type Ask struct {
	s    *Sluice
	pod  *cluster.Pod
	ask  fit.Ask
	view *fit.View
	memo *fit.Memory
}

// Meet returns the ask of a pod that waits; old, if not nil, is what was remembered of it. It is nil when Sluice knows of no such pod or has placed it.
func (s *Sluice) Meet(o *v1.Pod, old *Ask) *Ask {
	p := s.State.Pod(o.UID)
	if p == nil || p.Alloc != nil {
		return nil
	}
	if ask := fit.Of(p); old == nil || old.ask != ask {
		return &Ask{s: s, pod: p, ask: ask, view: &fit.View{}, memo: &fit.Memory{}}
	}
	return old
}

// Unsupported lists what Sluice does not evaluate of the pod, which therefore is held.
func (a *Ask) Unsupported() []string { return a.pod.Shape.Unsupported }

// Fits is the fast answer.
func (a *Ask) Fits(node *cluster.Node) bool { return fit.Fits(a.ask, node) }

// Judge is the answer with reasons.
func (a *Ask) Judge(node *cluster.Node) Verdict {
	reasons := fit.Why(a.ask, node, a.s.reasons[:0])
	a.s.reasons = reasons
	if len(reasons) == 0 {
		return Verdict{}
	}
	v := Verdict{Code: Unschedulable, Reasons: make([]string, len(reasons))}
	for i, r := range reasons {
		v.Reasons[i] = a.text(r)
		if r.Code == fit.UnschedulableAndUnresolvable {
			v.Code = Unresolvable
		}
	}
	slices.Sort(v.Reasons)
	return v
}

// text words a reason. Terms of node affinity that contradict each other make one reason for the pod as a whole; fit words it in its Summary alone.
func (a *Ask) text(r fit.Reason) string {
	if r.Kind == fit.NotNamed && a.pod.Shape.Names != nil && len(a.pod.Shape.Names) == 0 {
		return "pod affinity terms conflict"
	}
	return r.String()
}

// Message is what Sluice writes about a pod that fits nowhere, as far as the message says what kube-scheduler's does.
func (a *Ask) Message() string {
	return fit.Summary(a.s.State.KnownNodes(), a.ask, a.memo.Counts())
}

// Other compares the remembered and the classified answers with the slow one, for all nodes. It returns what differs, if anything.
func (a *Ask) Other(nodes []*cluster.Node, slow []Verdict) string {
	a.Follow()
	fitting := a.memo.Fitting()
	for i, n := range nodes {
		fits := slow[i].Code == Fits
		if slices.Contains(fitting, n) != fits {
			return fmt.Sprintf("Memory says fits=%t of %s", !fits, n.Name)
		}
		if a.ask.Pin == "" && a.viewed(n) != fits {
			return fmt.Sprintf("View says fits=%t of %s", !fits, n.Name)
		}
		if a.Fits(n) != fits {
			return fmt.Sprintf("Fits says %t of %s", !fits, n.Name)
		}
	}
	return a.recount(nodes)
}

// Follow brings up to date what is remembered.
func (a *Ask) Follow() {
	a.memo.Update(a.s.State, a.ask)
	if a.ask.Pin == "" {
		a.view.Update(a.s.State, a.ask)
	}
}

// viewed answers as the order of nodes does: the class first, then room, then what is left.
func (a *Ask) viewed(n *cluster.Node) bool {
	return !fit.Refused(a.ask) && slices.Contains(a.view.Classes, n.Class) && resource.Fits(a.pod.Shape.Request, n.Used, n.Allocatable) &&
		len(a.pod.Shape.Uncounted) == 0 && a.view.Admits(a.ask, n)
}

// recount compares the counts of reasons that Memory keeps with those of asking every node.
func (a *Ask) recount(nodes []*cluster.Node) string {
	want := map[fit.Reason]int{}
	for _, n := range nodes {
		for _, r := range fit.Why(a.ask, n, nil) {
			want[r]++
		}
	}
	counts := a.memo.Counts()
	for _, c := range counts {
		if want[c.Reason] != c.Nodes {
			return fmt.Sprintf("Memory counts %d nodes with %q, asking each gives %d", c.Nodes, c.Reason, want[c.Reason])
		}
	}
	if len(counts) != len(want) {
		return fmt.Sprintf("Memory counts %d reasons, asking each node gives %d", len(counts), len(want))
	}
	return ""
}
