package spec

import (
	"fmt"
	"math"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
)

// sizes moves the roles' resources into the configuration, where Flink reads them.
func (r *resolver) sizes() {
	r.size(r.d.Spec.JobManager, "jobmanager", "spec.jobManager")
	r.size(r.d.Spec.TaskManager, "taskmanager", "spec.taskManager")
}

func (r *resolver) size(role *RoleSpec, name, field string) {
	if role == nil {
		return
	}
	if !role.Resources.given() {
		if old := role.Resource; old != nil {
			r.setMemory(string(old.Memory), name, field+".resource.memory")
			r.setCPU(string(old.CPU), name, field+".resource.cpu")
		}
		return
	}
	res := role.Resources
	r.setMemory(res.requestOrLimit("memory"), name, field+".resources.requests.memory")
	r.setCPU(res.requestOrLimit("cpu"), name, field+".resources.requests.cpu")
	r.limitFactor(res, "cpu", name, parseCPU)
	r.limitFactor(res, "memory", name, func(s string) (float64, error) {
		n, err := ParseMemory(s)
		return float64(n), err
	})
}

// given says whether the block carries anything: an empty "resources: {}" must not hide the deprecated field.
func (s *Resources) given() bool {
	return s != nil && len(s.Requests)+len(s.Limits) > 0
}

// requestOrLimit falls back to the limit, as Kubernetes does for a container.
func (s *Resources) requestOrLimit(key string) string {
	if v, ok := s.Requests[key]; ok && v != "" {
		return string(v)
	}
	return string(s.Limits[key])
}

func (r *resolver) setMemory(text, role, field string) {
	if text == "" {
		return
	}
	n, err := ParseMemory(text)
	if err != nil {
		r.fault(fmt.Errorf("%s: %w", field, err))
		return
	}
	r.c.Config[role+".memory.process.size"] = FormatMemory(n)
}

func (r *resolver) setCPU(text, role, field string) {
	if text == "" {
		return
	}
	f, err := parseCPU(text)
	if err != nil {
		r.fault(fmt.Errorf("%s: %w", field, err))
		return
	}
	r.c.Config[r.cpuKey(role)] = FormatCPU(f)
}

// cpuKey is the option for cores, which was renamed in Flink 1.17.
func (r *resolver) cpuKey(role string) string {
	if r.before117() {
		return "kubernetes." + role + ".cpu"
	}
	return "kubernetes." + role + ".cpu.amount"
}

func (r *resolver) before117() bool {
	m := flinkVersion.FindStringSubmatch(r.c.Version)
	if m == nil || m[1] != "1" {
		return false
	}
	minor, err := strconv.Atoi(m[2])
	return err == nil && minor < 17
}

// limitFactor turns an explicit limit into Flink's factor. The deprecated field knows no limits.
func (r *resolver) limitFactor(res *Resources, key, role string, parse func(string) (float64, error)) {
	request, limit := res.Requests[key], res.Limits[key]
	if request == "" || limit == "" {
		return
	}
	a, errA := parse(string(request))
	b, errB := parse(string(limit))
	if errB != nil {
		r.fault(fmt.Errorf("resources.limits.%s of the %s: %w", key, role, errB))
	}
	if errA != nil || errB != nil || a <= 0 {
		return
	}
	if b < a {
		r.fault(fmt.Errorf("resources.limits.%s of the %s: %s is less than its request %s", key, role, limit, request))
		return
	}
	r.c.Config["kubernetes."+role+"."+key+".limit-factor"] = FormatCPU(b / a)
}

func parseCPU(text string) (float64, error) {
	q, err := resource.ParseQuantity(text)
	if err != nil {
		return 0, fmt.Errorf(`%q is not a number of cores; write for example "0.5" or "500m"`, shorten(text))
	}
	f := q.AsApproximateFloat64()
	if !(f > 0) || f > 1e6 {
		return 0, fmt.Errorf("%q is not a sensible number of cores", shorten(text))
	}
	return f, nil
}

// FormatCPU writes cores the way Java prints a double: "1.0", "0.5".
func FormatCPU(f float64) string {
	s := strconv.FormatFloat(f, 'f', -1, 64)
	if f == math.Trunc(f) {
		s += ".0"
	}
	return s
}

// extraResources are those that Flink has no option for: they travel in the pod template.
func extraResources(role *RoleSpec, field string) (requests, limits corev1.ResourceList, err error) {
	if role == nil {
		return nil, nil, nil
	}
	if role.Resources.given() {
		if requests, err = quantities(role.Resources.Requests, field+".resources.requests"); err != nil {
			return nil, nil, err
		}
		limits, err = quantities(role.Resources.Limits, field+".resources.limits")
		return requests, limits, err
	}
	if role.Resource == nil || role.Resource.EphemeralStorage == "" {
		return nil, nil, nil
	}
	one := map[string]Scalar{string(corev1.ResourceEphemeralStorage): role.Resource.EphemeralStorage}
	requests, err = quantities(one, field+".resource")
	return requests, requests, err
}

func quantities(in map[string]Scalar, field string) (corev1.ResourceList, error) {
	out := corev1.ResourceList{}
	for key, text := range in {
		if key == "cpu" || key == "memory" {
			continue
		}
		q, err := resource.ParseQuantity(string(text))
		if err != nil {
			return nil, fmt.Errorf("%s.%s: %q is not a Kubernetes quantity", field, key, shorten(string(text)))
		}
		out[corev1.ResourceName(key)] = q
	}
	return out, nil
}

func overlay(base, over corev1.ResourceList) corev1.ResourceList {
	if len(over) == 0 {
		return base
	}
	out := corev1.ResourceList{}
	for k, v := range base {
		out[k] = v
	}
	for k, v := range over {
		out[k] = v
	}
	return out
}
