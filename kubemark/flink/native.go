package flink

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"

	"github.com/sluice-scheduler/sluice/pkg/app/flink/objects"
	"github.com/sluice-scheduler/sluice/pkg/app/flink/spec"
	"github.com/sluice-scheduler/sluice/pkg/sim/flink/jobmanager"
	"github.com/sluice-scheduler/sluice/pkg/sim/flink/rules"
)

// lead is the JobManager's part: observe, decide, perform.
func (s *Simulator) lead(ctx context.Context, cr *unstructured.Unstructured, c *spec.Cluster, j *job, owner *appsv1.Deployment) (time.Duration, error) {
	if j.owner != owner.UID {
		j.owner, j.state = owner.UID, s.remember(cr, c, owner)
	}
	seen := jobmanager.Seen{Leader: s.leader(c, j), Wanted: int(c.TaskManagers)}
	for _, p := range s.podsOf(c, spec.ComponentTaskManager) {
		if tm, ok := taskManager(c, p, owner.UID); ok {
			seen.Pods = append(seen.Pods, tm)
		}
	}
	behaviour, fault := s.rules(cr, c)
	if fault != nil && j.trouble == "" {
		j.trouble = fault.Error()
	}
	d := j.state.Decide(s.now(), seen, behaviour)
	j.deadline, _ = j.state.Deadline(behaviour)
	for _, line := range d.News {
		s.log.Info(line, "namespace", c.Namespace)
	}
	for _, name := range d.Delete {
		j.doomed[name] = struct{}{}
	}
	again, err := s.renew(ctx, c, j, seen.Leader.Pod)
	if again > 0 && (d.Wake == 0 || again < d.Wake) {
		d.Wake = again
	}
	return d.Wake, errors.Join(err, s.perform(ctx, cr, c, j, owner, d))
}

// rules are how the cluster's JobManager and job behave, with clocks as fast as Options.Pace says.
func (s *Simulator) rules(cr *unstructured.Unstructured, c *spec.Cluster) (jobmanager.Rules, error) {
	r, err := rules.Of(c, cr.GetAnnotations())
	r = r.Faster(s.options.Pace)
	r.StartDelay = max(s.options.StartDelay, 0)
	return r, err
}

// remember makes the state of a cluster's JobManager, from the record when it speaks of the same Deployment.
func (s *Simulator) remember(cr *unstructured.Unstructured, c *spec.Cluster, owner *appsv1.Deployment) *jobmanager.State {
	name := func(attempt, index int) string { return objects.TaskManagerName(c.ID, attempt, index) }
	if r, ok := recordOf(cr); ok && r.Deployment == owner.UID {
		return jobmanager.New(c.ID, name, &r.Record)
	}
	return jobmanager.New(c.ID, name, nil)
}

// podsOf lists the pods of one role, oldest first.
func (s *Simulator) podsOf(c *spec.Cluster, component string) []*corev1.Pod {
	selector := labels.SelectorFromSet(c.Labels(component))
	pods, err := s.watched.pods.Pods(c.Namespace).List(selector)
	if err != nil {
		return nil
	}
	slices.SortFunc(pods, func(a, b *corev1.Pod) int {
		if n := a.CreationTimestamp.Compare(b.CreationTimestamp.Time); n != 0 {
			return n
		}
		return cmp.Compare(a.Name, b.Name)
	})
	return pods
}

// leader is the JobManager process that leads: the present one as long as it is ready, else the oldest that is.
func (s *Simulator) leader(c *spec.Cluster, j *job) jobmanager.Leader {
	first := jobmanager.Leader{}
	for _, p := range s.podsOf(c, spec.ComponentJobManager) {
		if !ready(p) || p.DeletionTimestamp != nil {
			continue
		}
		l := jobmanager.Leader{Pod: string(p.UID), Restarts: restarts(p)}
		if l == j.state.Leader() {
			return l
		}
		if first == (jobmanager.Leader{}) {
			first = l
		}
	}
	return first
}

func ready(p *corev1.Pod) bool {
	return p.Status.Phase == corev1.PodRunning && condition(p, corev1.PodReady)
}

func condition(p *corev1.Pod, kind corev1.PodConditionType) bool {
	for _, c := range p.Status.Conditions {
		if c.Type == kind {
			return c.Status == corev1.ConditionTrue
		}
	}
	return false
}

func bound(p *corev1.Pod) bool {
	return p.Spec.NodeName != "" || condition(p, corev1.PodScheduled)
}

func restarts(p *corev1.Pod) int32 {
	for _, c := range p.Status.ContainerStatuses {
		if c.Name == spec.MainContainer {
			return c.RestartCount
		}
	}
	return 0
}

// taskManager reads a pod as the JobManager sees it; ok is false for pods that another cluster of this name made. Those of a standalone cluster are
// made by its Deployment of TaskManagers, whatever their names.
func taskManager(c *spec.Cluster, p *corev1.Pod, owner types.UID) (jobmanager.Pod, bool) {
	attempt, index, ok := objects.ParseTaskManagerName(c.ID, p.Name)
	if c.Mode == spec.Standalone {
		attempt, index, ok = 0, 0, true
	} else if !ok || !ownedByUID(p, owner) {
		return jobmanager.Pod{}, false
	}
	return jobmanager.Pod{
		Name: p.Name, Attempt: attempt, Index: index,
		Scheduled: bound(p), Running: ready(p), Terminated: terminated(p), Leaving: p.DeletionTimestamp != nil,
	}, ok
}

// terminated follows Flink: a pod has ended when its phase says so or when any of its containers has, sidecars too.
func terminated(p *corev1.Pod) bool {
	if p.Status.Phase == corev1.PodFailed || p.Status.Phase == corev1.PodSucceeded {
		return true
	}
	for _, c := range p.Status.ContainerStatuses {
		if c.State.Terminated != nil {
			return true
		}
	}
	return false
}

// perform does what was decided, in the order that keeps a crash harmless: the record first, requests last.
func (s *Simulator) perform(ctx context.Context, cr *unstructured.Unstructured, c *spec.Cluster, j *job, owner *appsv1.Deployment, d jobmanager.Decision) error {
	if d.Record != nil {
		if err := s.store(ctx, cr, record{Deployment: owner.UID, Generation: c.Generation, Record: *d.Record}); err != nil {
			for _, r := range d.Create { // nothing may be asked for in an attempt that is not on record
				j.state.Withdraw(r.Name)
			}
			return err
		}
		j.state.Stored()
	}
	err := s.sweep(ctx, c, j)
	for _, name := range d.LookUp {
		s.lookUp(ctx, c, j, owner, name)
	}
	return errors.Join(err, s.create(ctx, c, j, owner, d.Create))
}

// store writes the record to the FlinkDeployment.
func (s *Simulator) store(ctx context.Context, cr *unstructured.Unstructured, r record) error {
	value, err := json.Marshal(r)
	if err != nil {
		return err
	}
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{
		"uid": cr.GetUID(), "annotations": map[string]string{RecordAnnotation: string(value)},
	}})
	if err != nil {
		return err
	}
	_, err = s.dynamic.Resource(deployResource).Namespace(cr.GetNamespace()).
		Patch(ctx, cr.GetName(), types.MergePatchType, patch, metav1.PatchOptions{})
	if err != nil {
		return fmt.Errorf("store the attempt of %s: %w", cr.GetName(), err)
	}
	return nil
}

// sweep deletes the pods that the JobManager has given up; what fails is tried again.
func (s *Simulator) sweep(ctx context.Context, c *spec.Cluster, j *job) error {
	names := slices.Sorted(maps.Keys(j.doomed))
	results := parallel(names, func(name string) error {
		err := s.kube.CoreV1().Pods(c.Namespace).Delete(ctx, name, metav1.DeleteOptions{})
		if apierrors.IsNotFound(err) {
			return nil
		}
		return err
	})
	var faults []error
	for i, err := range results {
		if err != nil {
			faults = append(faults, fmt.Errorf("delete TaskManager %s: %w", names[i], err))
			continue
		}
		delete(j.doomed, names[i])
	}
	return errors.Join(faults...)
}

// create asks for pods, four at a time. A definite refusal is a failed start; after an ambiguous answer the pod may
// exist, so it is looked up later rather than asked for twice.
func (s *Simulator) create(ctx context.Context, c *spec.Cluster, j *job, owner *appsv1.Deployment, requests []jobmanager.Request) error {
	results := parallel(requests, func(r jobmanager.Request) error {
		_, err := s.kube.CoreV1().Pods(c.Namespace).
			Create(ctx, objects.TaskManager(c, owner, r.Attempt, r.Index), metav1.CreateOptions{})
		return err
	})
	for i, err := range results {
		if err == nil || apierrors.IsAlreadyExists(err) || ctx.Err() != nil {
			j.refused = ""
			continue
		}
		j.refused = fmt.Sprintf("could not create TaskManager pods: %v", err)
		j.trouble = j.refused
		s.log.Warn("could not create pod", "pod", requests[i].Name, "namespace", c.Namespace, "error", err)
		if definite(err) {
			j.state.Failed(requests[i].Name, s.now())
		}
	}
	if len(requests) > 0 {
		s.add(kindDeployment, c.Namespace, c.ID)
	}
	return nil
}

// definite says whether the API server certainly did not create the object.
func definite(err error) bool {
	var status apierrors.APIStatus
	if !errors.As(err, &status) {
		return false
	}
	code := status.Status().Code
	return code >= 400 && code < 500 && code != 408
}

// lookUp asks the API server for a pod that was requested and never seen.
func (s *Simulator) lookUp(ctx context.Context, c *spec.Cluster, j *job, owner *appsv1.Deployment, name string) {
	pod, err := s.kube.CoreV1().Pods(c.Namespace).Get(ctx, name, metav1.GetOptions{})
	switch {
	case err == nil && ownedByUID(pod, owner.UID):
		j.state.Found(name, s.now())
	case err == nil || apierrors.IsNotFound(err):
		j.state.Failed(name, s.now())
		s.add(kindDeployment, c.Namespace, c.ID)
	}
}

// parallel runs one call per item, as many at once as a JobManager has threads, and returns their errors in order.
func parallel[T any](items []T, call func(T) error) []error {
	errs := make([]error, len(items))
	next := make(chan int)
	var workers sync.WaitGroup
	for range min(creators, len(items)) {
		workers.Go(func() {
			for i := range next {
				errs[i] = call(items[i])
			}
		})
	}
	for i := range items {
		next <- i
	}
	close(next)
	workers.Wait()
	return errs
}
