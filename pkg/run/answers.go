package run

import (
	"strings"

	"github.com/sluice-scheduler/sluice/pkg/core"
	"github.com/sluice-scheduler/sluice/pkg/core/resource"
	"github.com/sluice-scheduler/sluice/pkg/web/api"
)

// queuesOf turns a survey into the API's words.
func queuesOf(s core.QueueSurvey) api.Queues {
	return api.Queues{Leading: s.Leading, Configuration: s.Hash, Capacity: quantities(s.Capacity), Queue: queueOf(&s.Root)}
}

func queueOf(s *core.QueueStatus) api.Queue {
	q := api.Queue{
		Name: s.Name, Leaf: s.Leaf, Dynamic: s.Dynamic, Draining: s.Draining,
		Pods: s.Pods, PendingPods: s.PendingPods, RunningApps: s.Apps, MaxApps: s.MaxApps, Resources: make(map[string]api.Resource, len(s.Resources)),
	}
	for _, r := range s.Resources {
		q.Resources[r.Name] = resourceOf(r)
	}
	for _, m := range s.Members {
		q.Members = append(q.Members, memberOf(m))
	}
	for i := range s.Children {
		q.Queues = append(q.Queues, queueOf(&s.Children[i]))
	}
	return q
}

func resourceOf(r core.ResourceStatus) api.Resource {
	optional := func(value *int64) api.Quantity {
		if value == nil {
			return ""
		}
		return resource.Display(r.Name, *value)
	}
	reserved := api.Quantity("")
	if r.Reserved > 0 {
		reserved = resource.Display(r.Name, r.Reserved)
	}
	return api.Resource{
		Reserved: reserved, Guaranteed: optional(r.Guaranteed), Max: optional(r.Max), Headroom: optional(r.Headroom), Weight: r.Weight,
		Used: resource.Display(r.Name, r.Used), Pending: resource.Display(r.Name, r.Pending), Fair: resource.Display(r.Name, r.Fair),
	}
}

func memberOf(m core.MemberStatus) api.Member {
	kind, name, _ := strings.Cut(m.Who, " ")
	x := api.Member{Kind: kind, Name: name, Pods: m.Pods, RunningApps: m.Apps, MaxApps: m.MaxApps, Used: quantities(m.Used)}
	if len(m.Max) > 0 {
		x.Max = quantities(m.Max)
	}
	return x
}

func quantities(amounts resource.Amounts) map[string]api.Quantity {
	list := make(map[string]api.Quantity, len(amounts))
	for _, a := range amounts {
		list[a.Name] = resource.Display(a.Name, a.Value)
	}
	return list
}

// podOf turns an explanation into the API's words.
func podOf(x explained) api.Pod {
	return api.Pod{
		Leading: x.leading, Namespace: x.Pod.Namespace, Name: x.Pod.Name, UID: string(x.Pod.UID),
		Standing: string(x.Standing), Node: x.Node, Application: x.App, ApplicationFrom: x.AppFrom, Role: x.Role, Group: x.Group, GroupStanding: x.GroupLine,
		Queue: x.Queue, DecidedBy: x.QueueWhy, Faults: x.Faults,
		Reason: x.Reason, Message: x.Message, Nodes: x.Nodes, Refusals: refusals(x.Counts), Since: x.Since.UTC(), Attempts: x.Attempts, Until: x.Until.UTC(),
	}
}
