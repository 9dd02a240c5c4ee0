package local

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/sluice-scheduler/sluice/kubemark/child"
	"sigs.k8s.io/yaml"
)

// stopGrace is how long Sluice may take to end by itself.
const stopGrace = 15 * time.Second

// EnvSluice names the environment variable with the path of the sluice program, for
// when [SluiceOptions] do not say.
const EnvSluice = "SLUICE_BINARY"

// SluiceOptions says how to run one instance of Sluice.
type SluiceOptions struct {
	// Binary is the sluice program; empty: $SLUICE_BINARY, else bin/sluice of the checkout.
	Binary string
	// Name names the instance, its files and its log; default "sluice", "sluice-2", ….
	Name string
	// Config is the configuration file's content, YAML. What it leaves out is set so that
	// instances do not meet: apiVersion, kind, web.address (a free loopback port) and
	// stateDirectory (in the cluster's folder).
	Config string
	// Args are added to "run --config F --kubeconfig F".
	Args []string
	// Env is added to the environment, as NAME=value.
	Env []string
	// Kubeconfig is used instead of that of InstallSluice.
	Kubeconfig string
	// NoWait returns as soon as the process runs, not when it is ready.
	NoWait bool
}

// Sluice is one instance; after it was killed or stopped, [Sluice.Restart] runs it again.
type Sluice struct {
	cluster *Cluster
	spec    child.Spec
	url     string

	mu   sync.Mutex
	proc *child.Process
}

// StartSluice runs `sluice run` as a child, as Sluice's own service account, and waits
// for its /readyz. It may be called several times: one instance leads, the others stand by.
func (c *Cluster) StartSluice(ctx context.Context, o SluiceOptions) (*Sluice, error) {
	binary, err := c.sluiceBinary(o.Binary)
	if err != nil {
		return nil, err
	}
	if o.Kubeconfig == "" {
		if o.Kubeconfig, err = c.InstallSluice(ctx); err != nil {
			return nil, err
		}
	}
	if o.Name == "" {
		o.Name = c.nextSluiceName()
	}
	config, address, err := c.sluiceConfig(o)
	if err != nil {
		return nil, err
	}
	s := &Sluice{cluster: c, url: "http://" + address, spec: child.Spec{
		Name: o.Name, Path: binary, Env: o.Env,
		Args: append([]string{"run", "--config", config, "--kubeconfig", o.Kubeconfig}, o.Args...),
	}}
	c.mu.Lock()
	c.sluices = append(c.sluices, s)
	c.mu.Unlock()
	if o.NoWait {
		return s, s.start()
	}
	return s, s.Restart(ctx)
}

// sluiceBinary finds the program.
func (c *Cluster) sluiceBinary(given string) (string, error) {
	path := orDefault(given, os.Getenv(EnvSluice))
	if path == "" {
		source, err := c.Source()
		if err != nil {
			return "", fmt.Errorf("find the sluice program (give its path): %w", err)
		}
		path = filepath.Join(filepath.Dir(source), "bin", "sluice")
	}
	if _, err := os.Stat(path); err != nil {
		return "", fmt.Errorf("the sluice program is not there; build it with `make build`, or set %s: %w", EnvSluice, err)
	}
	return filepath.Abs(path)
}

// nextSluiceName is "sluice" for the first instance, then "sluice-2" and so on.
func (c *Cluster) nextSluiceName() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if n := len(c.sluices); n > 0 {
		return fmt.Sprintf("sluice-%d", n+1)
	}
	return "sluice"
}

// sluiceConfig writes the configuration file and returns it with the address it names.
func (c *Cluster) sluiceConfig(o SluiceOptions) (file, address string, err error) {
	doc := map[string]any{}
	if err := yaml.UnmarshalStrict([]byte(o.Config), &doc); err != nil {
		return "", "", fmt.Errorf("read the configuration of %s: %w", o.Name, err)
	}
	if doc == nil {
		doc = map[string]any{}
	}
	web, ok := doc["web"].(map[string]any)
	if !ok {
		web = map[string]any{}
		doc["web"] = web
	}
	if web["address"] == nil {
		port, err := c.takePort()
		if err != nil {
			return "", "", err
		}
		web["address"] = loopback(port)
	}
	setDefault(doc, "apiVersion", "config.sluice.dev/v1alpha1")
	setDefault(doc, "kind", "SluiceConfiguration")
	setDefault(doc, "stateDirectory", c.dir.join(o.Name+"-state"))
	data, err := yaml.Marshal(doc)
	if err != nil {
		return "", "", fmt.Errorf("write the configuration of %s: %w", o.Name, err)
	}
	name := o.Name + ".yaml"
	return c.dir.join(name), fmt.Sprint(web["address"]), c.dir.write(name, data)
}

// setDefault sets a key that is not there.
func setDefault(doc map[string]any, key string, value any) {
	if doc[key] == nil {
		doc[key] = value
	}
}

// Process is the running, or last run, process of the instance.
func (s *Sluice) Process() *child.Process {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.proc
}

// URL is where the instance serves its health, metrics and pages.
func (s *Sluice) URL() string { return s.url }

// Log is the instance's log file; restarts append to it.
func (s *Sluice) Log() string { return s.cluster.dir.log(s.spec.Name) }

// Kill ends the instance at once (SIGKILL), as a crash would.
func (s *Sluice) Kill() error { return s.Process().Kill() }

// Stop asks the instance to end and fails when it does not do so by itself within 15 s,
// or ends with an exit code other than 0.
func (s *Sluice) Stop() error {
	p := s.Process()
	graceful, err := p.Stop(stopGrace)
	switch {
	case err != nil:
		return err
	case !graceful:
		return fmt.Errorf("%s did not end within %v of SIGTERM and was killed; the end of %s:\n%s",
			s.spec.Name, stopGrace, p.Log(), child.Tail(p.Log(), 15))
	case p.ExitCode() != 0:
		return p.Failure()
	}
	return nil
}

// Restart runs the instance again, with the same configuration, and waits until it is ready.
func (s *Sluice) Restart(ctx context.Context) error {
	if err := s.start(); err != nil {
		return err
	}
	return s.WaitReady(ctx)
}

// start runs the process.
func (s *Sluice) start() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.proc != nil && s.proc.Running() {
		return errors.New(s.spec.Name + " runs already")
	}
	p, err := s.cluster.run(s.spec)
	if err != nil {
		return err
	}
	s.proc = p
	return nil
}

// WaitReady waits until /readyz answers 200.
func (s *Sluice) WaitReady(ctx context.Context) error {
	return s.cluster.wait(ctx, s.Process(), http.DefaultClient, s.url+"/readyz")
}
