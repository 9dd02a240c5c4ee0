package gang

import (
	"encoding/json"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	v1 "k8s.io/api/core/v1"
	schedulingv1beta1 "k8s.io/api/scheduling/v1beta1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// kindOf is the API group and kind of an object. Objects of Go types have none written in them once they are decoded.
func kindOf(object metav1.Object) (group, kind string) {
	switch o := object.(type) {
	case *schedulingv1beta1.PodGroup:
		return podGroups.Group, podGroups.Kind
	case *v1.ConfigMap:
		return configMaps.Group, configMaps.Kind
	case *appsv1.Deployment:
		return deployments.Group, deployments.Kind
	case *appsv1.StatefulSet:
		return statefulSets.Group, statefulSets.Kind
	case *batchv1.Job:
		return jobs.Group, jobs.Kind
	case *unstructured.Unstructured:
		if o == nil {
			return "", ""
		}
		return groupOf(o.GetAPIVersion()), o.GetKind()
	}
	return "", ""
}

func groupOf(apiVersion string) string {
	group, _, isGroup := strings.Cut(apiVersion, "/")
	if !isGroup {
		return ""
	}
	return group
}

// typed reads an object by its Go type, whichever form it comes in. Of one that does not have that form nothing is told.
func typed[T any, P interface {
	*T
	metav1.Object
}](read func(*Reader, P, *Piece)) func(*Reader, metav1.Object, *Piece) {
	return func(r *Reader, object metav1.Object, into *Piece) {
		if o, ok := object.(P); ok {
			read(r, o, into)
			return
		}
		o := P(new(T))
		if data, err := json.Marshal(content(object)); err == nil && json.Unmarshal(data, o) == nil {
			read(r, o, into)
		}
	}
}
