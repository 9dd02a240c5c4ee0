package e2e

import (
	"context"
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

// contender is a scheduler of the comparison, or the ceiling with a number of binds in flight.
type contender struct {
	// name in tables: sluice, kube-scheduler, or ceiling-16 and so on.
	name string
	// ceiling is how many binds are in flight; 0: not the ceiling.
	ceiling int
}

const (
	sluice        = "sluice"
	kubeScheduler = "kube-scheduler"
	ceiling       = "ceiling"
)

// contenders makes the contenders of these names; "ceiling" makes one for each number in flight.
func contenders(names []string, inFlight []int) (all []contender, err error) {
	for _, name := range names {
		switch name {
		case sluice, kubeScheduler:
			all = append(all, contender{name: name})
		case ceiling:
			for _, n := range inFlight {
				all = append(all, contender{name: fmt.Sprintf("%s-%d", ceiling, n), ceiling: n})
			}
		default:
			return nil, fmt.Errorf("there is no scheduler %q; there are %s, %s and %s", name, sluice, kubeScheduler, ceiling)
		}
	}
	return all, nil
}

// runner is a contender that runs.
type runner struct {
	process *child.Process
	// url of Sluice's pages; empty for others.
	url string
	// ready waits until the contender has read the cluster.
	ready func(context.Context) error
}

// start runs a contender as a process of its own and does not wait for it.
func (s *stand) start(ctx context.Context, c contender, o Options) (*runner, error) {
	switch c.name {
	case sluice:
		return s.startSluice(ctx, o)
	case kubeScheduler:
		return s.startKubeScheduler()
	}
	return s.startBlind(c)
}

// startSluice runs Sluice with its defaults, but without election, as the others are.
func (s *stand) startSluice(ctx context.Context, o Options) (*runner, error) {
	config := "leaderElection: {enabled: false}\n"
	if o.SluiceConfig != "" {
		config = o.SluiceConfig
	}
	run, err := s.cluster.StartSluice(ctx, local.SluiceOptions{Binary: o.Sluice, Kubeconfig: s.kubeconfig, Config: config, NoWait: true})
	if err != nil {
		return nil, err
	}
	return &runner{process: run.Process(), url: run.URL(), ready: run.WaitReady}, nil
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

func (s *stand) startKubeScheduler() (*runner, error) {
	file := filepath.Join(s.cluster.Dir(), "bench-kube-scheduler.yaml")
	if err := os.WriteFile(file, fmt.Appendf(nil, schedulerConfig, s.kubeconfig, schedulerName), 0o600); err != nil {
		return nil, fmt.Errorf("write the configuration of kube-scheduler: %w", err)
	}
	address, port, err := freePort()
	if err != nil {
		return nil, err
	}
	p, err := s.run(kubeScheduler, s.bins.Path(components.Scheduler),
		"--config="+file, "--bind-address=127.0.0.1", "--secure-port="+port, "--cert-dir="+filepath.Join(s.cluster.Dir(), "bench-certs"))
	if err != nil {
		return nil, err
	}
	client := &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{TLSClientConfig: anyCertificate(), DisableKeepAlives: true}}
	return &runner{process: p, ready: func(ctx context.Context) error {
		return p.WaitUntil(ctx, 50*time.Millisecond, func(ctx context.Context) error { return ask(ctx, client, "https://"+address+"/readyz") })
	}}, nil
}

// startBlind runs this program again, as the ceiling.
func (s *stand) startBlind(c contender) (*runner, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find this program: %w", err)
	}
	p, err := s.run(c.name, self, BlindCommand, "--kubeconfig="+s.kubeconfig, fmt.Sprintf("--in-flight=%d", c.ceiling))
	if err != nil {
		return nil, err
	}
	return &runner{process: p, ready: func(ctx context.Context) error {
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
func (s *stand) run(name, path string, args ...string) (*child.Process, error) {
	return child.Start(child.Spec{Name: name, Path: path, Args: args, Dir: s.cluster.Dir(), Log: s.cluster.Log("bench-" + name)})
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

// ask expects 200 of a page.
func ask(ctx context.Context, client *http.Client, url string) error {
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
