package e2e

import (
	"context"
	"fmt"
	"time"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/kubernetes"
)

// observer sees pods appear and get their node, by a watch of its own. Both times are taken when the watch tells, so what the watch takes is
// on both sides of a difference.
type observer struct {
	watch watch.Interface

	// created and bound are when each pod was first seen, and first seen with a node. Pods that were there before are not in created.
	created, bound map[string]time.Time
	// order is the times of the binds as they came.
	order []time.Time
	// rejected are pods that their kubelet did not take.
	rejected []string
}

// observe watches the pods from now on.
func observe(ctx context.Context, client kubernetes.Interface) (*observer, error) {
	pods := client.CoreV1().Pods(namespace)
	list, err := pods.List(ctx, metav1.ListOptions{Limit: 1})
	if err != nil {
		return nil, fmt.Errorf("observe the pods: %w", err)
	}
	o := &observer{created: map[string]time.Time{}, bound: map[string]time.Time{}}
	if o.watch, err = pods.Watch(ctx, metav1.ListOptions{ResourceVersion: list.ResourceVersion}); err != nil {
		return nil, fmt.Errorf("observe the pods: %w", err)
	}
	return o, nil
}

// patience is how long nothing may be bound before a measurement has failed.
const patience = 2 * time.Minute

// await returns when n pods have been bound, or with an error when nothing has been bound for too long or the contender has ended.
func (o *observer) await(ctx context.Context, n int, r *runner) error {
	idle := time.NewTimer(patience)
	defer idle.Stop()
	for len(o.bound) < n {
		select {
		case e, ok := <-o.watch.ResultChan():
			if !ok {
				return fmt.Errorf("the observer's watch ended after %d of %d binds", len(o.bound), n)
			}
			if o.see(e, time.Now()) {
				idle.Reset(patience)
			}
		case <-r.process.Done():
			return r.process.Failure()
		case <-idle.C:
			return fmt.Errorf("%d of %d pods are bound, and none for %v", len(o.bound), n, patience)
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return nil
}

// see takes in what the watch tells, and whether it was a bind.
func (o *observer) see(e watch.Event, now time.Time) bool {
	p, ok := e.Object.(*v1.Pod)
	if !ok {
		return false
	}
	if e.Type == watch.Added {
		o.created[p.Name] = now
	}
	if p.Status.Phase == v1.PodFailed {
		o.rejected = append(o.rejected, fmt.Sprintf("%s on %s: %s", p.Name, p.Spec.NodeName, p.Status.Reason))
	}
	if p.Spec.NodeName == "" {
		return false
	}
	if _, known := o.bound[p.Name]; known {
		return false
	}
	o.bound[p.Name] = now
	o.order = append(o.order, now)
	return true
}

func (o *observer) close() { o.watch.Stop() }
