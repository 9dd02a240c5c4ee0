package cluster

import (
	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/version"
	features "k8s.io/component-helpers/nodedeclaredfeatures"
)

// target is the version of Kubernetes whose features pods are taken to need; those that every supported node has by then are not asked for.
var target = version.MustParse("1.37.0")

// neededFeatures returns the features that a node must declare to run a pod, sorted. What needs which is known to the upstream library alone.
func neededFeatures(spec *v1.PodSpec) []string {
	f := features.DefaultFramework
	needs, err := f.InferForPodScheduling(&features.PodInfo{Spec: spec}, target)
	if err != nil || needs.IsEmpty() {
		return nil
	}
	names, _ := f.Unmap(needs)
	return names
}

// declaredFeatures returns those of a node's features that a pod may need, sorted.
func declaredFeatures(status *v1.NodeStatus) []string {
	if len(status.DeclaredFeatures) == 0 {
		return nil
	}
	f := features.DefaultFramework
	names, _ := f.Unmap(f.TryMap(status.DeclaredFeatures))
	return names
}
