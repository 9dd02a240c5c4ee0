package app

import "github.com/sluice-scheduler/sluice/pkg/core/cluster"

// Beginnings of the IDs of groups that an object of another scheduler describes; its name follows.
const (
	VolcanoGroup = "podgroup.scheduling.volcano.sh/"
	PluginGroup  = "podgroup.scheduling.x-k8s.io/"
	KAIGroup     = "podgroup.scheduling.run.ai/"
)

// PodGroupID is the ID of the group of Kubernetes' PodGroup of that name.
func PodGroupID(name string) string { return "podgroup/" + name }

// groupRule finds the group that a pod is in, or returns an empty ID.
type groupRule func(m *marks) (id string)

// groupRules in order of precedence. A pod is in a group only if something will tell of it: the pod itself, or an object that package gang reads.
var groupRules = []groupRule{
	inPodGroup,
	groupLabel,
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

// groupLabel is the PodGroup of another scheduler.
func groupLabel(m *marks) string {
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

// gang is what the pod itself tells of its group; nil for nothing.
func gang(m *marks) *cluster.GroupFact {
	if of := inPodGroup(m); of != "" {
		return awaited(m, of)
	}
	return nil
}

// awaited holds the pods of a PodGroup until that is there: whatever it then tells counts for more.
func awaited(m *marks, id string) *cluster.GroupFact {
	name := *m.pod.Spec.SchedulingGroup.PodGroupName
	return &cluster.GroupFact{
		Namespace: m.pod.Namespace, ID: id, Origin: cluster.FromGroupLabels, Source: "field spec.schedulingGroup.podGroupName", Key: "awaited",
		Faults: []string{"PodGroup " + quoted(name) + " is not there: create it, or see whether this API server serves scheduling.k8s.io/v1beta1"},
	}
}
