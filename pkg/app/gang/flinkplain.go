package gang

import (
	"cmp"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/sluice-scheduler/sluice/pkg/app"
	"github.com/sluice-scheduler/sluice/pkg/app/flink/spec"
	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
)

// plainPart is one controller of a Flink cluster of plain manifests: that of its JobManager or of its TaskManagers.
type plainPart struct {
	reader   *Reader
	id       string
	member   *member
	object   cluster.ObjectRef
	meta     metav1.ObjectMeta
	replicas int
	conf     spec.Config // as far as the container's arguments and environment tell
	args     []string
	config   Key // the ConfigMap that it mounts
	// end says how a Job has ended; empty while it has not, and for other controllers.
	end string
}

func readDeployment(r *Reader, d *appsv1.Deployment, into *Piece) {
	owner := metav1.OwnerReference{APIVersion: "apps/v1", Kind: "ReplicaSet", Name: d.Name + "-" + anyHash}
	into.controller(plain(r, d, deployments, owner, &d.Spec.Template, sane(orElse(d.Spec.Replicas, 1))))
}

func readStatefulSet(r *Reader, s *appsv1.StatefulSet, into *Piece) {
	owner := metav1.OwnerReference{APIVersion: "apps/v1", Kind: "StatefulSet", Name: s.Name}
	into.controller(plain(r, s, statefulSets, owner, &s.Spec.Template, sane(orElse(s.Spec.Replicas, 1))))
}

// readAnyJob reads a Job, which may be that of a Flink JobManager.
func readAnyJob(r *Reader, j *batchv1.Job, into *Piece) {
	owner := metav1.OwnerReference{APIVersion: "batch/v1", Kind: "Job", Name: j.Name}
	replicas := sane(orElse(j.Spec.Parallelism, 1))
	end := jobEnd(j)
	if end != "" || orElse(j.Spec.Suspend, false) {
		replicas = 0
	}
	p := plain(r, j, jobs, owner, &j.Spec.Template, replicas)
	if p == nil {
		readJob(r, j, into)
		return
	}
	p.end = end
	into.controller(p)
}

// controller notes a controller of a Flink cluster; nil for none.
func (p *Piece) controller(c *plainPart) {
	if c != nil {
		p.part = c
	}
}

// anyHash is in the place of the hash that a Deployment gives to its ReplicaSets.
const anyHash = "hash"

// plain reads a controller; nil if its pods are not those of a Flink cluster of plain manifests.
func plain(r *Reader, o metav1.Object, k Kind, owner metav1.OwnerReference, t *v1.PodTemplateSpec, replicas int) *plainPart {
	if !hasComponent(t.Labels) {
		return nil
	}
	t = t.DeepCopy()
	t.OwnerReferences = []metav1.OwnerReference{owner}
	labels := map[string]string{}
	if owner.Kind == "ReplicaSet" {
		labels["pod-template-hash"] = anyHash
	}
	m := r.member(o.GetNamespace(), t, labels)
	if !strings.HasPrefix(m.claim.Group, plainFlink) {
		return nil
	}
	p := &plainPart{
		reader: r, id: m.claim.Group, member: m, object: refer(o, k), replicas: replicas,
		meta: metav1.ObjectMeta{Labels: o.GetLabels(), Annotations: o.GetAnnotations()},
	}
	p.args, p.conf = told(&m.pod.Spec)
	if names := flinkConfigs(m.pod); len(names) > 0 {
		p.config = Key{configMaps.Group, configMaps.Kind, o.GetNamespace(), names[0]}
	}
	return p
}

// plainFlink begins the IDs of such clusters, as package app has them.
const plainFlink = "flink-standalone/"

func hasComponent(labels map[string]string) bool {
	for _, label := range [...]string{"component", "app.kubernetes.io/component"} {
		if c := labels[label]; c == app.JobManager || c == app.TaskManager {
			return true
		}
	}
	return false
}

// told is what the containers' arguments and the variable FLINK_PROPERTIES of Flink's image say of the configuration.
func told(s *v1.PodSpec) (args []string, conf spec.Config) {
	conf = spec.Config{}
	for i := range s.Containers {
		c := &s.Containers[i]
		args = append(append(args, c.Command...), c.Args...)
		for _, e := range c.Env {
			if e.Name == "FLINK_PROPERTIES" {
				for k, v := range spec.ParseFlat(e.Value) {
					conf[k] = v
				}
			}
		}
	}
	for _, m := range option.FindAllStringSubmatch(strings.Join(args, " "), -1) {
		conf[m[1]] = strings.Trim(m[2], `"'`)
	}
	return args, conf
}

// option is an argument like -Dscheduler-mode=reactive or -D parallelism.default=4.
var option = regexp.MustCompile(`(?:^|\s)-D\s*([a-zA-Z0-9._-]+)=(\S*)`)

func (p *plainPart) group() string          { return p.id }
func (p *plainPart) origin() cluster.Origin { return cluster.FromControllers }
func (p *plainPart) mounts() Key            { return p.config }

// flinkConfigs are the ConfigMaps that pods of a cluster of plain manifests may have their configuration from.
func flinkConfigs(pod *v1.Pod) (names []string) {
	for i := range pod.Spec.Volumes {
		v := &pod.Spec.Volumes[i]
		if v.ConfigMap != nil && (strings.Contains(v.Name, "flink") || strings.Contains(v.ConfigMap.Name, "flink")) {
			names = append(names, v.ConfigMap.Name)
		}
	}
	return names
}

// join needs both JobManager and TaskManagers: one alone is not a cluster, or not one that is known.
func (p *plainPart) join(all []part, mounted func(Key) spec.Config) *cluster.GroupFact {
	d := &draft{fact: cluster.GroupFact{Namespace: p.object.Namespace, ID: p.id, Origin: p.origin(), Object: p.object}, exact: true}
	c := &spec.Cluster{Mode: spec.Standalone, Slots: 1, Session: true, Config: spec.Config{}}
	counts := map[string]int{}
	var names []string
	for _, other := range all {
		o := other.(*plainPart)
		counts[o.member.claim.Role] += o.replicas
		names = append(names, o.object.Kind+" "+o.object.Name)
		maps.Copy(c.Config, mounted(o.config))
		if o.member.claim.Role == app.JobManager {
			d.fact.Object = o.object
			c.Session = c.Session && !slices.ContainsFunc(o.args, isJob)
		}
	}
	for _, other := range all { // what is written on the container wins over what is mounted
		maps.Copy(c.Config, other.(*plainPart).conf)
	}
	c.JobManagers, c.TaskManagers = int64(counts[app.JobManager]), int64(counts[app.TaskManager])
	f := flink{reader: p.reader, cluster: c, draft: d}
	f.controllers(all)
	d.fact.Together = c.Adaptive()
	f.clock()
	f.say(strings.Join(names, " and "))
	settle(d, counts, names, jobEnded(all))
	return d.finish(p.reader)
}

// controllers puts in the roles, and what is wished on any of the controllers or of their pods.
func (f *flink) controllers(all []part) {
	least, _ := f.workers()
	for _, other := range all {
		o := other.(*plainPart)
		w := role{member: o.member, count: o.replicas}
		switch o.member.claim.Role {
		case app.JobManager:
			w.min = min(1, o.replicas)
		case app.TaskManager:
			w.min = min(least, o.replicas)
			least -= w.min
		}
		f.draft.add(w)
		f.draft.wish = f.draft.wish.Over(app.ReadWish(&o.meta))
	}
	for _, other := range all {
		f.draft.wish = f.draft.wish.Over(app.ReadWish(&other.(*plainPart).member.pod.ObjectMeta))
	}
}

// jobEnded says how the Job of the JobManager has ended; empty where it has not, or is no Job.
func jobEnded(all []part) (end string) {
	for _, other := range all {
		if o := other.(*plainPart); o.member.claim.Role == app.JobManager {
			end = cmp.Or(end, o.end)
		}
	}
	return end
}

// settle says what is missing, and when a cluster has ended, or is not to run because it is scaled to nothing.
func settle(d *draft, counts map[string]int, names []string, end string) {
	switch {
	case counts[app.JobManager] == 0 && len(counts) == 2 && end != "":
		d.ended(end)
	case counts[app.JobManager] == 0 && len(counts) == 2:
		d.halted("it has no JobManager: its controller is scaled to 0, or its Job is suspended")
	case len(counts) < 2:
		for i := range d.roles {
			d.roles[i].min = min(d.roles[i].min, 1)
		}
		missing := app.TaskManager
		if _, ok := counts[app.JobManager]; !ok {
			missing = app.JobManager
		}
		d.fact.Source = strings.Join(names, " and ") + ", and no " + missing
		d.fact.Warnings = append(d.fact.Warnings, fmt.Sprintf(
			"no controller of a %s of this cluster is found, so its pods start one by one; name both alike (orders-jobmanager and orders-taskmanager) or let both mount a ConfigMap of the cluster's name", missing))
	}
}

func isJob(arg string) bool {
	return strings.Contains(arg, "standalone-job") || strings.Contains(arg, "standalone-application")
}
