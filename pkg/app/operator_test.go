package app

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	sigsyaml "sigs.k8s.io/yaml"
)

// flinkDeployment is what is needed of the operator's resource.
type flinkDeployment struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata"`
	Spec              struct {
		Mode        string `json:"mode"`
		PodTemplate struct {
			Metadata metav1.ObjectMeta `json:"metadata"`
		} `json:"podTemplate"`
	} `json:"spec"`
}

// TestOperatorExamples makes the pods that Flink's operator would make of its own examples, where these lie beside the repository. JobManager
// and TaskManagers of each are one application.
func TestOperatorExamples(t *testing.T) {
	files, err := filepath.Glob("../../../shared/flink-operator/examples/*.yaml")
	require.NoError(t, err)
	if len(files) == 0 {
		t.Skip("the examples of Flink's operator are not there")
	}
	seen := 0
	for _, file := range files {
		for _, document := range documents(t, file) {
			var d flinkDeployment
			require.NoError(t, sigsyaml.Unmarshal(document, &d))
			if d.Kind != "FlinkDeployment" {
				continue
			}
			seen++
			manager, worker := operatorPods(&d)
			m, w := Identify(manager, true), Identify(worker, true)
			require.Equal(t, "flink/"+d.Name, m.App, file)
			require.Equal(t, m.App, w.App, file)
			require.Equal(t, []string{JobManager, TaskManager}, []string{m.Role, w.Role}, file)
		}
	}
	require.NotZero(t, seen)
}

// operatorPods are a JobManager and a TaskManager, native or standalone.
func operatorPods(d *flinkDeployment) (manager, worker *v1.Pod) {
	kind := "flink-native-kubernetes"
	if d.Spec.Mode == "standalone" {
		kind = "flink-standalone-kubernetes"
	}
	made := func(name, component string, owner metav1.OwnerReference) *v1.Pod {
		p := &v1.Pod{ObjectMeta: *d.Spec.PodTemplate.Metadata.DeepCopy()}
		p.Name, p.OwnerReferences = name, []metav1.OwnerReference{owner}
		labels := map[string]string{"app": d.Name, "component": component, "type": kind, "pod-template-hash": "5d4f"}
		for k, v := range p.Labels {
			if labels[k] == "" {
				labels[k] = v
			}
		}
		p.Labels = labels
		return p
	}
	manager = made(d.Name+"-5d4f-x", JobManager, metav1.OwnerReference{APIVersion: "apps/v1", Kind: "ReplicaSet", Name: d.Name + "-5d4f"})
	if kind == "flink-native-kubernetes" {
		return manager, made(d.Name+"-taskmanager-1-1", TaskManager, metav1.OwnerReference{APIVersion: "apps/v1", Kind: "Deployment", Name: d.Name})
	}
	workers := d.Name + "-taskmanager-5d4f"
	return manager, made(workers+"-y", TaskManager, metav1.OwnerReference{APIVersion: "apps/v1", Kind: "ReplicaSet", Name: workers})
}
