package app

import (
	"strings"

	v1 "k8s.io/api/core/v1"

	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
)

// Identify reads to whom a pod belongs and where it wants to queue. User and groups are read only if trustUser says that nobody can write
// them in his own favour, because something checks them when pods are created.
func Identify(pod *v1.Pod, trustUser bool) cluster.Claim {
	m := &marks{pod: pod}
	c := cluster.Claim{Role: role(m)}
	c.App, c.AppFrom = application(m)
	m.app = c.App
	if c.Group = group(m); c.Group != "" {
		c.Gang, c.Awaits = gang(m, c.Group), awaits(m, c.Group)
	}
	c.Queue, c.QueueFrom = m.first(queueNames)
	if trustUser {
		c.User, c.Groups = user(m)
	}
	c.Faults = m.faults
	return c
}

// Alone is the claim of a pod of which nothing is known but that it exists: it is an application of its own.
func Alone(pod *v1.Pod) cluster.Claim {
	m := &marks{pod: pod}
	c := cluster.Claim{}
	c.App, c.AppFrom = alone(m)
	return c
}

// rule finds a pod's application, or returns an empty id.
type rule func(m *marks) (id, from string)

// rules in order of precedence: what is written on the pod, what engines write on their pods, whom the pod belongs to, the pod itself.
var rules = []rule{
	written,
	flinkLabelled, flinkPlain,
	sparkOperator, sparkDriver,
	ray,
	jobSet,
	kubeflow,
	leaderWorkerSet,
	podGroup,
	owner,
	job,
	alone,
}

func application(m *marks) (id, from string) {
	for _, r := range rules {
		if id, from = r(m); id != "" {
			break
		}
	}
	return id, from
}

// written is the id that somebody wrote on the pod. What YuniKorn's admission controller writes when nobody did is no id: it would make one
// application of all pods of the namespace.
func written(m *marks) (id, from string) {
	for _, name := range appNames {
		id, from = m.get(name)
		if id != "" && !invented(id, m.pod.Namespace) {
			return id, from
		}
	}
	return "", ""
}

func invented(id, namespace string) bool {
	return id == "yunikorn-"+namespace+"-autogen" || strings.HasSuffix(id, "-uniqueautogen")
}

// podGroup is the PodGroup that the pod's spec names.
func podGroup(m *marks) (id, from string) {
	if g := m.pod.Spec.SchedulingGroup; g != nil && g.PodGroupName != nil {
		if name := m.tame(*g.PodGroupName, "field spec.schedulingGroup.podGroupName"); name != "" {
			return PodGroupID(name), "field spec.schedulingGroup.podGroupName"
		}
	}
	return "", ""
}

// FromPodItself is what decided where a pod is an application of its own, which no other pod can share.
const FromPodItself = "the pod itself"

// alone makes an application of the pod itself.
func alone(m *marks) (id, from string) {
	return "pod/" + m.tame(m.pod.Name, "the pod's name"), FromPodItself
}
