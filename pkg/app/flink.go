package app

import (
	"regexp"
	"slices"
	"strings"
)

// Roles of Flink's pods: the values of its label component.
const (
	JobManager  = "jobmanager"
	TaskManager = "taskmanager"
)

// flinkLabelled is a Flink cluster that Flink itself or its operator made: the label type says so, and app is the cluster's id on
// JobManager and TaskManagers alike, whoever owns them (in a native cluster a ReplicaSet owns the one, the Deployment the others).
func flinkLabelled(m *marks) (id, from string) {
	switch m.pod.Labels["type"] {
	case "flink-native-kubernetes", "flink-standalone-kubernetes":
		if cluster, from := m.label("app"); cluster != "" {
			return flinkGroup + cluster, from + " of a Flink cluster"
		}
	}
	return "", ""
}

// flinkPlain is a Flink cluster of manifests as Flink's documentation has them. Their label app is the same for all clusters of a namespace, so
// the cluster is told by what remains of its owner's name without the component (orders-jobmanager, orders-taskmanager: orders), else by
// what its ConfigMap is named after, else by its owner's name.
func flinkPlain(m *marks) (id, from string) {
	component := flinkComponent(m)
	if component == "" {
		return "", ""
	}
	o := root(m)
	from = "owner " + o.kind + " " + o.name
	if o.name == "" {
		o.name, from = m.tame(m.pod.Name, "the pod's name"), "the pod's name"
	}
	stem, named := withoutComponent(o.name, component)
	config, volume := flinkConfig(m)
	switch {
	case named && stem != "":
	case config != "":
		stem, from = config, "ConfigMap "+volume
	case named:
		stem, from = nameless, from+", named after its component alone"
	}
	return plainPrefix + stem, from + ", of a Flink cluster"
}

const (
	// plainPrefix begins the ids of clusters of plain manifests. It is not that of labelled clusters, whose id could be another's stem.
	plainPrefix = "flink-standalone/"
	// nameless is a cluster whose owners are called jobmanager and taskmanager; no cluster has that name.
	nameless = "(nameless)"
)

// flinkComponent is the role of a Flink pod, empty for other pods.
func flinkComponent(m *marks) string {
	for _, name := range [...]string{"component", "app.kubernetes.io/component"} {
		if c := m.pod.Labels[name]; c == JobManager || c == TaskManager {
			return c
		}
	}
	return ""
}

// withoutComponent cuts from a name the word that tells the component, and says whether there was one.
func withoutComponent(name, component string) (stem string, cut bool) {
	words := strings.Split(name, "-")
	for _, word := range [...]string{component, map[string]string{JobManager: "jm", TaskManager: "tm"}[component]} {
		for i := len(words) - 1; i >= 0; i-- {
			if words[i] == word {
				return strings.Join(slices.Delete(words, i, i+1), "-"), true
			}
		}
	}
	return name, false
}

// flinkConfig is what the pod's Flink ConfigMap is named after, and its name: orders of flink-config-orders, nothing of flink-config.
func flinkConfig(m *marks) (stem, name string) {
	for i := range m.pod.Spec.Volumes {
		v := &m.pod.Spec.Volumes[i]
		if v.ConfigMap == nil || v.Name != "flink-config-volume" && !strings.Contains(v.ConfigMap.Name, "flink") {
			continue
		}
		name = m.tame(v.ConfigMap.Name, "the name of a ConfigMap")
		words := strings.Split(hashed.ReplaceAllString(name, ""), "-")
		return strings.Join(slices.DeleteFunc(words, isConfigWord), "-"), name
	}
	return "", ""
}

// hashed is the hash that kustomize appends to the names of ConfigMaps; it changes with their content.
var hashed = regexp.MustCompile(`-[2456789bcdfghkmt]{10}$`)

func isConfigWord(word string) bool {
	return slices.Contains([]string{"flink", "config", "conf", "configuration", "configmap", "cm", "volume"}, word)
}
