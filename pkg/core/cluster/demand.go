package cluster

import (
	"cmp"
	"slices"
	"strconv"

	v1 "k8s.io/api/core/v1"
	apires "k8s.io/apimachinery/pkg/api/resource"
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
	// Presumed is the cpu and memory that containers without such a request are taken to use, when nodes are compared; never when it is asked whether the
	// pod fits.
	Presumed Presumed
	// Ports on the host, sorted, each once.
	Ports []Port
	// Tolerations, sorted; tolerationSeconds plays no part in placement and is dropped.
	Tolerations []v1.Toleration
	// Affinity is the node selector and required node affinity; nil when the pod has neither.
	Affinity *nodeaffinity.RequiredNodeAffinity
	// Preferred is the preferred node affinity; nil when there is none. PreferredWeight is the sum of its weights.
	Preferred       *nodeaffinity.PreferredSchedulingTerms
	PreferredWeight int64
	// Order is the node order that the pod asks for by its annotation; empty for its queue's.
	Order string
	// LabelKeys are the node labels that Affinity and Preferred read, sorted, each once; ByField says that they read the node's name as well.
	LabelKeys []string
	ByField   bool
	// Names are the nodes that required affinity on metadata.name allows, where that is more than the single Pin; nil allows all. Not nil
	// but empty means that the terms contradict each other.
	Names []string
	// Topology is what the pod says of other pods; nil for most.
	Topology *Topology
	// Features are those that the node must declare, sorted.
	Features []string
	// Unsupported lists the spec fields that demand something of a node and that fit does not evaluate. Such a pod is held.
	Unsupported []string
	// Faults lists what could not be read; the pod is treated as the default scheduler would and its condition names them.
	Faults []string

	// affinityText is the part of the key that tells Affinity.
	affinityText string
}

// Presumed is an amount of cpu in millicores and of memory in bytes.
type Presumed struct{ CPU, Memory int64 }

// What a container without a request is taken to use, by kube-scheduler's DefaultMilliCPURequest and DefaultMemoryRequest: else pods without
// requests would all go to one node.
const (
	presumedCPU    = 100
	presumedMemory = 200 << 20
)

// presume returns what the pod's containers are taken to use beyond what they request. Where the pod as a whole requests something, nothing is presumed of what is
// requested at all.
func presume(pod *v1.Pod, requests resource.Amounts) Presumed {
	if asksAll(pod.Spec.Containers) && asksAll(pod.Spec.InitContainers) {
		return Presumed{}
	}
	missing := v1.ResourceList{
		v1.ResourceCPU:    *apires.NewMilliQuantity(presumedCPU, apires.DecimalSI),
		v1.ResourceMemory: *apires.NewQuantity(presumedMemory, apires.BinarySI),
	}
	if reqs.IsPodLevelRequestsSet(pod) {
		for name := range reqs.PodRequests(pod, reqs.PodResourcesOptions{}) {
			delete(missing, name)
		}
	}
	all, _ := resource.FromList(reqs.PodRequests(pod, reqs.PodResourcesOptions{NonMissingContainerRequests: missing}))
	return Presumed{
		CPU:    all.Get(resource.CPU) - requests.Get(resource.CPU),
		Memory: all.Get(resource.Memory) - requests.Get(resource.Memory),
	}
}

// asksAll reports whether every container requests both cpu and memory.
func asksAll(containers []v1.Container) bool {
	for i := range containers {
		r := containers[i].Resources.Requests
		if _, ok := r[v1.ResourceCPU]; !ok {
			return false
		}
		if _, ok := r[v1.ResourceMemory]; !ok {
			return false
		}
	}
	return true
}

// OrderAnnotation names the node order by which a pod wants its node chosen.
const OrderAnnotation = "sluice.dev/node-order"

// ReadDemand reads what a pod asks of a node, and the single node it is pinned to by name, if any. The arithmetic of requests (init
// containers, sidecars, overhead, pod-level resources) is that of k8s.io/component-helpers/resource.
func ReadDemand(pod *v1.Pod) (d *Demand, pin string) {
	spec := &pod.Spec
	d = &Demand{
		Ports: hostPorts(spec), Tolerations: tolerations(spec), Unsupported: unsupported(pod),
		Order: pod.Annotations[OrderAnnotation],
	}
	d.Requests, d.Faults = resource.FromList(reqs.PodRequests(pod, reqs.PodResourcesOptions{}))
	d.Presumed = presume(pod, d.Requests)

	d.Topology, d.Features = readTopology(pod), neededFeatures(spec)
	affinity, pin := spec.Affinity, ""
	if !d.Topology.narrows() { // else the name decides which nodes make domains, too, and belongs to the shape
		affinity, pin = splitPin(spec.Affinity)
	}
	if pin == "" {
		d.Names = namedNodes(spec.Affinity)
	}
	if len(spec.NodeSelector) > 0 || requiredTerms(affinity) != nil {
		a := nodeaffinity.NewRequiredNodeAffinity(spec.NodeSelector, affinity)
		d.Affinity = &a
		d.Faults = append(d.Faults, affinityFaults(requiredTerms(affinity))...)
	}
	preferred := preferredTerms(spec.Affinity)
	d.readPreferred(preferred)
	d.LabelKeys, d.ByField = readBy(spec.NodeSelector, requiredTerms(affinity), preferred)
	d.Key = d.key(spec.NodeSelector, affinity, preferred)
	return d, pin
}

func preferredTerms(a *v1.Affinity) []v1.PreferredSchedulingTerm {
	if a == nil || a.NodeAffinity == nil {
		return nil
	}
	return a.NodeAffinity.PreferredDuringSchedulingIgnoredDuringExecution
}

// readPreferred keeps the preferences, or names what cannot be read of them; then none of them counts, as in the default scheduler.
func (d *Demand) readPreferred(terms []v1.PreferredSchedulingTerm) {
	if len(terms) == 0 {
		return
	}
	parsed, err := nodeaffinity.NewPreferredSchedulingTerms(terms)
	if err != nil {
		d.Faults = append(d.Faults, "preferred node affinity is ignored: "+err.Error())
		return
	}
	d.Preferred = parsed
	for i := range terms {
		d.PreferredWeight += int64(terms[i].Weight)
	}
}

// readBy returns the node labels that selector and terms read, and whether they read fields.
func readBy(selector map[string]string, required []v1.NodeSelectorTerm, preferred []v1.PreferredSchedulingTerm) (labels []string, fields bool) {
	labels = sortedKeys(selector)
	read := func(t *v1.NodeSelectorTerm) {
		for _, r := range t.MatchExpressions {
			labels = append(labels, r.Key)
		}
		fields = fields || len(t.MatchFields) > 0
	}
	for i := range required {
		read(&required[i])
	}
	for i := range preferred {
		read(&preferred[i].Preference)
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
func (d *Demand) key(selector map[string]string, affinity *v1.Affinity, preferred []v1.PreferredSchedulingTerm) string {
	q := &quoter{text: make([]byte, 0, usualKey)}
	for _, a := range d.Requests {
		q.quote("r", a.Name, strconv.FormatInt(a.Value, 10))
	}
	if d.Presumed != (Presumed{}) {
		q.quote("~", strconv.FormatInt(d.Presumed.CPU, 10), strconv.FormatInt(d.Presumed.Memory, 10))
	}
	for _, p := range d.Ports {
		q.quote("p", string(p.Protocol), p.IP, strconv.Itoa(int(p.Number)))
	}
	for _, t := range d.Tolerations {
		q.quote("t", t.Key, string(t.Operator), t.Value, string(t.Effect))
	}
	from := len(q.text)
	for _, k := range sortedKeys(selector) {
		q.quote("s", k, selector[k])
	}
	if terms := requiredTerms(affinity); terms != nil {
		q.quote("a")
		for i := range terms {
			q.quote("term")
			writeRequirements(q, "l", terms[i].MatchExpressions)
			writeRequirements(q, "f", terms[i].MatchFields)
		}
	}
	to := len(q.text)
	d.Topology.write(q)
	for _, f := range d.Features {
		q.quote("feature", f)
	}
	for i := range preferred {
		q.quote("prefer", strconv.Itoa(int(preferred[i].Weight)))
		writeRequirements(q, "l", preferred[i].Preference.MatchExpressions)
		writeRequirements(q, "f", preferred[i].Preference.MatchFields)
	}
	if d.Order != "" {
		q.quote("o", d.Order)
	}
	if d.Names != nil {
		q.quote("n")
		q.quote(d.Names...)
	}
	for _, u := range d.Unsupported {
		q.quote("u", u)
	}
	for _, f := range d.Faults {
		q.quote("!", f)
	}
	key := q.String()
	d.affinityText = key[from:to]
	return key
}

// quoter writes texts so that no two lists of them read the same.
type quoter struct{ text []byte }

// usualKey is for how many bytes of a demand's key there is room at first.
const usualKey = 256

func (q *quoter) quote(parts ...string) {
	for _, p := range parts {
		q.text = append(strconv.AppendQuote(q.text, p), ' ')
	}
}

func (q *quoter) String() string { return string(q.text) }

func writeRequirements(q *quoter, kind string, list []v1.NodeSelectorRequirement) {
	for _, r := range list {
		q.quote(kind, r.Key, string(r.Operator), strconv.Itoa(len(r.Values)))
		q.quote(r.Values...)
	}
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
