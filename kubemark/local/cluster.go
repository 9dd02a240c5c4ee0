package local

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/sluice-scheduler/sluice/kubemark/autoscaler"
	"github.com/sluice-scheduler/sluice/kubemark/child"
	"github.com/sluice-scheduler/sluice/kubemark/components"
	"github.com/sluice-scheduler/sluice/kubemark/pki"
	"github.com/sluice-scheduler/sluice/kubemark/simnode"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
)

// Cluster is a running local cluster. Its methods may be called from any goroutine.
type Cluster struct {
	opts   Options
	bins   components.Set
	dir    folder
	record *child.Record
	ports  ports
	ca     *pki.Authority

	apiPort    int
	admin      *rest.Config
	client     *kubernetes.Clientset
	adminFile  string
	apiSpec    child.Spec
	signingKey string

	mu        sync.Mutex
	api       *child.Process
	scheduler *child.Process
	processes []*child.Process // in the order they were started, the API server's successors included
	sluices   []*Sluice
	fleets    []*simnode.Fleet

	autoscalers []*autoscaler.Autoscaler
	stopped     bool
}

// Start builds the cluster's programs if they are not there yet, cleans up after crashed
// runs, and starts a control plane. When it returns, the API server and the controllers
// answer. ctx bounds the start only; the cluster runs until [Cluster.Stop] or the end of
// this process.
func Start(ctx context.Context, o Options) (*Cluster, error) {
	o = o.withDefaults()
	if err := o.validate(); err != nil {
		return nil, err
	}
	bins, err := components.Ensure(ctx, components.Options{Source: o.Source, Dir: o.Components, Progress: o.Progress})
	if err != nil {
		return nil, err
	}
	if _, err := Clean(); err != nil {
		return nil, fmt.Errorf("clean up after crashed runs: %w", err)
	}
	c := &Cluster{opts: o, bins: bins}
	if err := c.prepare(); err != nil {
		return nil, errors.Join(err, c.Stop())
	}
	if err := c.startControlPlane(ctx); err != nil {
		c.opts.Keep = true // the logs tell why
		return nil, errors.Join(fmt.Errorf("start a local cluster in %s: %w", c.dir.path, err), c.Stop())
	}
	return c, nil
}

// prepare makes folder, record, ports and keys.
func (c *Cluster) prepare() (err error) {
	records, err := recordsDir()
	if err != nil {
		return err
	}
	if c.dir, err = openFolder(c.opts.Dir); err != nil {
		return err
	}
	if c.record, err = child.Open(records, fmt.Sprintf("cluster-%d", time.Now().UnixNano())); err != nil {
		return err
	}
	if err := c.record.AddFile(c.dir.short); err != nil {
		return err
	}
	if c.dir.temp && !c.opts.Keep {
		if err := c.record.AddFile(c.dir.path); err != nil {
			return err
		}
	}
	c.ports.dir = records + "/ports"
	if c.apiPort, err = c.takePort(); err != nil {
		return err
	}
	return c.prepareKeys()
}

// prepareKeys makes the authority, the token key and the administrator's identity.
func (c *Cluster) prepareKeys() (err error) {
	if c.ca, err = pki.NewAuthority("sluice-local-cluster"); err != nil {
		return err
	}
	if err := c.dir.write("pki/ca.crt", c.ca.PEM()); err != nil {
		return err
	}
	key, err := pki.SigningKey()
	if err != nil {
		return err
	}
	c.signingKey = c.dir.join("pki", "service-accounts.key")
	if err := c.dir.write("pki/service-accounts.key", key); err != nil {
		return err
	}
	path, pair, err := c.certKubeconfig("admin", "sluice-admin", "system:masters")
	if err != nil {
		return err
	}
	c.adminFile, c.admin = path, c.adminConfig(pair)
	if c.client, err = kubernetes.NewForConfig(c.admin); err != nil {
		return fmt.Errorf("make the administrator's client: %w", err)
	}
	return nil
}

// URL is the API server's address.
func (c *Cluster) URL() string { return "https://" + loopback(c.apiPort) }

// Dir is the cluster's folder; logs are in its subfolder logs.
func (c *Cluster) Dir() string { return c.dir.path }

// Kubeconfig is the administrator's kubeconfig file.
func (c *Cluster) Kubeconfig() string { return c.adminFile }

// Kubectl is a kubectl of the cluster's version.
func (c *Cluster) Kubectl() string { return c.bins.Path(components.Kubectl) }

// RESTConfig is the administrator's client configuration: protobuf, no client-side
// limit. The caller owns the copy.
func (c *Cluster) RESTConfig() *rest.Config { return rest.CopyConfig(c.admin) }

// Client is the administrator's client.
func (c *Cluster) Client() kubernetes.Interface { return c.client }

// Log is the log file of a component, by the name of its program, of a hollow node or of
// a Sluice instance.
func (c *Cluster) Log(component string) string { return c.dir.log(component) }

// Source finds the checkout's kubemark folder that this cluster was given or found.
func (c *Cluster) Source() (string, error) { return components.FindSource(c.opts.Source) }

// run starts a child of this cluster and notes it for a clean-up after a crash.
func (c *Cluster) run(spec child.Spec) (*child.Process, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.stopped {
		return nil, fmt.Errorf("start %s: the cluster is stopped", spec.Name)
	}
	spec.Dir = c.dir.join("tmp")
	spec.Log = c.dir.log(spec.Name)
	p, err := child.Start(spec)
	if err != nil {
		return nil, err
	}
	c.processes = append(c.processes, p)
	return p, c.record.Add(p.Identity())
}

// KeepFolder makes Stop leave a temporary folder in place: its logs tell why something failed.
func (c *Cluster) KeepFolder() { c.opts.Keep = true }

// Stop ends the cluster: Sluice in good order, then everything else at once, because
// nothing of it is needed again. It removes the cluster's files as [Options] say. A
// second call does nothing.
func (c *Cluster) Stop() error {
	c.mu.Lock()
	if c.stopped {
		c.mu.Unlock()
		return nil
	}
	c.stopped = true
	fleets, sluices, processes, autoscalers := c.fleets, c.sluices, c.processes, c.autoscalers
	c.mu.Unlock()

	var errs []error
	for _, a := range autoscalers {
		a.Stop()
	}
	for _, f := range fleets {
		f.Stop()
	}
	for _, s := range sluices {
		if p := s.Process(); p != nil {
			_, err := p.Stop(stopGrace)
			errs = append(errs, err)
		}
	}
	for i := len(processes) - 1; i >= 0; i-- {
		errs = append(errs, processes[i].Kill())
	}
	c.ports.release()
	return errors.Join(append(errs, c.removeFiles())...)
}

// removeFiles removes what was noted for removal, the folder, and last the note itself.
func (c *Cluster) removeFiles() error {
	if c.record == nil {
		return c.dir.close(c.opts.Keep)
	}
	for _, f := range c.record.Files() {
		if f == c.dir.path {
			continue // as Keep says, below
		}
		if err := os.RemoveAll(f); err != nil {
			return fmt.Errorf("remove the cluster's files: %w", err)
		}
	}
	return firstError(c.dir.close(c.opts.Keep), c.record.Close())
}

// takePort reserves a port until the cluster stops.
func (c *Cluster) takePort() (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.ports.take()
}
