package app

import (
	"encoding/json"
	"fmt"
	"hash/fnv"
	"slices"
	"strconv"
	"strings"
	"time"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
)

// Annotations in which YuniKorn's users write gangs by hand.
const (
	taskGroups    = "yunikorn.apache.org/task-groups"
	taskGroupName = "yunikorn.apache.org/task-group-name"
	taskPolicy    = "yunikorn.apache.org/schedulingPolicyParameters"
)

// yunikornPatience is how long YuniKorn keeps placeholders unless the pod says otherwise.
const yunikornPatience = 15 * time.Minute

// taskGroup is one entry of the annotation.
type taskGroup struct {
	Name         string                        `json:"name"`
	MinMember    int                           `json:"minMember"`
	Labels       map[string]string             `json:"labels"`
	Annotations  map[string]string             `json:"annotations"`
	MinResource  v1.ResourceList               `json:"minResource"`
	NodeSelector map[string]string             `json:"nodeSelector"`
	Tolerations  []v1.Toleration               `json:"tolerations"`
	Affinity     *v1.Affinity                  `json:"affinity"`
	Spread       []v1.TopologySpreadConstraint `json:"topologySpreadConstraints"`
}

// tasks reads the task groups on a pod. Their sizes are known, so room can be kept for members that do not exist yet.
func tasks(m *marks) *cluster.GroupFact {
	text := m.pod.Annotations[taskGroups]
	f := &cluster.GroupFact{Origin: cluster.FromTaskGroups, Source: "annotation " + taskGroups}
	var all []taskGroup
	if err := json.Unmarshal([]byte(text), &all); err != nil {
		f.Faults = []string{`annotation ` + taskGroups + ` is not JSON like [{"name": "driver", "minMember": 1, "minResource": {"cpu": "1", "memory": "1Gi"}}]; correct it or take it away`}
		f.Key = "task-groups " + digest(text)
		return f
	}
	cast := castOf(m, all)
	var parts, roles []string
	seen := map[string]bool{}
	for i := range all {
		g := &all[i]
		if why := g.fault(seen); why != "" {
			f.Faults = append(f.Faults, fmt.Sprintf("annotation %s: task group %s %s", taskGroups, quoted(g.Name), why))
			continue
		}
		role := cast.role(i, m.tame(g.Name, "a task group's name"))
		roles = append(roles, role)
		f.Min += g.MinMember
		addRole(f, cluster.RoleFact{
			Role: role, Min: g.MinMember, Count: g.MinMember, Template: g.pod(m), First: isFirst(role) && len(all) > 1,
		})
		parts = append(parts, fmt.Sprintf("%s %d", m.tame(g.Name, "a task group's name"), g.MinMember))
	}
	f.Key = "task-groups " + digest(text, m.pod.Annotations[taskPolicy], strings.Join(roles, "\n"))
	f.Source += ": " + strings.Join(parts, ", ")
	f.Patience, f.Clock, f.Ends = patience(m), "placeholderTimeoutInSeconds", "YuniKorn would give up waiting for the other pods"
	return f
}

// addRole puts a role in. Task groups of one role are one, and its pods as the first of them says.
func addRole(f *cluster.GroupFact, r cluster.RoleFact) {
	for i := range f.Roles {
		if have := &f.Roles[i]; have.Role == r.Role {
			have.Min, have.Count = have.Min+r.Min, have.Count+r.Count
			return
		}
	}
	f.Roles = append(f.Roles, r)
}

func (g *taskGroup) fault(seen map[string]bool) string {
	switch twice := seen[g.Name]; {
	case g.Name == "":
		return "has no name"
	case twice:
		return "is there twice"
	case g.MinMember < 0 || g.MinMember > mostMembers:
		return fmt.Sprintf("has a minMember of %d", g.MinMember)
	}
	seen[g.Name] = true
	return ""
}

// casting says which roles the pods of task groups have. Pods of engines have their engine's roles whatever their task groups are called: one group is that of the pod which
// starts the others, and all others are theirs. Which one that is the pod says that has the annotation, by its own task group; where it does not say, it is the first.
type casting struct {
	starter, started string
	// at is the group of the starter, or of the pod itself in a RayCluster.
	at int
	// ray: the groups are called as those of the RayCluster, as KubeRay does.
	ray bool
}

func castOf(m *marks, all []taskGroup) (c casting) {
	own := engineRole(m)
	mine := slices.IndexFunc(all, func(g taskGroup) bool { return g.Name != "" && g.Name == m.pod.Annotations[taskGroupName] })
	switch {
	case own == "":
	case counterparts[own] == "":
		c.ray, c.starter, c.at = true, own, mine
		if len(all) == 1 {
			c.at = 0
		}
	case isFirst(own):
		c.starter, c.started, c.at = own, counterparts[own], max(mine, 0)
	default:
		c.starter, c.started = counterparts[own], own
		if mine == 0 || len(all) == 1 { // a group alone is its own
			c.at = 1
		}
	}
	return c
}

// role is that of the pods of a task group.
func (c *casting) role(at int, name string) string {
	name = strings.ToLower(name)
	switch {
	case c.starter == "":
		return name
	case at == c.at:
		return c.starter
	case c.ray && name == rayHeadGroup:
		return rayHead
	case c.ray:
		return Worker + "/" + name
	}
	return c.started
}

// Of a RayCluster: the role of its head, and how KubeRay calls the group that the head is.
const (
	rayHead      = "head"
	rayHeadGroup = "headgroup"
)

// counterparts are the roles of engines that have two.
var counterparts = map[string]string{JobManager: TaskManager, TaskManager: JobManager, Driver: Executor, Executor: Driver}

func isFirst(role string) bool { return role == JobManager || role == Driver }

// pod is a member of the task group, as far as it is written.
func (g *taskGroup) pod(m *marks) *cluster.PodFact {
	fact := cluster.ReadPod(&v1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: m.pod.Namespace, Labels: g.Labels, Annotations: g.Annotations},
		Spec: v1.PodSpec{
			SchedulerName: m.pod.Spec.SchedulerName, Priority: m.pod.Spec.Priority,
			NodeSelector: g.NodeSelector, Tolerations: g.Tolerations, Affinity: g.Affinity, TopologySpreadConstraints: g.Spread,
			Containers: []v1.Container{{Name: "main", Resources: v1.ResourceRequirements{Requests: g.MinResource}}},
		},
	}, m.pod.Spec.SchedulerName)
	return fact
}

// patience is how long YuniKorn would keep placeholders.
func patience(m *marks) time.Duration {
	for _, word := range strings.Fields(m.pod.Annotations[taskPolicy]) {
		value, ok := strings.CutPrefix(word, "placeholderTimeoutInSeconds=")
		if n, err := strconv.Atoi(value); ok && err == nil && n > 0 && n <= mostMembers {
			return time.Duration(n) * time.Second
		} else if ok {
			m.fault("annotation " + taskPolicy + ": placeholderTimeoutInSeconds is not a number of seconds; 15 minutes are taken")
		}
	}
	return yunikornPatience
}

// digest tells texts apart.
func digest(texts ...string) string {
	h := fnv.New64a()
	for _, t := range texts {
		h.Write([]byte(strconv.Itoa(len(t)) + ":" + t))
	}
	return strconv.FormatUint(h.Sum64(), 16)
}
