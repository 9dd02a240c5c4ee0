package sim

import (
	"cmp"
	"maps"
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/sluice-scheduler/sluice/pkg/core"
	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
)

// SetSelector creates or replaces an object that selects pods.
func (c *Cluster) SetSelector(f *cluster.SelectorFact) {
	c.selectors[f.SelectorID] = f
	c.tell(core.SelectorSet{Selector: f})
}

// DeleteSelector deletes one.
func (c *Cluster) DeleteSelector(id cluster.SelectorID) {
	delete(c.selectors, id)
	c.tell(core.SelectorGone{ID: id})
}

func (c *Cluster) relistSelectors() {
	ids := slices.SortedFunc(maps.Keys(c.selectors), func(a, b cluster.SelectorID) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name))
	})
	for _, id := range ids {
		c.tell(core.SelectorSet{Selector: c.selectors[id]})
	}
}

// service makes a Service: service NAME selector=(k=v,…); or deletes it: service NAME gone.
func (s *Script) service(a Args, _ string) error {
	o := &v1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: a.Name}}
	o.Spec.Selector = keyValues(a.Values["selector"])
	s.selector(cluster.ReadService(o), a)
	return nil
}

// replicaSet does the same with a ReplicaSet; its pods name it as their owner.
func (s *Script) replicaSet(a Args, _ string) error {
	o := &appsv1.ReplicaSet{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: a.Name}}
	o.Spec.Selector = &metav1.LabelSelector{MatchLabels: keyValues(a.Values["selector"])}
	s.selector(cluster.ReadReplicaSet(o), a)
	return nil
}

func (s *Script) selector(f *cluster.SelectorFact, a Args) {
	if a.has("gone") {
		s.cluster.DeleteSelector(f.SelectorID)
	} else {
		s.cluster.SetSelector(f)
	}
}
