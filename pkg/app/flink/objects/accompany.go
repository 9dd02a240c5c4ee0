package objects

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"sigs.k8s.io/yaml"

	"github.com/sluice-scheduler/sluice/pkg/app/flink/spec"
)

// ConfigMaps are the cluster's configuration and, for native clusters whose manifest has a TaskManager template, that
// template. They are created after the Deployment, because they are owned by it. A pod template that cannot be
// written as YAML is the only error.
func ConfigMaps(c *spec.Cluster, owner *appsv1.Deployment) ([]*corev1.ConfigMap, error) {
	conf, err := configData(c)
	if err != nil {
		return nil, err
	}
	data := map[string]string{configFile(c): conf}
	maps.Copy(data, c.LogFiles)
	out := []*corev1.ConfigMap{configMap(c, owner, ConfigMapName(c.ID), data)}
	if c.Mode == spec.Native && c.TaskManager.Template != nil {
		text, err := templateYAML(c.TaskManager.Template)
		if err != nil {
			return nil, err
		}
		out = append(out, configMap(c, owner, TemplateMapName(c.ID), map[string]string{templateFile: text}))
	}
	return out, nil
}

func configMap(c *spec.Cluster, owner *appsv1.Deployment, name string, data map[string]string) *corev1.ConfigMap {
	return &corev1.ConfigMap{
		TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "ConfigMap"},
		ObjectMeta: metav1.ObjectMeta{
			Name: name, Namespace: c.Namespace, Labels: c.Labels(""),
			OwnerReferences: []metav1.OwnerReference{ownedBy(owner)},
		},
		Data: data,
	}
}

// Services are the two Services of a cluster: the headless one through which TaskManagers find the JobManager, and
// the one of its REST interface. Like the ConfigMaps they are created after the Deployment.
func Services(c *spec.Cluster, owner *appsv1.Deployment) []*corev1.Service {
	internal := service(c, owner, c.ID)
	internal.Spec.ClusterIP = corev1.ClusterIPNone
	internal.Spec.Ports = []corev1.ServicePort{
		{Name: "jobmanager-rpc", Port: 6123, TargetPort: intstr.FromInt32(6123)},
		{Name: "blobserver", Port: 6124, TargetPort: intstr.FromInt32(6124)},
	}
	rest := service(c, owner, c.ID+"-rest")
	rest.Spec.Type = corev1.ServiceType(c.Config["kubernetes.rest-service.exposed.type"])
	if rest.Spec.Type != corev1.ServiceTypeNodePort && rest.Spec.Type != corev1.ServiceTypeLoadBalancer {
		rest.Spec.Type = corev1.ServiceTypeClusterIP
	}
	rest.Spec.Ports = []corev1.ServicePort{{Name: "rest", Port: restPort(c), TargetPort: intstr.FromInt32(restPort(c))}}
	return []*corev1.Service{internal, rest}
}

func service(c *spec.Cluster, owner *appsv1.Deployment, name string) *corev1.Service {
	return &corev1.Service{
		TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Service"},
		ObjectMeta: metav1.ObjectMeta{
			Name: name, Namespace: c.Namespace, Labels: c.Labels(""),
			OwnerReferences: []metav1.OwnerReference{ownedBy(owner)},
		},
		Spec: corev1.ServiceSpec{Selector: c.Labels(spec.ComponentJobManager)},
	}
}

func configFile(c *spec.Cluster) string {
	if c.StandardYAML() {
		return "config.yaml"
	}
	return "flink-conf.yaml"
}

// notForTheCluster are options of the client that Flink removes before it writes the cluster's configuration.
var notForTheCluster = []string{
	"kubernetes.config.file", "$internal.deployment.config-dir", "rest.bind-address",
	"jobmanager.bind-host", "taskmanager.bind-host", "taskmanager.host",
}

// configData writes the configuration: one "key: value" line each for Flink 1, nested YAML for Flink 2.
func configData(c *spec.Cluster) (string, error) {
	conf := maps.Clone(c.Config)
	for _, key := range notForTheCluster {
		delete(conf, key)
	}
	if c.StandardYAML() {
		data, err := yaml.Marshal(nest(conf))
		if err != nil {
			return "", fmt.Errorf("write config.yaml: %w", err)
		}
		return string(data), nil
	}
	var b bytes.Buffer
	for _, key := range slices.Sorted(maps.Keys(conf)) {
		fmt.Fprintf(&b, "%s: %s\n", key, strings.ReplaceAll(conf[key], "\n", " "))
	}
	return b.String(), nil
}

// nest turns dotted keys into mappings. Overlapping keys were refused when the manifest was resolved.
func nest(conf spec.Config) map[string]any {
	root := map[string]any{}
	for _, key := range slices.Sorted(maps.Keys(conf)) {
		parts, at := strings.Split(key, "."), root
		for _, part := range parts[:len(parts)-1] {
			next, ok := at[part].(map[string]any)
			if !ok {
				next = map[string]any{}
				at[part] = next
			}
			at = next
		}
		at[parts[len(parts)-1]] = conf[key]
	}
	return root
}

// templateYAML writes the TaskManager template as the JobManager reads it.
func templateYAML(template *corev1.Pod) (string, error) {
	pod := template.DeepCopy()
	pod.TypeMeta = metav1.TypeMeta{APIVersion: "v1", Kind: "Pod"}
	if pod.Spec.Containers == nil {
		pod.Spec.Containers = []corev1.Container{}
	}
	data, err := yaml.Marshal(struct {
		metav1.TypeMeta `json:",inline"`
		Metadata        metav1.ObjectMeta `json:"metadata,omitzero"`
		Spec            corev1.PodSpec    `json:"spec"`
	}{pod.TypeMeta, pod.ObjectMeta, pod.Spec})
	if err != nil {
		return "", fmt.Errorf("write pod template: %w", err)
	}
	return string(data), nil
}
