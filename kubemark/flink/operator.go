package flink

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"github.com/sluice-scheduler/sluice/pkg/app/flink/objects"
	"github.com/sluice-scheduler/sluice/pkg/app/flink/spec"
)

// upgrading is how long to wait before looking again at something that is on its way out.
const upgrading = 500 * time.Millisecond

// reconcileDeployment brings one FlinkDeployment a step nearer to what it asks for: the operator's part, then the
// JobManager's, then what both tell the user. It returns when to look again if nothing changes.
func (s *Simulator) reconcileDeployment(ctx context.Context, name types.NamespacedName) (time.Duration, error) {
	cr := get(s.watched.clusters, name)
	if cr == nil {
		s.forget(name)
		return 0, s.cleanUp(ctx, name)
	}
	j := s.jobOf(name, cr)
	if cr.GetDeletionTimestamp() != nil {
		return 0, nil // the garbage collector deletes what it owns
	}
	c, fault := s.resolve(cr, j)
	j.trouble = j.refused
	if fault != nil {
		j.trouble = fault.Error()
	}
	if c == nil {
		return 0, s.publish(ctx, cr, j, nil, nil)
	}
	left, outcome := s.expiry(cr, c)
	j.outcome = outcome
	if outcome != "" && left <= 0 {
		return 0, errors.Join(s.clear(ctx, c), s.publish(ctx, cr, j, c, nil))
	}
	owner, again, err := s.deploy(ctx, c, j)
	if err == nil && owner != nil {
		again, err = s.lead(ctx, cr, c, j, owner)
	}
	if outcome != "" && (again == 0 || left < again) {
		again = left
	}
	switch {
	case j.trouble != "":
	case err != nil:
		j.trouble = err.Error()
	default:
		j.trouble = failedCreate(owner)
	}
	return again, errors.Join(err, s.publish(ctx, cr, j, c, owner))
}

// failedCreate is why Kubernetes cannot create the JobManager's pod, when it says so: a quota, a webhook. It is the one
// thing about pods that the operator looks at.
func failedCreate(d *appsv1.Deployment) string {
	if d == nil {
		return ""
	}
	for _, c := range d.Status.Conditions {
		if c.Type == appsv1.DeploymentReplicaFailure && c.Status == corev1.ConditionTrue {
			return fmt.Sprintf("the JobManager's pod cannot be created: %s", c.Message)
		}
	}
	return ""
}

// jobOf finds or makes the memory of a FlinkDeployment. One deleted and made again under its name is another.
func (s *Simulator) jobOf(name types.NamespacedName, cr *unstructured.Unstructured) *job {
	s.mu.Lock()
	defer s.mu.Unlock()
	j := s.jobs[name]
	if j == nil || j.uid != cr.GetUID() {
		j = &job{uid: cr.GetUID(), doomed: map[string]struct{}{}}
		j.told = Job{Namespace: name.Namespace, Name: name.Name}
		s.jobs[name] = j
	}
	j.steps.reach(&j.steps.Submitted, s.when(cr.GetCreationTimestamp().Time))
	return j
}

// resolve reads the manifest. While a faulty edit is in place the last valid one stays in force, as the operator does.
func (s *Simulator) resolve(cr *unstructured.Unstructured, j *job) (*spec.Cluster, error) {
	c, err := spec.ResolveObject(cr)
	if err != nil {
		return j.cluster, err
	}
	if c.Session {
		s.countSlots(c)
	}
	j.cluster, j.digest = c, digest(cr, c)
	return c, nil
}

// countSlots adds up what the FlinkSessionJobs of a session ask for: TaskManagers are shared between them.
func (s *Simulator) countSlots(c *spec.Cluster) {
	unset, err := c.Config.Int(1, "parallelism.default")
	if err != nil || unset < 1 || unset > spec.MaxParallelism {
		unset = 1
	}
	for _, sj := range s.sessionJobsOf(c.Namespace, c.ID) {
		switch {
		case sj.Job.State == "suspended":
		case sj.Job.Parallelism != nil:
			c.Parallelism += *sj.Job.Parallelism
		default:
			c.Parallelism += unset
		}
	}
	c.TaskManagers = max(c.TaskManagers, c.TaskManagersFor(c.Parallelism))
}

// deploy is the operator's part: service account, Deployment (two when standalone), then what the Deployment owns.
// It returns the JobManager's Deployment once that is the wanted one.
func (s *Simulator) deploy(ctx context.Context, c *spec.Cluster, j *job) (*appsv1.Deployment, time.Duration, error) {
	if c.Suspended {
		return nil, 0, s.clear(ctx, c)
	}
	owner, again, err := s.ensureDeployment(ctx, c, j, objects.JobManager(c))
	if err != nil || owner == nil {
		return nil, again, err
	}
	if c.Mode == spec.Standalone {
		second, again, err := s.ensureDeployment(ctx, c, j, objects.StandaloneTaskManagers(c))
		if err != nil || second == nil {
			return nil, again, err
		}
	}
	if j.furnished != owner.UID {
		if err := s.furnish(ctx, c, owner); err != nil {
			return nil, 0, err
		}
		j.furnished = owner.UID
	}
	return owner, 0, nil
}

// ensureAccounts makes the service accounts that the pods name. A real cluster has them from the operator's chart;
// without them the API server refuses every pod.
func (s *Simulator) ensureAccounts(ctx context.Context, c *spec.Cluster) error {
	for _, name := range []string{c.JobManager.ServiceAccount, c.TaskManager.ServiceAccount} {
		if name == "default" {
			continue
		}
		account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: c.Namespace}}
		_, err := s.kube.CoreV1().ServiceAccounts(c.Namespace).Create(ctx, account, metav1.CreateOptions{})
		if err != nil && !apierrors.IsAlreadyExists(err) {
			return fmt.Errorf("create service account %s: %w", name, err)
		}
	}
	return nil
}

// ensureDeployment creates a Deployment, or replaces one that an earlier generation of the manifest made. It returns
// nil while an old one is on its way out, and says when to look again.
func (s *Simulator) ensureDeployment(ctx context.Context, c *spec.Cluster, j *job, want *appsv1.Deployment) (*appsv1.Deployment, time.Duration, error) {
	metav1.SetMetaDataAnnotation(&want.ObjectMeta, digestAnnotation, j.digest)
	is, err := s.watched.deployments.Deployments(c.Namespace).Get(want.Name)
	if apierrors.IsNotFound(err) {
		if err := s.ensureAccounts(ctx, c); err != nil {
			return nil, 0, err
		}
		is, err = s.kube.AppsV1().Deployments(c.Namespace).Create(ctx, want, metav1.CreateOptions{})
		if err == nil {
			s.log.Info("Deployment created", "cluster", c.Namespace+"/"+c.ID, "deployment", want.Name)
		}
		if apierrors.IsAlreadyExists(err) { // the informer lags
			is, err = s.kube.AppsV1().Deployments(c.Namespace).Get(ctx, want.Name, metav1.GetOptions{})
		}
	}
	if err != nil {
		return nil, 0, fmt.Errorf("create Deployment %s: %w", want.Name, err)
	}
	switch {
	case is.DeletionTimestamp != nil:
		return nil, upgrading, nil
	case !ownedByUID(is, c.UID):
		if ownedByKind(is, string(kindDeployment)) { // of a FlinkDeployment deleted just before; it will be collected
			return nil, upgrading, nil
		}
		j.trouble = fmt.Sprintf("a Deployment %q that this FlinkDeployment did not make is in the way; delete it or choose another name", is.Name)
		return nil, 5 * time.Second, nil
	case is.Annotations[objects.GenerationAnnotation] == strconv.FormatInt(c.Generation, 10):
		return is, 0, nil
	case is.Annotations[digestAnnotation] == j.digest:
		is, err := s.rescale(ctx, c, is, want)
		return is, 0, err
	default:
		s.log.Info("manifest changed: the cluster is deleted and made again", "cluster", c.Namespace+"/"+c.ID)
		return nil, upgrading, s.remove(ctx, is)
	}
}

func ownedByUID(o metav1.Object, uid types.UID) bool {
	for _, ref := range o.GetOwnerReferences() {
		if ref.UID == uid {
			return true
		}
	}
	return false
}

func ownedByKind(o metav1.Object, kind string) bool {
	for _, ref := range o.GetOwnerReferences() {
		if ref.Kind == kind {
			return true
		}
	}
	return false
}

// clear deletes the Deployments, and with them all pods.
func (s *Simulator) clear(ctx context.Context, c *spec.Cluster) error {
	for _, name := range []string{c.ID, objects.StandaloneTaskManagersName(c.ID)} {
		is, err := s.watched.deployments.Deployments(c.Namespace).Get(name)
		if err != nil || is.DeletionTimestamp != nil || !ownedByUID(is, c.UID) {
			continue
		}
		if err := s.remove(ctx, is); err != nil {
			return err
		}
	}
	return nil
}

// cleanUp deletes what a FlinkDeployment that is gone has left, as the operator does. The garbage collector would too, but may take most of a minute to learn of a kind that was
// defined just before.
func (s *Simulator) cleanUp(ctx context.Context, gone types.NamespacedName) error {
	var faults []error
	for _, name := range []string{gone.Name, objects.StandaloneTaskManagersName(gone.Name)} {
		is, err := s.watched.deployments.Deployments(gone.Namespace).Get(name)
		if err == nil && is.DeletionTimestamp == nil && ownedByKind(is, string(kindDeployment)) {
			faults = append(faults, s.remove(ctx, is))
		}
	}
	return errors.Join(faults...)
}

// remove deletes in the foreground, as the operator does: the Deployment goes last, so upgrades do not overlap.
func (s *Simulator) remove(ctx context.Context, d *appsv1.Deployment) error {
	foreground := metav1.DeletePropagationForeground
	err := s.kube.AppsV1().Deployments(d.Namespace).Delete(ctx, d.Name, metav1.DeleteOptions{
		PropagationPolicy: &foreground, Preconditions: &metav1.Preconditions{UID: &d.UID},
	})
	if err != nil && !apierrors.IsNotFound(err) {
		return fmt.Errorf("delete Deployment %s: %w", d.Name, err)
	}
	return nil
}

// furnish creates what the Deployment owns. What an earlier cluster of the name has left behind is deleted first.
func (s *Simulator) furnish(ctx context.Context, c *spec.Cluster, owner *appsv1.Deployment) error {
	for _, svc := range objects.Services(c, owner) {
		services := s.kube.CoreV1().Services(c.Namespace)
		err := replace(owner,
			func() error { _, err := services.Create(ctx, svc, metav1.CreateOptions{}); return err },
			func() (metav1.Object, error) { return services.Get(ctx, svc.Name, metav1.GetOptions{}) },
			func() error { return services.Delete(ctx, svc.Name, metav1.DeleteOptions{}) })
		if err != nil {
			return fmt.Errorf("create Service %s: %w", svc.Name, err)
		}
	}
	all, err := objects.ConfigMaps(c, owner)
	if err != nil {
		return err
	}
	for _, m := range all {
		configMaps := s.kube.CoreV1().ConfigMaps(c.Namespace)
		err := replace(owner,
			func() error { _, err := configMaps.Create(ctx, m, metav1.CreateOptions{}); return err },
			func() (metav1.Object, error) { return configMaps.Get(ctx, m.Name, metav1.GetOptions{}) },
			func() error { return configMaps.Delete(ctx, m.Name, metav1.DeleteOptions{}) })
		if err != nil {
			return fmt.Errorf("create ConfigMap %s: %w", m.Name, err)
		}
	}
	return nil
}

// replace creates an object. One of the same name that an earlier Deployment of the cluster owned is a leftover which
// the garbage collector has not reached: it is deleted and made anew. Anybody else's object is left alone.
func replace(owner *appsv1.Deployment, create func() error, read func() (metav1.Object, error), remove func() error) error {
	err := create()
	if !apierrors.IsAlreadyExists(err) {
		return err
	}
	is, err := read()
	switch {
	case apierrors.IsNotFound(err):
		return create()
	case err != nil:
		return err
	case ownedByUID(is, owner.UID):
		return nil
	}
	for _, ref := range is.GetOwnerReferences() {
		if ref.Kind == "Deployment" && ref.Name == owner.Name {
			if err := remove(); err != nil && !apierrors.IsNotFound(err) {
				return err
			}
			return create()
		}
	}
	return fmt.Errorf("one that this cluster did not make is in the way; delete it or choose another name for the FlinkDeployment")
}
