package app

import (
	"cmp"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// ref is an owner: what it is called as part of an id (job, pipeline.example.com), its kind and its name.
type ref struct{ prefix, kind, name string }

// owner is the application of a pod that is known by whom it belongs to alone: its Deployment, Job, StatefulSet or custom resource. Each Job of
// a CronJob is an application of its own.
func owner(m *marks) (id, from string) {
	o := root(m)
	if o.name == "" {
		return "", ""
	}
	return o.prefix + "/" + o.name, "owner " + o.kind + " " + o.name
}

// root is the owner that outlives rollovers: the Deployment of a ReplicaSet, else the owner itself; the zero ref for a pod without owner.
func root(m *marks) ref {
	r := chosen(m.pod.OwnerReferences)
	if r == nil {
		return ref{}
	}
	group, kind := groupOf(r.APIVersion), r.Kind
	name := m.tame(r.Name, "the name of an owner")
	if group == "apps" && kind == "ReplicaSet" {
		return aboveReplicaSet(m, name)
	}
	prefix := strings.ToLower(kind)
	if !slices.Contains(plainGroups, group) {
		prefix += "." + strings.ToLower(group)
	}
	return ref{m.tame(prefix, "the kind of an owner"), m.tame(kind, "the kind of an owner"), name}
}

// plainGroups are the API groups whose kinds stand in ids without their group; no two of them have a kind of the same name.
var plainGroups = []string{
	"", "apps", "batch", "ray.io", "sparkoperator.k8s.io", "jobset.x-k8s.io", "leaderworkerset.x-k8s.io", "trainer.kubeflow.org", "kubeflow.org",
}

func groupOf(apiVersion string) string {
	group, _, isGroup := strings.Cut(apiVersion, "/")
	if !isGroup {
		return ""
	}
	return group
}

// aboveReplicaSet is who made a ReplicaSet, which is known by the hash that it appended to the name and put on the pods; else the ReplicaSet.
func aboveReplicaSet(m *marks, name string) ref {
	for _, above := range [...]struct{ label, prefix, kind string }{
		{"pod-template-hash", "deployment", "Deployment"},
		{"rollouts-pod-template-hash", "rollout.argoproj.io", "Rollout"},
	} {
		hash := m.pod.Labels[above.label]
		if stem, ok := strings.CutSuffix(name, "-"+hash); ok && hash != "" && stem != "" {
			return ref{above.prefix, above.kind, stem}
		}
	}
	return ref{"replicaset", "ReplicaSet", name}
}

// chosen is the reference that counts: the controller, else the first in order, for the order in which they are written tells nothing. A
// node as owner only says where a static pod runs.
func chosen(refs []metav1.OwnerReference) *metav1.OwnerReference {
	var best *metav1.OwnerReference
	for i := range refs {
		r := &refs[i]
		if r.Name == "" || r.Kind == "" || r.Kind == "Node" && groupOf(r.APIVersion) == "" {
			continue
		}
		if best == nil || compareRefs(r, best) < 0 {
			best = r
		}
	}
	return best
}

func compareRefs(a, b *metav1.OwnerReference) int {
	return cmp.Or(
		cmp.Compare(rank(a), rank(b)), cmp.Compare(groupOf(a.APIVersion), groupOf(b.APIVersion)),
		cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Name, b.Name),
	)
}

func rank(r *metav1.OwnerReference) int {
	if r.Controller != nil && *r.Controller {
		return 0
	}
	return 1
}
