package spec

import (
	"encoding/json"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

// MainContainer is the container in which Flink runs, in every role and mode. A template's container of this name is
// completed by Flink; all others are sidecars.
const MainContainer = "flink-main-container"

// MergeTemplates lays a role's pod template over the common one, as the operator does: mappings merge field by field
// and the role wins. Lists merge by position unless byName is set (kubernetes.operator.pod-template.merge-arrays-by-name),
// when lists of named things merge by their names. Neither argument is changed; two absent templates give nil.
func MergeTemplates(common, role map[string]any, byName bool) map[string]any {
	switch {
	case common == nil && role == nil:
		return nil
	case role == nil:
		return runtime.DeepCopyJSON(normal(common))
	case common == nil:
		return runtime.DeepCopyJSON(normal(role))
	}
	merged := runtime.DeepCopyJSON(normal(common))
	mergeMap(merged, runtime.DeepCopyJSON(normal(role)), byName)
	return merged
}

func mergeMap(into, from map[string]any, byName bool) {
	for key, value := range from {
		into[key] = mergeValue(into[key], value, byName)
	}
}

func mergeValue(into, from any, byName bool) any {
	switch f := from.(type) {
	case map[string]any:
		if i, ok := into.(map[string]any); ok {
			mergeMap(i, f, byName)
			return i
		}
	case []any:
		if i, ok := into.([]any); ok {
			if byName && allNamed(i) && allNamed(f) {
				return mergeNamed(i, f)
			}
			return mergeByPosition(i, f, byName)
		}
	}
	return from
}

func mergeByPosition(into, from []any, byName bool) []any {
	for i, item := range from {
		if i < len(into) {
			into[i] = mergeValue(into[i], item, byName)
		} else {
			into = append(into, item)
		}
	}
	return into
}

func mergeNamed(into, from []any) []any {
	for _, item := range from {
		name := item.(map[string]any)["name"]
		found := false
		for i := range into {
			if into[i].(map[string]any)["name"] == name {
				into[i], found = mergeValue(into[i], item, true), true
				break
			}
		}
		if !found {
			into = append(into, item)
		}
	}
	return into
}

func allNamed(list []any) bool {
	for _, item := range list {
		m, ok := item.(map[string]any)
		if !ok {
			return false
		}
		if _, ok := m["name"].(string); !ok {
			return false
		}
	}
	return true
}

// normal brings numbers into the two types that DeepCopyJSON knows.
func normal(m map[string]any) map[string]any {
	data, err := json.Marshal(m)
	if err != nil {
		return map[string]any{}
	}
	out := map[string]any{}
	if err := json.Unmarshal(data, &out); err != nil {
		return map[string]any{}
	}
	return out
}

// podOf reads a merged template as a pod. A nil template gives nil.
func podOf(template map[string]any, field string) (*corev1.Pod, error) {
	if template == nil {
		return nil, nil
	}
	data, err := json.Marshal(template)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", field, err)
	}
	pod := &corev1.Pod{}
	if err := json.Unmarshal(data, pod); err != nil {
		return nil, fmt.Errorf("%s: not a pod: %w", field, err)
	}
	return pod, nil
}

// mainContainer returns the template's main container and makes an empty one when there is none.
func mainContainer(pod *corev1.Pod) *corev1.Container {
	for i := range pod.Spec.Containers {
		if pod.Spec.Containers[i].Name == MainContainer {
			return &pod.Spec.Containers[i]
		}
	}
	pod.Spec.Containers = append(pod.Spec.Containers, corev1.Container{Name: MainContainer})
	return &pod.Spec.Containers[len(pod.Spec.Containers)-1]
}
