package app

import (
	"strings"
)

// Beginnings of the IDs of groups; a name follows. Those of engines are the same as of their applications where nobody writes another.
const (
	flinkGroup   = "flink/"
	sparkApp     = "sparkapplication/"
	sparkGroup   = "spark/"
	rayGroup     = "raycluster/"
	jobSetGroup  = "jobset/"
	lwsGroup     = "leaderworkerset/"
	jobGroup     = "job/"
	ownGroup     = "group/"
	appGroup     = "app/"
	yunikornGang = "yunikorn/"
	kueueGroup   = "group.kueue.x-k8s.io/"

	// VolcanoGroup, PluginGroup and KAIGroup begin those that an object of another scheduler describes.
	VolcanoGroup = "podgroup.scheduling.volcano.sh/"
	PluginGroup  = "podgroup.scheduling.x-k8s.io/"
	KAIGroup     = "podgroup.scheduling.run.ai/"
)

// PodGroupID is the ID of the group of Kubernetes' PodGroup of that name.
func PodGroupID(name string) string { return "podgroup/" + name }

// groupRule finds the group that a pod is in, or returns an empty ID.
type groupRule func(m *marks) (id string)

// groupRules in order of precedence. A pod is in a group only if something will tell of it: the pod itself, or an object that package gang reads.
//
// Engines whose first pod starts the others come before the groups of other schedulers: those wait for pods to exist that never will unless the first one runs.
var groupRules = []groupRule{
	inPodGroup,
	inOwnGroup,
	inFlink, inSpark, inRay,
	inTaskGroup,
	inOtherGroup,
	inKueueGroup,
	inJobSet, inKubeflow, inLeaderWorkerSet, inJob,
	inAskedGroup,
}

func group(m *marks) string {
	for _, r := range groupRules {
		if id := r(m); id != "" {
			return id
		}
	}
	return ""
}

// inPodGroup is the PodGroup that the pod's spec names.
func inPodGroup(m *marks) string {
	id, _ := podGroup(m)
	return id
}

// inOwnGroup is the group that our annotation names, if it says how many are in it.
func inOwnGroup(m *marks) string {
	name, from := m.get(GroupName)
	if name == "" {
		return ""
	}
	if w := readWish(m); !w.Asked || w.All {
		m.fault(from + " is ignored: " + MinMembers + " is to say how many pods of it start together")
		return ""
	}
	return ownGroup + name
}

// inFlink is a Flink cluster, whoever made it.
func inFlink(m *marks) string {
	id, _ := flinkLabelled(m)
	if id == "" {
		id, _ = flinkPlain(m)
	}
	return id
}

// inSpark is a Spark application, by its operator's name for it, or by Spark's own.
func inSpark(m *marks) string {
	id, _ := sparkOperator(m)
	if id == "" && sparkRole(m) != "" {
		id, _ = m.named(sparkGroup, "spark-app-selector")
	}
	return id
}

// sparkRole is driver or executor; empty for other pods.
func sparkRole(m *marks) string {
	role := strings.ToLower(m.pod.Labels["spark-role"])
	if role == Driver || role == Executor {
		return role
	}
	return ""
}

// inRay is a Ray cluster, even where it is made for a RayJob: a RayService has two of them while it changes over.
func inRay(m *marks) string {
	id, _ := m.named(rayGroup, "ray.io/cluster")
	return id
}

// inTaskGroup is the application of a pod with a task group of YuniKorn.
func inTaskGroup(m *marks) string {
	if m.pod.Annotations[taskGroupName] == "" && m.pod.Annotations[taskGroups] == "" {
		return ""
	}
	return yunikornGang + m.app
}

// inOtherGroup is the PodGroup of another scheduler.
func inOtherGroup(m *marks) string {
	for _, of := range [...]struct{ prefix, name string }{
		{VolcanoGroup, "scheduling.k8s.io/group-name"},
		{VolcanoGroup, "scheduling.volcano.sh/group-name"},
		{PluginGroup, "scheduling.x-k8s.io/pod-group"},
		{KAIGroup, "pod-group-name"},
	} {
		if name, _ := m.get(of.name); name != "" {
			return of.prefix + name
		}
	}
	return ""
}

// inKueueGroup is a group of plain pods as Kueue knows them, if it says how many they are.
func inKueueGroup(m *marks) string {
	name, _ := m.get("kueue.x-k8s.io/pod-group-name")
	if total, _ := m.get(kueueTotal); name == "" || total == "" {
		return ""
	}
	return kueueGroup + name
}

func inJobSet(m *marks) string {
	id, _ := jobSet(m)
	return id
}

func inKubeflow(m *marks) string {
	id, _ := kubeflow(m)
	return id
}

// inLeaderWorkerSet is one leader with its workers: each of a set's groups starts by itself.
func inLeaderWorkerSet(m *marks) string {
	id, _ := leaderWorkerSet(m)
	index, _ := m.label("leaderworkerset.sigs.k8s.io/group-index")
	if id == "" || index == "" {
		return ""
	}
	return id + "/" + index
}

// inJob is a Job that is a gang: because it is asked for, or because its pods know each other by name, as those of an Indexed Job with a subdomain do.
func inJob(m *marks) string {
	id, _ := m.named(jobGroup, "batch.kubernetes.io/job-name")
	if id == "" || !readWish(m).Asked && !(m.pod.Spec.Subdomain != "" && indexed(m)) {
		return ""
	}
	return id
}

// indexed reports whether the pod is one of an Indexed Job.
func indexed(m *marks) bool {
	index, _ := m.get("batch.kubernetes.io/job-completion-index")
	return index != ""
}

// inAskedGroup is the application of a pod that asks for a group and says no name.
func inAskedGroup(m *marks) string {
	switch w := readWish(m); {
	case w.All:
		m.fault(MinMembers + " is ignored: nothing tells how many pods there are to be in all; write their number")
	case w.Asked:
		return appGroup + m.app
	}
	return ""
}
