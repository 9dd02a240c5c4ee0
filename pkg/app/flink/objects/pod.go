package objects

import (
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"

	"github.com/sluice-scheduler/sluice/pkg/app/flink/spec"
)

// Names of the volumes, ports and files that Flink gives its pods.
const (
	configVolume   = "flink-config-volume"
	configDir      = "/opt/flink/conf"
	templateVolume = "pod-template-volume"
	templateDir    = "/opt/flink/pod-template"
	templateFile   = "taskmanager-pod-template.yaml"
	entrypoint     = "/docker-entrypoint.sh"
)

// ConfigMapName is the name of the ConfigMap with a cluster's Flink configuration.
func ConfigMapName(clusterID string) string { return "flink-config-" + clusterID }

// TemplateMapName is the name of the ConfigMap with a cluster's TaskManager pod template.
func TemplateMapName(clusterID string) string { return "pod-template-" + clusterID }

// split takes a copy of a role's template apart: the pod without its main container, and the main container.
func split(role *spec.Role) (*corev1.Pod, corev1.Container) {
	pod := &corev1.Pod{}
	if role.Template != nil {
		pod = role.Template.DeepCopy()
	}
	main := corev1.Container{}
	sidecars := pod.Spec.Containers[:0]
	for _, c := range pod.Spec.Containers {
		if c.Name == spec.MainContainer {
			main = c
		} else {
			sidecars = append(sidecars, c)
		}
	}
	pod.Spec.Containers = sidecars
	return pod, main
}

// build lays Flink's own settings over a role's template and hands the main container to finish; then it joins both.
// Flink overwrites image, command, cpu, memory, service account, DNS policy and restart policy; it adds to labels,
// annotations, selectors, tolerations, ports, environment and volumes; everything else of the template survives.
func build(c *spec.Cluster, role *spec.Role, component string, finish func(*corev1.PodSpec, *corev1.Container)) corev1.PodTemplateSpec {
	pod, main := split(role)
	labels := merged(pod.Labels, role.Labels, c.Labels(component))
	annotations := merged(pod.Annotations, role.Annotations)
	p := &pod.Spec
	p.ServiceAccountName, p.DeprecatedServiceAccount = role.ServiceAccount, role.ServiceAccount
	p.NodeSelector = merged(p.NodeSelector, role.NodeSelector)
	p.Tolerations = append(p.Tolerations, role.Tolerations...)
	p.DNSPolicy = corev1.DNSClusterFirst
	if p.HostNetwork = c.Config["kubernetes.hostnetwork.enabled"] == "true"; p.HostNetwork {
		p.DNSPolicy = corev1.DNSClusterFirstWithHostNet
	}
	for _, secret := range c.Config.List("kubernetes.container.image.pull-secrets") {
		p.ImagePullSecrets = append(p.ImagePullSecrets, corev1.LocalObjectReference{Name: secret})
	}
	main.Name = spec.MainContainer
	main.Image = image(c, main.Image)
	main.ImagePullPolicy = pullPolicy(c)
	main.Resources.Requests = withResources(main.Resources.Requests, role.Requests)
	main.Resources.Limits = withResources(main.Resources.Limits, role.Limits)
	main.Env = append(main.Env, role.Env...)
	finish(p, &main)
	if p.HostNetwork {
		main.Ports = nil // with the host's network Flink declares no ports, so that none can collide
	}
	p.Containers = append(p.Containers, main)
	out := corev1.PodTemplateSpec{Spec: *p}
	out.Labels, out.Annotations = labels, annotations
	return out
}

func image(c *spec.Cluster, template string) string {
	if name, ok := c.Config.Get("kubernetes.container.image.ref", "kubernetes.container.image"); ok {
		return name
	}
	if template != "" {
		return template
	}
	return "apache/flink"
}

func pullPolicy(c *spec.Cluster) corev1.PullPolicy {
	if v, ok := c.Config["kubernetes.container.image.pull-policy"]; ok {
		return corev1.PullPolicy(v)
	}
	return corev1.PullIfNotPresent
}

func withResources(template, flink corev1.ResourceList) corev1.ResourceList {
	out := corev1.ResourceList{}
	maps.Copy(out, template)
	maps.Copy(out, flink)
	return out
}

// merged joins maps, later ones winning; no entries give nil.
func merged(all ...map[string]string) map[string]string {
	out := map[string]string{}
	for _, m := range all {
		maps.Copy(out, m)
	}
	if len(out) == 0 {
		return nil
	}
	return out
}

func fieldEnv(name, path string) corev1.EnvVar {
	return corev1.EnvVar{Name: name, ValueFrom: &corev1.EnvVarSource{
		FieldRef: &corev1.ObjectFieldSelector{APIVersion: "v1", FieldPath: path},
	}}
}

func port(name string, number int32) corev1.ContainerPort {
	return corev1.ContainerPort{Name: name, ContainerPort: number, Protocol: corev1.ProtocolTCP}
}

func mount(p *corev1.PodSpec, main *corev1.Container, name, path, configMap string, items []string) {
	source := &corev1.ConfigMapVolumeSource{LocalObjectReference: corev1.LocalObjectReference{Name: configMap}}
	for _, key := range items {
		source.Items = append(source.Items, corev1.KeyToPath{Key: key, Path: key})
	}
	p.Volumes = append(p.Volumes, corev1.Volume{Name: name, VolumeSource: corev1.VolumeSource{ConfigMap: source}})
	main.VolumeMounts = append(main.VolumeMounts, corev1.VolumeMount{Name: name, MountPath: path})
}

// mountConfig mounts the cluster's configuration, log settings first as Flink lists them.
func mountConfig(c *spec.Cluster, p *corev1.PodSpec, main *corev1.Container) {
	files := slices.Sorted(maps.Keys(c.LogFiles))
	slices.Reverse(files)
	mount(p, main, configVolume, configDir, ConfigMapName(c.ID), append(files, configFile(c)))
}
