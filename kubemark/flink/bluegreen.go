package flink

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"github.com/sluice-scheduler/sluice/pkg/app/flink/spec"
)

// colour is one of the two sides of a FlinkBlueGreenDeployment.
type colour string

const (
	blue  colour = "blue"
	green colour = "green"
)

func (c colour) other() colour {
	if c == blue {
		return green
	}
	return blue
}

// The states of a FlinkBlueGreenDeployment, with the colour appended, as its status has them:
//
//	INITIALIZING_BLUE ──blue runs──▶ ACTIVE_BLUE ──template changed──▶ TRANSITIONING_TO_GREEN ──green runs──▶ ACTIVE_GREEN ─ ─ (and back)
//	                                      ▲                                   │
//	                                      └──────── green does not run in time┘
//
// While it is in transition both clusters run, so it needs twice the room.
const (
	initializing  = "INITIALIZING_"
	active        = "ACTIVE_"
	transitioning = "TRANSITIONING_TO_"
)

// aborting begins what is said when a new colour has been given up.
const aborting = "Aborting deployment"

// sides is a FlinkBlueGreenDeployment as it is.
type sides struct {
	cr       *unstructured.Unstructured
	state    string // without the colour
	colour   colour // the one that the state names
	template string // of which generation of the template that colour is
	want     string // the template now
	status   map[string]any
}

func sidesOf(cr *unstructured.Unstructured) (*sides, error) {
	s := &sides{cr: cr, colour: blue, status: map[string]any{}}
	text, _, _ := unstructured.NestedString(cr.Object, "status", "blueGreenState")
	for _, state := range []string{initializing, active, transitioning} {
		if rest, ok := strings.CutPrefix(text, state); ok {
			s.state, s.colour = state, colour(strings.ToLower(rest))
		}
	}
	s.template, _, _ = unstructured.NestedString(cr.Object, "status", "lastReconciledSpec")
	template, _, err := unstructured.NestedMap(cr.Object, "spec", "template")
	if err != nil {
		return nil, fmt.Errorf("spec.template: %w", err)
	}
	data, err := json.Marshal(template)
	s.want = string(data)
	return s, err
}

// become notes the next state.
func (s *sides) become(state string, c colour) {
	s.state, s.colour = state, c
	s.status["blueGreenState"] = state + strings.ToUpper(string(c))
}

// reconcileBlueGreen brings a FlinkBlueGreenDeployment a step on: it makes the FlinkDeployments of its colours, deletes the one that is no longer wanted,
// and mirrors the state of the one that counts.
func (s *Simulator) reconcileBlueGreen(ctx context.Context, name types.NamespacedName) (time.Duration, error) {
	cr := get(s.watched.blueGreens, name)
	if cr == nil || cr.GetDeletionTimestamp() != nil {
		return 0, nil
	}
	bg, err := sidesOf(cr)
	if err == nil {
		_, err = side(cr, blue)
	}
	if err != nil {
		return 0, s.patchStatus(ctx, kindBlueGreen, cr, map[string]any{"error": err.Error()})
	}
	again, err := s.stepBlueGreen(ctx, bg)
	if err != nil {
		return 0, err
	}
	return again, s.patchStatus(ctx, kindBlueGreen, cr, bg.status)
}

func (s *Simulator) stepBlueGreen(ctx context.Context, bg *sides) (again time.Duration, err error) {
	changed := bg.template != bg.want
	switch {
	case bg.state == "":
		bg.become(initializing, blue)
	case bg.state == active && changed:
		bg.become(transitioning, bg.colour.other())
		s.log.Info("template changed: both colours run", "name", bg.cr.GetName(), "next", bg.colour)
	}
	if bg.state == transitioning && changed {
		bg.status["abortTimestamp"] = s.now().Add(s.setting(bg.cr, "abort.grace-period", 10*time.Minute)).Format(time.RFC3339Nano)
		bg.status["deploymentReadyTimestamp"] = nil
	}
	is, err := s.ensureSide(ctx, bg, changed)
	if err != nil || is == nil {
		return 0, err
	}
	bg.status["lastReconciledSpec"] = bg.want
	s.mirror(bg, is)
	switch bg.state {
	case initializing:
		if runs(is) {
			bg.become(active, bg.colour)
		}
	case transitioning:
		return s.transition(ctx, bg, runs(is))
	}
	return 0, nil
}

// runs says whether the job of a FlinkDeployment's present generation runs.
func runs(cluster *unstructured.Unstructured) bool {
	observed, _, _ := unstructured.NestedInt64(cluster.Object, "status", "observedGeneration")
	return jobState(cluster) == "RUNNING" && observed == cluster.GetGeneration()
}

// ensureSide makes the FlinkDeployment of the colour that the state names, or brings it to the present template. It returns nil while somebody else's is in the way.
func (s *Simulator) ensureSide(ctx context.Context, bg *sides, changed bool) (*unstructured.Unstructured, error) {
	want, err := side(bg.cr, bg.colour)
	if err != nil {
		return nil, err
	}
	clusters := s.dynamic.Resource(deployResource).Namespace(want.GetNamespace())
	is := get(s.watched.clusters, types.NamespacedName{Namespace: want.GetNamespace(), Name: want.GetName()})
	switch {
	case is == nil:
		s.log.Info("FlinkDeployment created", "name", want.GetName(), "namespace", want.GetNamespace())
		is, err = clusters.Create(ctx, want, metav1.CreateOptions{})
		if apierrors.IsAlreadyExists(err) { // the informer lags
			is, err = clusters.Get(ctx, want.GetName(), metav1.GetOptions{})
		}
	case !ownedByUID(is, bg.cr.GetUID()):
		bg.status = map[string]any{"error": fmt.Sprintf("a FlinkDeployment %q that this object did not make is in the way; delete it", is.GetName())}
		return nil, nil
	case changed && !reflect.DeepEqual(is.Object["spec"], want.Object["spec"]):
		next := is.DeepCopy()
		next.Object["spec"] = want.Object["spec"]
		is, err = clusters.Update(ctx, next, metav1.UpdateOptions{})
	}
	if err != nil {
		return nil, fmt.Errorf("make FlinkDeployment %s: %w", want.GetName(), err)
	}
	return is, nil
}

// transition ends when the new colour has run for the deletion delay: the old one is deleted. If it does not run in time it is suspended, and the old one stays.
func (s *Simulator) transition(ctx context.Context, bg *sides, there bool) (time.Duration, error) {
	now := s.now()
	if !there {
		left := bg.time("abortTimestamp").Sub(now)
		if left > 0 {
			return left, nil
		}
		return 0, s.abort(ctx, bg)
	}
	since := bg.time("deploymentReadyTimestamp")
	if since.IsZero() {
		since = now
		bg.status["deploymentReadyTimestamp"] = now.Format(time.RFC3339Nano)
	}
	if left := since.Add(s.setting(bg.cr, "deployment-deletion.delay", 0)).Sub(now); left > 0 {
		return left, nil
	}
	old := bg.cr.GetName() + "-" + string(bg.colour.other())
	err := s.dynamic.Resource(deployResource).Namespace(bg.cr.GetNamespace()).Delete(ctx, old, metav1.DeleteOptions{})
	if err != nil && !apierrors.IsNotFound(err) {
		return 0, fmt.Errorf("delete FlinkDeployment %s: %w", old, err)
	}
	bg.become(active, bg.colour)
	return 0, nil
}

// abort gives the new colour up.
func (s *Simulator) abort(ctx context.Context, bg *sides) error {
	name := bg.cr.GetName() + "-" + string(bg.colour)
	patch := []byte(`{"spec":{"job":{"state":"suspended"}}}`)
	_, err := s.dynamic.Resource(deployResource).Namespace(bg.cr.GetNamespace()).
		Patch(ctx, name, types.MergePatchType, patch, metav1.PatchOptions{})
	if err != nil && !apierrors.IsNotFound(err) {
		return fmt.Errorf("suspend FlinkDeployment %s: %w", name, err)
	}
	s.log.Warn("the new colour did not run in time and was suspended", "name", name, "namespace", bg.cr.GetNamespace())
	bg.status["error"] = fmt.Sprintf(aborting+" %q: it did not run in time; %s goes on", name, bg.colour.other())
	bg.become(active, bg.colour.other())
	return nil
}

// mirror copies the state of the colour that counts.
func (s *Simulator) mirror(bg *sides, is *unstructured.Unstructured) {
	trouble, _, _ := unstructured.NestedString(is.Object, "status", "error")
	said, _, _ := unstructured.NestedString(bg.cr.Object, "status", "error")
	if bg.state == active && trouble == "" && strings.HasPrefix(said, aborting) { // it stays until the next change
		trouble = said
	}
	bg.status["error"] = orNil(trouble)
	bg.status["jobStatus"] = map[string]any{"state": orNil(jobState(is))}
}

// time reads a time of the status, the new one if it has just been set.
func (s *sides) time(field string) time.Time {
	text, set := s.status[field].(string)
	if !set {
		text, _, _ = unstructured.NestedString(s.cr.Object, "status", field)
	}
	at, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return time.Time{}
	}
	return at
}

// setting reads a duration of the operator's options, as fast as the clocks run.
func (s *Simulator) setting(cr *unstructured.Unstructured, key string, unset time.Duration) time.Duration {
	body, _, _ := unstructured.NestedMap(cr.Object, "spec", "configuration")
	config, err := spec.Flatten(body)
	d := unset
	if err == nil {
		if given, err := config.Duration(unset, "kubernetes.operator.bluegreen."+key); err == nil {
			d = given
		}
	}
	return time.Duration(float64(d) / s.options.Pace)
}

func jobState(cluster *unstructured.Unstructured) string {
	state, _, _ := unstructured.NestedString(cluster.Object, "status", "jobStatus", "state")
	return state
}

// side is the FlinkDeployment of one colour.
func side(cr *unstructured.Unstructured, c colour) (*unstructured.Unstructured, error) {
	body, found, err := unstructured.NestedMap(cr.Object, "spec", "template", "spec")
	if err != nil || !found {
		return nil, fmt.Errorf("spec.template.spec: missing; it is the spec of the FlinkDeployments to make")
	}
	labels, _, _ := unstructured.NestedStringMap(cr.Object, "spec", "template", "metadata", "labels")
	annotations, _, _ := unstructured.NestedStringMap(cr.Object, "spec", "template", "metadata", "annotations")
	yes := true
	d := &unstructured.Unstructured{Object: map[string]any{"spec": body}}
	d.SetGroupVersionKind(deployResource.GroupVersion().WithKind(string(kindDeployment)))
	d.SetNamespace(cr.GetNamespace())
	d.SetName(cr.GetName() + "-" + string(c))
	d.SetLabels(maps.Clone(labels))
	d.SetAnnotations(maps.Clone(annotations))
	d.SetOwnerReferences([]metav1.OwnerReference{{
		APIVersion: cr.GetAPIVersion(), Kind: cr.GetKind(), Name: cr.GetName(), UID: cr.GetUID(),
		Controller: &yes, BlockOwnerDeletion: &yes,
	}})
	return d, nil
}
