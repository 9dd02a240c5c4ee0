package oracle

import (
	appsv1 "k8s.io/api/apps/v1"
	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// imageNames are as nodes tell them; pods may leave out a tag that goes without saying.
var imageNames = []string{"registry/a:latest", "registry/b:1", "registry/c@sha256:0", "registry:5000/d:latest"}

// belongings give a pod images and a controller.
func (g *Generator) belongings(p *v1.Pod) {
	image := func() string {
		return one(g.draw, append(imageNames, "registry/a", "registry:5000/d", "other:1", "")...)
	}
	for i := range p.Spec.Containers {
		if g.chance(g.images) {
			p.Spec.Containers[i].Image = image()
		}
	}
	for i := range p.Spec.InitContainers {
		if g.chance(g.images) {
			p.Spec.InitContainers[i].Image = image()
		}
	}
	if g.chance(10) {
		p.Spec.Volumes = []v1.Volume{{Name: "image", VolumeSource: v1.VolumeSource{Image: &v1.ImageVolumeSource{Reference: image()}}}}
	}
	if g.chance(50) {
		owner := one(g.draw,
			metav1.OwnerReference{APIVersion: "v1", Kind: "ReplicationController"}, metav1.OwnerReference{APIVersion: "apps/v1", Kind: "ReplicaSet"},
			metav1.OwnerReference{APIVersion: "apps/v1", Kind: "StatefulSet"}, metav1.OwnerReference{APIVersion: "batch/v1", Kind: "Job"})
		owner.Name, owner.Controller = one(g.draw, "x", "y"), ref(g.chance(95))
		p.OwnerReferences = []metav1.OwnerReference{owner}
	}
}

// selecting makes an object that selects pods, by whose selector they are spread.
func (g *Generator) selecting() metav1.Object {
	meta := metav1.ObjectMeta{Namespace: one(g.draw, namespaces[:2]...), Name: one(g.draw, "x", "y")}
	labels := g.podLabels()
	delete(labels, "pod-template-hash")
	switch g.IntN(5) {
	case 0:
		return &v1.ReplicationController{ObjectMeta: meta, Spec: v1.ReplicationControllerSpec{Selector: labels}}
	case 1:
		return &appsv1.ReplicaSet{ObjectMeta: meta, Spec: appsv1.ReplicaSetSpec{Selector: g.labelSelector()}}
	case 2:
		return &appsv1.StatefulSet{ObjectMeta: meta, Spec: appsv1.StatefulSetSpec{Selector: g.labelSelector()}}
	}
	return &v1.Service{ObjectMeta: meta, Spec: v1.ServiceSpec{Selector: labels}}
}
