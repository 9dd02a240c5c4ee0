package oracle

import (
	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// labelValues is what nodes are labelled with. size holds numbers, and what only looks like one.
var labelValues = map[string][]string{
	v1.LabelTopologyZone: {"z1", "z2", "z3"}, v1.LabelTopologyRegion: {"r1", "r2"}, "disk": {"ssd", "hdd", ""},
	"size": {"1", "2", "3", "007", "-1", "9223372036854775807", "9223372036854775808", "large"}, "pool": {"p1", "p2"},
}

// labelKeys are its keys, in an order that is always the same.
var labelKeys = []string{v1.LabelTopologyZone, v1.LabelTopologyRegion, "disk", "size", "pool"}

func (g *Generator) node(name string) *v1.Node {
	n := &v1.Node{ObjectMeta: metav1.ObjectMeta{Name: name, UID: types.UID("uid-" + name), Labels: map[string]string{}}}
	for _, key := range labelKeys {
		if !g.chance(g.sparse) {
			n.Labels[key] = one(g.draw, labelValues[key]...)
		}
	}
	if g.chance(95) {
		n.Labels[v1.LabelHostname] = name
		if g.chance(4) {
			n.Labels[v1.LabelHostname] = "host-" + one(g.draw, "a", "b")
		}
	}
	n.Spec.Unschedulable = g.chance(g.cordoned)
	if g.chance(g.tainted) {
		n.Spec.Taints = several(g.draw, 1, 3, g.taint)
	}
	if n.Spec.Unschedulable && g.chance(50) { // as the node controller does
		n.Spec.Taints = append(n.Spec.Taints, v1.Taint{Key: v1.TaintNodeUnschedulable, Effect: v1.TaintEffectNoSchedule})
	}
	n.Status.Allocatable = g.allocatable()
	if g.likes {
		for _, name := range some(g.draw, 45, imageNames...) {
			n.Status.Images = append(n.Status.Images, v1.ContainerImage{Names: []string{name}, SizeBytes: one[int64](g.draw, 1<<20, 30<<20, 400<<20, 3<<30)})
		}
	}
	if g.features > 0 {
		n.Status.DeclaredFeatures = some(g.draw, 70, declared...)
	}
	return n
}

// declared are features that nodes may declare, sorted as the kubelet does; nobody knows the last.
var declared = []string{
	"InPlacePodLevelResourcesVerticalScaling", "RestartAllContainersOnContainerExits", "UserNamespacesHostNetworkSupport", "VolumeBindMountOptions", "Warp",
}

var (
	taintKeys   = []string{"dedicated", "gpu", v1.TaintNodeNotReady}
	taintValues = []string{"", "a", "b", "5"}
	effects     = []v1.TaintEffect{v1.TaintEffectNoSchedule, v1.TaintEffectNoExecute, v1.TaintEffectPreferNoSchedule}
)

func (g *Generator) taint() v1.Taint {
	return v1.Taint{Key: one(g.draw, taintKeys...), Value: one(g.draw, taintValues...), Effect: one(g.draw, effects...)}
}

// toleration may be of any form, those included that the API server takes only behind a gate, or not at all.
func (g *Generator) toleration() v1.Toleration {
	t := v1.Toleration{Key: one(g.draw, taintKeys...), Operator: v1.TolerationOpExists}
	switch g.IntN(12) {
	case 0:
		t.Key = "" // all taints
	case 1:
		t.Key = v1.TaintNodeUnschedulable
	case 2:
		t.Operator, t.Value = one(g.draw, v1.TolerationOpGt, v1.TolerationOpLt), one(g.draw, "3", "5", "7")
	case 3, 4, 5, 6:
		t.Operator, t.Value = one(g.draw, v1.TolerationOpEqual, ""), one(g.draw, taintValues...)
	case 7:
		t.Operator = "Unknown"
	}
	if g.chance(50) {
		t.Effect = one(g.draw, effects...)
	}
	if t.Effect == v1.TaintEffectNoExecute && g.chance(50) {
		t.TolerationSeconds = ref(int64(g.between(0, 300)))
	}
	return t
}

// allocatable is little on scarce nodes and enough on the others. A resource may be missing, or be there and zero.
func (g *Generator) allocatable() v1.ResourceList {
	list := v1.ResourceList{
		v1.ResourceCPU: milli(int64(g.between(8, 64)) * 500), v1.ResourceMemory: whole(int64(g.between(16, 128)) << 28),
		v1.ResourcePods: whole(110), v1.ResourceEphemeralStorage: whole(64 << 30),
		gpu: whole(int64(g.IntN(9))), huge: whole(int64(g.IntN(9)) << 21),
	}
	if g.chance(g.scarce) {
		list[v1.ResourceCPU] = milli(one[int64](g.draw, 0, 1, 100, 500, 1000, 2000, 4000))
		list[v1.ResourceMemory] = whole(one[int64](g.draw, 0, 1, 1<<27, 1<<28, 1<<29, 1<<30, 1<<32))
		list[v1.ResourcePods] = whole(one[int64](g.draw, 0, 1, 2, 3, 4, 110))
		list[v1.ResourceEphemeralStorage] = whole(one[int64](g.draw, 0, 1<<20, 1<<30, 8<<30))
	}
	for _, name := range scalars {
		if g.chance(50) {
			list[name] = whole(int64(g.IntN(5)))
		}
	}
	for _, name := range resourceNames {
		if g.IntN(60) == 0 {
			delete(list, name)
		}
	}
	return list
}

const (
	gpu  v1.ResourceName = "example.com/gpu"
	huge v1.ResourceName = "hugepages-2Mi"
)

// scalars are counted in pieces. The last is of kubernetes.io, which kube-scheduler counts as well.
var scalars = []v1.ResourceName{gpu, "example.com/fpga", "kubernetes.io/token"}

// resourceNames are all resources, in an order that is always the same.
var resourceNames = append([]v1.ResourceName{v1.ResourceCPU, v1.ResourceMemory, v1.ResourcePods, v1.ResourceEphemeralStorage, huge}, scalars...)
