package flink

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/sluice-scheduler/sluice/pkg/app/flink/spec"
	"github.com/sluice-scheduler/sluice/pkg/sim/flink/jobmanager"
)

// orders is a FlinkDeployment of this name, with lines of configuration and of metadata.
func orders(parallelism int, config, annotations string) string {
	return fmt.Sprintf(`
apiVersion: flink.apache.org/v1beta1
kind: FlinkDeployment
metadata:
  name: orders
  annotations: {%s}
spec:
  flinkVersion: v1_20
  flinkConfiguration: {taskmanager.numberOfTaskSlots: "2"%s}
  job: {parallelism: %d}
`, annotations, config, parallelism)
}

const checkpoints = `, execution.checkpointing.interval: "60 s"`

// begin applies a manifest of orders and lets its JobManager run.
func (b *bench) begin(manifest string) {
	b.apply(manifest)
	b.jobManager("orders", "orders-abc-1")
	time.Sleep(2 * time.Second)
}

// startSome lets n TaskManagers run that do not.
func (b *bench) startSome(n int) {
	for _, p := range b.list() {
		if n > 0 && p.Spec.NodeName == "" {
			b.start(&p)
			n--
		}
	}
	time.Sleep(2 * time.Second)
}

func (b *bench) ordersState() string { return b.status(deployResource, "orders", "jobStatus", "state") }

func TestSlotTimeoutIsSeenFromOutside(t *testing.T) {
	run(t, func(b *bench) {
		b.begin(orders(8, checkpoints, ""))
		b.startSome(2)
		j := b.job("orders")
		require.WithinDuration(t, time.Now().Add(5*time.Minute), j.Deadline, 10*time.Second)
		time.Sleep(time.Until(j.Deadline) + 100*time.Millisecond)
		require.Equal(t, 1, b.job("orders").SlotTimeouts)
		require.Equal(t, names(1, 1, 2), b.pods(), "those without a node are cancelled")
		require.Equal(t, "RESTARTING", b.ordersState())
		time.Sleep(2 * time.Second)
		require.Equal(t, names(1, 1, 2, 5, 6), b.pods())
		b.startAll()
		require.Equal(t, "RUNNING", b.ordersState())
	})
}

func TestClocksOfTheConfigurationAndThePace(t *testing.T) {
	config := `, execution.checkpointing.interval: "60 s", slot.request.timeout: "40 s", restart-strategy.type: fixed-delay,
	  restart-strategy.fixed-delay.attempts: "1", restart-strategy.fixed-delay.delay: "10 s"`
	b := newBench(t)
	b.sim = newWith(b.kube, b.dyn, Options{Pace: 10})
	u := b.object(orders(8, config, `flink-simulator.sluice.dev/run-for: 100s`))
	c, err := spec.ResolveObject(u)
	require.NoError(t, err)
	rules, err := b.sim.rules(u, c)
	require.NoError(t, err)
	require.Equal(t, 4*time.Second, rules.SlotTimeout)
	require.Equal(t, jobmanager.Restart{Attempts: 1, Delay: time.Second}, rules.Restart)
	require.Equal(t, 10*time.Second, rules.Work.RunFor)
	require.Equal(t, time.Second, rules.StartDelay)
}

func TestModesAndRestartStrategies(t *testing.T) {
	b := newBench(t)
	b.sim = newWith(b.kube, b.dyn, Options{})
	for config, want := range map[string]struct {
		mode  jobmanager.Mode
		never bool
	}{
		checkpoints: {mode: jobmanager.Streaming},
		"":          {mode: jobmanager.Streaming, never: true},
		`, jobmanager.scheduler: Adaptive, restart-strategy.type: failure-rate`:                                {mode: jobmanager.Adaptive},
		`, execution.runtime-mode: BATCH, jobmanager.scheduler: adaptive, restart-strategy: exponential-delay`: {mode: jobmanager.Batch},
		`, execution.checkpointing.interval: "1 min", restart-strategy.type: none`:                             {mode: jobmanager.Streaming, never: true},
		`, scheduler-mode: reactive` + checkpoints:                                                             {mode: jobmanager.Streaming}, // not standalone
	} {
		u := b.object(orders(8, config, ""))
		c, err := spec.ResolveObject(u)
		require.NoError(t, err)
		rules, err := b.sim.rules(u, c)
		require.NoError(t, err, config)
		require.Equal(t, want.mode, rules.Mode, config)
		require.Equal(t, want.never, rules.Restart.Never, config)
	}
}

func TestUnreadableAnnotationIsTold(t *testing.T) {
	run(t, func(b *bench) {
		b.begin(orders(2, checkpoints, `flink-simulator.sluice.dev/stages: many`))
		require.Contains(t, b.status(deployResource, "orders", "error"), `flink-simulator.sluice.dev/stages: "many" is not a number`)
		b.startAll()
		require.Equal(t, "RUNNING", b.ordersState(), "the job runs nevertheless")
	})
}

func TestFinishedJobKeepsItsJobManagerForADay(t *testing.T) {
	run(t, func(b *bench) {
		b.begin(orders(4, "", `flink-simulator.sluice.dev/run-for: 90s`))
		b.startAll()
		require.Equal(t, "RUNNING", b.ordersState())
		time.Sleep(90 * time.Second)
		require.Equal(t, "FINISHED", b.ordersState())
		require.Equal(t, "STABLE", b.status(deployResource, "orders", "lifecycleState"))
		require.Len(t, b.pods(), 2)
		time.Sleep(30 * time.Second)
		require.Empty(t, b.pods(), "idle TaskManagers go, the JobManager stays")
		require.Equal(t, 1, b.job("orders").JobManagers.Running)
		require.Equal(t, "0", b.status(deployResource, "orders", "taskManager", "replicas"))
		b.stop()
		b.boot()
		time.Sleep(23 * time.Hour)
		require.Equal(t, "READY", b.status(deployResource, "orders", "jobManagerDeploymentStatus"))
		require.Empty(t, b.pods())
		time.Sleep(time.Hour)
		require.Equal(t, "MISSING", b.status(deployResource, "orders", "jobManagerDeploymentStatus"))
		require.Equal(t, "FINISHED", b.ordersState())
		b.stop()
		b.boot()
		time.Sleep(time.Hour)
		require.Equal(t, "FINISHED", b.ordersState(), "nor is it begun again by a simulator that starts anew")
		require.Equal(t, "MISSING", b.status(deployResource, "orders", "jobManagerDeploymentStatus"))
	})
}

func TestJobWithoutCheckpointsFailsForGood(t *testing.T) {
	run(t, func(b *bench) {
		b.begin(orders(4, "", ""))
		b.startAll()
		b.remove(names(1, 1)[0])
		require.Equal(t, "FAILED", b.ordersState())
		require.Equal(t, "FAILED", b.status(deployResource, "orders", "lifecycleState"))
		time.Sleep(30 * time.Second)
		require.Empty(t, b.pods())
	})
}

func TestTaskManagerThatNeverRunsIsReplaced(t *testing.T) {
	run(t, func(b *bench) {
		b.begin(orders(4, checkpoints+`, slot.request.timeout: "1 h"`, ""))
		p := b.list()[0]
		p.Spec.NodeName = "node"
		p.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodScheduled, Status: corev1.ConditionTrue}}
		_, err := b.kube.CoreV1().Pods("default").Update(context.Background(), &p, metav1.UpdateOptions{})
		require.NoError(t, err)
		time.Sleep(5*time.Minute - time.Second)
		require.Equal(t, names(1, 1, 2), b.pods())
		time.Sleep(2 * time.Second)
		require.Equal(t, names(1, 2, 3), b.pods())
		require.Equal(t, 1, b.job("orders").Unregistered)
	})
}

func TestAdaptiveJobRunsWithItsMinimum(t *testing.T) {
	run(t, func(b *bench) {
		b.begin(orders(8, checkpoints+`, jobmanager.scheduler: adaptive`, `flink-simulator.sluice.dev/min-task-managers: "2"`))
		b.startSome(1)
		time.Sleep(10 * time.Minute)
		require.Equal(t, "CREATED", b.ordersState())
		b.startSome(1)
		time.Sleep(10 * time.Second)
		require.Equal(t, "RUNNING", b.ordersState())
		require.Len(t, b.pods(), 4)
		time.Sleep(time.Minute)
		b.startSome(2)
		time.Sleep(2 * time.Second)
		require.Equal(t, 1, b.job("orders").Rescales)
		require.Equal(t, "RUNNING", b.ordersState())
	})
}

func TestAdaptiveJobIsRescaledInPlace(t *testing.T) {
	run(t, func(b *bench) {
		b.begin(orders(2, checkpoints+`, jobmanager.scheduler: adaptive, pipeline.jobvertex-parallelism-overrides: "a:2"`, ""))
		b.startAll()
		before := b.deploymentUID("orders")
		b.edit("orders", func(u *unstructured.Unstructured) {
			require.NoError(t, unstructured.SetNestedField(u.Object, "a:6",
				"spec", "flinkConfiguration", "pipeline.jobvertex-parallelism-overrides"))
		})
		require.Equal(t, before, b.deploymentUID("orders"))
		require.Equal(t, names(1, 1, 2, 3), b.pods(), "members are added to what runs")
	})
}

func TestReactiveJobIsRescaledInPlace(t *testing.T) {
	const manifest = `
apiVersion: flink.apache.org/v1beta1
kind: FlinkDeployment
metadata: {name: orders}
spec:
  flinkVersion: v1_20
  mode: standalone
  flinkConfiguration: {scheduler-mode: REACTIVE, execution.checkpointing.interval: "60 s"}
  taskManager: {replicas: 2}
  job: {}
`
	run(t, func(b *bench) {
		b.apply(manifest)
		b.jobManager("orders", "orders-abc-1")
		for i := range 2 {
			b.jobManager("orders-taskmanager", fmt.Sprintf("orders-taskmanager-x-%d", i)) // any pod of a Deployment's template that runs
		}
		time.Sleep(2 * time.Second)
		require.Equal(t, "RUNNING", b.ordersState())
		before := b.deploymentUID("orders-taskmanager")
		b.edit("orders", func(u *unstructured.Unstructured) {
			require.NoError(t, unstructured.SetNestedField(u.Object, int64(6), "spec", "taskManager", "replicas"))
		})
		require.Equal(t, before, b.deploymentUID("orders-taskmanager"))
		d, err := b.kube.AppsV1().Deployments("default").Get(context.Background(), "orders-taskmanager", metav1.GetOptions{})
		require.NoError(t, err)
		require.EqualValues(t, 6, *d.Spec.Replicas)
		for i := range 4 {
			b.jobManager("orders-taskmanager", fmt.Sprintf("orders-taskmanager-y-%d", i))
		}
		time.Sleep(3 * time.Second)
		require.Equal(t, 1, b.job("orders").Rescales, "four within a second cost one restart")
		require.Equal(t, "RUNNING", b.ordersState())
	})
}

func TestBatchJobFinishesWithOneTaskManager(t *testing.T) {
	run(t, func(b *bench) {
		b.begin(orders(8, `, execution.runtime-mode: BATCH`, `flink-simulator.sluice.dev/stages: "2", flink-simulator.sluice.dev/task-time: 60s`))
		require.Len(t, b.pods(), 4)
		b.startSome(1)
		require.Equal(t, "RUNNING", b.ordersState())
		time.Sleep(8*time.Minute + 10*time.Second)
		require.Equal(t, "FINISHED", b.ordersState())
		time.Sleep(time.Minute)
		require.Empty(t, b.pods())
		require.True(t, strings.HasPrefix(b.job("orders").String(), "JobManager 1/1"))
	})
}

func TestLeaderOfAHighlyAvailableClusterRenewsItsConfigMap(t *testing.T) {
	run(t, func(b *bench) {
		b.begin(orders(2, checkpoints+`, high-availability.type: kubernetes`, ""))
		read := func() *corev1.ConfigMap {
			m, err := b.kube.CoreV1().ConfigMaps("default").Get(context.Background(), "orders-cluster-config-map", metav1.GetOptions{})
			require.NoError(t, err)
			return m
		}
		first := read()
		require.Equal(t, map[string]string{
			"app": "orders", "type": "flink-native-kubernetes", "configmap-type": "high-availability",
		}, first.Labels)
		renewals := map[string]bool{}
		for range 20 {
			time.Sleep(time.Second)
			renewals[read().Annotations[leaderAnnotation]] = true
		}
		require.InDelta(t, 5, len(renewals), 1, "every five seconds")
		b.remove("orders-abc-1")
		before := read().Annotations[leaderAnnotation]
		time.Sleep(20 * time.Second)
		require.Equal(t, before, read().Annotations[leaderAnnotation], "nobody leads")
	})
}
