package stand

import (
	"cmp"
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/sluice-scheduler/sluice/kubemark/child"
	"github.com/sluice-scheduler/sluice/kubemark/components"
	"github.com/sluice-scheduler/sluice/kubemark/local"
)

// Contender is a scheduler of the comparison, or the ceiling with a number of binds in flight.
type Contender struct {
	// Name in tables: sluice, kube-scheduler, or ceiling-16 and so on.
	Name string
	// InFlight is how many binds the ceiling has in flight; 0: not the ceiling.
	InFlight int
}

// The names of the contenders.
const (
	Sluice        = "sluice"
	KubeScheduler = "kube-scheduler"
	Ceiling       = "ceiling"
)

// Contenders makes the contenders of these names; "ceiling" makes one for each number in flight.
func Contenders(names []string, inFlight []int) (all []Contender, err error) {
	for _, name := range names {
		switch name {
		case Sluice, KubeScheduler:
			all = append(all, Contender{Name: name})
		case Ceiling:
			for _, n := range inFlight {
				all = append(all, Contender{Name: fmt.Sprintf("%s-%d", Ceiling, n), InFlight: n})
			}
		default:
			return nil, fmt.Errorf("there is no scheduler %q; there are %s, %s and %s", name, Sluice, KubeScheduler, Ceiling)
		}
	}
	return all, nil
}

// Runner is a contender that runs.
type Runner struct {
	Process *child.Process
	// URL of Sluice's pages; empty for others.
	URL string
	// Ready waits until the contender has read the cluster.
	Ready func(context.Context) error
}

// Program says how to run Sluice.
type Program struct {
	// Binary is the program; empty as local.SluiceOptions has it.
	Binary string
	// Config replaces the configuration that turns off the election; empty: the defaults.
	Config string
}

// Start runs a contender as a process of its own and does not wait for it.
func (s *Stand) Start(ctx context.Context, c Contender, p Program) (*Runner, error) {
	switch c.Name {
	case Sluice:
		return s.startSluice(ctx, p)
	case KubeScheduler:
		return s.startKubeScheduler()
	}
	return s.startBlind(c)
}

// startSluice runs Sluice with its defaults, but without election, as the others are.
func (s *Stand) startSluice(ctx context.Context, p Program) (*Runner, error) {
	config := cmp.Or(p.Config, "leaderElection: {enabled: false}\n")
	run, err := s.Cluster.StartSluice(ctx, local.SluiceOptions{Binary: p.Binary, Kubeconfig: s.Kubeconfig, Config: config, NoWait: true})
	if err != nil {
		return nil, err
	}
	return &Runner{Process: run.Process(), URL: run.URL(), Ready: run.WaitReady}, nil
}

// schedulerConfig is kube-scheduler's default profile under the name that the pods ask for, with a client that is no limit.
const schedulerConfig = `apiVersion: kubescheduler.config.k8s.io/v1
kind: KubeSchedulerConfiguration
leaderElection: {leaderElect: false}
clientConnection:
  kubeconfig: %q
  qps: 5000
  burst: 10000
  contentType: application/vnd.kubernetes.protobuf
profiles:
- schedulerName: %s
`

func (s *Stand) startKubeScheduler() (*Runner, error) {
	file := filepath.Join(s.Cluster.Dir(), "bench-kube-scheduler.yaml")
	if err := os.WriteFile(file, fmt.Appendf(nil, schedulerConfig, s.Kubeconfig, SchedulerName), 0o600); err != nil {
		return nil, fmt.Errorf("write the configuration of kube-scheduler: %w", err)
	}
	address, port, err := freePort()
	if err != nil {
		return nil, err
	}
	p, err := s.run(KubeScheduler, s.bins.Path(components.Scheduler),
		"--config="+file, "--bind-address=127.0.0.1", "--secure-port="+port, "--cert-dir="+filepath.Join(s.Cluster.Dir(), "bench-certs"))
	if err != nil {
		return nil, err
	}
	client := &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{TLSClientConfig: anyCertificate(), DisableKeepAlives: true}}
	return &Runner{Process: p, Ready: func(ctx context.Context) error {
		return p.WaitUntil(ctx, 50*time.Millisecond, func(ctx context.Context) error { return Ask(ctx, client, "https://"+address+"/readyz") })
	}}, nil
}

// startBlind runs this program again, as the ceiling.
func (s *Stand) startBlind(c Contender) (*Runner, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find this program: %w", err)
	}
	p, err := s.run(c.Name, self, BlindCommand, "--kubeconfig="+s.Kubeconfig, fmt.Sprintf("--in-flight=%d", c.InFlight))
	if err != nil {
		return nil, err
	}
	return &Runner{Process: p, Ready: func(ctx context.Context) error {
		return p.WaitUntil(ctx, 50*time.Millisecond, func(context.Context) error {
			if log, err := os.ReadFile(p.Log()); err != nil || !strings.Contains(string(log), BlindReady) {
				return fmt.Errorf("it does not say %q", BlindReady)
			}
			return nil
		})
	}}, nil
}

const (
	// BlindCommand is the subcommand by which the program runs itself as the ceiling.
	BlindCommand = "blind"
	// BlindReady is what it then prints when it has read the cluster.
	BlindReady = "ready"
)

// run starts a child that ends with this process.
func (s *Stand) run(name, path string, args ...string) (*child.Process, error) {
	return child.Start(child.Spec{Name: name, Path: path, Args: args, Dir: s.Cluster.Dir(), Log: s.Cluster.Log("bench-" + name)})
}

func freePort() (address, port string, err error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", "", fmt.Errorf("find a free port: %w", err)
	}
	defer l.Close()
	_, port, err = net.SplitHostPort(l.Addr().String())
	return l.Addr().String(), port, err
}

// Ask expects 200 of a page.
func Ask(ctx context.Context, client *http.Client, url string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", url, resp.Status)
	}
	return nil
}

// anyCertificate trusts the certificate that a scheduler on this machine made for itself.
func anyCertificate() *tls.Config {
	return &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS12} //nolint:gosec // loopback, and only to ask whether it is ready
}
