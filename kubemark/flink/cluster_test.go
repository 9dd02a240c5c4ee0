package flink_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/sluice-scheduler/sluice/kubemark/flink"
	"github.com/sluice-scheduler/sluice/kubemark/flink/examples"
	"github.com/sluice-scheduler/sluice/kubemark/local"
	"github.com/sluice-scheduler/sluice/kubemark/simnode"
	"github.com/sluice-scheduler/sluice/pkg/manifest"
)

// cluster is a real control plane with five simulated nodes, a simulator and a blind scheduler: whatever pod has no
// node gets the next one. Enough for Flink; placing well is tested elsewhere.
type cluster struct {
	*local.Cluster
	t   *testing.T
	sim *flink.Simulator
	ctx context.Context
	// held says which pods the blind scheduler leaves alone.
	held *atomic.Pointer[func(*corev1.Pod) bool]
}

func start(t *testing.T, definitions ...string) *cluster {
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	t.Cleanup(cancel)
	c, err := local.Start(ctx, local.Options{Progress: os.Stderr})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, c.Stop()) })
	_, err = c.Simulate(ctx, simnode.Options{Groups: []simnode.Group{{Count: 5}}})
	require.NoError(t, err)
	_, err = flink.ApplyFiles(ctx, c.RESTConfig(), definitions...)
	require.NoError(t, err)
	sim, err := flink.New(c.RESTConfig(), flink.Options{StartDelay: 100 * time.Millisecond})
	require.NoError(t, err)
	require.NoError(t, sim.Install(ctx))
	require.NoError(t, c.CreateNamespace(ctx, "default"))
	running, stop := context.WithCancel(ctx)
	done := make(chan error, 1)
	go func() { done <- sim.Run(running) }()
	held := &atomic.Pointer[func(*corev1.Pod) bool]{}
	go bindAll(running, c.Client(), held)
	t.Cleanup(func() {
		stop()
		require.NoError(t, <-done)
	})
	return &cluster{Cluster: c, t: t, sim: sim, ctx: ctx, held: held}
}

// bindAll is the blind scheduler.
func bindAll(ctx context.Context, kube kubernetes.Interface, held *atomic.Pointer[func(*corev1.Pod) bool]) {
	for n := 0; ctx.Err() == nil; time.Sleep(50 * time.Millisecond) {
		pods, err := kube.CoreV1().Pods("").List(ctx, metav1.ListOptions{FieldSelector: "spec.nodeName="})
		if err != nil {
			continue
		}
		for _, p := range pods.Items {
			if hold := held.Load(); hold != nil && (*hold)(&p) {
				continue
			}
			n++
			_ = kube.CoreV1().Pods(p.Namespace).Bind(ctx, &corev1.Binding{
				ObjectMeta: metav1.ObjectMeta{Name: p.Name, Namespace: p.Namespace, UID: p.UID},
				Target:     corev1.ObjectReference{Kind: "Node", Name: fmt.Sprintf("sim-%d", n%5)},
			}, metav1.CreateOptions{})
		}
	}
}

func (c *cluster) wait(name string, until func(flink.Job) bool) flink.Job {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.ctx, time.Minute)
	defer cancel()
	j, err := c.sim.Wait(ctx, "default", name, until)
	require.NoError(c.t, err)
	return j
}

func (c *cluster) pods(selector string) []corev1.Pod {
	c.t.Helper()
	all, err := c.Client().CoreV1().Pods("default").List(c.ctx, metav1.ListOptions{LabelSelector: selector})
	require.NoError(c.t, err)
	return slices.DeleteFunc(all.Items, func(p corev1.Pod) bool { return p.DeletionTimestamp != nil })
}

func (c *cluster) names(selector string) []string {
	var out []string
	for _, p := range c.pods(selector) {
		out = append(out, p.Name)
	}
	slices.Sort(out)
	return out
}

func (c *cluster) kill(pod string) {
	zero := int64(0)
	require.NoError(c.t, c.Client().CoreV1().Pods("default").Delete(c.ctx, pod, metav1.DeleteOptions{GracePeriodSeconds: &zero}))
}

// kubectl runs the real kubectl, as a user would.
func (c *cluster) kubectl(args ...string) string {
	c.t.Helper()
	out, err := c.try(args...)
	require.NoError(c.t, err, out)
	return out
}

func (c *cluster) try(args ...string) (string, error) {
	all := append([]string{"--kubeconfig", c.Kubeconfig()}, args...)
	out, err := exec.CommandContext(c.ctx, c.Kubectl(), all...).CombinedOutput()
	return string(out), err
}

// shows waits until kubectl's answer has a word in it.
func (c *cluster) shows(word string, args ...string) {
	c.t.Helper()
	c.eventually(word, func() bool {
		out, err := c.try(args...)
		return err == nil && strings.Contains(out, word)
	})
}

// left counts the objects of Flink clusters that still exist; -1 when that cannot be told.
func (c *cluster) left() int {
	of := metav1.ListOptions{LabelSelector: "type"}
	kube := c.Client()
	pods, err1 := kube.CoreV1().Pods("").List(c.ctx, of)
	maps, err2 := kube.CoreV1().ConfigMaps("").List(c.ctx, of)
	services, err3 := kube.CoreV1().Services("").List(c.ctx, of)
	deployments, err4 := kube.AppsV1().Deployments("").List(c.ctx, of)
	if errors.Join(err1, err2, err3, err4) != nil {
		return -1
	}
	return len(pods.Items) + len(maps.Items) + len(services.Items) + len(deployments.Items)
}

func (c *cluster) eventually(what string, ok func() bool) {
	c.t.Helper()
	require.Eventually(c.t, ok, time.Minute, 500*time.Millisecond, what)
}

// exampleFile writes one of our manifests to a file, as a user has it.
func exampleFile(t *testing.T, name string) string {
	data, err := examples.Files.ReadFile(name)
	require.NoError(t, err)
	file := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(file, data, 0o644))
	return file
}

// TestRealCluster walks a Flink job through its life on a real control plane: applied with kubectl, started, a
// TaskManager lost, the JobManager lost, changed, deleted.
func TestRealCluster(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a control plane")
	}
	c := start(t)
	c.kubectl("apply", "-f", exampleFile(t, "orders.yaml"))
	j := c.wait("orders", flink.Job.Done)
	require.Equal(t, flink.Count{Wanted: 8, Created: 8, Bound: 8, Running: 8}, j.TaskManagers)
	require.Len(t, j.Steps.Reached(), 7)
	require.Len(t, c.names("app=orders,component=taskmanager"), 8)
	c.shows("STABLE", "get", "flinkdep", "orders")
	checkOwners(t, c)

	t.Run("a lost TaskManager is replaced once", func(t *testing.T) {
		c.kill("orders-taskmanager-1-3")
		c.wait("orders", func(j flink.Job) bool { return j.Done() && j.Restarts == 1 })
		got := c.names("app=orders,component=taskmanager")
		require.Len(t, got, 8)
		require.NotContains(t, got, "orders-taskmanager-1-3")
		require.Contains(t, got, "orders-taskmanager-1-9")
	})

	t.Run("a new JobManager keeps what is scheduled", func(t *testing.T) {
		before := c.names("app=orders,component=taskmanager")
		c.kill(c.names("app=orders,component=jobmanager")[0])
		c.wait("orders", func(j flink.Job) bool { return j.Done() && j.Attempt == 2 })
		require.Equal(t, before, c.names("app=orders,component=taskmanager"))
		c.kill(before[0])
		c.wait("orders", func(j flink.Job) bool { return j.Done() && j.Restarts == 2 })
		require.Contains(t, c.names("app=orders,component=taskmanager"), "orders-taskmanager-2-1")
	})

	t.Run("a changed manifest is deployed anew", func(t *testing.T) {
		c.kubectl("patch", "flinkdep", "orders", "--type=merge", "-p", `{"spec":{"job":{"parallelism":6}}}`)
		c.wait("orders", func(j flink.Job) bool { return j.Done() && j.TaskManagers.Wanted == 3 && j.TaskManagers.Created == 3 })
		require.Equal(t, []string{"orders-taskmanager-1-1", "orders-taskmanager-1-2", "orders-taskmanager-1-3"},
			c.names("app=orders,component=taskmanager"))
	})

	t.Run("the other examples", func(t *testing.T) { otherExamples(t, c) })
	t.Run("the operator's own examples", func(t *testing.T) { operatorExamples(t, c) })

	t.Run("deleting the FlinkDeployment deletes all", func(t *testing.T) {
		c.kubectl("delete", "flinkbgdep,sessionjob,flinkdep", "--all", "--wait=false")
		c.eventually("the simulator forgets it", func() bool {
			_, known := c.sim.Job("default", "orders")
			return !known
		})
		c.eventually("everything is gone", func() bool { return c.left() == 0 })
	})
}

// checkOwners looks at the chain by which schedulers and people find a pod's application.
func checkOwners(t *testing.T, c *cluster) {
	d, err := c.Client().AppsV1().Deployments("default").Get(c.ctx, "orders", metav1.GetOptions{})
	require.NoError(t, err)
	require.Equal(t, "FlinkDeployment", d.OwnerReferences[0].Kind)
	require.False(t, *d.OwnerReferences[0].Controller)
	for _, p := range c.pods("app=orders,component=taskmanager") {
		require.Len(t, p.OwnerReferences, 1)
		require.Equal(t, d.UID, p.OwnerReferences[0].UID)
		require.True(t, *p.OwnerReferences[0].Controller)
		require.Equal(t, "sluice", p.Spec.SchedulerName)
		require.Equal(t, "4Gi", p.Spec.Containers[0].Resources.Requests.Memory().String())
	}
	require.Equal(t, "ReplicaSet", c.pods("app=orders,component=jobmanager")[0].OwnerReferences[0].Kind)
	for _, name := range []string{"flink-config-orders", "pod-template-orders"} {
		m, err := c.Client().CoreV1().ConfigMaps("default").Get(c.ctx, name, metav1.GetOptions{})
		require.NoError(t, err)
		require.False(t, m.CreationTimestamp.Before(&d.CreationTimestamp))
		require.Equal(t, d.UID, m.OwnerReferences[0].UID)
	}
}

func otherExamples(t *testing.T, c *cluster) {
	objects, err := flink.ApplyFiles(c.ctx, c.RESTConfig(), exampleFile(t, "session.yaml"))
	require.NoError(t, err)
	require.Len(t, objects, 2)
	j := c.wait("adhoc", func(j flink.Job) bool { return j.Done() && j.TaskManagers.Wanted == 2 })
	require.Equal(t, 2, j.TaskManagers.Running)
	c.shows("RUNNING", "get", "sessionjob", "adhoc-report")
	broken := filepath.Join(t.TempDir(), "broken.yaml")
	require.NoError(t, os.WriteFile(broken, []byte("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: never}\n---\nkind: [\n"), 0o644))
	_, err = flink.ApplyFiles(c.ctx, c.RESTConfig(), broken)
	require.ErrorContains(t, err, "broken.yaml:5")
	_, err = c.Client().CoreV1().ConfigMaps("default").Get(c.ctx, "never", metav1.GetOptions{})
	require.Error(t, err, "nothing of a broken file is applied")
	unknown, err := manifest.Read("u.yaml", []byte("apiVersion: example.com/v1\nkind: Unknown\nmetadata: {name: x}\n"))
	require.NoError(t, err)
	require.ErrorContains(t, flink.Apply(c.ctx, c.RESTConfig(), unknown), "u.yaml:1: the cluster knows no kind Unknown")
}

// operatorFiles are the files of one folder of the Flink operator's own material; the test is skipped where it is not.
func operatorFiles(t *testing.T, folder string) []string {
	dir := filepath.Join("..", "..", "..", "shared")
	if env := os.Getenv("SLUICE_SHARED"); env != "" {
		dir = env
	}
	files, err := filepath.Glob(filepath.Join(dir, "flink-operator", folder, "*.yaml"))
	require.NoError(t, err)
	if len(files) == 0 {
		t.Skip("the operator's files are not here; set SLUICE_SHARED to the folder that has flink-operator/" + folder)
	}
	return files
}

// TestOperatorDefinitions runs the examples under the operator's own definitions, whose validation is strict and which
// drop fields that they do not know.
func TestOperatorDefinitions(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a control plane")
	}
	examples := operatorFiles(t, "examples")
	c := start(t, operatorFiles(t, "crds")...)
	_, err := flink.ApplyFiles(c.ctx, c.RESTConfig(), append(examples, exampleFile(t, "orders.yaml"), exampleFile(t, "vision.yaml"))...)
	require.NoError(t, err)
	c.wait("orders", flink.Job.Done)
	c.wait("basic-example", flink.Job.Done)
	c.shows("STABLE", "get", "flinkdep", "orders")
	c.wait("vision", flink.Job.Done) // a kubelet ignores devices that its node never offered
	c.shows("RUNNING", "get", "sessionjob", "basic-session-job-example2")
	c.shows("ACTIVE_BLUE", "get", "flinkbgdep", "-o", "jsonpath={.items[0].status.blueGreenState}")
	require.Equal(t, "8", c.kubectl("get", "flinkdep", "orders", "-o", "jsonpath={.status.taskManager.replicas}"))
	require.Contains(t, c.kubectl("get", "flinkdep", "orders", "-o", "yaml"), flink.RecordAnnotation)
}

// operatorExamples applies every file of the operator's own examples and waits until all of them run.
func operatorExamples(t *testing.T, c *cluster) {
	_, err := flink.ApplyFiles(c.ctx, c.RESTConfig(), operatorFiles(t, "examples")...)
	require.NoError(t, err)
	for name, taskManagers := range map[string]int{
		"autoscaling-example": 1, "basic-checkpoint-ha-example": 1, "basic-example": 1, "basic-reactive-example": 1,
		"flink-example-wordcount-batch": 1, "pod-template-example": 1, "basic-bg-stateless-example-blue": 1,
		"basic-session-deployment-example": 6, "basic-session-deployment-only-example": 2,
	} {
		c.wait(name, func(j flink.Job) bool { return j.Done() && j.TaskManagers.Running == taskManagers })
	}
	c.shows("ACTIVE_BLUE", "get", "flinkbgdep")
}

// late is a job whose slots time out within seconds.
const late = `
apiVersion: flink.apache.org/v1beta1
kind: FlinkDeployment
metadata: {name: late, namespace: default}
spec:
  image: flink:1.20
  flinkVersion: v1_20
  flinkConfiguration:
    execution.checkpointing.interval: "60 s"
    slot.request.timeout: "4 s"
    restart-strategy.type: fixed-delay
    restart-strategy.fixed-delay.attempts: "1000"
    restart-strategy.fixed-delay.delay: "1 s"
  job: {parallelism: 4}
`

// unbound are the TaskManagers of a job that have no node, bound those that have one.
func (c *cluster) split(job string) (bound, unbound []string) {
	for _, p := range c.pods("app=" + job + ",component=taskmanager") {
		if p.Spec.NodeName == "" {
			unbound = append(unbound, p.Name)
		} else {
			bound = append(bound, p.Name)
		}
	}
	return bound, unbound
}

// TestClocksOnARealCluster runs a job that gets half of its slots: it times out and asks by new names, its JobManager is lost meanwhile, and in the end it runs.
func TestClocksOnARealCluster(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a control plane")
	}
	c := start(t)
	hold := func(p *corev1.Pod) bool {
		return strings.Contains(p.Name, "taskmanager") && p.Name != "late-taskmanager-1-1" && p.Name != "late-taskmanager-1-2"
	}
	c.held.Store(&hold)
	file := filepath.Join(t.TempDir(), "late.yaml")
	require.NoError(t, os.WriteFile(file, []byte(late), 0o644))
	c.kubectl("apply", "-f", file)

	j := c.wait("late", func(j flink.Job) bool { return j.TaskManagers.Running == 2 })
	require.False(t, j.Deadline.IsZero())
	c.wait("late", func(j flink.Job) bool { return j.SlotTimeouts > 0 && j.TaskManagers.Created == 4 })
	c.eventually("the two that wait have new names of the same attempt", func() bool {
		bound, unbound := c.split("late")
		return slices.Equal(bound, []string{"late-taskmanager-1-1", "late-taskmanager-1-2"}) && len(unbound) == 2 &&
			!slices.Contains(unbound, "late-taskmanager-1-3") && strings.HasPrefix(unbound[0], "late-taskmanager-1-")
	})

	c.kill(c.names("app=late,component=jobmanager")[0])
	c.wait("late", func(j flink.Job) bool { return j.Attempt == 2 && j.TaskManagers.Created == 4 })
	c.eventually("what has a node is kept, what has none comes again by the next attempt", func() bool {
		bound, unbound := c.split("late")
		return slices.Equal(bound, []string{"late-taskmanager-1-1", "late-taskmanager-1-2"}) && len(unbound) == 2 &&
			strings.HasPrefix(unbound[0], "late-taskmanager-2-") && strings.HasPrefix(unbound[1], "late-taskmanager-2-")
	})
	c.shows("CREATED", "get", "flinkdep", "late", "-o", "jsonpath={.status.jobStatus.state}")

	c.held.Store(nil)
	j = c.wait("late", func(j flink.Job) bool { return j.Done() && j.State == "RUNNING" })
	require.True(t, j.Deadline.IsZero())
	require.Zero(t, j.Restarts)
}
