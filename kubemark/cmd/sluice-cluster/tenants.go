package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// The ConfigMap with the queues, and the configuration that names it.
const (
	queuesNamespace = "sluice-system"
	queuesMap       = "sluice-queues"
	queuesConfig    = "queues: {configMap: {namespace: " + queuesNamespace + ", name: " + queuesMap + "}}\n"
)

// How many CPUs the batch tenant may use, at first and then, and how many pods of one CPU it submits.
const (
	batchCPUs, moreBatchCPUs = 8, 12
	batchPods                = 12
)

// tenants is a tree of two tenants, and a queue for who names none.
func tenants(batch int) string {
	return fmt.Sprintf(`queues:
- name: streaming
  weight: 3
  resources:
    guaranteed: {cpu: 200}
- name: batch
  resources:
    max: {cpu: %d}
- name: default
`, batch)
}

// setTenants writes the queues as an administrator would with kubectl apply.
func (d *demo) setTenants(ctx context.Context, batch int) error {
	maps := d.c.Client().CoreV1().ConfigMaps(queuesNamespace)
	m := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: queuesMap}, Data: map[string]string{"queues.yaml": tenants(batch)}}
	_, err := maps.Update(ctx, m, metav1.UpdateOptions{})
	if apierrors.IsNotFound(err) {
		_, err = maps.Create(ctx, m, metav1.CreateOptions{})
	}
	if err != nil {
		return fmt.Errorf("write the queues: %w", err)
	}
	return nil
}

// batchTenant shows a queue that reaches its maximum, and one that is raised while pods wait.
func (d *demo) batchTenant(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, d.timeout, fmt.Errorf("waited %v", d.timeout))
	defer cancel()
	var message string
	err := d.tell.step(fmt.Sprintf("queue root.batch, max %d CPUs: %d pods, %d run, %d wait:", batchCPUs, batchPods, batchCPUs, batchPods-batchCPUs),
		func() (err error) {
			if err = d.submitBatch(ctx); err == nil {
				message, err = d.awaitBatch(ctx, batchCPUs)
			}
			return err
		})
	if err != nil {
		return err
	}
	d.tell.say("  %s", message)
	return d.tell.step(fmt.Sprintf("its max raised to %d in the ConfigMap: all %d run", moreBatchCPUs, batchPods), func() error {
		if err := d.setTenants(ctx, moreBatchCPUs); err != nil {
			return err
		}
		_, err := d.awaitBatch(ctx, batchPods)
		return err
	})
}

// submitBatch creates the pods of the batch tenant.
func (d *demo) submitBatch(ctx context.Context) error {
	for i := range batchPods {
		p := sluicePod(fmt.Sprintf("batch-%d", i), "1")
		p.Labels = map[string]string{"sluice.dev/queue": "root.batch", "tenant": "batch"}
		if _, err := d.c.Client().CoreV1().Pods(jobNamespace).Create(ctx, p, metav1.CreateOptions{}); err != nil {
			return fmt.Errorf("create pod %s: %w", p.Name, err)
		}
	}
	return nil
}

// awaitBatch waits until so many pods of the batch tenant run and each of the others says why it does not; it returns what one of them says.
func (d *demo) awaitBatch(ctx context.Context, want int) (message string, err error) {
	for {
		list, err := d.c.Client().CoreV1().Pods(jobNamespace).List(ctx, metav1.ListOptions{LabelSelector: "tenant=batch"})
		if err != nil {
			return "", fmt.Errorf("look at the pods of root.batch: %w", err)
		}
		run, said := 0, []string{}
		for _, p := range list.Items {
			if p.Status.Phase == corev1.PodRunning {
				run++
			} else if text := waitsBecause(&p); text != "" {
				said = append(said, text)
			}
		}
		if run == want && run+len(said) == len(list.Items) {
			return strings.Join(said[:min(1, len(said))], ""), nil
		}
		select {
		case <-ctx.Done():
			return "", fmt.Errorf("%d of %d pods of root.batch run; see %s: %w", run, want, d.sluice.Log(), context.Cause(ctx))
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// waitsBecause is the message of the pod's condition that it is not placed; empty if it has none.
func waitsBecause(p *corev1.Pod) string {
	for _, c := range p.Status.Conditions {
		if c.Type == corev1.PodScheduled && c.Status == corev1.ConditionFalse {
			return c.Message
		}
	}
	return ""
}
