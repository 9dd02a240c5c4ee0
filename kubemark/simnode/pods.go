package simnode

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/cache"
)

// entry is what the fleet remembers of a pod on one of its nodes.
type entry struct {
	host     *host
	refusal  *refusal // nil: admitted
	admitted time.Time
	begun    time.Time // when this process wrote Running, to the nanosecond
	ip       string
	hostIP   string
}

// podHandler receives the bound pods of all nodes, one after another: admission happens
// here, so its order is that of arrival.
func (f *Fleet) podHandler() cache.ResourceEventHandler {
	return cache.ResourceEventHandlerFuncs{
		AddFunc: func(o any) { f.onPod(o.(*corev1.Pod)) },
		UpdateFunc: func(before, after any) {
			if old, pod := before.(*corev1.Pod), after.(*corev1.Pod); old.UID != pod.UID {
				f.onGone(old)
			}
			f.onPod(after.(*corev1.Pod))
		},
		DeleteFunc: func(o any) {
			if last, ok := o.(cache.DeletedFinalStateUnknown); ok {
				o = last.Obj
			}
			f.onGone(o.(*corev1.Pod))
		},
	}
}

// onPod admits a pod that is new, frees what a finished one held, and queues the pod if
// something is to be written.
func (f *Fleet) onPod(pod *corev1.Pod) {
	f.mu.Lock()
	defer f.mu.Unlock()
	h := f.hosts[pod.Spec.NodeName]
	if h == nil || h.silent {
		return
	}
	e := f.entries[pod.UID]
	if e == nil {
		e = f.arrive(h, pod)
	}
	if over(pod) {
		h.release(pod.UID)
	}
	if due(pod, e) {
		f.queue.Add(key(pod))
	}
}

// arrive decides on admission. A pod that already runs was admitted before this process
// began; one that is finished needs no room.
func (f *Fleet) arrive(h *host, pod *corev1.Pod) *entry {
	e := &entry{host: h, admitted: time.Now(), hostIP: hostIP(h.node)}
	switch {
	case over(pod):
	case pod.Status.Phase == corev1.PodRunning:
		h.adopt(pod)
	default:
		if _, err := planOf(pod); err != nil {
			e.refusal = &refusal{reason: "InvalidAnnotation", message: "Pod was rejected: " + err.Error()}
		} else {
			e.refusal = h.admit(pod)
		}
	}
	if e.refusal == nil {
		f.started++
		e.ip = podIP(f.started)
	}
	f.entries[pod.UID] = e
	return e
}

// onGone forgets a pod.
func (f *Fleet) onGone(pod *corev1.Pod) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if e := f.entries[pod.UID]; e != nil {
		e.host.release(pod.UID)
		delete(f.entries, pod.UID)
	}
}

// over tells whether a pod has ended, so that it holds no room.
func over(pod *corev1.Pod) bool {
	return pod.Status.Phase == corev1.PodSucceeded || pod.Status.Phase == corev1.PodFailed
}

// due tells whether something is, or will be, to be written for a pod.
func due(pod *corev1.Pod, e *entry) bool {
	switch {
	case pod.DeletionTimestamp != nil:
		return true
	case over(pod):
		return false
	case pod.Status.Phase == corev1.PodRunning:
		return pod.Annotations[RunFor] != ""
	default:
		return e.refusal != nil || e.begun.IsZero()
	}
}

// key is a pod's place in the queue and in the informer's store.
func key(pod *corev1.Pod) string { return pod.Namespace + "/" + pod.Name }

// writer takes pods from the queue and writes what is due, until the queue is shut down.
// What fails is tried again, later each time: the API server may be away for a while.
func (f *Fleet) writer(run context.Context) {
	for {
		k, shutdown := f.queue.Get()
		if shutdown {
			return
		}
		again, err := f.write(run, k)
		switch {
		case err != nil && run.Err() == nil:
			f.queue.AddRateLimited(k)
		case again > 0:
			f.queue.Forget(k)
			f.queue.AddAfter(k, again)
		default:
			f.queue.Forget(k)
		}
		f.queue.Done(k)
	}
}

// write does the next thing that is due for a pod, or says how long to wait for it.
func (f *Fleet) write(ctx context.Context, k string) (wait time.Duration, err error) {
	o, exists, err := f.pods.GetStore().GetByKey(k)
	if err != nil || !exists {
		return 0, err
	}
	pod := o.(*corev1.Pod)
	e, ok := f.entryOf(pod.UID)
	if !ok || !due(pod, &e) {
		return 0, nil
	}
	now := time.Now()
	switch {
	case pod.DeletionTimestamp != nil:
		return f.stop(ctx, pod, now)
	case e.refusal != nil:
		return 0, f.reject(ctx, pod, e.refusal)
	case pod.Status.Phase == corev1.PodRunning:
		return f.finish(ctx, pod, &e, now)
	}
	if wait := e.admitted.Add(f.opts.StartDelay).Sub(now); wait > 0 {
		return wait, nil
	}
	return 0, f.begin(ctx, pod, &e)
}

// entryOf copies what is remembered of a pod, unless its node is silent.
func (f *Fleet) entryOf(uid types.UID) (entry, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	e := f.entries[uid]
	if e == nil || e.host.silent {
		return entry{}, false
	}
	return *e, true
}

// begin makes a pod Running.
func (f *Fleet) begin(ctx context.Context, pod *corev1.Pod, e *entry) error {
	now := time.Now()
	if err := f.putStatus(ctx, pod, running(pod, e.hostIP, e.ip, now)); err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.stats.Running++
	if known := f.entries[pod.UID]; known != nil {
		known.begun = now
	}
	return nil
}

// reject makes a pod Failed that was not admitted.
func (f *Fleet) reject(ctx context.Context, pod *corev1.Pod, r *refusal) error {
	err := f.putStatus(ctx, pod, refused(pod, r))
	if err == nil {
		f.count(func(s *Stats) { s.Rejected[r.reason]++ })
	}
	return err
}

// finish ends a pod whose time to run is over, or says how long it still has.
func (f *Fleet) finish(ctx context.Context, pod *corev1.Pod, e *entry, now time.Time) (time.Duration, error) {
	p, err := planOf(pod)
	if err != nil || !p.finite {
		return 0, nil //nolint:nilerr // it was readable at admission: it was edited since; let it run
	}
	begun := e.begun
	if begun.IsZero() && pod.Status.StartTime != nil {
		begun = pod.Status.StartTime.Time
	}
	if wait := begun.Add(p.runFor).Sub(now); wait > 0 {
		return wait, nil
	}
	if err := f.putStatus(ctx, pod, finished(pod, p.exit, now)); err != nil {
		return 0, err
	}
	f.count(func(s *Stats) {
		if p.exit == 0 {
			s.Succeeded++
		} else {
			s.Failed++
		}
	})
	return 0, nil
}

// stop confirms a deletion once the containers have ended. The UID makes sure that no
// successor of the same name is meant.
func (f *Fleet) stop(ctx context.Context, pod *corev1.Pod, now time.Time) (time.Duration, error) {
	if wait := stopAt(pod, f.opts.StopDelay).Sub(now); wait > 0 && !over(pod) {
		return wait, nil
	}
	zero := int64(0)
	err := f.client.CoreV1().Pods(pod.Namespace).Delete(ctx, pod.Name, metav1.DeleteOptions{
		GracePeriodSeconds: &zero, Preconditions: &metav1.Preconditions{UID: &pod.UID},
	})
	switch {
	case err == nil:
		f.count(func(s *Stats) { s.Deleted++ })
	case apierrors.IsNotFound(err), apierrors.IsConflict(err):
		return 0, nil // gone already
	}
	return 0, err
}

// stopAt is when the containers of a deleted pod have ended: after the delay, but not
// after the grace period. The deletion timestamp is the end of the grace period.
func stopAt(pod *corev1.Pod, delay time.Duration) time.Time {
	end := pod.DeletionTimestamp.Time
	if pod.DeletionGracePeriodSeconds == nil {
		return end
	}
	asked := end.Add(-time.Duration(*pod.DeletionGracePeriodSeconds) * time.Second)
	if at := asked.Add(delay); at.Before(end) {
		return at
	}
	return end
}

// putStatus writes a pod's status over the version that was seen, so that what others
// wrote meanwhile is not lost: on a conflict the next version arrives and is tried.
func (f *Fleet) putStatus(ctx context.Context, pod *corev1.Pod, s corev1.PodStatus) error {
	next := &corev1.Pod{ObjectMeta: pod.ObjectMeta, Spec: pod.Spec, Status: s}
	_, err := f.client.CoreV1().Pods(pod.Namespace).UpdateStatus(ctx, next, metav1.UpdateOptions{})
	if apierrors.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("write the status of pod %s: %w", key(pod), err)
	}
	return nil
}

// count changes the statistics.
func (f *Fleet) count(change func(*Stats)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change(&f.stats)
}
