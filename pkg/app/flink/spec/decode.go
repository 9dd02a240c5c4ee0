package spec

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
)

// Deployment holds the fields of a FlinkDeployment that matter here. Fields it does not know are ignored,
// as a cluster without validation of that field would.
type Deployment struct {
	Name       string
	Namespace  string
	UID        types.UID
	Generation int64
	Spec       DeploymentSpec
}

// DeploymentSpec is the spec of a FlinkDeployment. Pod templates and the configuration stay untyped here, because
// both are merged before they are understood.
type DeploymentSpec struct {
	Image              string            `json:"image"`
	ImagePullPolicy    string            `json:"imagePullPolicy"`
	FlinkVersion       string            `json:"flinkVersion"`
	Mode               string            `json:"mode"`
	ServiceAccount     string            `json:"serviceAccount"`
	FlinkConfiguration map[string]any    `json:"flinkConfiguration"`
	LogConfiguration   map[string]string `json:"logConfiguration"`
	PodTemplate        map[string]any    `json:"podTemplate"`
	JobManager         *RoleSpec         `json:"jobManager"`
	TaskManager        *RoleSpec         `json:"taskManager"`
	Job                *JobSpec          `json:"job"`
}

// RoleSpec is what a manifest says about JobManagers or TaskManagers.
type RoleSpec struct {
	Replicas    *int64         `json:"replicas"`
	Resource    *OldResource   `json:"resource"`
	Resources   *Resources     `json:"resources"`
	PodTemplate map[string]any `json:"podTemplate"`
}

// OldResource is the deprecated form of a role's size. Resources wins over it when both are given.
type OldResource struct {
	CPU              Scalar `json:"cpu"`
	Memory           Scalar `json:"memory"`
	EphemeralStorage Scalar `json:"ephemeralStorage"`
}

// Resources is the present form of a role's size, shaped like the resources of a container. Its memory is read in
// Flink's syntax first, so "2048m" means 2048 MiB here.
type Resources struct {
	Requests map[string]Scalar `json:"requests"`
	Limits   map[string]Scalar `json:"limits"`
}

// JobSpec is the job of an application cluster or of a FlinkSessionJob.
type JobSpec struct {
	JarURI      string   `json:"jarURI"`
	EntryClass  string   `json:"entryClass"`
	Args        []string `json:"args"`
	Parallelism *int64   `json:"parallelism"`
	State       string   `json:"state"`
	UpgradeMode string   `json:"upgradeMode"`
	AllowNonRes *bool    `json:"allowNonRestoredState"`
}

// SessionJob holds what matters of a FlinkSessionJob: which session cluster it asks for how many slots.
type SessionJob struct {
	Name       string
	Namespace  string
	Deployment string   `json:"deploymentName"`
	Job        *JobSpec `json:"job"`
}

// Scalar is a YAML string or number, kept as its text: users write cpu as 0.5 and as "0.5".
type Scalar string

// UnmarshalJSON accepts a string or a number and refuses anything else.
func (s *Scalar) UnmarshalJSON(data []byte) error {
	text := strings.TrimSpace(string(data))
	switch {
	case text == "null":
		return nil
	case strings.HasPrefix(text, `"`):
		var v string
		if err := json.Unmarshal(data, &v); err != nil {
			return err
		}
		*s = Scalar(v)
	case text != "" && strings.ContainsRune("-0123456789", rune(text[0])):
		*s = Scalar(text)
	default:
		return fmt.Errorf("expected a string or a number, got %s", shorten(text))
	}
	return nil
}

// Decode reads a FlinkDeployment from its generic form. The error names the object and the field at fault.
func Decode(u *unstructured.Unstructured) (*Deployment, error) {
	d := &Deployment{
		Name:       u.GetName(),
		Namespace:  u.GetNamespace(),
		UID:        u.GetUID(),
		Generation: u.GetGeneration(),
	}
	if d.Namespace == "" {
		d.Namespace = "default"
	}
	if err := decodeSpec(u, &d.Spec); err != nil {
		return nil, err
	}
	return d, nil
}

// DecodeSessionJob reads a FlinkSessionJob from its generic form.
func DecodeSessionJob(u *unstructured.Unstructured) (*SessionJob, error) {
	j := &SessionJob{}
	if err := decodeSpec(u, j); err != nil {
		return nil, err
	}
	j.Name, j.Namespace = u.GetName(), u.GetNamespace()
	if j.Namespace == "" {
		j.Namespace = "default"
	}
	if j.Deployment == "" {
		return nil, errors.New("spec.deploymentName: missing; set it to the name of the session cluster (a FlinkDeployment without spec.job)")
	}
	if j.Job == nil {
		return nil, errors.New("spec.job: missing; a FlinkSessionJob needs a job")
	}
	if j.Job.Parallelism != nil && (*j.Job.Parallelism < 1 || *j.Job.Parallelism > MaxParallelism) {
		return nil, fmt.Errorf("spec.job.parallelism: %d is out of range; give a number from 1 to %d", *j.Job.Parallelism, MaxParallelism)
	}
	return j, nil
}

func decodeSpec(u *unstructured.Unstructured, into any) error {
	raw, ok := u.Object["spec"]
	if !ok || raw == nil {
		return errors.New("spec: missing")
	}
	if _, ok := raw.(map[string]any); !ok {
		return fmt.Errorf("spec: expected a mapping, got %s", kindOf(raw))
	}
	data, err := json.Marshal(raw)
	if err != nil {
		return fmt.Errorf("spec: not expressible as JSON: %w", err)
	}
	if err := json.Unmarshal(data, into); err != nil {
		return fieldError(err)
	}
	return nil
}

// fieldError words a JSON type error as a person would: field, what was expected, what was found.
func fieldError(err error) error {
	var wrong *json.UnmarshalTypeError
	if errors.As(err, &wrong) {
		field := "spec"
		if wrong.Field != "" {
			field += "." + wrong.Field
		}
		return fmt.Errorf("%s: expected %s, got %s", field, goKind(wrong.Type.Kind().String()), wrong.Value)
	}
	return fmt.Errorf("spec: %w", err)
}

func goKind(k string) string {
	switch k {
	case "int64", "int32":
		return "a whole number"
	case "map", "struct":
		return "a mapping"
	case "slice":
		return "a list"
	case "bool":
		return "true or false"
	default:
		return "a " + k
	}
}

func kindOf(v any) string {
	switch v.(type) {
	case map[string]any:
		return "a mapping"
	case []any:
		return "a list"
	case string:
		return "a string"
	case bool:
		return "true or false"
	default:
		return "a number"
	}
}

func shorten(s string) string {
	if len(s) > 40 {
		return s[:40] + "…"
	}
	return s
}
