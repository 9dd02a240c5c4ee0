package cluster

import (
	appsv1 "k8s.io/api/apps/v1"
	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
)

// SelectorKind is a kind of object that selects pods.
type SelectorKind uint8

// The kinds by whose selectors pods are spread that do not say how themselves.
const (
	_ SelectorKind = iota
	Service
	ReplicationController
	ReplicaSet
	StatefulSet
)

// SelectorID names an object that selects pods of its namespace.
type SelectorID struct {
	Kind            SelectorKind
	Namespace, Name string
}

// SelectorFact is what the scheduler keeps of an object that selects pods. It is immutable once made.
type SelectorFact struct {
	SelectorID
	ResourceVersion string
	// Labels are those that a pod must have, of a Service or ReplicationController; none select nothing.
	Labels labels.Set
	// Requirements are those of a ReplicaSet or StatefulSet.
	Requirements labels.Requirements
}

// ReadService makes the fact of a Service.
func ReadService(o *v1.Service) *SelectorFact {
	return &SelectorFact{SelectorID{Service, o.Namespace, o.Name}, o.ResourceVersion, o.Spec.Selector, nil}
}

// ReadReplicationController makes the fact of a ReplicationController.
func ReadReplicationController(o *v1.ReplicationController) *SelectorFact {
	return &SelectorFact{SelectorID{ReplicationController, o.Namespace, o.Name}, o.ResourceVersion, o.Spec.Selector, nil}
}

// ReadReplicaSet makes the fact of a ReplicaSet.
func ReadReplicaSet(o *appsv1.ReplicaSet) *SelectorFact {
	return &SelectorFact{SelectorID{ReplicaSet, o.Namespace, o.Name}, o.ResourceVersion, nil, requirements(o.Spec.Selector)}
}

// ReadStatefulSet makes the fact of a StatefulSet.
func ReadStatefulSet(o *appsv1.StatefulSet) *SelectorFact {
	return &SelectorFact{SelectorID{StatefulSet, o.Namespace, o.Name}, o.ResourceVersion, nil, requirements(o.Spec.Selector)}
}

// requirements reads a selector. One that cannot be read adds nothing, as in the default scheduler.
func requirements(s *metav1.LabelSelector) labels.Requirements {
	selector, err := metav1.LabelSelectorAsSelector(s)
	if err != nil {
		return nil
	}
	list, _ := selector.Requirements()
	return list
}

// ownerOf names the controller of a pod, if it is of a kind that spreads its pods.
func ownerOf(pod *v1.Pod) SelectorID {
	owner := metav1.GetControllerOfNoCopy(pod)
	if owner == nil {
		return SelectorID{}
	}
	kinds := map[string]SelectorKind{
		"v1/ReplicationController": ReplicationController,
		"apps/v1/ReplicaSet":       ReplicaSet,
		"apps/v1/StatefulSet":      StatefulSet,
	}
	kind, ok := kinds[owner.APIVersion+"/"+owner.Kind]
	if !ok {
		return SelectorID{}
	}
	return SelectorID{kind, pod.Namespace, owner.Name}
}

// spreading are the objects that select pods of one namespace.
type spreading struct {
	services map[string]*SelectorFact
	// owners are those of the other kinds.
	owners map[SelectorID]*SelectorFact
	// version changes with every change.
	version uint64
}

// SetSelector takes in the newest fact of an object that selects pods.
func (s *State) SetSelector(f *SelectorFact) {
	in := s.spreads[f.Namespace]
	if in == nil {
		in = &spreading{services: map[string]*SelectorFact{}, owners: map[SelectorID]*SelectorFact{}}
		s.spreads[f.Namespace] = in
	}
	s.spreadVersion++
	in.version = s.spreadVersion
	if f.Kind == Service {
		in.services[f.Name] = f
	} else {
		in.owners[f.SelectorID] = f
	}
}

// RemoveSelector forgets an object that selected pods.
func (s *State) RemoveSelector(id SelectorID) {
	in := s.spreads[id.Namespace]
	if in == nil {
		return
	}
	s.spreadVersion++
	in.version = s.spreadVersion
	if id.Kind == Service {
		delete(in.services, id.Name)
	} else {
		delete(in.owners, id)
	}
	if len(in.services)+len(in.owners) == 0 {
		delete(s.spreads, id.Namespace)
	}
}

// SpreadBy returns by which selector pods of a namespace, labels and owner are spread when they do not say how themselves: what the Services that select them ask
// for, and their owner. An empty one does not spread.
func (s *State) SpreadBy(namespace string, of labels.Labels, owner SelectorID) labels.Selector {
	in := s.spreads[namespace]
	if in == nil {
		return labels.NewSelector()
	}
	all := labels.Set{}
	for _, f := range in.services {
		if f.selects(of) {
			all = labels.Merge(all, f.Labels)
		}
	}
	f := in.owners[owner]
	if f == nil {
		return all.AsSelector()
	}
	return labels.Merge(all, f.Labels).AsSelector().Add(f.Requirements...)
}

// selects reports whether a Service selects pods of the labels. One without a selector selects none.
func (f *SelectorFact) selects(of labels.Labels) bool {
	for k, v := range f.Labels {
		if have, ok := of.Lookup(k); !ok || have != v {
			return false
		}
	}
	return len(f.Labels) > 0
}
