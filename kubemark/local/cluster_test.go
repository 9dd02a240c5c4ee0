package local_test

import (
	"bufio"
	"context"
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sluice-scheduler/sluice/kubemark/child"
	"github.com/sluice-scheduler/sluice/kubemark/components"
	"github.com/sluice-scheduler/sluice/kubemark/local"
	"github.com/sluice-scheduler/sluice/kubemark/simnode"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
)

func TestKubectl(t *testing.T) {
	out, err := exec.CommandContext(t.Context(), shared.Kubectl(), "--kubeconfig", shared.Kubeconfig(),
		"get", "nodes", "--no-headers").CombinedOutput()
	require.NoError(t, err, string(out))
	ready := 0 // of the nodes that the cluster began with: the autoscaler may have added others
	for line := range strings.Lines(string(out)) {
		if strings.Contains(line, " Ready ") && !strings.HasPrefix(line, "fpga-") {
			ready++
		}
	}
	require.Equal(t, 202, ready, string(out))
	version, err := shared.Client().Discovery().ServerVersion()
	require.NoError(t, err)
	require.Equal(t, "v1.37.2", version.GitVersion)
	_, err = shared.Client().SchedulingV1beta1().PodGroups("default").List(t.Context(), metav1.ListOptions{})
	require.NoError(t, err, "the API of GenericWorkload is not served")
}

func TestControllersMakePods(t *testing.T) {
	ns := namespace(t)
	manifest := `
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: ` + ns + `}
spec:
  replicas: 3
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {schedulerName: nobody, containers: [{name: c, image: i}]}
---
apiVersion: batch/v1
kind: Job
metadata: {name: job, namespace: ` + ns + `}
spec:
  template:
    metadata: {annotations: {sluice.dev/run-for: 100ms}}
    spec: {nodeName: sim-7, restartPolicy: Never, containers: [{name: c, image: i}]}
`
	require.NoError(t, shared.Apply(t.Context(), []byte(manifest)))
	require.Eventually(t, func() bool {
		l, err := shared.Client().CoreV1().Pods(ns).List(t.Context(), metav1.ListOptions{LabelSelector: "app=web"})
		return err == nil && len(l.Items) == 3
	}, time.Minute, 100*time.Millisecond, "the deployment has no pods")
	require.Eventually(t, func() bool {
		j, err := shared.Client().BatchV1().Jobs(ns).Get(t.Context(), "job", metav1.GetOptions{})
		return err == nil && j.Status.Succeeded == 1
	}, time.Minute, 100*time.Millisecond, "the job does not complete")
}

func TestSluiceRights(t *testing.T) {
	ns := namespace(t)
	path, err := shared.InstallSluice(t.Context())
	require.NoError(t, err)
	cfg, err := clientcmd.BuildConfigFromFlags("", path)
	require.NoError(t, err)
	sluice, err := kubernetes.NewForConfig(cfg)
	require.NoError(t, err)
	_, err = sluice.CoreV1().Pods(ns).List(t.Context(), metav1.ListOptions{})
	require.NoError(t, err)
	_, err = sluice.CoreV1().Secrets(ns).List(t.Context(), metav1.ListOptions{})
	require.ErrorContains(t, err, `"system:serviceaccount:sluice-system:sluice" cannot list resource "secrets"`)
}

// StartSluice is tried with this very program (see runAsScheduler), which does what of
// `sluice run` it relies on; the scheduler itself has its own tests on top of this.
func TestStartSluice(t *testing.T) {
	self, err := os.Executable()
	require.NoError(t, err)
	a, err := shared.StartSluice(t.Context(), local.SluiceOptions{Binary: self, Config: "nodes: {selector: a=b}"})
	require.NoError(t, err)
	b, err := shared.StartSluice(t.Context(), local.SluiceOptions{Binary: self})
	require.NoError(t, err)
	require.NotEqual(t, a.URL(), b.URL())

	before := whoIs(t, a)
	require.Equal(t, "system:serviceaccount:sluice-system:sluice", before.User)
	require.Equal(t, "SluiceConfiguration", before.Config.Kind)
	require.Equal(t, "a=b", before.Config.Nodes.Selector)
	require.NoError(t, a.Kill())
	require.NoError(t, a.Restart(t.Context()))
	require.NotEqual(t, before.Pid, whoIs(t, a).Pid)
	require.ErrorContains(t, a.Restart(t.Context()), "runs already")

	// This program does not end well on SIGTERM, and Stop says so and how.
	require.ErrorContains(t, b.Stop(), "signal: terminated")
	_, err = shared.StartSluice(t.Context(), local.SluiceOptions{Binary: self, Kubeconfig: "no-such-file"})
	require.ErrorContains(t, err, "no-such-file: no such file or directory")
	_, err = shared.StartSluice(t.Context(), local.SluiceOptions{Binary: "no/such/program"})
	require.ErrorContains(t, err, "make build")
	require.NoError(t, a.Kill())
}

// identity is what the scheduler's part answers.
type identity struct {
	User   string
	Pid    int
	Config struct {
		Kind  string
		Nodes struct{ Selector string }
	}
}

// whoIs asks a running instance.
func whoIs(t *testing.T, s *local.Sluice) (id identity) {
	t.Helper()
	resp, err := http.Get(s.URL() + "/me")
	require.NoError(t, err)
	defer resp.Body.Close()
	require.NoError(t, json.NewDecoder(resp.Body).Decode(&id))
	return id
}

func TestAPIServerDiesAndReturns(t *testing.T) {
	ns := namespace(t)
	create(t, ns, pod("before", "sim-10"))
	awaitPhase(t, ns, "before", corev1.PodRunning)
	require.NoError(t, shared.KillAPIServer())
	require.ErrorContains(t, shared.KillAPIServer(), "does not run")
	_, err := shared.Client().CoreV1().Pods(ns).Get(t.Context(), "before", metav1.GetOptions{})
	require.Error(t, err, "somebody answers for a dead API server")
	require.NoError(t, shared.StartAPIServer(t.Context()))
	require.ErrorContains(t, shared.StartAPIServer(t.Context()), "runs already")

	awaitPhase(t, ns, "before", corev1.PodRunning)
	for _, node := range []string{"sim-11", sharedHollow[1].Name()} {
		create(t, ns, pod("after-"+node, node))
		await(t, ns, "after-"+node, "Running and ready", ready)
	}
}

func TestHollowNodeDiesAndReturns(t *testing.T) {
	ns, h := namespace(t), sharedHollow[1]
	require.NoError(t, h.Kill())
	create(t, ns, pod("meanwhile", h.Name()))
	require.NoError(t, h.Start(t.Context()))
	awaitPhase(t, ns, "meanwhile", corev1.PodRunning)
}

func TestSilentNode(t *testing.T) {
	ns := namespace(t)
	require.NoError(t, sharedFleet.Silence("sim-20"))
	create(t, ns, pod("unheard", "sim-20"))
	create(t, ns, pod("heard", "sim-21"))
	awaitPhase(t, ns, "heard", corev1.PodRunning)
	awaitPhase(t, ns, "unheard", corev1.PodPending)
	require.NoError(t, sharedFleet.Resume("sim-20"))
	awaitPhase(t, ns, "unheard", corev1.PodRunning)
	require.ErrorContains(t, sharedFleet.Silence("stranger"), "not of this fleet")
}

// Two clusters at a time share nothing: not ports, not files, not nodes.
func TestTwoClusters(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "second")
	second, err := local.Start(t.Context(), local.Options{Dir: dir, NoNodeLifecycle: true, KubeScheduler: true})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, second.Stop()) })
	_, err = local.Start(t.Context(), local.Options{Dir: dir})
	require.ErrorContains(t, err, "a cluster runs in "+dir)

	_, err = second.Simulate(t.Context(), simnode.Options{NoHeartbeats: true, Groups: []simnode.Group{{Count: 3}}})
	require.NoError(t, err)
	nodes, err := second.Client().CoreV1().Nodes().List(t.Context(), metav1.ListOptions{})
	require.NoError(t, err)
	require.Len(t, nodes.Items, 3)
	require.NoError(t, second.CreateNamespace(t.Context(), "two"))
	p := pod("scheduled", "", "cpu=1")
	p.Spec.SchedulerName = "default-scheduler"
	_, err = second.Client().CoreV1().Pods("two").Create(t.Context(), p, metav1.CreateOptions{})
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		got, err := second.Client().CoreV1().Pods("two").Get(t.Context(), p.Name, metav1.GetOptions{})
		return err == nil && got.Status.Phase == corev1.PodRunning
	}, time.Minute, 50*time.Millisecond, "kube-scheduler does not place a pod")

	require.NoError(t, second.Stop())
	require.FileExists(t, second.Log("kube-apiserver"))
	require.NoDirExists(t, filepath.Join(dir, "etcd"))
	require.NoError(t, shared.WaitReady(t.Context()))
}

// An owner that is killed takes its children with it; its files go with the next clean-up.
func TestLeftoversOfAKilledOwner(t *testing.T) {
	self, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), roleEnv+"="+roleOwner)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	line, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	dir := strings.TrimSpace(line)
	require.NotEmpty(t, childrenIn(t, dir))
	swept, err := local.Clean()
	require.NoError(t, err)
	require.NotContains(t, swept.Removed, dir, "a running cluster was cleaned away")

	require.NoError(t, cmd.Process.Kill())
	_ = cmd.Wait()
	require.Eventually(t, func() bool { return len(childrenIn(t, dir)) == 0 }, 20*time.Second, 20*time.Millisecond,
		"children outlive their owner")
	require.DirExists(t, dir)
	swept, err = local.Clean()
	require.NoError(t, err)
	require.Contains(t, swept.Removed, dir)
	require.NoDirExists(t, dir)
	require.NoError(t, shared.WaitReady(t.Context()), "the running cluster of this process was cleaned away")
}

// childrenIn lists the processes whose command line names a folder.
func childrenIn(t *testing.T, dir string) (pids []string) {
	t.Helper()
	paths, err := filepath.Glob("/proc/[0-9]*/cmdline")
	require.NoError(t, err)
	for _, path := range paths {
		if data, err := os.ReadFile(path); err == nil && strings.Contains(string(data), dir) {
			pids = append(pids, path)
		}
	}
	return pids
}

// A component that cannot start is named, with the end of its log, and the log stays.
func TestFailedStartQuotesTheLog(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "broken")
	_, err := local.Start(t.Context(), local.Options{Dir: dir, APIServerArgs: []string{"--no-such-flag"}})
	require.ErrorContains(t, err, "kube-apiserver ended (exit status 1)")
	require.ErrorContains(t, err, "unknown flag: --no-such-flag")
	require.FileExists(t, filepath.Join(dir, "logs", "kube-apiserver.log"))
	require.Empty(t, childrenIn(t, dir))
}

func TestBadOptions(t *testing.T) {
	full := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(full, "thesis.txt"), nil, 0o644))
	_, err := local.Start(t.Context(), local.Options{Dir: full})
	require.ErrorContains(t, err, "holds files that are not a local cluster's")
	require.FileExists(t, filepath.Join(full, "thesis.txt"))
	_, err = local.Start(t.Context(), local.Options{MaxRequests: -1})
	require.ErrorContains(t, err, "MaxRequests -1")
	_, err = shared.AddHollow(t.Context(), local.HollowOptions{Count: 1, CPU: "lots"})
	require.ErrorContains(t, err, `cpu: "lots" is not a quantity`)
	_, err = shared.AddHollow(t.Context(), local.HollowOptions{})
	require.ErrorContains(t, err, "at least one node")
	_, err = shared.Simulate(t.Context(), simnode.Options{NoHeartbeats: true})
	require.ErrorContains(t, err, "NoNodeLifecycle")
	_, err = shared.Simulate(t.Context(), simnode.Options{Groups: []simnode.Group{{Count: 1}}})
	require.ErrorContains(t, err, "create node sim-0: it exists already; give the group another name")
	require.ErrorContains(t, shared.Apply(context.Background(), []byte("kind: Nonsense\napiVersion: v9\nmetadata: {name: x}")), "does not serve it")
}

// The record of a running cluster names its children, so that a clean-up finds them.
func TestRecordNamesChildren(t *testing.T) {
	id, err := child.Identify(sharedHollow[0].Process().Identity().PID)
	require.NoError(t, err)
	require.Equal(t, sharedHollow[0].Process().Identity(), id)
	require.Equal(t, components.Hollow, id.Program)
}
