package cluster

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	v1 "k8s.io/api/core/v1"
	reqs "k8s.io/component-helpers/resource"
	"k8s.io/component-helpers/scheduling/corev1/nodeaffinity"

	"github.com/sluice-scheduler/sluice/pkg/core/resource"
)

// Demand is all that a pod asks of a node, read from its spec. Equal keys mean equal demands: such pods are interchangeable for
// placement. It is immutable.
type Demand struct {
	// Key is the canonical text of all other fields.
	Key      string
	Requests resource.Amounts
	// Ports on the host, sorted, each once.
	Ports []Port
	// Tolerations, sorted; tolerationSeconds plays no part in placement and is dropped.
	Tolerations []v1.Toleration
	// Affinity is the node selector and required node affinity; nil when the pod has neither.
	Affinity *nodeaffinity.RequiredNodeAffinity
	// LabelKeys are the node labels that Affinity reads, sorted, each once; ByField says that it reads the node's name as well.
	LabelKeys []string
	ByField   bool
	// Names are the nodes that required affinity on metadata.name allows, where that is more than the single Pin; nil allows all. Not nil
	// but empty means that the terms contradict each other.
	Names []string
	// Unsupported lists the spec fields that demand something of a node and that fit does not evaluate. Such a pod is held.
	Unsupported []string
	// Faults lists what could not be read; the pod is treated as the default scheduler would and its condition names them.
	Faults []string
}

// ReadDemand reads what a pod asks of a node, and the single node it is pinned to by name, if any. The arithmetic of requests (init
// containers, sidecars, overhead, pod-level resources) is that of k8s.io/component-helpers/resource.
func ReadDemand(pod *v1.Pod) (d *Demand, pin string) {
	spec := &pod.Spec
	d = &Demand{Ports: hostPorts(spec), Tolerations: tolerations(spec), Unsupported: unsupported(pod)}
	d.Requests, d.Faults = resource.FromList(reqs.PodRequests(pod, reqs.PodResourcesOptions{}))

	affinity, pin := splitPin(spec.Affinity)
	if pin == "" {
		d.Names = namedNodes(spec.Affinity)
	}
	if len(spec.NodeSelector) > 0 || requiredTerms(affinity) != nil {
		a := nodeaffinity.NewRequiredNodeAffinity(spec.NodeSelector, affinity)
		d.Affinity = &a
		d.LabelKeys, d.ByField = readBy(spec.NodeSelector, requiredTerms(affinity))
		d.Faults = append(d.Faults, affinityFaults(requiredTerms(affinity))...)
	}
	d.Key = d.key(spec.NodeSelector, affinity)
	return d, pin
}

// readBy returns the node labels that selector and terms read, and whether they read fields.
func readBy(selector map[string]string, terms []v1.NodeSelectorTerm) (labels []string, fields bool) {
	labels = sortedKeys(selector)
	for i := range terms {
		for _, r := range terms[i].MatchExpressions {
			labels = append(labels, r.Key)
		}
		fields = fields || len(terms[i].MatchFields) > 0
	}
	slices.Sort(labels)
	return slices.Compact(labels), fields
}

// affinityFaults names the terms that cannot be read. The default scheduler ignores such terms, and so does Affinity.
func affinityFaults(terms []v1.NodeSelectorTerm) []string {
	if _, err := nodeaffinity.NewNodeSelector(&v1.NodeSelector{NodeSelectorTerms: terms}); err != nil {
		return []string{"a term of required node affinity is ignored: " + err.Error()}
	}
	return nil
}

func hostPorts(spec *v1.PodSpec) []Port {
	var ports []Port
	collect := func(containers []v1.Container, all bool) {
		for i := range containers {
			c := &containers[i]
			restarts := c.RestartPolicy != nil && *c.RestartPolicy == v1.ContainerRestartPolicyAlways
			if !all && !restarts {
				continue // an init container that ends has given its ports back before the pod runs
			}
			for _, p := range c.Ports {
				if p.HostPort > 0 {
					ports = append(ports, Port{Protocol: orTCP(p.Protocol), IP: orAny(p.HostIP), Number: p.HostPort})
				}
			}
		}
	}
	collect(spec.InitContainers, false)
	collect(spec.Containers, true)
	slices.SortFunc(ports, comparePorts)
	return slices.Compact(ports)
}

func comparePorts(a, b Port) int {
	return cmp.Or(cmp.Compare(a.Number, b.Number), cmp.Compare(a.Protocol, b.Protocol), cmp.Compare(a.IP, b.IP))
}

func orTCP(p v1.Protocol) v1.Protocol {
	if p == "" {
		return v1.ProtocolTCP
	}
	return p
}

func orAny(ip string) string {
	if ip == "" {
		return AnyIP
	}
	return ip
}

// AnyIP is the host address that stands for all addresses of a node.
const AnyIP = "0.0.0.0"

func tolerations(spec *v1.PodSpec) []v1.Toleration {
	out := make([]v1.Toleration, 0, len(spec.Tolerations))
	for _, t := range spec.Tolerations {
		t.TolerationSeconds = nil
		out = append(out, t)
	}
	slices.SortFunc(out, func(a, b v1.Toleration) int {
		return cmp.Or(cmp.Compare(a.Key, b.Key), cmp.Compare(a.Operator, b.Operator),
			cmp.Compare(a.Value, b.Value), cmp.Compare(a.Effect, b.Effect))
	})
	return slices.Compact(out)
}

func requiredTerms(a *v1.Affinity) []v1.NodeSelectorTerm {
	if a == nil || a.NodeAffinity == nil || a.NodeAffinity.RequiredDuringSchedulingIgnoredDuringExecution == nil {
		return nil
	}
	terms := a.NodeAffinity.RequiredDuringSchedulingIgnoredDuringExecution.NodeSelectorTerms
	if terms == nil {
		return []v1.NodeSelectorTerm{} // a selector without terms matches nothing
	}
	return terms
}

// key writes the demand canonically. Every piece of free text is quoted, so that no two demands share a key.
func (d *Demand) key(selector map[string]string, affinity *v1.Affinity) string {
	var b strings.Builder
	quote := func(parts ...string) {
		for _, p := range parts {
			b.WriteString(strconv.Quote(p))
			b.WriteByte(' ')
		}
	}
	for _, a := range d.Requests {
		quote("r", a.Name, strconv.FormatInt(a.Value, 10))
	}
	for _, p := range d.Ports {
		quote("p", string(p.Protocol), p.IP, strconv.Itoa(int(p.Number)))
	}
	for _, t := range d.Tolerations {
		quote("t", t.Key, string(t.Operator), t.Value, string(t.Effect))
	}
	for _, k := range sortedKeys(selector) {
		quote("s", k, selector[k])
	}
	if terms := requiredTerms(affinity); terms != nil {
		quote("a")
		for i := range terms {
			quote("term")
			writeRequirements(quote, "l", terms[i].MatchExpressions)
			writeRequirements(quote, "f", terms[i].MatchFields)
		}
	}
	if d.Names != nil {
		quote("n")
		quote(d.Names...)
	}
	for _, u := range d.Unsupported {
		quote("u", u)
	}
	for _, f := range d.Faults {
		quote("!", f)
	}
	return b.String()
}

func writeRequirements(quote func(...string), kind string, list []v1.NodeSelectorRequirement) {
	for _, r := range list {
		quote(kind, r.Key, string(r.Operator), strconv.Itoa(len(r.Values)))
		quote(r.Values...)
	}
}

func sortedKeys(m map[string]string) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
