package flink

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sluice-scheduler/sluice/pkg/core"
	"github.com/sluice-scheduler/sluice/pkg/sim/flink/jobmanager"
)

// manifest is a job with so many TaskManagers of a CPU each, and lines of configuration.
func manifest(name string, taskManagers int, config ...string) string {
	return fmt.Sprintf(`
apiVersion: flink.apache.org/v1beta1
kind: FlinkDeployment
metadata: {name: %s}
spec:
  image: flink:1.20
  flinkVersion: v1_20
  serviceAccount: flink
  flinkConfiguration: {execution.checkpointing.interval: "60 s", %s}
  podTemplate: {spec: {schedulerName: sluice}}
  jobManager: {resources: {requests: {cpu: "1", memory: 1024m}}}
  taskManager: {resources: {requests: {cpu: "1", memory: 1024m}}}
  job: {jarURI: "local:///job.jar", parallelism: %d}
`, name, strings.Join(config, ", "), taskManagers)
}

// played is a world under test.
type played struct {
	*World
	t *testing.T
}

func world(t *testing.T) *played {
	return &played{World: New(core.Config{StarvationAfter: 5 * time.Minute}), t: t}
}

func (w *played) submit(text string) *Job {
	w.t.Helper()
	j, err := w.Submit(text)
	require.NoError(w.t, err)
	return j
}

func (w *played) play(d time.Duration) {
	w.t.Helper()
	require.NoError(w.t, w.Play(d))
}

// has says how many TaskManagers a job has, and how many of them have a node.
func (w *played) has(j *Job, exist, bound int) {
	w.t.Helper()
	e, b := j.TaskManagers()
	require.Equal(w.t, []int{exist, bound}, []int{len(e), len(b)}, "TaskManagers that exist and that are bound")
}

// 1. Two jobs, room for one and a half.
func TestOneOfTwoJobsRunsAndTheOtherHoldsNothing(t *testing.T) {
	w := world(t)
	w.Nodes("n", 4, "4") // 16 CPUs; each job wants 11
	a, b := w.submit(manifest("a", 10)), w.submit(manifest("b", 10))
	w.play(time.Hour)
	require.Equal(t, jobmanager.Running, a.State())
	w.has(a, 10, 10)
	require.Equal(t, jobmanager.Starting, b.State())
	require.Empty(t, b.JobManager().Spec.NodeName)
	require.Equal(t, jobmanager.Counts{}, a.Counts())
	require.Equal(t, jobmanager.Counts{}, b.Counts())
}

// 2. A flood of small pods between JobManager and TaskManagers.
func TestRoomIsKeptWhileTheJobManagerStarts(t *testing.T) {
	w := world(t)
	w.Nodes("n", 3, "4")
	w.StartAfter = 40 * time.Second
	a := w.submit(manifest("a", 8))
	w.play(time.Second)
	require.NotEmpty(t, a.JobManager().Spec.NodeName)
	w.Pods("small", 50, "1")
	w.play(30 * time.Second)
	require.Equal(t, 3, w.Bound(), "12 CPUs less one and eight")
	w.play(time.Minute)
	w.has(a, 8, 8)
	w.play(time.Minute)
	require.Equal(t, jobmanager.Running, a.State())
}

// 3. No FlinkDeployment to read, and the ConfigMap comes after the JobManager's pod.
func TestConfigMapThatComesLater(t *testing.T) {
	w := world(t)
	w.Nodes("n", 2, "4")
	a, b := w.submit(manifest("a", 5)), w.submit(manifest("b", 5))
	a.Hidden, b.Hidden = true, true
	a.ConfigAfter, b.ConfigAfter = 2*time.Second, 3*time.Second
	w.play(time.Hour)
	running := []jobmanager.Phase{a.State(), b.State()}
	require.Contains(t, running, jobmanager.Running)
	require.Contains(t, running, jobmanager.Starting)
	require.Zero(t, a.Counts().SlotTimeouts+b.Counts().SlotTimeouts)
}

// 4. A JobManager is lost while TaskManagers wait: they vanish, the next attempt's take the room.
func TestReservationOutlivesTheNamesOfPods(t *testing.T) {
	w := world(t)
	w.Nodes("n", 3, "4")
	a := w.submit(manifest("a", 8))
	w.play(10 * time.Second)
	require.Equal(t, jobmanager.Running, a.State())
	w.Pods("small", 50, "1")
	w.play(time.Second)
	a.KillJobManager()
	_, bound := a.TaskManagers()
	a.Kill(bound[0])
	a.Kill(bound[1])
	w.play(time.Minute)
	require.Equal(t, jobmanager.Running, a.State(), "what the job lost is its own")
	exist, _ := a.TaskManagers()
	require.True(t, slices.ContainsFunc(exist, func(n string) bool { return strings.HasPrefix(n, "a-taskmanager-2-") }), exist)
	require.Equal(t, 3, w.Bound())
}

// 5. A TaskManager is lost in a full cluster: its replacement goes before jobs and pods that wait.
func TestReplacementGoesFirst(t *testing.T) {
	w := world(t)
	w.Nodes("n", 3, "4")
	a := w.submit(manifest("a", 8))
	w.play(10 * time.Second)
	b := w.submit(manifest("b", 3))
	w.Pods("small", 50, "1")
	w.play(10 * time.Second)
	for range 8 { // before anybody has waited for so long that room is kept for him
		_, bound := a.TaskManagers()
		a.Kill(bound[0])
		w.play(20 * time.Second)
		require.Equal(t, jobmanager.Running, a.State())
	}
	require.Equal(t, 8, a.Counts().Restarts)
	require.Equal(t, 3, w.Bound())
	require.Empty(t, b.JobManager().Spec.NodeName)
}

// 7. An upgrade in a full cluster with a competitor who waits.
func TestUpgradedJobGetsItsRoomBack(t *testing.T) {
	for _, after := range []time.Duration{0, time.Second, 3 * time.Minute} {
		t.Run(after.String(), func(t *testing.T) {
			w := world(t)
			w.RedeployAfter = after
			w.Nodes("n", 3, "4")
			a := w.submit(manifest("a", 10))
			w.play(10 * time.Second)
			b := w.submit(manifest("b", 10))
			w.play(time.Minute)
			require.NoError(t, a.Upgrade(func(spec map[string]any) { spec["image"] = "flink:1.19" }))
			w.play(after + time.Minute)
			require.Equal(t, jobmanager.Running, a.State())
			require.Empty(t, b.JobManager().Spec.NodeName)
			require.Zero(t, a.Counts().SlotTimeouts)
		})
	}
}

// All nodes of a job but one vanish with its pods, between two steps.
func TestJobThatLostAllOfItsNodesBeginsAnew(t *testing.T) {
	w := world(t)
	w.Nodes("n", 3, "4")
	a := w.submit(manifest("a", 10))
	w.play(10 * time.Second)
	w.DeleteNode("n-2")
	w.DeleteNode("n-3")
	exist, _ := a.TaskManagers()
	for _, name := range append(exist, a.master) {
		w.DeletePod(namespace, name)
	}
	w.play(time.Minute)
	require.Empty(t, a.JobManager().Spec.NodeName, "four CPUs are not enough for the job")
	w.Nodes("m", 2, "4")
	w.play(time.Minute)
	require.Equal(t, jobmanager.Running, a.State())
}

// 10. A batch job of which one TaskManager has room starts with that one.
func TestBatchJobStartsWithOne(t *testing.T) {
	w := world(t)
	w.Nodes("n", 1, "2")
	a := w.submit(manifest("a", 10, "execution.runtime-mode: BATCH"))
	w.play(time.Minute)
	require.Equal(t, jobmanager.Running, a.State())
	w.has(a, 10, 1)
	w.Nodes("more", 1, "4")
	w.play(time.Minute)
	w.has(a, 10, 5)
}

// 11. TaskManagers with a device that few nodes have.
func TestDevicesAreFoundAndKept(t *testing.T) {
	w := world(t)
	w.Nodes("n", 2, "4")
	w.Nodes("gpu", 1, "8", "nvidia.com/gpu", "4")
	gpu := []string{"external-resources: gpu", `external-resource.gpu.amount: "1"`, "external-resource.gpu.kubernetes.config-key: nvidia.com/gpu"}
	a, b := w.submit(manifest("a", 3, gpu...)), w.submit(manifest("b", 3, gpu...))
	w.play(time.Hour)
	require.Equal(t, jobmanager.Running, a.State())
	require.Empty(t, b.JobManager().Spec.NodeName, "one GPU is left, and three are wanted")
}

// 12. A finished job whose JobManager lives on owes and is owed nothing.
func TestFinishedJobKeepsNoRoom(t *testing.T) {
	w := world(t)
	w.Nodes("n", 3, "4")
	text := strings.Replace(manifest("a", 10), "metadata: {name: a}", `metadata: {name: a, annotations: {flink-simulator.sluice.dev/run-for: 60s}}`, 1)
	a := w.submit(text)
	w.play(10 * time.Second)
	b := w.submit(manifest("b", 10))
	w.play(30 * time.Second)
	require.Empty(t, b.JobManager().Spec.NodeName)
	w.play(2 * time.Minute)
	require.Equal(t, jobmanager.Finished, a.State())
	require.NotEmpty(t, a.JobManager().Spec.NodeName)
	require.Equal(t, jobmanager.Running, b.State())
}

// 15. A thousand TaskManagers of one JobManager.
func TestThousandTaskManagers(t *testing.T) {
	w := world(t)
	w.Nodes("n", 100, "16")
	a := w.submit(manifest("a", 1000))
	w.play(30 * time.Second)
	require.Equal(t, jobmanager.Running, a.State())
}

// A restart of Sluice between JobManager and TaskManagers.
func TestRestartBetweenJobManagerAndTaskManagers(t *testing.T) {
	w := world(t)
	w.Nodes("n", 3, "4")
	w.StartAfter = 10 * time.Second
	a := w.submit(manifest("a", 8))
	w.play(time.Second)
	w.Pods("small", 50, "1")
	w.Restart()
	w.play(time.Minute)
	require.Equal(t, jobmanager.Running, a.State())
	require.Equal(t, 3, w.Bound())
}

// Jobs come and go at random: nobody's slots time out.
func TestManyJobsTakeTheirTurns(t *testing.T) {
	w := world(t)
	w.Nodes("n", 4, "8")
	var jobs []*Job
	for i := range 12 {
		text := manifest(fmt.Sprintf("job-%d", i), 3+i%5*2)
		jobs = append(jobs, w.submit(strings.Replace(text, "metadata: {", `metadata: {annotations: {flink-simulator.sluice.dev/run-for: 120s}, `, 1)))
		w.play(7 * time.Second)
	}
	w.play(2 * time.Hour)
	for _, j := range jobs {
		require.Equal(t, jobmanager.Finished, j.State(), j.cluster.ID)
		require.Equal(t, jobmanager.Counts{}, j.Counts(), j.cluster.ID)
	}
}

// Room that falls free when a TaskManager of a running job is lost goes to a gang for which nodes are drained; the job then times out and wastes what it has.
func TestReplacementGoesBeforeOneThatStarves(t *testing.T) {
	w := world(t)
	w.Nodes("n", 3, "4")
	a := w.submit(manifest("a", 8))
	w.play(10 * time.Second)
	w.submit(manifest("b", 2))
	w.Pods("small", 50, "1")
	w.play(6 * time.Minute) // b starves, and nodes are drained for it
	_, bound := a.TaskManagers()
	a.Kill(bound[0])
	w.play(2 * time.Minute)
	require.Equal(t, jobmanager.Running, a.State())
}

// All pods of a job vanish between two steps: nothing is placed and nothing kept, so it counts as one that has not begun, and its room is not kept for its return.
func TestUpgradeWhosePodsVanishBetweenTwoSteps(t *testing.T) {
	w := world(t)
	w.Nodes("n", 3, "4")
	a := w.submit(manifest("a", 10))
	w.play(10 * time.Second)
	b := w.submit(manifest("b", 10))
	w.play(time.Minute)
	for _, name := range append(func() []string { e, _ := a.TaskManagers(); return e }(), a.master) {
		w.DeletePod(namespace, name)
	}
	w.play(time.Minute)
	require.Equal(t, jobmanager.Running, a.State())
	require.Empty(t, b.JobManager().Spec.NodeName)
}
