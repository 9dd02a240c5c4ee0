package sim

import (
	"cmp"
	"maps"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/sluice-scheduler/sluice/pkg/app/gang"
	"github.com/sluice-scheduler/sluice/pkg/core"
)

// reader reads objects that tell of groups.
var reader = &gang.Reader{Schedulers: []string{Scheduler}, TrustUser: true}

// tellers are the objects that tell of groups, and what they tell together.
type tellers struct {
	sources *gang.Sources
	pieces  map[gang.Key]*gang.Piece
}

func newTellers() *tellers {
	return &tellers{sources: gang.NewSources(), pieces: map[gang.Key]*gang.Piece{}}
}

// SetGrouping creates or replaces an object that tells of groups: a PodGroup, a FlinkDeployment, a Flink ConfigMap, a Job and so on. Others are not looked at.
func (c *Cluster) SetGrouping(o metav1.Object) {
	if p := reader.Read(o); p != nil {
		c.tellers.pieces[p.Key] = p
		c.tellGroups(c.tellers.sources.Set(p))
	}
}

// DeleteGrouping deletes an object that tells of groups.
func (c *Cluster) DeleteGrouping(o metav1.Object) {
	if p := reader.Read(o); p != nil {
		delete(c.tellers.pieces, p.Key)
		c.tellGroups(c.tellers.sources.Gone(p.Key))
	}
}

func (c *Cluster) tellGroups(changes []gang.Change) {
	for _, ch := range changes {
		if ch.Fact == nil {
			c.tell(core.GroupGone{Namespace: ch.Namespace, ID: ch.ID, Origin: ch.Origin})
		} else {
			c.tell(core.GroupSet{Group: ch.Fact})
		}
	}
}

// relistGroups tells of every group again.
func (c *Cluster) relistGroups() {
	pieces := c.tellers.pieces
	c.tellers = newTellers()
	for _, k := range slices.SortedFunc(maps.Keys(pieces), compareKeys) {
		c.tellers.pieces[k] = pieces[k]
		c.tellGroups(c.tellers.sources.Set(pieces[k]))
	}
}

func compareKeys(a, b gang.Key) int {
	return cmp.Or(cmp.Compare(a.APIGroup, b.APIGroup), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name))
}
