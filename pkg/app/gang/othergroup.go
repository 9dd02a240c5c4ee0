package gang

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/sluice-scheduler/sluice/pkg/app"
	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
)

// readVolcano reads a PodGroup of Volcano, which may ask for a least number of each task, too.
func readVolcano(_ *Reader, o metav1.Object, into *Piece) {
	f := otherGroup(o, volcanoPodGroups, app.VolcanoGroup)
	tasks, _ := field(content(o), "spec", "minTaskMember").(map[string]any)
	sum := 0
	for _, task := range slices.Sorted(maps.Keys(tasks)) {
		n, fault := number(tasks, 0, task)
		if fault != "" {
			f.Warnings = append(f.Warnings, "spec.minTaskMember: "+fault+"; it is ignored")
			continue
		}
		f.Roles = append(f.Roles, cluster.RoleFact{Role: strings.ToLower(task), Min: n, Count: n})
		sum = sane(sum + n)
	}
	f.Min = max(f.Min, sum)
	into.tell(f)
}

func readPlugin(_ *Reader, o metav1.Object, into *Piece) {
	into.tell(otherGroup(o, pluginPodGroups, app.PluginGroup))
}

func readKAI(_ *Reader, o metav1.Object, into *Piece) {
	into.tell(otherGroup(o, kaiPodGroups, app.KAIGroup))
}

// otherGroup is the PodGroup of another scheduler. All of them call the least number of members spec.minMember, and wait for that many to exist.
func otherGroup(o metav1.Object, k Kind, prefix string) *cluster.GroupFact {
	f := &cluster.GroupFact{
		Namespace: o.GetNamespace(), ID: prefix + o.GetName(), Origin: cluster.FromGroupLabels,
		Object: refer(o, k),
	}
	least, fault := number(content(o), 1, "spec", "minMember")
	if fault != "" {
		f.Warnings = append(f.Warnings, fault+"; 1 is taken")
	}
	f.Min = max(least, 1)
	f.Source = fmt.Sprintf("PodGroup.%s %s: minMember %d", k.Group, o.GetName(), f.Min)
	return f
}
