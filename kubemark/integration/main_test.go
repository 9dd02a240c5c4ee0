package integration

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/sluice-scheduler/sluice/kubemark/components"
	"github.com/sluice-scheduler/sluice/kubemark/local"
)

// What all tests share.
var (
	// shared is the one cluster.
	shared *local.Cluster
	// sluiceBinary is the program as users get it, faultyBinary the one that panics over objects named panic-me….
	sluiceBinary, faultyBinary string
	// auditLog is the API server's audit log.
	auditLog string
)

// auditPolicy records every request of Sluice, and with their content: bindings of anybody, and what Sluice writes.
const auditPolicy = `
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
- level: Request
  verbs: [create]
  resources: [{group: "", resources: [pods/binding]}]
- level: Request
  users: ["system:serviceaccount:sluice-system:sluice"]
  verbs: [create, update, patch]
- level: Metadata
  users: ["system:serviceaccount:sluice-system:sluice"]
- level: None
`

func TestMain(m *testing.M) {
	code, err := runAll(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

// runAll builds Sluice, starts the cluster, runs the tests and cleans up. The logs stay if a test failed.
func runAll(m *testing.M) (code int, err error) {
	dir, err := os.MkdirTemp("", "sluice-integration-")
	if err != nil {
		return 1, err
	}
	defer func() {
		if code == 0 && err == nil {
			err = os.RemoveAll(dir)
			return
		}
		fmt.Fprintln(os.Stderr, "the logs are kept in", dir)
	}()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Minute)
	defer cancel()
	if err := build(ctx, dir); err != nil {
		return 1, err
	}
	if err := startCluster(ctx, dir); err != nil {
		return 1, err
	}
	defer func() {
		if e := shared.Stop(); err == nil {
			err = e
		}
	}()
	return m.Run(), nil
}

// build compiles Sluice from the checkout, plain and with injected faults.
func build(ctx context.Context, dir string) error {
	source, err := components.FindSource("")
	if err != nil {
		return err
	}
	sluiceBinary, faultyBinary = filepath.Join(dir, "sluice"), filepath.Join(dir, "sluice-faulty")
	for binary, tags := range map[string]string{sluiceBinary: "", faultyBinary: "faultinjection"} {
		cmd := exec.CommandContext(ctx, "go", "build", "-tags", tags, "-o", binary, "./cmd/sluice")
		cmd.Dir = filepath.Dir(source)
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("build sluice (tags %q): %w\n%s", tags, err, out)
		}
	}
	return nil
}

// startCluster starts the shared cluster, with kube-scheduler and an audit log.
func startCluster(ctx context.Context, dir string) (err error) {
	policy := filepath.Join(dir, "audit-policy.yaml")
	auditLog = filepath.Join(dir, "audit.log")
	if err := os.WriteFile(policy, []byte(auditPolicy), 0o600); err != nil {
		return err
	}
	shared, err = local.Start(ctx, local.Options{
		Dir: filepath.Join(dir, "cluster"), KubeScheduler: true, Progress: os.Stderr,
		APIServerArgs: []string{
			"--audit-policy-file=" + policy, "--audit-log-path=" + auditLog, "--audit-log-mode=blocking", "--audit-log-maxsize=10000",
		},
	})
	return err
}
