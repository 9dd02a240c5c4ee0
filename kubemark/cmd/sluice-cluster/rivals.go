package main

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"

	"github.com/sluice-scheduler/sluice/kubemark/flink"
)

// The two jobs that contend. Each of their TaskManagers takes more than half a node, and both together want more nodes than there are.
const (
	firstRival, secondRival = "fraud", "risk"
	fewestForRivals         = 5
)

// rivalManifest is a job of so many TaskManagers, as a team would submit it.
func rivalManifest(name string, taskManagers int) []byte {
	return fmt.Appendf(nil, `apiVersion: flink.apache.org/v1beta1
kind: FlinkDeployment
metadata: {name: %s, namespace: %s}
spec:
  image: flink:1.20
  flinkVersion: v1_20
  serviceAccount: flink
  flinkConfiguration: {taskmanager.numberOfTaskSlots: "2", execution.checkpointing.interval: 60 s}
  podTemplate: {metadata: {labels: {sluice.dev/queue: root.default}}, spec: {schedulerName: sluice}}
  jobManager: {resources: {requests: {cpu: "1", memory: 2048m}}}
  taskManager: {resources: {requests: {cpu: "20", memory: 4096m}}}
  job: {jarURI: "local:///opt/flink/examples/streaming/StateMachineExample.jar", parallelism: %d, upgradeMode: stateless}
`, name, jobNamespace, 2*taskManagers)
}

// rivals shows two Flink jobs that contend for room for one and a half of them: one starts whole, the other not at all until the first has gone.
func (d *demo) rivals(ctx context.Context) error {
	if d.nodes < fewestForRivals {
		return nil
	}
	ctx, cancel := context.WithTimeoutCause(ctx, d.timeout, fmt.Errorf("waited %v", d.timeout))
	defer cancel()
	size := d.nodes * 2 / 3
	err := d.tell.step(fmt.Sprintf("two more Flink jobs of %d TaskManagers: %s runs whole", size, firstRival), func() error {
		return d.runRival(ctx, firstRival, size)
	})
	if err != nil {
		return err
	}
	var message string
	err = d.tell.step(fmt.Sprintf("of %s not one pod is bound, and it says why:", secondRival), func() (err error) {
		if err = d.c.Apply(ctx, rivalManifest(secondRival, size)); err == nil {
			message, err = d.whyNoneIsBound(ctx, secondRival)
		}
		return err
	})
	if err != nil {
		return err
	}
	d.tell.say("  %s", message)
	return d.tell.step(fmt.Sprintf("%s is deleted: %s runs whole", firstRival, secondRival), func() error {
		if err := d.withdraw(ctx, firstRival); err != nil {
			return err
		}
		_, err := d.flink.Wait(ctx, jobNamespace, secondRival, flink.Job.Done)
		return err
	})
}

func (d *demo) runRival(ctx context.Context, name string, size int) error {
	if err := d.c.Apply(ctx, rivalManifest(name, size)); err != nil {
		return fmt.Errorf("submit %s: %w", name, err)
	}
	_, err := d.flink.Wait(ctx, jobNamespace, name, flink.Job.Done)
	return err
}

// whyNoneIsBound waits until a job's JobManager says why it waits, and makes sure that no pod of the job has a node.
func (d *demo) whyNoneIsBound(ctx context.Context, name string) (string, error) {
	for {
		list, err := d.c.Client().CoreV1().Pods(jobNamespace).List(ctx, metav1.ListOptions{LabelSelector: "app=" + name})
		if err != nil {
			return "", fmt.Errorf("look at the pods of %s: %w", name, err)
		}
		text := ""
		for i := range list.Items {
			p := &list.Items[i]
			if p.Spec.NodeName != "" {
				return "", fmt.Errorf("pod %s of %s is bound to %s although there is no room for all", p.Name, name, p.Spec.NodeName)
			}
			if waitsFor(p) {
				text = waitsBecause(p)
			}
		}
		if text != "" {
			return text, nil
		}
		select {
		case <-ctx.Done():
			return "", fmt.Errorf("no word from Sluice on why %s waits; see %s: %w", name, d.sluice.Log(), context.Cause(ctx))
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// waitsFor reports whether a pod has been told that it waits for nodes.
func waitsFor(p *corev1.Pod) bool {
	for _, c := range p.Status.Conditions {
		if c.Type == corev1.PodScheduled && c.Reason == corev1.PodReasonUnschedulable {
			return true
		}
	}
	return false
}

// withdraw deletes a job as its team would with kubectl.
func (d *demo) withdraw(ctx context.Context, name string) error {
	c, err := dynamic.NewForConfig(d.c.RESTConfig())
	if err != nil {
		return err
	}
	kind := schema.GroupVersionResource{Group: "flink.apache.org", Version: "v1beta1", Resource: "flinkdeployments"}
	if err := c.Resource(kind).Namespace(jobNamespace).Delete(ctx, name, metav1.DeleteOptions{}); err != nil {
		return fmt.Errorf("delete %s: %w", name, err)
	}
	return nil
}
