package integration

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/clientcmd"
)

// command runs sluice until it ends and returns its exit code and what it wrote.
func command(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	var out, err bytes.Buffer
	cmd := exec.CommandContext(ctx, sluiceBinary, args...)
	cmd.Stdout, cmd.Stderr = &out, &err
	failure := cmd.Run()
	var exit *exec.ExitError
	if failure != nil && !errors.As(failure, &exit) {
		require.NoError(t, failure)
	}
	return cmd.ProcessState.ExitCode(), out.String(), err.String()
}

// TestBrokenConfiguration gives Sluice a configuration with four faults: all are told at once, with their place, and nothing is started.
func TestBrokenConfiguration(t *testing.T) {
	file := filepath.Join(t.TempDir(), "sluice.yaml")
	require.NoError(t, os.WriteFile(file, []byte(`apiVersion: config.sluice.dev/v1alpha1
kind: SluiceConfiguration
bind:
  maxInFligth: 64
  timeout: 30
nodes:
  selector: "pool in batch"
leaderElection:
  renewDeadline: 20s
`), 0o600))
	code, stdout, stderr := command(t, "run", "--config", file, "--kubeconfig", shared.Kubeconfig())
	require.Equal(t, 1, code)
	require.Empty(t, stdout)
	for _, fault := range []string{
		"sluice.yaml:4:3: bind.maxInFligth: unknown key; did you mean maxInFlight?\n    4 |   maxInFligth: 64\n      |   ^\n",
		"sluice.yaml:5:12: bind.timeout: must be a duration",
		"    5 |   timeout: 30\n      |            ^\n",
		"sluice.yaml:7:13: nodes.selector: ",
		"    7 |   selector: \"pool in batch\"\n      |             ^\n",
		"sluice.yaml:9:18: leaderElection.renewDeadline: must be shorter than leaderElection.leaseDuration",
		"    9 |   renewDeadline: 20s\n      |                  ^\n",
		"4 faults in ",
	} {
		require.Contains(t, stderr, fault)
	}
}

// TestNoSuchFiles names a configuration and a kubeconfig that are not there.
func TestNoSuchFiles(t *testing.T) {
	code, _, stderr := command(t, "run", "--config", "/nowhere/sluice.yaml")
	require.Equal(t, 1, code)
	require.Contains(t, stderr, "/nowhere/sluice.yaml")
	require.Contains(t, stderr, "no such file")
	code, _, stderr = command(t, "run", "--kubeconfig", "/nowhere/kubeconfig")
	require.Equal(t, 1, code)
	require.Contains(t, stderr, "/nowhere/kubeconfig")
}

// TestUnreachableAPIServer points Sluice at a port where nobody listens: it says so and keeps trying, alive but not ready.
func TestUnreachableAPIServer(t *testing.T) {
	s := newScene(t, "unreachable")
	path := s.kubeconfig("good")
	cfg, err := clientcmd.LoadFromFile(path)
	require.NoError(s, err)
	for _, c := range cfg.Clusters {
		c.Server = "https://127.0.0.1:1"
	}
	require.NoError(s, clientcmd.WriteToFile(*cfg, path))
	sluice := s.sluice(options{kubeconfig: path, noWait: true})
	sluice.logged("lost the API server: dial tcp 127.0.0.1:1: connect: connection refused; retrying")
	_, err = sluice.page("/livez")
	require.NoError(s, err)
	_, err = sluice.page("/readyz")
	require.ErrorContains(s, err, "and namespaces and nodes and persistentvolumeclaims and persistentvolumes and pods and storageclasses and volumeattachments and ")
	require.ErrorContains(s, err, " kinds that tell of gangs have been read from https://127.0.0.1:1 yet")
	require.True(s, sluice.Process().Running())
}

// TestMissingRights runs Sluice as a service account without any rights: it says what it may not do, and keeps trying, so that it works
// as soon as the rights are there. Without the right to its Lease it is ready, does not lead, and says that too.
func TestMissingRights(t *testing.T) {
	s := newScene(t, "rightless")
	_, err := shared.InstallSluice(s.ctx) // the roles that are given below, should this test come first
	require.NoError(s, err)
	account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: "nobody"}}
	_, err = s.client.CoreV1().ServiceAccounts(s.name).Create(s.ctx, account, metav1.CreateOptions{})
	require.NoError(s, err)
	path, err := shared.ServiceAccountKubeconfig(s.ctx, s.name, "nobody")
	require.NoError(s, err)
	sluice := s.sluice(options{kubeconfig: path, noWait: true})
	sluice.logged(`User \"system:serviceaccount:rightless:nobody\" cannot `)
	sluice.logged("no right to read namespaces, going on without: ")
	_, err = sluice.page("/readyz")
	require.ErrorContains(s, err, "cluster-read failed: not all nodes and pods")
	process := sluice.Process()

	subject := rbacv1.Subject{Kind: "ServiceAccount", Name: "nobody", Namespace: s.name}
	binding := &rbacv1.ClusterRoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: s.name}, Subjects: []rbacv1.Subject{subject},
		RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "sluice"},
	}
	_, err = s.client.RbacV1().ClusterRoleBindings().Create(s.ctx, binding, metav1.CreateOptions{})
	require.NoError(s, err)
	s.Cleanup(func() {
		require.NoError(s, s.client.RbacV1().ClusterRoleBindings().Delete(context.Background(), s.name, metav1.DeleteOptions{}))
	})
	require.NoError(s, sluice.WaitReady(s.ctx))
	sluice.logged(`cannot get resource \"leases\"`)
	require.Zero(s, sluice.metric("sluice_leader"))

	lock := &rbacv1.RoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: s.name}, Subjects: []rbacv1.Subject{subject},
		RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: "sluice-leader"},
	}
	_, err = s.client.RbacV1().RoleBindings("sluice-system").Create(s.ctx, lock, metav1.CreateOptions{})
	require.NoError(s, err)
	s.Cleanup(func() {
		require.NoError(s, s.client.RbacV1().RoleBindings("sluice-system").Delete(context.Background(), s.name, metav1.DeleteOptions{}))
	})
	sluice.awaitLeading()
	require.Same(s, process, sluice.Process())
	require.True(s, process.Running())
}
