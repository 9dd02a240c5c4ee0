package simnode

import (
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	resourcehelper "k8s.io/component-helpers/resource"
	schedulinghelper "k8s.io/component-helpers/scheduling/corev1"
	"k8s.io/component-helpers/scheduling/corev1/nodeaffinity"
	"k8s.io/klog/v2"
)

// refusal is why a kubelet does not admit a pod: status.reason and status.message.
type refusal struct {
	reason, message string
}

// resident is a pod that was admitted, with what it takes.
type resident struct {
	requests map[corev1.ResourceName]int64
	ports    []hostPort
}

// hostPort is a port of the node that a pod claims.
type hostPort struct {
	ip       string
	protocol corev1.Protocol
	port     int32
}

// host is a kubelet's memory: its node as the API shows it, and the pods it has admitted.
// The fleet's lock guards it.
type host struct {
	node      *corev1.Node
	residents map[types.UID]*resident
	used      map[corev1.ResourceName]int64
	silent    bool
}

// newHost is a node without pods.
func newHost(node *corev1.Node) *host {
	return &host{node: node, residents: map[types.UID]*resident{}, used: map[corev1.ResourceName]int64{}}
}

// admit takes a pod in, or says why not. The rules, their order and the texts are those
// of the kubelet's predicate handler in Kubernetes 1.37 (pkg/kubelet/lifecycle/predicate.go).
func (h *host) admit(pod *corev1.Pod) *refusal {
	r := h.claim(pod)
	if no := h.lacks(r); no != nil {
		return no
	}
	if ok, err := nodeaffinity.GetRequiredNodeAffinity(pod).Match(h.node); err != nil || !ok {
		return predicate("NodeAffinity", "node(s) didn't match Pod's node affinity/selector")
	}
	if h.portsTaken(r) {
		return predicate("NodePorts", "node(s) didn't have free ports for the requested pod ports")
	}
	_, untolerated := schedulinghelper.FindMatchingUntoleratedTaint(klog.Logger{}, h.node.Spec.Taints, pod.Spec.Tolerations,
		func(t *corev1.Taint) bool { return t.Effect == corev1.TaintEffectNoExecute }, false)
	if untolerated {
		return predicate("TaintToleration", "node(s) had untolerated taint(s)")
	}
	h.take(pod.UID, r)
	return nil
}

// adopt takes a pod in that a kubelet admitted before this process began.
func (h *host) adopt(pod *corev1.Pod) { h.take(pod.UID, h.claim(pod)) }

// claim works out what a pod takes of this node. Extended resources that the node does
// not know are somebody else's to account for.
func (h *host) claim(pod *corev1.Pod) *resident {
	r := &resident{requests: map[corev1.ResourceName]int64{}, ports: hostPorts(pod)}
	for name, q := range resourcehelper.PodRequests(pod, resourcehelper.PodResourcesOptions{UseStatusResources: true}) {
		if _, known := h.node.Status.Allocatable[name]; !known && strings.Contains(string(name), "/") {
			continue
		}
		if v := amount(name, q.MilliValue(), q.Value()); v > 0 {
			r.requests[name] = v
		}
	}
	return r
}

// amount picks the unit a kubelet counts a resource in: thousandths of a CPU, else whole.
func amount(name corev1.ResourceName, milli, whole int64) int64 {
	if name == corev1.ResourceCPU {
		return milli
	}
	return whole
}

// lacks names the first resource of which there is not enough: pods, cpu, memory,
// ephemeral-storage, then the others by name.
func (h *host) lacks(r *resident) *refusal {
	if max, n := h.capacity(corev1.ResourcePods), int64(len(h.residents)); n+1 > max {
		return outOf(corev1.ResourcePods, 1, n, max)
	}
	for _, name := range inOrder(r.requests) {
		if want, have := r.requests[name], h.capacity(name); want > have-h.used[name] {
			return outOf(name, want, h.used[name], have)
		}
	}
	return nil
}

// capacity is what the node offers of a resource.
func (h *host) capacity(name corev1.ResourceName) int64 {
	q := h.node.Status.Allocatable[name]
	return amount(name, q.MilliValue(), q.Value())
}

// inOrder sorts resources as the kubelet looks at them.
func inOrder(requests map[corev1.ResourceName]int64) []corev1.ResourceName {
	first := []corev1.ResourceName{corev1.ResourceCPU, corev1.ResourceMemory, corev1.ResourceEphemeralStorage}
	var rest []corev1.ResourceName
	for name := range requests {
		if !slices.Contains(first, name) {
			rest = append(rest, name)
		}
	}
	slices.Sort(rest)
	known := slices.DeleteFunc(first, func(n corev1.ResourceName) bool { return requests[n] == 0 })
	return append(known, rest...)
}

// portsTaken tells whether a resident has one of the ports.
func (h *host) portsTaken(r *resident) bool {
	if len(r.ports) == 0 {
		return false
	}
	for _, other := range h.residents {
		for _, have := range other.ports {
			if slices.ContainsFunc(r.ports, have.conflicts) {
				return true
			}
		}
	}
	return false
}

// conflicts tells whether two ports cannot both be had; the address 0.0.0.0 means all.
func (p hostPort) conflicts(o hostPort) bool {
	const all = "0.0.0.0"
	return p.port == o.port && p.protocol == o.protocol && (p.ip == o.ip || p.ip == all || o.ip == all)
}

// hostPorts lists the node's ports that a pod claims: of its containers, and of the init
// containers that stay.
func hostPorts(pod *corev1.Pod) []hostPort {
	var out []hostPort
	add := func(c corev1.Container) {
		for _, p := range c.Ports {
			if p.HostPort > 0 {
				hp := hostPort{ip: p.HostIP, protocol: p.Protocol, port: p.HostPort}
				if hp.ip == "" {
					hp.ip = "0.0.0.0"
				}
				if hp.protocol == "" {
					hp.protocol = corev1.ProtocolTCP
				}
				out = append(out, hp)
			}
		}
	}
	for _, c := range pod.Spec.Containers {
		add(c)
	}
	for _, c := range pod.Spec.InitContainers {
		if c.RestartPolicy != nil && *c.RestartPolicy == corev1.ContainerRestartPolicyAlways {
			add(c)
		}
	}
	return out
}

// take enters a pod into the accounts; twice is once.
func (h *host) take(uid types.UID, r *resident) {
	if h.residents[uid] != nil {
		return
	}
	h.residents[uid] = r
	for name, v := range r.requests {
		h.used[name] += v
	}
}

// release takes a pod out of the accounts, by what was entered.
func (h *host) release(uid types.UID) {
	r := h.residents[uid]
	if r == nil {
		return
	}
	delete(h.residents, uid)
	for name, v := range r.requests {
		h.used[name] -= v
	}
}

// outOf is the refusal for want of a resource.
func outOf(name corev1.ResourceName, requested, used, capacity int64) *refusal {
	return &refusal{
		reason: "OutOf" + string(name),
		message: fmt.Sprintf("Pod was rejected: Node didn't have enough resource: %s, requested: %d, used: %d, capacity: %d",
			name, requested, used, capacity),
	}
}

// predicate is the refusal for another reason.
func predicate(name, text string) *refusal {
	return &refusal{reason: name, message: fmt.Sprintf("Pod was rejected: Predicate %s failed: %s", name, text)}
}
