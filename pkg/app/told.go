package app

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
)

// gang is what the pod itself tells of the group that it is in; nil for nothing.
func gang(m *marks, id string) *cluster.GroupFact {
	var f *cluster.GroupFact
	w := readWish(m)
	switch {
	case strings.HasPrefix(id, ownGroup), !objectTells(id) && w.Asked && !w.All:
		f = wished(m, cluster.FromAnnotations)
	case m.pod.Annotations[taskGroups] != "" && inTaskGroup(m) != "":
		f = tasks(m)
	case strings.HasPrefix(id, kueueGroup):
		f = kueue(m)
	case !startsOthers(id):
		f = wished(m, cluster.FromControllers)
	}
	if f != nil {
		f.Namespace, f.ID = m.pod.Namespace, id
	}
	return f
}

// startsOthers reports whether a group is one of those of which some pods exist only when others run. What a pod of it asks for is read from the object that
// tells of all of them: a number without their sizes would be waited for forever.
func startsOthers(id string) bool {
	return hasAnyPrefix(id, flinkGroup, plainPrefix, sparkApp, sparkGroup, rayGroup, jobSetGroup, lwsGroup)
}

// objectTells reports whether an object that package gang reads heeds our annotations in the template of the group's pods.
func objectTells(id string) bool {
	return startsOthers(id) || hasAnyPrefix(id, jobGroup, PodGroupID("")) || isKubeflow(id)
}

// awaits says for how long a pod waits to be told of its group. Who names a PodGroup of Kubernetes must not start without it. What tells of all others may be missing:
// a resource of an operator that may not be read, a group that was left behind when another scheduler was here. Pods that another pod has started wait for nothing: if nothing
// was known when that was placed, nothing will be.
func awaits(m *marks, id string) cluster.Awaits {
	switch {
	case strings.HasPrefix(id, PodGroupID("")):
		return cluster.AwaitsAlways
	case isStarted(m):
		return cluster.AwaitsNothing
	case objectTells(id), hasAnyPrefix(id, VolcanoGroup, PluginGroup, KAIGroup):
		return cluster.AwaitsSoon
	}
	return cluster.AwaitsNothing
}

func hasAnyPrefix(s string, prefixes ...string) bool {
	return slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(s, p) })
}

// isKubeflow knows pytorchjob/NAME, mpijob/NAME and the like.
func isKubeflow(id string) bool {
	kind, _, _ := strings.Cut(id, "/")
	return strings.HasSuffix(kind, "job") && len(kind) > len("job") && !strings.Contains(kind, ".")
}

// isStarted reports whether a pod was made by another that runs: a native TaskManager, an executor.
func isStarted(m *marks) bool {
	return sparkRole(m) == Executor || flinkComponent(m) == TaskManager && m.pod.Labels["type"] == "flink-native-kubernetes"
}

// wished is what our annotations ask for. The pods are to exist before they are tried.
func wished(m *marks, origin cluster.Origin) *cluster.GroupFact {
	w := readWish(m)
	if !w.Asked || w.All {
		return nil
	}
	f := &cluster.GroupFact{Origin: origin, Source: MinMembers + " " + w.Text(), Min: w.Min, Topology: w.Topology}
	for _, role := range slices.Sorted(maps.Keys(w.Roles)) {
		f.Roles = append(f.Roles, cluster.RoleFact{Role: role, Min: w.Roles[role], Count: w.Roles[role]})
	}
	f.Key = fmt.Sprint(f.Source, " ", topologyText(w.Topology))
	return f
}

func topologyText(t *cluster.GroupTopology) string {
	if t == nil {
		return ""
	}
	return fmt.Sprint(t.Key, " ", t.Required)
}

// kueue is a group of plain pods of Kueue, all of which start together.
func kueue(m *marks) *cluster.GroupFact {
	text, from := m.get(kueueTotal)
	n, ok := members(text)
	f := &cluster.GroupFact{Origin: cluster.FromGroupLabels, Source: from + " " + text, Min: n, Topology: topology(m)}
	if !ok {
		f.Min, f.Faults = 0, []string{from + ": " + quoted(text) + " is not a number of pods; correct it on all pods of the group"}
	}
	f.Key = fmt.Sprint(f.Source, " ", topologyText(f.Topology))
	return f
}
