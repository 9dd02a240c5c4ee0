package spec

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

var clusterID = regexp.MustCompile(`^[a-z]([-a-z0-9]*[a-z0-9])?$`)

var flinkVersion = regexp.MustCompile(`^v([12])_([0-9]{1,2})$`)

// resolver collects every fault, so that a user mends a manifest in one go.
type resolver struct {
	d      *Deployment
	c      *Cluster
	faults []error
}

func (r *resolver) fault(err error) {
	if err != nil {
		r.faults = append(r.faults, err)
	}
}

// Resolve applies the operator's rules to a FlinkDeployment. The error lists all faults, one a line.
func Resolve(d *Deployment) (*Cluster, error) { return ResolveOver(d, nil) }

// ResolveOver is Resolve where keys of the configuration that the FlinkDeployment does not set have values all the same: the operator's own defaults, as they are
// in the configuration that it deployed.
func ResolveOver(d *Deployment, unset Config) (*Cluster, error) {
	c := &Cluster{
		ID: d.Name, Namespace: d.Namespace, UID: d.UID, Generation: d.Generation,
		Version: d.Spec.FlinkVersion, Image: d.Spec.Image, Job: d.Spec.Job, Session: d.Spec.Job == nil,
		Suspended: d.Spec.Job != nil && d.Spec.Job.State == "suspended",
	}
	r := &resolver{d: d, c: c}
	r.identity()
	r.mode()
	flat, err := Flatten(d.Spec.FlinkConfiguration)
	if err != nil {
		return nil, errors.Join(append(r.faults, err)...)
	}
	for key, value := range unset {
		flat.Default(key, value)
	}
	c.Config = flat
	r.baseConfig()
	r.sizes()
	r.demand()
	r.roles()
	r.templates()
	r.logFiles()
	if short, long, found := c.Config.Overlap(); found && c.StandardYAML() {
		r.fault(fmt.Errorf("flinkConfiguration: %q is also the prefix of %q, which Flink 2's config.yaml cannot hold; use the newer key without this overlap", short, long))
	}
	if len(r.faults) > 0 {
		return nil, errors.Join(r.faults...)
	}
	return c, nil
}

// ResolveObject is Decode and Resolve in one.
func ResolveObject(u *unstructured.Unstructured) (*Cluster, error) {
	d, err := Decode(u)
	if err != nil {
		return nil, err
	}
	return Resolve(d)
}

// StandardYAML says whether this Flink reads config.yaml (2.0 and newer) or flink-conf.yaml.
func (c *Cluster) StandardYAML() bool {
	return strings.HasPrefix(c.Version, "v2_")
}

func (r *resolver) identity() {
	if len(r.d.Name) > MaxClusterID || !clusterID.MatchString(r.d.Name) {
		r.fault(fmt.Errorf("metadata.name: %q cannot be a Flink cluster id; use at most %d small letters, digits and dashes, starting with a letter", shorten(r.d.Name), MaxClusterID))
	}
	if !flinkVersion.MatchString(r.d.Spec.FlinkVersion) {
		r.fault(fmt.Errorf("spec.flinkVersion: %q is not a Flink version; write for example v1_20 or v2_2", shorten(r.d.Spec.FlinkVersion)))
	}
	if job := r.d.Spec.Job; job != nil && job.State != "" && job.State != "running" && job.State != "suspended" {
		r.fault(fmt.Errorf("spec.job.state: %q is neither running nor suspended", shorten(job.State)))
	}
}

func (r *resolver) mode() {
	switch Mode(r.d.Spec.Mode) {
	case "", Native:
		r.c.Mode = Native
	case Standalone:
		r.c.Mode = Standalone
	default:
		r.fault(fmt.Errorf("spec.mode: %q is neither native nor standalone", shorten(r.d.Spec.Mode)))
	}
}

// demand finds slots, parallelism and the number of pods of each role.
func (r *resolver) demand() {
	c := r.c
	var err error
	c.Slots, err = c.Config.Int(1, "taskmanager.numberOfTaskSlots")
	r.fault(err)
	if err == nil && (c.Slots < 1 || c.Slots > MaxParallelism) {
		r.fault(fmt.Errorf(`flinkConfiguration "taskmanager.numberOfTaskSlots": %d is out of range; give at least 1`, c.Slots))
	}
	c.Slots = max(c.Slots, 1)
	standby, err := c.Config.Int(1, "kubernetes.jobmanager.replicas")
	r.fault(err)
	c.JobManagers = r.replicas(r.d.Spec.JobManager, "spec.jobManager.replicas", min(max(standby, 1), MaxParallelism))
	c.Config["kubernetes.jobmanager.replicas"] = strconv.FormatInt(c.JobManagers, 10)
	c.Parallelism = r.parallelism()
	c.TaskManagers = ceilDiv(c.Parallelism, c.Slots)
	if c.Mode == Standalone {
		c.TaskManagers = r.replicas(r.d.Spec.TaskManager, "spec.taskManager.replicas", max(c.TaskManagers, 1))
		c.Config["kubernetes.taskmanager.replicas"] = strconv.FormatInt(c.TaskManagers, 10)
	}
	least, err := c.Config.Int(0, "slotmanager.number-of-slots.min")
	r.fault(err)
	if c.Mode == Native && least > 0 {
		c.TaskManagers = max(c.TaskManagers, ceilDiv(min(least, MaxParallelism), c.Slots))
	}
	if !c.Session {
		c.Config["parallelism.default"] = strconv.FormatInt(c.Parallelism, 10)
	}
}

// replicas reads a role's replicas, which must be sane when given.
func (r *resolver) replicas(role *RoleSpec, field string, unset int64) int64 {
	if role == nil || role.Replicas == nil {
		return unset
	}
	if n := *role.Replicas; n >= 1 && n <= MaxParallelism {
		return n
	}
	r.fault(fmt.Errorf("%s: %d is out of range; give a number from 1 to %d", field, *role.Replicas, MaxParallelism))
	return unset
}

// parallelism follows the operator: TaskManager replicas times slots first, then the largest override of a vertex,
// then the job's own number, then parallelism.default.
func (r *resolver) parallelism() int64 {
	if r.c.Session {
		return 0
	}
	n := int64(1)
	switch tm, job := r.d.Spec.TaskManager, r.d.Spec.Job; {
	case tm != nil && tm.Replicas != nil:
		n = r.replicas(tm, "spec.taskManager.replicas", 1) * r.c.Slots
	case r.override() > 0:
		n = r.override()
	case job.Parallelism != nil:
		n = *job.Parallelism
	default:
		var err error
		n, err = r.c.Config.Int(1, "parallelism.default")
		r.fault(err)
	}
	if n < 1 || n > MaxParallelism {
		r.fault(fmt.Errorf("spec.job.parallelism: %d is out of range; Flink takes 1 to %d", n, MaxParallelism))
		return 1
	}
	return n
}

func (r *resolver) override() int64 {
	vertices, err := r.c.Config.Map("pipeline.jobvertex-parallelism-overrides")
	r.fault(err)
	most := int64(0)
	for _, text := range vertices {
		if n, err := strconv.ParseInt(text, 10, 64); err == nil {
			most = max(most, n)
		}
	}
	return most
}

func (r *resolver) templates() {
	byName, err := r.c.Config.Bool(false, "kubernetes.operator.pod-template.merge-arrays-by-name")
	r.fault(err)
	s := r.d.Spec
	r.c.JobManager.Template = r.template(s.JobManager, "spec.jobManager", byName)
	r.c.TaskManager.Template = r.template(s.TaskManager, "spec.taskManager", byName)
}

// template merges a role's pod template and adds the resources that only a template can carry.
func (r *resolver) template(role *RoleSpec, field string, byName bool) *corev1.Pod {
	var own map[string]any
	if role != nil {
		own = role.PodTemplate
	}
	pod, err := podOf(MergeTemplates(r.d.Spec.PodTemplate, own, byName), field+".podTemplate")
	if err != nil {
		r.fault(err)
		return nil
	}
	requests, limits, err := extraResources(role, field)
	r.fault(err)
	if len(requests)+len(limits) == 0 {
		return pod
	}
	if pod == nil {
		pod = &corev1.Pod{}
	}
	main := mainContainer(pod)
	main.Resources.Requests = overlay(main.Resources.Requests, requests)
	main.Resources.Limits = overlay(main.Resources.Limits, limits)
	return pod
}

func (r *resolver) logFiles() {
	r.c.LogFiles = map[string]string{}
	for _, name := range []string{"log4j-console.properties", "logback-console.xml"} {
		if text, ok := r.d.Spec.LogConfiguration[name]; ok {
			r.c.LogFiles[name] = text
		}
	}
	if len(r.c.LogFiles) == 0 {
		r.c.LogFiles["log4j-console.properties"] = "rootLogger.level = INFO\nrootLogger.appenderRef.console.ref = ConsoleAppender\n"
	}
}
