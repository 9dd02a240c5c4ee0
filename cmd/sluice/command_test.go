package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// sluice runs the command line in this process.
func sluice(ctx context.Context, args ...string) (out string, err error) {
	c := command("v1.2.3")
	var b bytes.Buffer
	c.SetOut(&b)
	c.SetErr(&b)
	c.SetArgs(args)
	err = c.ExecuteContext(ctx)
	return b.String(), err
}

func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

func TestVersion(t *testing.T) {
	out, err := sluice(t.Context(), "version")
	require.NoError(t, err)
	require.Contains(t, out, "sluice v1.2.3 (go1.")
}

func TestHelpTellsANewcomerWhatToDo(t *testing.T) {
	for _, args := range [][]string{{}, {"--help"}, {"run", "--help"}} {
		out, err := sluice(t.Context(), args...)
		require.NoError(t, err)
		require.Contains(t, out, "sluice run --config sluice.yaml --kubeconfig")
		require.Contains(t, out, "schedulerName")
	}
}

func TestWrongWordsAreRefused(t *testing.T) {
	_, err := sluice(t.Context(), "rum")
	require.ErrorContains(t, err, `unknown command "rum"`)
	require.ErrorContains(t, err, "run")
	_, err = sluice(t.Context(), "run", "now")
	require.Error(t, err)
	_, err = sluice(t.Context(), "run", "--kubconfig", "x")
	require.ErrorContains(t, err, "unknown flag: --kubconfig")
}

func TestABrokenConfigurationIsRefusedWithAllItsFaults(t *testing.T) {
	file := write(t, "sluice.yaml", `apiVersion: config.sluice.dev/v1alpha1
kind: SluiceConfiguration
schedulerName: Not A Name
bind:
  maxInFlight: 0
logs: {}
`)
	_, err := sluice(t.Context(), "run", "--config", file, "--kubeconfig", "unused")
	require.Error(t, err)
	for _, part := range []string{file + ":3:", "schedulerName: ", file + ":5:", "bind.maxInFlight: ", file + ":6:", "^", "3 faults"} {
		require.ErrorContains(t, err, part)
	}
}

// Nothing is started with queues that cannot be read, are broken, or do not agree with the configuration.
func TestBrokenQueuesAreRefusedWithAllTheirFaults(t *testing.T) {
	file := write(t, "sluice.yaml", `apiVersion: config.sluice.dev/v1alpha1
kind: SluiceConfiguration
queues: {file: tenants.yaml}
`)
	tenants := filepath.Join(filepath.Dir(file), "tenants.yaml")
	run := func() error {
		_, err := sluice(t.Context(), "run", "--config", file, "--kubeconfig", "unused")
		return err
	}
	require.ErrorContains(t, run(), "read the queues: open "+tenants)
	require.NoError(t, os.WriteFile(tenants, []byte("queues:\n- name: a\n  wieght: 3\n- {}\n"), 0o600))
	for _, part := range []string{tenants + ":3:3: ", "did you mean weight?", tenants + ":4:3: ", "^", "2 faults"} {
		require.ErrorContains(t, run(), part)
	}
	require.NoError(t, os.WriteFile(tenants, []byte("queues:\n- name: a\n  nodeOrder: pack\n"), 0o600))
	require.ErrorContains(t, run(), tenants+`:3:14: queues[0].nodeOrder: must be a node order of sluice.yaml, which has default, but is "pack"`)
}

func TestAMissingFileIsNamed(t *testing.T) {
	_, err := sluice(t.Context(), "run", "--config", "/nowhere/sluice.yaml")
	require.ErrorContains(t, err, "/nowhere/sluice.yaml")
	_, err = sluice(t.Context(), "run", "--kubeconfig", "/nowhere/kubeconfig")
	require.ErrorContains(t, err, "/nowhere/kubeconfig")
}

// An API server that is not there yet is no reason to end; the log says so, and an end in order is one.
func TestAnAPIServerThatIsAwayIsWaitedFor(t *testing.T) {
	kubeconfig := write(t, "kubeconfig", `apiVersion: v1
kind: Config
clusters: [{name: c, cluster: {server: "http://127.0.0.1:1"}}]
contexts: [{name: c, context: {cluster: c}}]
current-context: c
`)
	file := write(t, "sluice.yaml", `apiVersion: config.sluice.dev/v1alpha1
kind: SluiceConfiguration
web: {address: "127.0.0.1:0"}
stateDirectory: `+t.TempDir()+`
`)
	ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	out, err := sluice(ctx, "run", "--config", file, "--kubeconfig", kubeconfig)
	require.NoError(t, err)
	require.Contains(t, out, "lost the API server: dial tcp 127.0.0.1:1: connect: connection refused; retrying")
	require.Contains(t, out, "msg=ended")
	require.NotContains(t, out, "leading")
}
