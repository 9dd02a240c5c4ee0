package spec

import (
	"errors"
	"fmt"
	"maps"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"
)

// Names of the files in a cluster's ConfigMaps: the configuration of Flink 1, that of Flink 2, and the TaskManagers' pod template.
const (
	FlatFile     = "flink-conf.yaml"
	NestedFile   = "config.yaml"
	TemplateFile = "taskmanager-pod-template.yaml"
)

// ParseConfig reads the configuration out of the data of a ConfigMap, in either of its two forms. ok is false if neither is there.
func ParseConfig(data map[string]string) (conf Config, ok bool, err error) {
	if text, ok := data[NestedFile]; ok {
		conf, err = ParseNested(text)
		return conf, true, err
	}
	if text, ok := data[FlatFile]; ok {
		return ParseFlat(text), true, nil
	}
	return nil, false, nil
}

// ParseFlat reads flink-conf.yaml as Flink 1 does, which is no YAML: one "key: value" a line, comments from a # on, other lines ignored.
func ParseFlat(text string) Config {
	conf := Config{}
	for _, line := range strings.Split(text, "\n") {
		line, _, _ = strings.Cut(line, "#")
		key, value, ok := strings.Cut(strings.TrimSpace(line), ": ")
		if key, value = strings.TrimSpace(key), strings.TrimSpace(value); ok && key != "" && value != "" {
			conf[key] = unquote(value)
		}
	}
	return conf
}

// unquote takes one pair of quotes away.
func unquote(s string) string {
	if n := len(s); n >= 2 && (s[0] == '"' || s[0] == '\'') && s[n-1] == s[0] {
		return s[1 : n-1]
	}
	return s
}

// ParseNested reads config.yaml as Flink 2 does: YAML, nested or with dots.
func ParseNested(text string) (Config, error) {
	nested := map[string]any{}
	if err := yaml.Unmarshal([]byte(text), &nested); err != nil {
		return nil, fmt.Errorf("%s: not YAML: %w", NestedFile, err)
	}
	return Flatten(nested)
}

// ParseTemplate reads the pod template of the TaskManagers.
func ParseTemplate(text string) (*corev1.Pod, error) {
	pod := &corev1.Pod{}
	if err := yaml.Unmarshal([]byte(text), pod); err != nil {
		return nil, fmt.Errorf("%s: not a pod: %w", TemplateFile, err)
	}
	return pod, nil
}

// FromConfig is the cluster that runs with an effective configuration: what FlinkDeployment and operator, or the command line of Flink, left in its ConfigMap. The
// template is that of the TaskManagers; nil if there is none. JobManagers' templates are not kept in the cluster.
func FromConfig(id, namespace string, mode Mode, conf Config, template *corev1.Pod) (*Cluster, error) {
	d := &Deployment{Name: id, Namespace: namespace}
	d.Spec.FlinkVersion = conf["$internal.flink.version"]
	c := &Cluster{ID: id, Namespace: namespace, Version: d.Spec.FlinkVersion, Mode: mode, Session: isSession(mode, conf), Config: maps.Clone(conf)}
	if !c.Session {
		d.Spec.Job = &JobSpec{}
	}
	c.Job = d.Spec.Job
	r := &resolver{d: d, c: c}
	if replicas, err := conf.Int(0, "kubernetes.taskmanager.replicas"); err != nil {
		r.fault(err)
	} else if mode == Standalone && replicas > 0 {
		d.Spec.TaskManager = &RoleSpec{Replicas: &replicas}
	}
	r.demand()
	r.roles()
	c.TaskManager.Template = template
	if len(r.faults) > 0 {
		return nil, errors.Join(r.faults...)
	}
	return c, nil
}

// isSession reports whether a configuration is that of a cluster without a job of its own. That of a standalone cluster says nothing plain; an operator's
// application has the id of its job.
func isSession(mode Mode, conf Config) bool {
	if mode == Native {
		return conf["execution.target"] == "kubernetes-session"
	}
	_, job := conf.Get("$internal.pipeline.job-id", "$internal.application.main", "pipeline.jars")
	return !job
}
