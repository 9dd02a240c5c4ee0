package run

import (
	v1 "k8s.io/api/core/v1"
	apires "k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
)

// apiPod is an unbound pod of ours with the given request of cpu.
func apiPod(uid types.UID, name string, milli int64) *v1.Pod {
	return &v1.Pod{
		ObjectMeta: metav1.ObjectMeta{UID: uid, Namespace: "default", Name: name},
		Spec: v1.PodSpec{SchedulerName: "sluice", Containers: []v1.Container{{
			Name:      "main",
			Resources: v1.ResourceRequirements{Requests: v1.ResourceList{v1.ResourceCPU: *apires.NewMilliQuantity(milli, apires.DecimalSI)}},
		}}},
	}
}

func testPod(name string, milli int64) *cluster.PodFact {
	return cluster.ReadPod(apiPod(types.UID("uid-"+name), name, milli), "sluice")
}

// apiNode is a node with room for 110 pods.
func apiNode(name string, milli int64) *v1.Node {
	return &v1.Node{
		ObjectMeta: metav1.ObjectMeta{Name: name, UID: types.UID("uid-" + name)},
		Status: v1.NodeStatus{Allocatable: v1.ResourceList{
			v1.ResourceCPU: *apires.NewMilliQuantity(milli, apires.DecimalSI), v1.ResourcePods: apires.MustParse("110"),
		}},
	}
}

func testNode(name string, milli int64) *cluster.NodeFact {
	return cluster.ReadNode(apiNode(name, milli))
}
