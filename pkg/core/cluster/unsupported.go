package cluster

import (
	"fmt"
	"slices"

	v1 "k8s.io/api/core/v1"
)

// unsupported lists the fields of a pod that restrict where it may run and that fit does not evaluate. Preferences
// (preferredDuringScheduling…, ScheduleAnyway) restrict nothing and are not listed.
func unsupported(pod *v1.Pod) []string {
	var fields []string
	spec := &pod.Spec
	if len(spec.ResourceClaims) > 0 {
		fields = append(fields, "spec.resourceClaims")
	}
	if spec.SchedulingGroup != nil {
		fields = append(fields, "spec.schedulingGroup")
	}
	return append(fields, needsFeature(spec)...)
}

// needsFeature lists the fields that only nodes which declare a feature for them can run (plugin NodeDeclaredFeatures; the rules are those of
// k8s.io/component-helpers/nodedeclaredfeatures/features).
func needsFeature(spec *v1.PodSpec) (fields []string) {
	if spec.HostNetwork && spec.HostUsers != nil && !*spec.HostUsers {
		fields = append(fields, "spec.hostUsers with spec.hostNetwork")
	}
	look := func(kind string, containers []v1.Container) {
		for i := range containers {
			c := &containers[i]
			if slices.ContainsFunc(c.RestartPolicyRules, func(r v1.ContainerRestartRule) bool {
				return r.Action == v1.ContainerRestartRuleActionRestartAllContainers
			}) {
				fields = append(fields, fmt.Sprintf("spec.%s[%d].restartPolicyRules", kind, i))
			}
			if slices.ContainsFunc(c.VolumeMounts, func(m v1.VolumeMount) bool { return len(m.BindMountOptions) > 0 }) {
				fields = append(fields, fmt.Sprintf("spec.%s[%d].volumeMounts", kind, i))
			}
		}
	}
	look("containers", spec.Containers)
	look("initContainers", spec.InitContainers)
	return fields
}
