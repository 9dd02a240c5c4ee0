package flink

import (
	"context"
	"fmt"
	"reflect"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
)

// notYet is what a user reads who changes the template of a running FlinkBlueGreenDeployment.
const notYet = "the simulator runs the blue cluster only: the transition to green after a change of spec.template is not simulated yet; delete and apply the FlinkBlueGreenDeployment to run the new template"

// reconcileBlueGreen makes the blue FlinkDeployment of a FlinkBlueGreenDeployment, owned by it, and mirrors its state.
func (s *Simulator) reconcileBlueGreen(ctx context.Context, name types.NamespacedName) error {
	cr := get(s.watched.blueGreens, name)
	if cr == nil || cr.GetDeletionTimestamp() != nil {
		return nil
	}
	want, err := blue(cr)
	if err != nil {
		return s.patchStatus(ctx, kindBlueGreen, cr, map[string]any{"error": err.Error()})
	}
	is := get(s.watched.clusters, types.NamespacedName{Namespace: want.GetNamespace(), Name: want.GetName()})
	if is == nil {
		_, err := s.dynamic.Resource(deployResource).Namespace(want.GetNamespace()).Create(ctx, want, metav1.CreateOptions{})
		if err != nil && !apierrors.IsAlreadyExists(err) {
			return fmt.Errorf("create FlinkDeployment %s: %w", want.GetName(), err)
		}
		s.log.Info("blue FlinkDeployment created", "name", want.GetName(), "namespace", want.GetNamespace())
		return s.patchStatus(ctx, kindBlueGreen, cr, map[string]any{"blueGreenState": "INITIALIZING_BLUE", "error": nil})
	}
	if !ownedByUID(is, cr.GetUID()) {
		return s.patchStatus(ctx, kindBlueGreen, cr, map[string]any{
			"error": fmt.Sprintf("a FlinkDeployment %q that this object did not make is in the way; delete it", is.GetName()),
		})
	}
	return s.mirror(ctx, cr, is, want)
}

// mirror copies the blue cluster's state, and says so when its template was changed.
func (s *Simulator) mirror(ctx context.Context, cr, is, want *unstructured.Unstructured) error {
	job, _, _ := unstructured.NestedString(is.Object, "status", "jobStatus", "state")
	trouble, _, _ := unstructured.NestedString(is.Object, "status", "error")
	state := "INITIALIZING_BLUE"
	if job == "RUNNING" {
		state = "ACTIVE_BLUE"
	}
	if !reflect.DeepEqual(is.Object["spec"], want.Object["spec"]) {
		s.log.Warn(notYet, "name", cr.GetName(), "namespace", cr.GetNamespace())
		trouble = notYet
	}
	return s.patchStatus(ctx, kindBlueGreen, cr, map[string]any{
		"blueGreenState": state, "error": orNil(trouble), "jobStatus": map[string]any{"state": orNil(job)},
	})
}

// blue is the FlinkDeployment of the blue side.
func blue(cr *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	body, found, err := unstructured.NestedMap(cr.Object, "spec", "template", "spec")
	if err != nil || !found {
		return nil, fmt.Errorf("spec.template.spec: missing; it is the spec of the FlinkDeployments to make")
	}
	labels, _, _ := unstructured.NestedStringMap(cr.Object, "spec", "template", "metadata", "labels")
	yes := true
	d := &unstructured.Unstructured{Object: map[string]any{"spec": body}}
	d.SetGroupVersionKind(deployResource.GroupVersion().WithKind(string(kindDeployment)))
	d.SetNamespace(cr.GetNamespace())
	d.SetName(cr.GetName() + "-blue")
	d.SetLabels(labels)
	d.SetOwnerReferences([]metav1.OwnerReference{{
		APIVersion: cr.GetAPIVersion(), Kind: cr.GetKind(), Name: cr.GetName(), UID: cr.GetUID(),
		Controller: &yes, BlockOwnerDeletion: &yes,
	}})
	return d, nil
}
