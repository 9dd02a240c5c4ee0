package flink

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic/dynamicinformer"
	"k8s.io/client-go/informers"
	appslisters "k8s.io/client-go/listers/apps/v1"
	corelisters "k8s.io/client-go/listers/core/v1"
	"k8s.io/client-go/tools/cache"

	"github.com/sluice-scheduler/sluice/pkg/app/flink/spec"
)

// kind says which reconciler a key goes to.
type kind string

const (
	kindDeployment kind = "FlinkDeployment"
	kindSessionJob kind = "FlinkSessionJob"
	kindBlueGreen  kind = "FlinkBlueGreenDeployment"
)

// key is one object to look at.
type key struct {
	kind kind
	types.NamespacedName
}

func (k key) String() string { return string(k.kind) + " " + k.NamespacedName.String() }

// watched is what the simulator sees of the cluster, kept up to date by informers.
type watched struct {
	deployments appslisters.DeploymentLister
	pods        corelisters.PodLister
	clusters    cache.GenericLister // FlinkDeployments
	sessionJobs cache.GenericLister
	blueGreens  cache.GenericLister
}

// watch starts the informers and routes every change to the key that it concerns.
func (s *Simulator) watch(ctx context.Context) ([]cache.InformerSynced, error) {
	ours := fmt.Sprintf("%s in (%s,%s)", spec.LabelType, spec.TypeNative, spec.TypeStandalone)
	typed := informers.NewSharedInformerFactoryWithOptions(s.kube, 0,
		informers.WithNamespace(s.options.Namespace),
		informers.WithTransform(trim),
		informers.WithTweakListOptions(func(o *metav1.ListOptions) { o.LabelSelector = ours }))
	untyped := dynamicinformer.NewFilteredDynamicSharedInformerFactory(s.dynamic, 0, s.options.Namespace, nil)

	s.watched = watched{
		deployments: typed.Apps().V1().Deployments().Lister(),
		pods:        typed.Core().V1().Pods().Lister(),
		clusters:    untyped.ForResource(deployResource).Lister(),
		sessionJobs: untyped.ForResource(sessionResource).Lister(),
		blueGreens:  untyped.ForResource(blueGreenResource).Lister(),
	}
	var synced []cache.InformerSynced
	for _, r := range []struct {
		informer cache.SharedIndexInformer
		route    func(metav1.Object)
	}{
		{typed.Apps().V1().Deployments().Informer(), s.routeOwned},
		{typed.Core().V1().Pods().Informer(), s.routeOwned},
		{untyped.ForResource(deployResource).Informer(), s.routeDeployment},
		{untyped.ForResource(sessionResource).Informer(), s.routeSessionJob},
		{untyped.ForResource(blueGreenResource).Informer(), s.routeBlueGreen},
	} {
		registration, err := r.informer.AddEventHandler(handler(r.route))
		if err != nil {
			return nil, fmt.Errorf("watch: %w", err)
		}
		synced = append(synced, registration.HasSynced)
	}
	typed.Start(ctx.Done())
	untyped.Start(ctx.Done())
	return synced, nil
}

// handler sends additions, changes and deletions alike to one route: reconciling looks at the state, not the event.
func handler(route func(metav1.Object)) cache.ResourceEventHandler {
	send := func(o any) {
		if gone, ok := o.(cache.DeletedFinalStateUnknown); ok {
			o = gone.Obj
		}
		if m, err := meta.Accessor(o); err == nil {
			route(m)
		}
	}
	return cache.ResourceEventHandlerFuncs{AddFunc: send, UpdateFunc: func(was, is any) { send(was); send(is) }, DeleteFunc: send}
}

// trim drops what the simulator never reads, which keeps thousands of pods small.
func trim(o any) (any, error) {
	if m, err := meta.Accessor(o); err == nil {
		m.SetManagedFields(nil)
	}
	if pod, ok := o.(*corev1.Pod); ok {
		pod.Spec = corev1.PodSpec{NodeName: pod.Spec.NodeName}
	}
	return o, nil
}

func (s *Simulator) add(k kind, namespace, name string) {
	s.queue.Add(key{kind: k, NamespacedName: types.NamespacedName{Namespace: namespace, Name: name}})
}

// gather is how long changes of a cluster's pods are gathered: a thousand pods that start together are looked at a few
// times, not a thousand times.
const gather = 5 * time.Millisecond

// routeOwned finds the cluster of a Deployment or pod by its label, as Flink does.
func (s *Simulator) routeOwned(o metav1.Object) {
	if id := o.GetLabels()[spec.LabelApp]; id != "" {
		name := types.NamespacedName{Namespace: o.GetNamespace(), Name: id}
		s.queue.AddAfter(key{kind: kindDeployment, NamespacedName: name}, gather)
	}
}

func (s *Simulator) routeDeployment(o metav1.Object) {
	s.add(kindDeployment, o.GetNamespace(), o.GetName())
	for _, ref := range o.GetOwnerReferences() {
		if ref.Kind == string(kindBlueGreen) {
			s.add(kindBlueGreen, o.GetNamespace(), ref.Name)
		}
	}
	for _, sj := range s.sessionJobsOf(o.GetNamespace(), o.GetName()) {
		s.add(kindSessionJob, sj.Namespace, sj.Name)
	}
}

func (s *Simulator) routeSessionJob(o metav1.Object) {
	s.add(kindSessionJob, o.GetNamespace(), o.GetName())
	if u, ok := o.(*unstructured.Unstructured); ok {
		if name, _, _ := unstructured.NestedString(u.Object, "spec", "deploymentName"); name != "" {
			s.add(kindDeployment, o.GetNamespace(), name)
		}
	}
}

func (s *Simulator) routeBlueGreen(o metav1.Object) {
	s.add(kindBlueGreen, o.GetNamespace(), o.GetName())
}

// get reads one of the three custom kinds; nil when it does not exist. The caller must not change it.
func get(l cache.GenericLister, name types.NamespacedName) *unstructured.Unstructured {
	o, err := l.ByNamespace(name.Namespace).Get(name.Name)
	if err != nil {
		return nil
	}
	u, _ := o.(*unstructured.Unstructured)
	return u
}

// sessionJobsOf lists the valid FlinkSessionJobs of a session cluster.
func (s *Simulator) sessionJobsOf(namespace, deployment string) []*spec.SessionJob {
	all, err := s.watched.sessionJobs.ByNamespace(namespace).List(labels.Everything())
	if err != nil {
		return nil
	}
	var out []*spec.SessionJob
	for _, o := range all {
		u, ok := o.(*unstructured.Unstructured)
		if !ok || u.GetDeletionTimestamp() != nil {
			continue
		}
		if j, err := spec.DecodeSessionJob(u); err == nil && j.Deployment == deployment {
			out = append(out, j)
		}
	}
	return out
}

// resourceOf is where objects of a kind live in the API.
func resourceOf(k kind) schema.GroupVersionResource {
	switch k {
	case kindSessionJob:
		return sessionResource
	case kindBlueGreen:
		return blueGreenResource
	default:
		return deployResource
	}
}
