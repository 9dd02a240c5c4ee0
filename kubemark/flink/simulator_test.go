package flink

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"github.com/sluice-scheduler/sluice/pkg/app/flink/objects"
)

func names(attempt int, indices ...int) []string {
	var out []string
	for _, i := range indices {
		out = append(out, objects.TaskManagerName("orders", attempt, i))
	}
	return out
}

// running brings the demo's job to 1/1 and 8/8.
func (b *bench) running() {
	b.applyExample("orders.yaml")
	b.jobManager("orders", "orders-abc-1")
	time.Sleep(2 * time.Second)
	b.startAll()
	require.True(b.t, b.job("orders").Done(), b.job("orders").String())
}

func TestOrderOfAFlinkJob(t *testing.T) {
	run(t, func(b *bench) {
		b.applyExample("orders.yaml")
		require.Equal(t, "DEPLOYING", b.status(deployResource, "orders", "jobManagerDeploymentStatus"))
		require.Equal(t, "8", b.status(deployResource, "orders", "taskManager", "replicas"))
		require.Equal(t, "component=taskmanager,app=orders", b.status(deployResource, "orders", "taskManager", "labelSelector"))
		b.jobManager("orders", "orders-abc-1")
		require.Empty(t, b.pods(), "TaskManagers come after the start delay")
		time.Sleep(2 * time.Second)
		require.Equal(t, names(1, 1, 2, 3, 4, 5, 6, 7, 8), b.pods())
		at := func(what string) int { return slices.Index(b.order, what) }
		require.Less(t, at("serviceaccounts/flink"), at("deployments/orders"))
		require.Less(t, at("deployments/orders"), at("configmaps/flink-config-orders"))
		require.Less(t, at("deployments/orders"), at("configmaps/pod-template-orders"))
		require.Equal(t, "CREATED", b.status(deployResource, "orders", "jobStatus", "state"))

		picture := b.job("orders")
		require.Equal(t, "JobManager 1/1, TaskManagers 0/8", picture.String())
		b.startAll()
		picture = b.job("orders")
		require.Equal(t, "JobManager 1/1, TaskManagers 8/8", picture.String())
		require.Equal(t, Count{8, 8, 8, 8}, picture.TaskManagers)
		require.Equal(t, []string{"RUNNING", "STABLE", "READY"}, []string{
			b.status(deployResource, "orders", "jobStatus", "state"), b.status(deployResource, "orders", "lifecycleState"),
			b.status(deployResource, "orders", "jobManagerDeploymentStatus"),
		})
		var steps []string
		for _, s := range picture.Steps.Reached() {
			steps = append(steps, s.Name)
		}
		require.Equal(t, []string{
			"submitted", "JobManager created", "JobManager bound", "JobManager running",
			"first TaskManager created", "all TaskManagers bound", "all running",
		}, steps)
	})
}

func TestLostTaskManagerIsReplacedOnce(t *testing.T) {
	run(t, func(b *bench) {
		b.running()
		b.remove(names(1, 3)[0])
		require.Equal(t, names(1, 1, 2, 4, 5, 6, 7, 8, 9), b.pods())
		require.Equal(t, "RESTARTING", b.status(deployResource, "orders", "jobStatus", "state"))
		b.startAll()
		require.Equal(t, "RUNNING", b.status(deployResource, "orders", "jobStatus", "state"))
		require.Equal(t, 1, b.job("orders").Restarts)
	})
}

func TestNewJobManagerIsANewAttempt(t *testing.T) {
	run(t, func(b *bench) {
		b.applyExample("orders.yaml")
		b.jobManager("orders", "orders-abc-1")
		time.Sleep(2 * time.Second)
		for _, p := range b.list()[:5] {
			b.start(&p)
		}
		time.Sleep(time.Second)
		b.remove("orders-abc-1")
		require.Len(t, b.pods(), 8, "nobody acts without a JobManager")
		b.jobManager("orders", "orders-abc-2")
		time.Sleep(3 * time.Second)
		require.Equal(t, append(names(1, 1, 2, 3, 4, 5), names(2, 1, 2, 3)...), b.pods())
		require.Equal(t, 2, b.job("orders").Attempt)
	})
}

func TestSimulatorRestartRebuildsFromTheAPI(t *testing.T) {
	run(t, func(b *bench) {
		b.running()
		b.stop()
		require.NoError(t, b.kube.CoreV1().Pods("default").Delete(context.Background(), names(1, 2)[0], metav1.DeleteOptions{}))
		b.boot()
		time.Sleep(3 * time.Second)
		require.Equal(t, names(1, 1, 3, 4, 5, 6, 7, 8, 9), b.pods(), "the same attempt goes on")
		b.stop()
		require.NoError(t, b.kube.CoreV1().Pods("default").Delete(context.Background(), "orders-abc-1", metav1.DeleteOptions{}))
		b.jobManager("orders", "orders-abc-2")
		b.boot()
		time.Sleep(3 * time.Second)
		require.Equal(t, append(names(1, 1, 3, 4, 5, 6, 7, 8), names(2, 1)...), b.pods(), "a restart in between is noticed")
	})
}

func TestRefusedPodsAreAskedForAgainWithPauses(t *testing.T) {
	run(t, func(b *bench) {
		var refusals atomic.Int32
		var open atomic.Bool
		b.refuse(func() error {
			if open.Load() {
				return nil
			}
			refusals.Add(1)
			return apierrors.NewForbidden(schema.GroupResource{Resource: "pods"}, "x", errors.New("exceeded quota: small"))
		})
		b.applyExample("orders.yaml")
		b.jobManager("orders", "orders-abc-1")
		time.Sleep(30 * time.Second)
		require.Less(t, refusals.Load(), int32(120), "requests pause, they do not spin")
		require.Contains(t, b.status(deployResource, "orders", "error"), "exceeded quota: small")
		open.Store(true)
		time.Sleep(10 * time.Second)
		require.Len(t, b.pods(), 8)
		require.Empty(t, b.status(deployResource, "orders", "error"))
	})
}

func TestAmbiguousAnswersMakeNoPodTwice(t *testing.T) {
	run(t, func(b *bench) {
		var open atomic.Bool
		b.refuse(func() error {
			if open.Load() {
				return nil
			}
			return errors.New("connection reset")
		})
		b.applyExample("orders.yaml")
		b.jobManager("orders", "orders-abc-1")
		time.Sleep(2 * time.Second)
		owner, err := b.kube.AppsV1().Deployments("default").Get(context.Background(), "orders", metav1.GetOptions{})
		require.NoError(t, err)
		// the server did create the first pod, although its answer was lost
		c := b.sim.jobs[types.NamespacedName{Namespace: "default", Name: "orders"}].cluster
		lost := objects.TaskManager(c, owner, 1, 1)
		require.NoError(t, b.kube.Tracker().Add(lost))
		open.Store(true)
		time.Sleep(20 * time.Second)
		require.Len(t, b.pods(), 8)
		require.Contains(t, b.pods(), lost.Name)
	})
}

func TestFaultyManifestIsTold(t *testing.T) {
	run(t, func(b *bench) {
		b.apply("apiVersion: flink.apache.org/v1beta1\nkind: FlinkDeployment\nmetadata: {name: bad}\nspec: {flinkVersion: v1_20, taskManager: {resource: {memory: lots}}}\n")
		require.Contains(t, b.status(deployResource, "bad", "error"), `spec.taskManager.resource.memory: "lots" is neither`)
		require.Equal(t, "FAILED", b.status(deployResource, "bad", "lifecycleState"))
		require.Contains(t, b.job("bad").String(), "lots")
	})
}

func TestJobManagerThatCannotBeCreatedIsTold(t *testing.T) {
	run(t, func(b *bench) {
		b.applyExample("orders.yaml")
		deployments := b.kube.AppsV1().Deployments("default")
		d, err := deployments.Get(context.Background(), "orders", metav1.GetOptions{})
		require.NoError(t, err)
		d.Status.Conditions = []appsv1.DeploymentCondition{{
			Type: appsv1.DeploymentReplicaFailure, Status: corev1.ConditionTrue, Message: "exceeded quota: tiny",
		}}
		_, err = deployments.UpdateStatus(context.Background(), d, metav1.UpdateOptions{})
		require.NoError(t, err)
		time.Sleep(time.Second)
		require.Contains(t, b.status(deployResource, "orders", "error"), "exceeded quota: tiny")
	})
}

func TestSuspendedJobLeavesNothing(t *testing.T) {
	run(t, func(b *bench) {
		b.running()
		u, err := b.dyn.Resource(deployResource).Namespace("default").Get(context.Background(), "orders", metav1.GetOptions{})
		require.NoError(t, err)
		require.NoError(t, unstructured.SetNestedField(u.Object, "suspended", "spec", "job", "state"))
		_, err = b.dyn.Resource(deployResource).Namespace("default").Update(context.Background(), u, metav1.UpdateOptions{})
		require.NoError(t, err)
		time.Sleep(time.Second)
		_, err = b.kube.AppsV1().Deployments("default").Get(context.Background(), "orders", metav1.GetOptions{})
		require.True(t, apierrors.IsNotFound(err))
		require.Equal(t, "SUSPENDED", b.status(deployResource, "orders", "lifecycleState"))
		require.False(t, b.job("orders").Done())
	})
}

func TestForeignDeploymentIsLeftAlone(t *testing.T) {
	run(t, func(b *bench) {
		b.deployment("orders")
		b.applyExample("orders.yaml")
		require.Contains(t, b.status(deployResource, "orders", "error"), "is in the way")
		require.NotContains(t, strings.Join(b.order, " "), "configmaps/")
	})
}

func TestSessionJobsAskForTaskManagers(t *testing.T) {
	run(t, func(b *bench) {
		b.applyExample("session.yaml")
		b.jobManager("adhoc", "adhoc-abc-1")
		time.Sleep(2 * time.Second)
		require.Equal(t, []string{"adhoc-taskmanager-1-1", "adhoc-taskmanager-1-2"}, b.pods())
		require.Equal(t, "CREATED", b.status(sessionResource, "adhoc-report", "jobStatus", "state"))
		b.startAll()
		require.Equal(t, "RUNNING", b.status(sessionResource, "adhoc-report", "jobStatus", "state"))
		b.apply("apiVersion: flink.apache.org/v1beta1\nkind: FlinkSessionJob\nmetadata: {name: lost}\nspec: {deploymentName: nowhere, job: {parallelism: 1}}\n")
		require.Contains(t, b.status(sessionResource, "lost", "error"), `no FlinkDeployment "nowhere"`)
		require.NoError(t, b.dyn.Resource(sessionResource).Namespace("default").Delete(context.Background(), "adhoc-report", metav1.DeleteOptions{}))
		time.Sleep(20 * time.Second)
		require.Len(t, b.pods(), 2, "idle TaskManagers are kept for half a minute")
		time.Sleep(15 * time.Second)
		require.Empty(t, b.pods())
	})
}

func TestStandaloneMakesBothDeploymentsAtOnce(t *testing.T) {
	run(t, func(b *bench) {
		b.apply("apiVersion: flink.apache.org/v1beta1\nkind: FlinkDeployment\nmetadata: {name: clicks}\nspec: {flinkVersion: v2_2, mode: standalone, job: {parallelism: 3}}\n")
		d, err := b.kube.AppsV1().Deployments("default").Get(context.Background(), "clicks-taskmanager", metav1.GetOptions{})
		require.NoError(t, err)
		require.Equal(t, int32(3), *d.Spec.Replicas)
		b.jobManager("clicks", "clicks-abc-1")
		time.Sleep(5 * time.Second)
		require.Empty(t, b.pods(), "the simulator creates no pods of a standalone cluster")
	})
}

func TestWatchKeepsTheLatestAndEnds(t *testing.T) {
	run(t, func(b *bench) {
		ctx, cancel := context.WithCancel(context.Background())
		pictures := b.sim.Watch(ctx, "default", "orders")
		b.running() // nobody reads meanwhile
		require.True(t, (<-pictures).Done())
		done, err := b.sim.Wait(ctx, "default", "orders", Job.Done)
		require.NoError(t, err)
		require.True(t, done.Done())
		cancel()
		synctest.Wait()
		_, open := <-pictures
		require.False(t, open)
		_, err = b.sim.Wait(ctx, "default", "orders", func(Job) bool { return false })
		require.ErrorContains(t, err, "JobManager 1/1, TaskManagers 8/8")
		require.ErrorIs(t, err, context.Canceled)
	})
}

func TestTerminatedFollowsFlink(t *testing.T) {
	require.False(t, terminated(&corev1.Pod{Status: corev1.PodStatus{Phase: corev1.PodRunning}}))
	require.True(t, terminated(&corev1.Pod{Status: corev1.PodStatus{Phase: corev1.PodFailed}}))
	sidecar := corev1.ContainerStatus{Name: "log", State: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{}}}
	require.True(t, terminated(&corev1.Pod{Status: corev1.PodStatus{
		Phase: corev1.PodRunning, ContainerStatuses: []corev1.ContainerStatus{sidecar},
	}}))
}

func TestFourPodsAreCreatedAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begun := time.Now()
		items := []int{0, 1, 2, 3, 4, 5, 6, 7, 8}
		errs := parallel(items, func(i int) error {
			time.Sleep(time.Second)
			if i == 7 {
				return errors.New("seven")
			}
			return nil
		})
		require.Equal(t, 3*time.Second, time.Since(begun), "nine calls of a second, four at a time")
		require.EqualError(t, errs[7], "seven")
		require.NoError(t, errors.Join(errs[:7]...))
	})
	require.Empty(t, parallel(nil, func(int) error { return nil }))
}
