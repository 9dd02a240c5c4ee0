package e2e

import (
	"context"
	"fmt"
	"net"
	"time"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/sluice-scheduler/sluice/benchmarks/stand"
)

// observer sees pods appear and get their node, by a watch of its own. Both times are taken when the watch tells, so what the watch takes is
// on both sides of a difference.
type observer struct {
	client kubernetes.Interface
	watch  watch.Interface
	// seen is the resource version up to which it has been told.
	seen string
	// resumed is how often the API server ended the watch, as it does to one that reads too slowly for it; what came meanwhile is told late.
	resumed int

	// created and bound are when each pod was first seen, and first seen with a node. Pods that were there before are not in created.
	created, bound map[string]time.Time
	// order is the times of the binds as they came.
	order []time.Time
	// rejected are pods that their kubelet did not take.
	rejected []string
}

// observe watches the pods from now on, over a connection that it shares with nobody.
func observe(ctx context.Context, cfg *rest.Config) (*observer, error) {
	cfg.Dial = (&net.Dialer{}).DialContext // with a dialer of its own a client shares no connection
	client, err := kubernetes.NewForConfig(cfg)
	if err != nil {
		return nil, fmt.Errorf("observe the pods: %w", err)
	}
	list, err := client.CoreV1().Pods(namespace).List(ctx, metav1.ListOptions{Limit: 1})
	if err != nil {
		return nil, fmt.Errorf("observe the pods: %w", err)
	}
	o := &observer{client: client, seen: list.ResourceVersion, created: map[string]time.Time{}, bound: map[string]time.Time{}}
	return o, o.resume(ctx)
}

// resume watches from where it has been told.
func (o *observer) resume(ctx context.Context) (err error) {
	if o.watch, err = o.client.CoreV1().Pods(namespace).Watch(ctx, metav1.ListOptions{ResourceVersion: o.seen}); err != nil {
		return fmt.Errorf("observe the pods: %w", err)
	}
	return nil
}

// patience is how long nothing may be bound before a measurement has failed.
const patience = 2 * time.Minute

// await returns when n pods have been bound, or with an error when nothing has been bound for too long or the contender has ended.
func (o *observer) await(ctx context.Context, n int, r *stand.Runner) error {
	idle := time.NewTimer(patience)
	defer idle.Stop()
	for len(o.bound) < n {
		select {
		case e, ok := <-o.watch.ResultChan():
			if !ok {
				o.resumed++
				if err := o.resume(ctx); err != nil {
					return err
				}
				continue
			}
			bound, err := o.see(e, time.Now())
			if err != nil {
				return err
			}
			if bound {
				idle.Reset(patience)
			}
		case <-r.Process.Done():
			return r.Process.Failure()
		case <-idle.C:
			return fmt.Errorf("%d of %d pods are bound, and none for %v", len(o.bound), n, patience)
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return nil
}

// see takes in what the watch tells, and whether it was a bind.
func (o *observer) see(e watch.Event, now time.Time) (bound bool, err error) {
	p, ok := e.Object.(*v1.Pod)
	if !ok {
		return false, fmt.Errorf("the observer's watch failed: %v", e.Object)
	}
	o.seen = p.ResourceVersion
	if e.Type == watch.Added {
		o.created[p.Name] = now
	}
	if p.Status.Phase == v1.PodFailed {
		o.rejected = append(o.rejected, fmt.Sprintf("%s on %s: %s", p.Name, p.Spec.NodeName, p.Status.Reason))
	}
	if _, known := o.bound[p.Name]; known || p.Spec.NodeName == "" {
		return false, nil
	}
	o.bound[p.Name] = now
	o.order = append(o.order, now)
	return true, nil
}

func (o *observer) close() { o.watch.Stop() }
