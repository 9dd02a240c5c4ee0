package run

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/sluice-scheduler/sluice/pkg/core"
	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
	"github.com/sluice-scheduler/sluice/pkg/core/fit"
	"github.com/sluice-scheduler/sluice/pkg/web/api"
)

// groupList is all groups as they were told last, at that time.
type groupList struct {
	answer *api.Groups
	at     time.Time
}

// surveyed are groups with who surveyed them.
type surveyed struct {
	groups  []core.GroupSurvey
	leading bool
	known   bool
}

// Groups returns all groups. The list is a tenth of a second old at most, and shared: do not change it.
func (q *Queries) Groups(ctx context.Context) (api.Groups, error) {
	if err := q.take(ctx); err != nil {
		return api.Groups{}, err
	}
	defer q.yield()
	if q.groups.answer == nil || time.Since(q.groups.at) >= surveyFor {
		s, err := question(ctx, q.loop, func() surveyed { return surveyed{groups: q.core.Groups(), leading: q.core.Leading()} })
		if err != nil {
			return api.Groups{}, err
		}
		answer := api.Groups{Leading: s.leading, Groups: make([]api.Group, len(s.groups))}
		for i := range s.groups {
			answer.Groups[i] = groupOf(&s.groups[i])
		}
		q.groups = groupList{&answer, time.Now()}
	}
	return *q.groups.answer, nil
}

// Group returns one group; known is false when there is none of that namespace and id.
func (q *Queries) Group(ctx context.Context, namespace, id string) (group api.GroupAnswer, known bool, err error) {
	if err := q.take(ctx); err != nil {
		return group, false, err
	}
	defer q.yield()
	s, err := question(ctx, q.loop, func() surveyed {
		x, known := q.core.Group(namespace, id)
		return surveyed{[]core.GroupSurvey{x}, q.core.Leading(), known}
	})
	if err != nil || !s.known {
		return group, false, err
	}
	return api.GroupAnswer{Leading: s.leading, Group: groupOf(&s.groups[0])}, true, nil
}

// groupOf turns a survey into the API's words.
func groupOf(x *core.GroupSurvey) api.Group {
	g := api.Group{
		Namespace: x.Namespace, ID: x.ID, Standing: string(x.Standing), Min: x.Min, Applications: x.Apps, Queue: x.Queue, Roles: []api.GroupRole{},
		Since: x.Since.UTC(), KeptSince: x.KeptSince.UTC(), KeptUntil: x.KeptUntil.UTC(), Deadline: x.Deadline.UTC(), DeadlineText: x.DeadlineText,
		Reason: x.Reason, Message: x.Message, Nodes: x.Nodes, Refusals: refusals(x.Counts), Faults: x.Faults, Warnings: x.Warnings, Remedy: x.Remedy,
	}
	for i, s := range x.Sources {
		source := api.GroupSource{Origin: origins[s.Origin], Text: s.Source, Object: objectOf(s.Object)}
		if i == 0 {
			g.Source = &source
		} else {
			g.Overruled = append(g.Overruled, source)
		}
	}
	if x.Topology != "" {
		g.Topology = &api.GroupTopology{Key: x.Topology, Required: x.Required}
	}
	for i := range x.Roles {
		g.Roles = append(g.Roles, roleOf(&x.Roles[i]))
	}
	return g
}

// origins are what the API calls them.
var origins = [cluster.Origins]string{
	cluster.FromPodGroup: "pod-group", cluster.FromAnnotations: "annotations", cluster.FromTaskGroups: "task-groups", cluster.FromGroupLabels: "group-labels",
	cluster.FromObject: "object", cluster.FromConfigMap: "config-map", cluster.FromControllers: "controllers",
}

func objectOf(o cluster.ObjectRef) *api.ObjectRef {
	if o.Name == "" {
		return nil
	}
	return &api.ObjectRef{APIVersion: o.APIVersion, Kind: o.Kind, Namespace: o.Namespace, Name: o.Name, UID: string(o.UID)}
}

func roleOf(r *core.GroupRole) api.GroupRole {
	x := api.GroupRole{
		Role: r.Role, Min: r.Min, Count: r.Count, First: r.First, Existing: r.Existing, Bound: r.Bound, Assumed: r.Assumed, Waiting: r.Waiting,
		Expected: r.Expected, Request: quantities(r.Each),
	}
	for _, k := range r.Kept {
		x.Kept = append(x.Kept, api.KeptRoom(k))
	}
	return x
}

// refusals adds up the reasons that read the same: some differ in their code alone.
func refusals(counts []fit.Count) (list []api.Refusal) {
	merged := map[string]int{}
	for _, c := range counts {
		merged[c.Reason.String()] += c.Nodes
	}
	for _, reason := range slices.Sorted(maps.Keys(merged)) {
		list = append(list, api.Refusal{Reason: reason, Nodes: merged[reason]})
	}
	return list
}
