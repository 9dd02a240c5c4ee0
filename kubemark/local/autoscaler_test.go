package local_test

import (
	"fmt"
	"io"
	"log/slog"
	"os/exec"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/sluice-scheduler/sluice/kubemark/autoscaler"
	"github.com/sluice-scheduler/sluice/kubemark/simnode"
)

const asking = `
apiVersion: v1
kind: PodTemplate
metadata: {name: gang, namespace: %[1]s}
template:
  spec:
    containers: [{name: main, image: "registry.example/app:1", resources: {requests: {example.com/fpga: "1"}, limits: {example.com/fpga: "1"}}}]
---
apiVersion: autoscaling.x-k8s.io/v1
kind: ProvisioningRequest
metadata: {name: gang, namespace: %[1]s}
spec:
  provisioningClassName: best-effort-atomic-scale-up.autoscaling.x-k8s.io
  podSets: [{podTemplateRef: {name: gang}, count: 3}]
`

// TestAutoscalerGrowsAndShrinks: a pod that is told to be unschedulable gets a node, which goes when it is empty; a ProvisioningRequest gets nodes for all.
func TestAutoscalerGrowsAndShrinks(t *testing.T) {
	ns := namespace(t)
	grows, err := shared.Autoscale(t.Context(), sharedFleet, autoscaler.Options{
		Interval: 200 * time.Millisecond, Unneeded: time.Second, Schedulers: []string{"nobody"}, Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
		Groups: []autoscaler.Group{{Max: 3, Template: simnode.Group{Name: "fpga", Extended: map[string]string{"example.com/fpga": "1"}}}},
	})
	require.NoError(t, err)
	t.Cleanup(grows.Stop)
	nodes := func() int {
		list, err := shared.Client().CoreV1().Nodes().List(t.Context(), metav1.ListOptions{LabelSelector: corev1.LabelInstanceTypeStable + "=simulated.fpga"})
		require.NoError(t, err)
		return len(list.Items)
	}
	eventually := func(what string, ok func() bool) {
		t.Helper()
		require.Eventually(t, ok, time.Minute, 100*time.Millisecond, what)
	}

	p := create(t, ns, pod("a", "", "example.com/fpga=1"))
	time.Sleep(time.Second)
	require.Zero(t, nodes(), "nobody has said that it is unschedulable")
	p.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodScheduled, Status: corev1.ConditionFalse, Reason: corev1.PodReasonUnschedulable}}
	_, err = shared.Client().CoreV1().Pods(ns).UpdateStatus(t.Context(), p, metav1.UpdateOptions{})
	require.NoError(t, err)
	eventually("a node comes", func() bool { return nodes() == 1 })
	require.NoError(t, shared.Client().CoreV1().Pods(ns).Bind(t.Context(), &corev1.Binding{
		ObjectMeta: metav1.ObjectMeta{Name: p.Name, Namespace: ns, UID: p.UID}, Target: corev1.ObjectReference{Kind: "Node", Name: "fpga-0"},
	}, metav1.CreateOptions{}))
	eventually("the pod runs on it", func() bool {
		got, err := shared.Client().CoreV1().Pods(ns).Get(t.Context(), p.Name, metav1.GetOptions{})
		return err == nil && got.Status.Phase == corev1.PodRunning
	})
	time.Sleep(2 * time.Second)
	require.Equal(t, 1, nodes())
	require.NoError(t, shared.Client().CoreV1().Pods(ns).Delete(t.Context(), p.Name, metav1.DeleteOptions{}))
	eventually("the empty node goes", func() bool { return nodes() == 0 })

	eventually("the definition is served", func() bool { return shared.Apply(t.Context(), fmt.Appendf(nil, asking, ns)) == nil })
	eventually("the request is provisioned", func() bool {
		out, err := exec.CommandContext(t.Context(), shared.Kubectl(), "--kubeconfig", shared.Kubeconfig(), "-n", ns, "get", "provreq", "gang",
			"-o", `jsonpath={.status.conditions[?(@.type=="Provisioned")].status}`).CombinedOutput()
		return err == nil && string(out) == "True"
	})
	require.Equal(t, 3, nodes())
}
