package cluster

import (
	"fmt"
	"slices"

	v1 "k8s.io/api/core/v1"
)

// unsupported lists the fields of a pod that restrict where it may run and that fit does not evaluate. Preferences
// (preferredDuringScheduling…, ScheduleAnyway) restrict nothing and are not listed; neither are volumes that every node can mount.
func unsupported(pod *v1.Pod) []string {
	var fields []string
	spec := &pod.Spec
	for i := range spec.Volumes {
		if kind := restrictingVolume(&spec.Volumes[i].VolumeSource); kind != "" {
			fields = append(fields, fmt.Sprintf("spec.volumes[%d].%s", i, kind))
		}
	}
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

// restrictingVolume names the kind of a volume that not every node can mount, or that excludes others; empty for the rest.
func restrictingVolume(v *v1.VolumeSource) string {
	switch {
	case v.PersistentVolumeClaim != nil:
		return "persistentVolumeClaim"
	case v.Ephemeral != nil:
		return "ephemeral"
	case v.GCEPersistentDisk != nil:
		return "gcePersistentDisk"
	case v.AWSElasticBlockStore != nil:
		return "awsElasticBlockStore"
	case v.AzureDisk != nil:
		return "azureDisk"
	case v.Cinder != nil:
		return "cinder"
	case v.VsphereVolume != nil:
		return "vsphereVolume"
	case v.PortworxVolume != nil:
		return "portworxVolume"
	case v.RBD != nil:
		return "rbd"
	case v.ISCSI != nil:
		return "iscsi"
	}
	return ""
}
