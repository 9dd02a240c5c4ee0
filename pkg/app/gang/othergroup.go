package gang

import (
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/sluice-scheduler/sluice/pkg/app"
	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
)

func readVolcano(_ *Reader, o metav1.Object, into *Piece) {
	into.tell(otherGroup(o, volcanoPodGroups, app.VolcanoGroup))
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
