package sim

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	v1 "k8s.io/api/core/v1"
	apires "k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
)

// namespace is where a scenario's pods live.
const namespace = "default"

// node makes nodes: node NAME [count=N] cpu= memory= pods= [any.resource/name=] [labels=(k=v,…)] [taints=(k=v:Effect,…)]
// [images=(name@size,…)] [features=(F,…)]. Naming an existing node replaces it.
func (s *Script) node(a Args, _ string) error {
	names, err := a.names()
	if err != nil {
		return err
	}
	for _, name := range names {
		n := &v1.Node{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: keyValues(a.Values["labels"])}}
		n.Spec.Taints = taintList(a.Values["taints"])
		n.Spec.Unschedulable = a.has("unschedulable")
		n.Status.DeclaredFeatures = a.Values["features"]
		if n.Status.Allocatable, err = quantities(a, "cpu", "memory", "pods"); err != nil {
			return err
		}
		if n.Status.Images, err = imageList(a.Values["images"]); err != nil {
			return err
		}
		if s.cluster.Node(name) != nil {
			n.Annotations = map[string]string{shrunk: "true"}
		}
		s.cluster.SetNode(n)
	}
	return nil
}

// pod makes pods: pod NAME [count=N] [cpu=] [memory=] [any.resource/name=] [priority=] [selector=(k=v)] [tolerate=(key)] [port=80]
// [scheduler=other] [on=node] [nominated=node] [pin=node] [gated] [order=] [image=] [labels=(k=v,…)] [owner=replicaset] [app=] [queue=] [user=] [groups=(g,…)] [claims=(c,…)]
// [ephemeral=(volume,…)] [near=(k=v@key,…)] [apart=(k=v@key,…)] [spread=(k=v@key:skew,…)].
func (s *Script) pod(a Args, _ string) error {
	names, err := a.names()
	if err != nil {
		return err
	}
	for _, name := range names {
		p, err := newPod(name, a)
		if err != nil {
			return err
		}
		s.cluster.CreatePod(p)
	}
	return nil
}

func newPod(name string, a Args) (*v1.Pod, error) {
	requests, err := quantities(a, "cpu", "memory")
	if err != nil {
		return nil, err
	}
	priority, err := a.number("priority", 0)
	if err != nil {
		return nil, err
	}
	port, err := a.number("port", 0)
	if err != nil {
		return nil, err
	}
	number := int32(priority)
	annotations := claimOf(a)
	if name := a.one("order", ""); name != "" {
		annotations[cluster.OrderAnnotation] = name
	}
	p := &v1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name, Generation: 1, Annotations: annotations, Labels: keyValues(a.Values["labels"])}}
	p.Spec = v1.PodSpec{
		SchedulerName: a.one("scheduler", Scheduler),
		NodeName:      a.one("on", ""),
		NodeSelector:  keyValues(a.Values["selector"]),
		Priority:      &number,
		Containers:    []v1.Container{{Name: "main", Image: a.one("image", ""), Resources: v1.ResourceRequirements{Requests: requests}}},
	}
	p.Status.NominatedNodeName = a.one("nominated", "")
	if port != 0 {
		p.Spec.Containers[0].Ports = []v1.ContainerPort{{HostPort: int32(port), ContainerPort: int32(port)}}
	}
	for _, key := range a.Values["tolerate"] {
		p.Spec.Tolerations = append(p.Spec.Tolerations, v1.Toleration{Key: key, Operator: v1.TolerationOpExists})
	}
	if owner := a.one("owner", ""); owner != "" {
		yes := true
		p.OwnerReferences = []metav1.OwnerReference{{APIVersion: "apps/v1", Kind: "ReplicaSet", Name: owner, Controller: &yes}}
	}
	if a.has("gated") {
		p.Spec.SchedulingGates = []v1.PodSchedulingGate{{Name: "wait"}}
	}
	for _, name := range a.Values["claims"] {
		p.Spec.Volumes = append(p.Spec.Volumes, v1.Volume{Name: name, VolumeSource: v1.VolumeSource{
			PersistentVolumeClaim: &v1.PersistentVolumeClaimVolumeSource{ClaimName: name},
		}})
	}
	for _, name := range a.Values["ephemeral"] {
		p.Spec.Volumes = append(p.Spec.Volumes, v1.Volume{Name: name, VolumeSource: v1.VolumeSource{Ephemeral: &v1.EphemeralVolumeSource{}}})
	}
	if pin := a.one("pin", ""); pin != "" {
		p.Spec.Affinity = pinnedTo(pin)
	}
	return p, addTerms(p, a)
}

// pinnedTo is required affinity to one node, as the DaemonSet controller writes it.
func pinnedTo(node string) *v1.Affinity {
	return &v1.Affinity{NodeAffinity: &v1.NodeAffinity{RequiredDuringSchedulingIgnoredDuringExecution: &v1.NodeSelector{
		NodeSelectorTerms: []v1.NodeSelectorTerm{{MatchFields: []v1.NodeSelectorRequirement{{
			Key: "metadata.name", Operator: v1.NodeSelectorOpIn, Values: []string{node},
		}}}},
	}}}
}

// apply creates the pod whose manifest is given as input, for what the short form cannot say.
func (s *Script) apply(_ Args, input string) error {
	p := &v1.Pod{}
	if err := yaml.UnmarshalStrict([]byte(input), p); err != nil {
		return err
	}
	if p.Namespace == "" {
		p.Namespace = namespace
	}
	if p.Spec.SchedulerName == "" {
		p.Spec.SchedulerName = Scheduler
	}
	s.cluster.CreatePod(p)
	return nil
}

// quantities takes the plain names given and every argument that looks like an extended resource.
func quantities(a Args, plain ...string) (v1.ResourceList, error) {
	list := v1.ResourceList{}
	for key, values := range a.Values {
		wanted := strings.Contains(key, "/")
		for _, name := range plain {
			wanted = wanted || key == name
		}
		if !wanted || len(values) == 0 {
			continue
		}
		q, err := apires.ParseQuantity(values[0])
		if err != nil {
			return nil, fmt.Errorf("%s=%s: %w", key, values[0], err)
		}
		list[v1.ResourceName(key)] = q
	}
	return list, nil
}

func sortedNames(m map[string]string) []string { return slices.Sorted(maps.Keys(m)) }

func keyValues(list []string) map[string]string {
	if len(list) == 0 {
		return nil
	}
	m := map[string]string{}
	for _, kv := range list {
		k, v, _ := strings.Cut(kv, "=")
		m[k] = v
	}
	return m
}

func taintList(list []string) []v1.Taint {
	var taints []v1.Taint
	for _, t := range list {
		kv, effect, _ := strings.Cut(t, ":")
		k, v, _ := strings.Cut(kv, "=")
		taints = append(taints, v1.Taint{Key: k, Value: v, Effect: v1.TaintEffect(effect)})
	}
	return taints
}

// imageList reads the images of a node.
func imageList(list []string) (images []v1.ContainerImage, err error) {
	for _, text := range list {
		at := strings.LastIndexByte(text, '@')
		if at < 0 {
			return nil, fmt.Errorf("%s: an image is written name@size", text)
		}
		q, err := apires.ParseQuantity(text[at+1:])
		if err != nil {
			return nil, fmt.Errorf("%s: %w", text, err)
		}
		images = append(images, v1.ContainerImage{Names: []string{text[:at]}, SizeBytes: q.Value()})
	}
	return images, nil
}
