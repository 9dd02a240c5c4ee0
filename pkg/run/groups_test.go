package run

import (
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sluice-scheduler/sluice/pkg/core"
	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
	"github.com/sluice-scheduler/sluice/pkg/core/resource"
	"github.com/sluice-scheduler/sluice/pkg/web/api"
)

// job is a group whose first pod starts two others.
func job(object cluster.ObjectRef) core.Event {
	template := func(cpu int64) *cluster.PodFact {
		return &cluster.PodFact{Namespace: "ns", Ours: true, Demand: &cluster.Demand{Key: "worker", Requests: resource.Amounts{{Name: "cpu", Value: cpu}}}}
	}
	return core.GroupSet{Group: &cluster.GroupFact{
		Namespace: "ns", ID: "job", Origin: cluster.FromObject, Source: "Engine job: 2 workers", Object: object, Min: 3, Patience: time.Minute,
		Topology: &cluster.GroupTopology{Key: "zone"},
		Roles: []cluster.RoleFact{
			{Role: "head", Min: 1, Count: 1, First: true, Template: template(1000)}, {Role: "worker", Min: 2, Count: 2, Template: template(2000)},
		},
	}}
}

func head(node string, ready time.Time) core.Event {
	return core.PodSet{Pod: &cluster.PodFact{
		UID: "head", Namespace: "ns", Name: "head", Ours: true, Created: time.Now().Truncate(time.Second), Node: node, Scheduled: ready, Ready: ready,
		Demand: &cluster.Demand{Key: "head", Requests: resource.Amounts{{Name: "cpu", Value: 1000}}},
		Claim:  &cluster.Claim{App: "job", Role: "head", Group: "job"},
	}}
}

func TestGroupsAreTold(t *testing.T) {
	queried(t, func(t *testing.T, q *Queries, _ *counted, inbox *Inbox) {
		start := time.Now().UTC()
		object := cluster.ObjectRef{APIVersion: "v1", Kind: "Engine", Namespace: "ns", Name: "job", UID: "u"}
		inbox.Put(roomOn("n", 8000), core.Lead{On: true}, job(object), head("", time.Time{}))
		all, err := q.Groups(t.Context())
		require.NoError(t, err)
		require.Len(t, all.Groups, 1)
		require.Equal(t, "begun", all.Groups[0].Standing)
		inbox.Put(core.BindDone{UID: "head", Node: "n", Outcome: core.Bound}, head("n", start))
		got, known, err := q.Group(t.Context(), "ns", "job")
		require.NoError(t, err)
		require.True(t, known)
		require.Equal(t, api.GroupAnswer{Leading: true, Group: api.Group{
			Namespace: "ns", ID: "job", Standing: "begun", Min: 3, Applications: []string{"job"}, Queue: "root.default",
			Source:   &api.GroupSource{Origin: "object", Text: "Engine job: 2 workers", Object: &api.ObjectRef{APIVersion: "v1", Kind: "Engine", Namespace: "ns", Name: "job", UID: "u"}},
			Topology: &api.GroupTopology{Key: "zone"}, Since: start, KeptSince: start, KeptUntil: start.Add(10 * time.Minute),
			Deadline: start.Add(time.Minute), DeadlineText: "The application gives up waiting for its pods at " + start.Add(time.Minute).Format(time.TimeOnly) + " UTC (it waits 1m)",
			Roles: []api.GroupRole{
				{Role: "head", Min: 1, Count: 1, First: true, Existing: 1, Bound: 1, Request: map[string]string{"cpu": "1"}},
				{Role: "worker", Min: 2, Count: 2, Expected: 2, Kept: []api.KeptRoom{{Node: "n", Pods: 2}}, Request: map[string]string{"cpu": "2"}},
			},
		}}, got)
		pod, _, err := q.Pod(t.Context(), "ns", "head")
		require.NoError(t, err)
		require.Equal(t, "job", pod.Group)
		require.Contains(t, pod.GroupStanding, "begun: head 1 of 1 bound, worker 0 of 2 bound, room kept for 2")
		_, known, err = q.Group(t.Context(), "ns", "other")
		require.NoError(t, err)
		require.False(t, known)
	})
}

// TestManyWhoAskShareTheGroups, which are no older than a tenth of a second.
func TestManyWhoAskShareTheGroups(t *testing.T) {
	queried(t, func(t *testing.T, q *Queries, c *counted, inbox *Inbox) {
		inbox.Put(roomOn("n", 8000), core.Lead{On: true}, job(cluster.ObjectRef{}))
		var all sync.WaitGroup
		for range 20 {
			all.Go(func() {
				got, err := q.Groups(t.Context())
				require.NoError(t, err)
				require.Nil(t, got.Groups[0].Source.Object)
			})
		}
		all.Wait()
		require.EqualValues(t, 1, c.surveys.Load())
		inbox.Put(core.GroupGone{Namespace: "ns", ID: "job", Origin: cluster.FromObject})
		time.Sleep(surveyFor)
		got, err := q.Groups(t.Context())
		require.NoError(t, err)
		require.Empty(t, got.Groups)
	})
}
