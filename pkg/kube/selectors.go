package kube

import (
	"context"
	"reflect"

	appsv1 "k8s.io/api/apps/v1"
	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/sluice-scheduler/sluice/pkg/core"
	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
)

// selectors are the objects of one kind that select pods.
type selectors struct {
	reader *reader
	fact   func(object any) *cluster.SelectorFact
}

func (s selectors) read(object any) (key, *cluster.SelectorFact) {
	f := s.reader.selector(object, s.fact)
	return key{f.Namespace, f.Name}, f
}

func (selectors) set(old **cluster.SelectorFact, fact *cluster.SelectorFact) []core.Event {
	if old != nil && sameSelector(*old, fact) {
		return nil
	}
	return []core.Event{core.SelectorSet{Selector: fact}}
}

func (selectors) gone(fact *cluster.SelectorFact, _ any) []core.Event {
	return []core.Event{core.SelectorGone{ID: fact.SelectorID}}
}

// sameSelector reports whether two facts of one object tell the same, as when only its status has changed.
func sameSelector(a, b *cluster.SelectorFact) bool {
	x, y := *a, *b
	x.ResourceVersion, y.ResourceVersion = "", ""
	return reflect.DeepEqual(x, y)
}

// selecting are the kinds of objects by whose selectors pods are spread.
var selecting = []tracked[*cluster.SelectorFact]{
	{
		"services", func() runtime.Object { return &v1.Service{} }, func() runtime.Object { return &v1.ServiceList{} },
		selectors{fact: func(o any) *cluster.SelectorFact { return cluster.ReadService(o.(*v1.Service)) }},
	},
	{
		"replicationcontrollers", func() runtime.Object { return &v1.ReplicationController{} }, func() runtime.Object { return &v1.ReplicationControllerList{} },
		selectors{fact: func(o any) *cluster.SelectorFact {
			return cluster.ReadReplicationController(o.(*v1.ReplicationController))
		}},
	},
	{
		"replicasets", func() runtime.Object { return &appsv1.ReplicaSet{} }, func() runtime.Object { return &appsv1.ReplicaSetList{} },
		selectors{fact: func(o any) *cluster.SelectorFact { return cluster.ReadReplicaSet(o.(*appsv1.ReplicaSet)) }},
	},
	{
		"statefulsets", func() runtime.Object { return &appsv1.StatefulSet{} }, func() runtime.Object { return &appsv1.StatefulSetList{} },
		selectors{fact: func(o any) *cluster.SelectorFact { return cluster.ReadStatefulSet(o.(*appsv1.StatefulSet)) }},
	},
}

// trackSelectors watches all of them.
func (w *Watch) trackSelectors(ctx context.Context, start func(func())) {
	for _, t := range selecting {
		t.kind = selectors{w.reader, t.kind.(selectors).fact}
		start(func() { track(ctx, w, t) })
	}
}

// inApps reports whether a resource is of the API group apps.
func inApps(resource string) bool { return resource == "replicasets" || resource == "statefulsets" }
