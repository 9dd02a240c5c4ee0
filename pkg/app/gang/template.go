package gang

import (
	"maps"
	"slices"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/sluice-scheduler/sluice/pkg/app"
	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
)

// member is a pod that an object will make, as far as it is known.
type member struct {
	pod   *v1.Pod
	claim cluster.Claim
	// like is the fact of a pod from which this one differs in labels and claim alone, for whose demand they play no part; nil if there is none.
	like *cluster.PodFact
}

// member makes a pod of a template: with the labels that whoever creates it will add, and with what the API server fills in where it matters to placement.
func (r *Reader) member(namespace string, t *v1.PodTemplateSpec, labels map[string]string) *member {
	pod := &v1.Pod{ObjectMeta: *t.ObjectMeta.DeepCopy(), Spec: *t.Spec.DeepCopy()}
	pod.Namespace, pod.Name, pod.UID = namespace, "", ""
	for k, v := range labels {
		metav1.SetMetaDataLabel(&pod.ObjectMeta, k, v)
	}
	fill(&pod.Spec)
	return &member{pod: pod, claim: app.Identify(pod, r.TrustUser)}
}

// twin is a member that differs from another in the value of a label.
func (r *Reader) twin(of *member, label, value string) *member {
	pod := *of.pod
	pod.Labels = maps.Clone(pod.Labels)
	pod.Labels[label] = value
	if of.like == nil {
		of.like = r.read(of.pod)
	}
	m := &member{pod: &pod, claim: app.Identify(&pod, r.TrustUser)}
	if of.like.Demand.Topology == nil && of.like.Liking == nil { // else what it says of other pods may be by its own labels
		m.like = of.like
	}
	return m
}

// fact is the pod as the core knows pods.
func (r *Reader) fact(m member) *cluster.PodFact {
	f := &cluster.PodFact{}
	if m.like != nil {
		*f = *m.like
		f.Labels = cluster.PackLabels(m.pod.Labels)
	} else {
		f = r.read(m.pod)
	}
	claim := m.claim
	claim.Gang = nil // it is told already, by what this is part of
	f.Claim = &claim
	return f
}

func (r *Reader) read(pod *v1.Pod) *cluster.PodFact {
	f := cluster.ReadPod(pod, pod.Spec.SchedulerName)
	// a pod that names no scheduler may be given ours when it is created
	f.Ours = pod.Spec.SchedulerName == v1.DefaultSchedulerName || r.serves(pod.Spec.SchedulerName)
	return f
}

func (r *Reader) serves(scheduler string) bool { return slices.Contains(r.Schedulers, scheduler) }

// fill does what the API server and its admission do to every pod, so that the room that is kept has the shape of the pod that comes.
func fill(s *v1.PodSpec) {
	if s.SchedulerName == "" {
		s.SchedulerName = v1.DefaultSchedulerName
	}
	for _, list := range [][]v1.Container{s.Containers, s.InitContainers} {
		for i := range list {
			request(&list[i].Resources)
			hostPorts(s, &list[i])
		}
	}
	if s.Resources != nil {
		request(s.Resources)
	}
	for _, taint := range [...]string{v1.TaintNodeNotReady, v1.TaintNodeUnreachable} {
		tolerate(s, taint)
	}
}

// request lets every limit without a request be one.
func request(r *v1.ResourceRequirements) {
	for name, q := range r.Limits {
		if _, ok := r.Requests[name]; ok {
			continue
		}
		if r.Requests == nil {
			r.Requests = v1.ResourceList{}
		}
		r.Requests[name] = q
	}
}

// hostPorts lets the ports of a pod on its node's network be the node's.
func hostPorts(s *v1.PodSpec, c *v1.Container) {
	for i := range c.Ports {
		if s.HostNetwork && c.Ports[i].HostPort == 0 {
			c.Ports[i].HostPort = c.Ports[i].ContainerPort
		}
	}
}

// tolerate adds what admission adds to every pod that says nothing of the taint: five minutes on a node that is lost.
func tolerate(s *v1.PodSpec, taint string) {
	for i := range s.Tolerations {
		t := &s.Tolerations[i]
		if (t.Key == taint || t.Key == "") && (t.Effect == v1.TaintEffectNoExecute || t.Effect == "") {
			return
		}
	}
	s.Tolerations = append(s.Tolerations, v1.Toleration{Key: taint, Operator: v1.TolerationOpExists, Effect: v1.TaintEffectNoExecute})
}
