package flink

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	v1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
)

// sighting is what the observer saw of a pod, and when.
type sighting struct {
	pod  *v1.Pod
	gone bool
	at   time.Time
}

// observer follows all pods by a watch of its own. The times are those at which the watch tells; what the watch takes is on both sides of a difference.
type observer struct {
	client kubernetes.Interface
	seen   string
	// sightings are what it saw, in order. The channel is closed when the observer ends, and fault says why if it should not have.
	sightings chan sighting
	fault     error
}

// observe watches the pods from now on, over a connection that it shares with nobody, until the context ends.
func observe(ctx context.Context, cfg *rest.Config) (*observer, error) {
	cfg.Dial = (&net.Dialer{}).DialContext // with a dialer of its own a client shares no connection
	client, err := kubernetes.NewForConfig(cfg)
	if err != nil {
		return nil, fmt.Errorf("observe the pods: %w", err)
	}
	list, err := client.CoreV1().Pods("").List(ctx, metav1.ListOptions{Limit: 1})
	if err != nil {
		return nil, fmt.Errorf("observe the pods: %w", err)
	}
	o := &observer{client: client, seen: list.ResourceVersion, sightings: make(chan sighting, 1<<16)}
	go o.run(ctx)
	return o, nil
}

// run reads the watch, and resumes it where it ended, as the API server does to one that is too slow for it.
func (o *observer) run(ctx context.Context) {
	defer close(o.sightings)
	for ctx.Err() == nil && o.fault == nil {
		w, err := o.client.CoreV1().Pods("").Watch(ctx, metav1.ListOptions{ResourceVersion: o.seen})
		if err != nil {
			if ctx.Err() == nil {
				o.fault = fmt.Errorf("observe the pods: %w", err)
			}
			return
		}
		for e := range w.ResultChan() {
			if o.fault = o.see(e); o.fault != nil {
				break
			}
		}
		w.Stop()
	}
}

func (o *observer) see(e watch.Event) error {
	if e.Type == watch.Error {
		return fmt.Errorf("observe the pods: %w", apierrors.FromObject(e.Object))
	}
	p, ok := e.Object.(*v1.Pod)
	if !ok {
		return fmt.Errorf("the observer's watch told of %T", e.Object)
	}
	o.seen = p.ResourceVersion
	o.sightings <- sighting{pod: p, gone: e.Type == watch.Deleted || over(p), at: time.Now()}
	return nil
}

// over says whether a pod has ended, so that it holds no room.
func over(p *v1.Pod) bool {
	return p.Status.Phase == v1.PodSucceeded || p.Status.Phase == v1.PodFailed
}

// follow hands every sighting to see until that says that it is enough, or the time is over, which is not a fault. tick is called now and then besides.
func (o *observer) follow(ctx context.Context, within time.Duration, done <-chan struct{}, see func(sighting), enough func() bool) (bool, error) {
	end := time.NewTimer(within)
	defer end.Stop()
	look := time.NewTicker(50 * time.Millisecond)
	defer look.Stop()
	for !enough() {
		select {
		case s, ok := <-o.sightings:
			if !ok {
				return false, errors.Join(o.fault, context.Cause(ctx))
			}
			see(s)
			for drained := false; !drained; { // what is there is cheap to take before asking again
				select {
				case s, ok := <-o.sightings:
					if drained = !ok; ok {
						see(s)
					}
				default:
					drained = true
				}
			}
		case <-look.C:
		case <-end.C:
			return false, nil
		case <-done:
			return false, errors.New("the scheduler has ended")
		case <-ctx.Done():
			return false, context.Cause(ctx)
		}
	}
	return true, nil
}
