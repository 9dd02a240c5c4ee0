package gang

import (
	"fmt"
	"strconv"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/sluice-scheduler/sluice/pkg/app"
	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
)

// leaderWorkerSet is what is read of a LeaderWorkerSet.
type leaderWorkerSet struct {
	Spec struct {
		Replicas *int32 `json:"replicas"`
		Startup  string `json:"startupPolicy"`
		Template struct {
			Leader *v1.PodTemplateSpec `json:"leaderTemplate"`
			Worker v1.PodTemplateSpec  `json:"workerTemplate"`
			Size   *int32              `json:"size"`
		} `json:"leaderWorkerTemplate"`
	} `json:"spec"`
}

// mostGroups bounds of how many groups of one set is told.
const mostGroups = 4096

// readLeaderWorkerSet reads a LeaderWorkerSet: each of its replicas is a group, a leader and its workers.
func readLeaderWorkerSet(r *Reader, o metav1.Object, into *Piece) {
	var s leaderWorkerSet
	err := decode(o, &s)
	var leader, worker *member
	var wish app.Wish
	if err == nil {
		leader, worker = s.members(r, o)
	}
	for i := range min(sane(orElse(s.Spec.Replicas, 1)), mostGroups) {
		index := strconv.Itoa(i)
		d := begin(o, leaderWorkerSets, "leaderworkerset/"+o.GetName()+"/"+index)
		if err != nil {
			d.refuse(err, into)
			continue
		}
		s.draft(o, d, index, r.twin(leader, groupIndex, index), r.twin(worker, groupIndex, index))
		if i == 0 {
			d.wishes(o)
			wish = d.wish // is that of all
		}
		d.wish = wish
		d.close(r, into)
	}
}

// groupIndex is the label in which the pods of a set's groups differ.
const groupIndex = "leaderworkerset.sigs.k8s.io/group-index"

// members are the leader and a worker of the first group. A set may have thousands of groups, and is read whenever its status changes, so the others are made of these.
func (s *leaderWorkerSet) members(r *Reader, o metav1.Object) (leader, worker *member) {
	t := s.Spec.Template.Leader
	if t == nil {
		t = &s.Spec.Template.Worker
	}
	return lwsMember(r, o, t, "0"), lwsMember(r, o, &s.Spec.Template.Worker, "1")
}

func (s *leaderWorkerSet) draft(o metav1.Object, d *draft, index string, leader, worker *member) {
	size := max(1, sane(orElse(s.Spec.Template.Size, 1)))
	d.exact = true
	d.add(role{min: 1, count: 1, member: leader, first: s.Spec.Startup == "LeaderReady" && size > 1})
	if size > 1 {
		d.add(role{min: size - 1, count: size - 1, member: worker})
	}
	d.fact.Source = fmt.Sprintf("LeaderWorkerSet %s, group %s: 1 leader, %s", o.GetName(), index, plural(size-1, "worker"))
	if key := o.GetAnnotations()["leaderworkerset.sigs.k8s.io/exclusive-topology"]; key != "" {
		d.fact.Topology = &cluster.GroupTopology{Key: key, Required: true}
	}
}

// lwsMember is a pod of the first group with the labels that the set's controller gives it.
func lwsMember(r *Reader, o metav1.Object, t *v1.PodTemplateSpec, worker string) *member {
	return r.member(o.GetNamespace(), t, map[string]string{
		"leaderworkerset.sigs.k8s.io/name": o.GetName(), groupIndex: "0", "leaderworkerset.sigs.k8s.io/worker-index": worker,
	})
}
