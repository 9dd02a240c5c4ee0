package core_test

import (
	"fmt"
	"time"

	v1 "k8s.io/api/core/v1"
	apires "k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
)

func (r *runner) nodeName() string { return fmt.Sprintf("n%d", r.src.below(5)) }

func (r *runner) podUID() types.UID { return types.UID(fmt.Sprintf("p%d", r.src.below(14))) }

func (r *runner) node() *cluster.NodeFact { return r.nodeNamed(r.nodeName()) }

func (r *runner) nodeNamed(name string) *cluster.NodeFact {
	n := &v1.Node{ObjectMeta: metav1.ObjectMeta{Name: name, UID: types.UID("uid-" + name)}}
	n.Status.Allocatable = v1.ResourceList{
		"cpu":    apires.MustParse([]string{"4", "2", "1", "0"}[r.src.below(4)]),
		"memory": apires.MustParse([]string{"4Gi", "1Gi"}[r.src.below(2)]),
		"pods":   apires.MustParse([]string{"5", "2"}[r.src.below(2)]),
	}
	if r.roomy {
		n.Status.Allocatable["cpu"], n.Status.Allocatable["pods"] = apires.MustParse("100"), apires.MustParse("50")
	}
	if r.src.chance(4) {
		n.Status.Allocatable["example.com/gpu"] = apires.MustParse("1")
	}
	n.Labels = map[string]string{}
	if r.src.spreads || r.src.below(4) > 0 {
		n.Labels["zone"] = pick(r.src, []string{"z", "y"})
	}
	if r.src.below(6) > 0 {
		n.Labels["host"] = name
	}
	if r.src.chance(4) {
		n.Labels["rack"] = "r"
	}
	if r.src.chance(5) {
		n.Spec.Taints = []v1.Taint{{Key: "k", Effect: v1.TaintEffectNoSchedule}}
	}
	n.Spec.Unschedulable = r.src.chance(8) || r.roomy && r.src.chance(3)
	if r.likes {
		r.src.images(n)
	}
	return r.read.ReadNode(n)
}

func (r *runner) pod() *cluster.PodFact {
	uid := r.podUID()
	priority := int32(r.src.below(3))
	p := &v1.Pod{ObjectMeta: metav1.ObjectMeta{Name: string(uid), Namespace: spaceOf(uid), UID: uid}}
	p.CreationTimestamp = metav1.NewTime(r.now.Truncate(time.Second).Add(-time.Duration(r.src.below(4)) * 10 * time.Second)) // told late
	if old := r.judge.pods[uid]; old != nil {
		p.CreationTimestamp, priority = metav1.NewTime(old.Created), old.Priority
		p.Spec.NodeName = old.Node // the API never unbinds
	}
	p.Spec.Priority, p.Spec.SchedulerName = &priority, "sluice"
	if foreign := r.src.chance(6); r.judge.foreign(uid, foreign) {
		p.Spec.SchedulerName = "other"
	}
	requests := v1.ResourceList{"cpu": apires.MustParse([]string{"1", "500m", "2", "0", "1e20"}[r.src.below(5)])}
	if r.src.chance(6) {
		requests["example.com/gpu"] = apires.MustParse("1")
	}
	if r.src.chance(20) {
		requests["deviceclass.resource.kubernetes.io/d0"] = apires.MustParse("1")
	}
	if r.roomy {
		requests = v1.ResourceList{"cpu": apires.MustParse("1")}
	}
	p.Spec.Containers = []v1.Container{{Name: "main", Resources: v1.ResourceRequirements{Requests: requests}}}
	peculiarity := r.src.below(16)
	if r.roomy && r.src.below(3) > 0 {
		peculiarity = 0
	}
	switch peculiarity {
	case 1:
		p.Spec.NodeSelector = map[string]string{"zone": "z"}
	case 2:
		p.Spec.Tolerations = []v1.Toleration{{Operator: v1.TolerationOpExists}}
	case 3:
		p.Spec.Containers[0].Ports = []v1.ContainerPort{{HostPort: 80}}
	case 4:
		p.Spec.Affinity = pinned(r.nodeName())
	case 5:
		p.Spec.SchedulingGates = []v1.PodSchedulingGate{{Name: "g"}}
	case 6:
		p.Spec.ResourceClaims = []v1.PodResourceClaim{{Name: "c"}}
	case 7:
		p.DeletionTimestamp = &metav1.Time{Time: r.now}
	case 8:
		p.Status.Phase = v1.PodFailed
	case 9, 10:
		if p.Spec.NodeName == "" {
			p.Spec.NodeName = r.nodeName() // somebody else bound it
		}
	case 12, 13:
		p.Status.NominatedNodeName = r.nodeName()
	case 11:
		p.Status.ContainerStatuses = []v1.ContainerStatus{{Name: "main", AllocatedResources: v1.ResourceList{"cpu": apires.MustParse("3")}}}
	}
	if r.src.spreads && r.src.chance(5) {
		p.Status.NominatedNodeName = r.nodeName()
	}
	p.Labels = r.src.labels()
	if r.src.chance(2) {
		r.src.terms(p)
	}
	if r.storing {
		volumesOf(uid, &p.Spec)
	}
	if r.likes {
		r.src.likings(p)
	}
	f := r.read.ReadPod(p, "sluice")
	if c := r.judge.said[uid]; c.Nominated != "" && f.Node == "" && r.src.below(3) > 0 { // the API server has it by now
		f.Nominated, f.Said = c.Nominated, cluster.Condition{Digest: cluster.Digest(c.Reason, c.Message, c.ObservedGeneration), Since: c.Since}
	}
	r.judge.objects[f.Demand] = p
	if old := r.judge.claims[uid]; old != nil && r.src.below(4) > 0 {
		f.Claim = old
	} else if f.Ours && r.src.below(8) > 0 {
		f.Claim = r.src.claim()
	}
	return f
}

// spaceOf is the namespace of a pod, which never changes.
func spaceOf(uid types.UID) string {
	return someSpaces[int(uid[len(uid)-1])%len(someSpaces)]
}

func pinned(node string) *v1.Affinity {
	return &v1.Affinity{NodeAffinity: &v1.NodeAffinity{RequiredDuringSchedulingIgnoredDuringExecution: &v1.NodeSelector{
		NodeSelectorTerms: []v1.NodeSelectorTerm{{MatchFields: []v1.NodeSelectorRequirement{{Key: "metadata.name", Operator: "In", Values: []string{node}}}}},
	}}}
}
