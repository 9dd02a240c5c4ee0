package local

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/sluice-scheduler/sluice/kubemark/child"
	"github.com/sluice-scheduler/sluice/kubemark/components"
)

// serviceCIDR is never routed: there are no services to reach. Its first address is the
// API server's own service.
const (
	serviceCIDR = "10.0.0.0/16"
	serviceIP   = "10.0.0.1"
)

// pollInterval is how often a starting component is asked whether it is ready.
const pollInterval = 50 * time.Millisecond

// controllers are what kube-controller-manager runs: those that make, collect and
// account for pods. What needs a cloud, real volumes or a network is left out.
func (o Options) controllers() string {
	names := []string{
		"serviceaccount-token-controller", "serviceaccount-controller", "root-ca-certificate-publisher-controller",
		"namespace-controller", "garbage-collector-controller", "pod-garbage-collector-controller",
		"deployment-controller", "replicaset-controller", "replicationcontroller-controller", "statefulset-controller",
		"daemonset-controller", "job-controller", "cronjob-controller", "ttl-after-finished-controller",
		"disruption-controller", "resourcequota-controller", "clusterrole-aggregation-controller",
		"persistentvolume-binder-controller", "persistentvolume-protection-controller", "persistentvolumeclaim-protection-controller",
		"ephemeral-volume-controller", "resourceclaim-controller",
		"podgroup-protection-controller",
	}
	if !o.NoNodeLifecycle {
		names = append(names, "node-lifecycle-controller", "taint-eviction-controller")
	}
	return strings.Join(names, ",")
}

// startControlPlane starts etcd, the API server, the controllers and, if wanted, the scheduler.
func (c *Cluster) startControlPlane(ctx context.Context) error {
	etcdURL, err := c.startEtcd(ctx)
	if err != nil {
		return err
	}
	if err := c.prepareAPIServer(etcdURL); err != nil {
		return err
	}
	if err := c.StartAPIServer(ctx); err != nil {
		return err
	}
	if err := c.startControllers(ctx); err != nil {
		return err
	}
	if c.opts.KubeScheduler {
		return c.StartKubeScheduler(ctx)
	}
	return nil
}

// startEtcd runs etcd without fsync, for nothing of it outlives the cluster, and with
// room for large benchmarks.
func (c *Cluster) startEtcd(ctx context.Context) (url string, err error) {
	var urls [2]string
	for i := range urls {
		port, err := c.takePort()
		if err != nil {
			return "", err
		}
		urls[i] = "http://" + loopback(port)
	}
	args := []string{
		"--name=local", "--data-dir=" + c.dir.join("etcd"),
		"--listen-client-urls=" + urls[0], "--advertise-client-urls=" + urls[0],
		"--listen-peer-urls=" + urls[1], "--initial-advertise-peer-urls=" + urls[1],
		"--initial-cluster=local=" + urls[1],
		"--unsafe-no-fsync", "--quota-backend-bytes=" + strconv.Itoa(8<<30),
		"--auto-compaction-mode=periodic", "--auto-compaction-retention=5m",
		"--log-level=warn",
	}
	p, err := c.run(child.Spec{Name: components.Etcd, Path: c.bins.Path(components.Etcd), Args: append(args, c.opts.EtcdArgs...)})
	if err != nil {
		return "", err
	}
	return urls[0], c.wait(ctx, p, http.DefaultClient, urls[0]+"/readyz")
}

// prepareAPIServer writes the API server's certificate and settles its arguments.
func (c *Cluster) prepareAPIServer(etcdURL string) error {
	cert, err := c.servingCert(components.APIServer, serviceIP, "kubernetes", "kubernetes.default", "kubernetes.default.svc")
	if err != nil {
		return err
	}
	args := append(cert,
		"--etcd-servers="+etcdURL,
		"--bind-address=127.0.0.1", "--advertise-address=127.0.0.1", "--secure-port="+strconv.Itoa(c.apiPort),
		"--endpoint-reconciler-type=none", // an endpoint may not be a loopback address
		"--service-cluster-ip-range="+serviceCIDR,
		"--client-ca-file="+c.dir.join("pki", "ca.crt"),
		"--authorization-mode=Node,RBAC",
		"--service-account-issuer=https://kubernetes.default.svc",
		"--service-account-key-file="+c.signingKey, "--service-account-signing-key-file="+c.signingKey,
		"--storage-media-type=application/vnd.kubernetes.protobuf",
		"--feature-gates="+c.opts.featureGates(), "--runtime-config="+c.opts.runtimeConfig(),
		"--max-requests-inflight="+strconv.Itoa(c.opts.MaxRequests),
		"--max-mutating-requests-inflight="+strconv.Itoa(c.opts.MaxMutatingRequests),
		"--enable-admission-plugins=NodeRestriction",
		"--shutdown-delay-duration=0s",
	)
	if c.opts.NoNodeLifecycle {
		// Nobody would take away the taint that a new node gets.
		args = append(args, "--disable-admission-plugins=TaintNodesByCondition")
	}
	c.apiSpec = child.Spec{
		Name: components.APIServer, Path: c.bins.Path(components.APIServer),
		// Collecting garbage less often saves a fifth of the API server's CPU under load.
		Env:  []string{"GOGC=250", "GOMEMLIMIT=3GiB"},
		Args: append(args, c.opts.APIServerArgs...),
	}
	return nil
}

// StartAPIServer starts the API server on its port, and waits until it is ready; after
// [Cluster.KillAPIServer] it is the same server again, with the same data.
func (c *Cluster) StartAPIServer(ctx context.Context) error {
	c.mu.Lock()
	if c.api != nil && c.api.Running() {
		c.mu.Unlock()
		return errors.New("the API server runs already")
	}
	c.mu.Unlock()
	p, err := c.run(c.apiSpec)
	if err != nil {
		return err
	}
	c.mu.Lock()
	c.api = p
	c.mu.Unlock()
	return c.waitReady(ctx, p)
}

// KillAPIServer ends the API server at once (SIGKILL), as a machine that fails would.
func (c *Cluster) KillAPIServer() error {
	p, err := c.apiServer()
	if err != nil {
		return err
	}
	if err := p.Kill(); err != nil {
		return err
	}
	return c.record.Forget(p.Identity())
}

// apiServer is the running API server.
func (c *Cluster) apiServer() (*child.Process, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.api == nil || !c.api.Running() {
		return nil, errors.New("the API server does not run")
	}
	return c.api, nil
}

// WaitReady waits until the API server answers that it is ready.
func (c *Cluster) WaitReady(ctx context.Context) error {
	p, err := c.apiServer()
	if err != nil {
		return err
	}
	return c.waitReady(ctx, p)
}

// waitReady asks the API server's /readyz as administrator.
func (c *Cluster) waitReady(ctx context.Context, p *child.Process) error {
	ctx, cancel := c.startContext(ctx)
	defer cancel()
	return p.WaitUntil(ctx, pollInterval, func(ctx context.Context) error {
		return c.client.RESTClient().Get().AbsPath("/readyz").Timeout(5 * time.Second).Do(ctx).Error()
	})
}

// startControllers runs kube-controller-manager, each controller as its own service account.
func (c *Cluster) startControllers(ctx context.Context) error {
	args := []string{
		"--controllers=" + c.opts.controllers(),
		"--use-service-account-credentials",
		"--service-account-private-key-file=" + c.signingKey,
		"--root-ca-file=" + c.dir.join("pki", "ca.crt"),
		"--node-monitor-grace-period=" + c.opts.NodeGracePeriod.String(),
		"--kube-api-qps=500", "--kube-api-burst=1000",
		"--concurrent-gc-syncs=20", "--concurrent-job-syncs=20", "--concurrent-replicaset-syncs=20",
		"--concurrent-deployment-syncs=10",
		"--feature-gates=" + c.opts.featureGates(),
	}
	_, err := c.startClientComponent(ctx, components.ControllerManager, "system:kube-controller-manager",
		append(args, c.opts.ControllerArgs...))
	return err
}

// StopKubeScheduler ends kube-scheduler, so that Sluice may take its place.
func (c *Cluster) StopKubeScheduler() error {
	c.mu.Lock()
	p := c.scheduler
	c.scheduler = nil
	c.mu.Unlock()
	if p == nil || !p.Running() {
		return errors.New("kube-scheduler does not run")
	}
	if err := p.Kill(); err != nil {
		return err
	}
	return c.record.Forget(p.Identity())
}

// StartKubeScheduler runs kube-scheduler with limits that do not slow it down.
func (c *Cluster) StartKubeScheduler(ctx context.Context) error {
	c.mu.Lock()
	running := c.scheduler != nil && c.scheduler.Running()
	c.mu.Unlock()
	if running {
		return errors.New("kube-scheduler runs already")
	}
	args := []string{
		"--kube-api-qps=5000", "--kube-api-burst=10000",
		"--feature-gates=" + c.opts.featureGates(),
	}
	p, err := c.startClientComponent(ctx, components.Scheduler, "system:kube-scheduler", append(args, c.opts.SchedulerArgs...))
	c.mu.Lock()
	c.scheduler = p
	c.mu.Unlock()
	return err
}

// startClientComponent runs a component that has one user and serves its health, and waits until it does.
func (c *Cluster) startClientComponent(ctx context.Context, name, user string, args []string) (*child.Process, error) {
	kubeconfig, _, err := c.certKubeconfig(name, user)
	if err != nil {
		return nil, err
	}
	cert, err := c.servingCert(name)
	if err != nil {
		return nil, err
	}
	port, err := c.takePort()
	if err != nil {
		return nil, err
	}
	own := append(cert,
		"--kubeconfig="+kubeconfig, "--authentication-kubeconfig="+kubeconfig, "--authorization-kubeconfig="+kubeconfig,
		"--authentication-tolerate-lookup-failure",
		"--bind-address=127.0.0.1", "--secure-port="+strconv.Itoa(port), "--leader-elect=false")
	p, err := c.run(child.Spec{Name: name, Path: c.bins.Path(name), Args: append(own, args...)})
	if err != nil {
		return nil, err
	}
	return p, c.wait(ctx, p, c.trusting(), "https://"+loopback(port)+"/healthz")
}

// servingCert writes a component's serving certificate and returns the flags that name it.
func (c *Cluster) servingCert(component string, hosts ...string) ([]string, error) {
	pair, err := c.ca.Server(component, append([]string{"127.0.0.1", "localhost"}, hosts...)...)
	if err != nil {
		return nil, err
	}
	crt, key := "pki/"+component+".crt", "pki/"+component+".key"
	if err := c.dir.write(crt, pair.Cert); err != nil {
		return nil, err
	}
	return []string{"--tls-cert-file=" + c.dir.join(crt), "--tls-private-key-file=" + c.dir.join(key)}, c.dir.write(key, pair.Key)
}

// trusting is an HTTP client that trusts this cluster's authority.
func (c *Cluster) trusting() *http.Client {
	pool := x509.NewCertPool()
	pool.AddCert(c.ca.Certificate())
	return &http.Client{Transport: &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}, DisableKeepAlives: true,
	}}
}

// startContext bounds the start of one component, or the wait for what one does.
func (c *Cluster) startContext(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeoutCause(ctx, c.opts.StartTimeout, fmt.Errorf("waited %v", c.opts.StartTimeout))
}

// wait asks url until it answers 200.
func (c *Cluster) wait(ctx context.Context, p *child.Process, client *http.Client, url string) error {
	ctx, cancel := c.startContext(ctx)
	defer cancel()
	return p.WaitUntil(ctx, pollInterval, func(ctx context.Context) error { return answers(ctx, client, url) })
}

// answers tells why url does not answer 200, or nil when it does.
func answers(ctx context.Context, client *http.Client, url string) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode == http.StatusOK {
		return nil
	}
	body, _ := io.ReadAll(io.LimitReader(resp.Body, 500))
	return fmt.Errorf("%s: %s: %s", url, resp.Status, strings.TrimSpace(string(body)))
}
