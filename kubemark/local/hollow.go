package local

import (
	"context"
	"fmt"
	"maps"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/sluice-scheduler/sluice/kubemark/child"
	"github.com/sluice-scheduler/sluice/kubemark/components"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation"
)

// HollowOptions describes hollow nodes that are all alike.
type HollowOptions struct {
	// Name is the common part of the names: NAME-0, NAME-1, …. Default "hollow".
	Name string
	// Count is how many to add; each is a process of about 80 MiB.
	Count int
	// CPU, Memory and Pods are what each offers. Defaults 4, 8Gi and 110.
	CPU, Memory string
	Pods        int
	// Extended are further resources, such as nvidia.com/gpu: "8".
	Extended map[string]string
	// Labels and Taints are set at registration. A kubelet may not label its node as it
	// likes: below kubernetes.io only what the NodeRestriction admission allows.
	Labels map[string]string
	Taints []corev1.Taint
}

// Hollow is a node that runs real kubelet code over a fake container runtime.
type Hollow struct {
	cluster *Cluster
	name    string
	spec    child.Spec

	mu   sync.Mutex
	proc *child.Process
}

// resources is the value of --resources.
func (o HollowOptions) resources() (string, error) {
	all := map[string]string{"cpu": orDefault(o.CPU, "4"), "memory": orDefault(o.Memory, "8Gi")}
	maps.Copy(all, o.Extended)
	for name, q := range all {
		if _, err := resource.ParseQuantity(q); err != nil {
			return "", fmt.Errorf("hollow nodes: %s: %q is not a quantity such as 4, 500m or 8Gi", name, q)
		}
	}
	return joined(all), nil
}

// taints is the value of --register-with-taints.
func (o HollowOptions) taints() string {
	var parts []string
	for _, t := range o.Taints {
		parts = append(parts, t.ToString())
	}
	return strings.Join(parts, ",")
}

// AddHollow starts hollow nodes, some at a time, and waits until all are ready. Each has
// the identity of its node, so the node authorizer and NodeRestriction judge it like a
// real kubelet.
func (c *Cluster) AddHollow(ctx context.Context, o HollowOptions) ([]*Hollow, error) {
	o.Name = orDefault(o.Name, "hollow")
	if o.Count < 1 || o.Pods < 0 {
		return nil, fmt.Errorf("hollow nodes: count %d, pods %d: give at least one node and no negative number of pods", o.Count, o.Pods)
	}
	if errs := validation.IsDNS1123Subdomain(o.Name); len(errs) > 0 {
		return nil, fmt.Errorf("hollow nodes: the name %q cannot name nodes: %s", o.Name, strings.Join(errs, "; "))
	}
	args, err := o.args()
	if err != nil {
		return nil, err
	}
	nodes := make([]*Hollow, o.Count)
	errs := make([]error, o.Count)
	slots := make(chan struct{}, 2*runtime.GOMAXPROCS(0))
	var wg sync.WaitGroup
	for i := range nodes {
		nodes[i] = &Hollow{cluster: c, name: fmt.Sprintf("%s-%d", o.Name, i)}
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			errs[i] = nodes[i].create(ctx, args)
		})
	}
	wg.Wait()
	for i, err := range errs {
		if err != nil {
			return nil, fmt.Errorf("start hollow node %s: %w", nodes[i].name, err)
		}
	}
	return nodes, nil
}

// args are the arguments that all nodes share.
func (o HollowOptions) args() ([]string, error) {
	resources, err := o.resources()
	if err != nil {
		return nil, err
	}
	args := []string{"--resources=" + resources, fmt.Sprintf("--max-pods=%d", orDefault(o.Pods, 110))}
	if len(o.Labels) > 0 {
		args = append(args, "--node-labels="+joined(o.Labels))
	}
	if len(o.Taints) > 0 {
		args = append(args, "--register-with-taints="+o.taints())
	}
	return args, nil
}

// create gives the node its identity and starts it.
func (h *Hollow) create(ctx context.Context, args []string) error {
	kubeconfig, _, err := h.cluster.certKubeconfig(h.name, "system:node:"+h.name, "system:nodes")
	if err != nil {
		return err
	}
	h.spec = child.Spec{
		Name: h.name, Path: h.cluster.bins.Path(components.Hollow),
		Args: append([]string{
			"--name=" + h.name, "--kubeconfig=" + kubeconfig, "--dir=" + filepath.Join(h.cluster.dir.short, h.name),
		}, args...),
	}
	return h.Start(ctx)
}

// Name is the name of the Node object.
func (h *Hollow) Name() string { return h.name }

// Process is the running, or last run, kubelet.
func (h *Hollow) Process() *child.Process {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.proc
}

// Start runs the kubelet and waits until its node is ready; after [Hollow.Kill] it is the
// same node again.
func (h *Hollow) Start(ctx context.Context) error {
	h.mu.Lock()
	if h.proc != nil && h.proc.Running() {
		h.mu.Unlock()
		return fmt.Errorf("hollow node %s runs already", h.name)
	}
	began := time.Now()
	p, err := h.cluster.run(h.spec)
	h.proc = p
	h.mu.Unlock()
	if err != nil {
		return err
	}
	ctx, cancel := h.cluster.startContext(ctx)
	defer cancel()
	return p.WaitUntil(ctx, 4*pollInterval, func(ctx context.Context) error { return h.ready(ctx, began) })
}

// ready tells why the node is not ready, or nil. What a predecessor said before began
// does not count.
func (h *Hollow) ready(ctx context.Context, began time.Time) error {
	node, err := h.cluster.client.CoreV1().Nodes().Get(ctx, h.name, metav1.GetOptions{})
	if err != nil {
		return err
	}
	for _, cond := range node.Status.Conditions {
		if cond.Type == corev1.NodeReady {
			if cond.Status == corev1.ConditionTrue && !cond.LastHeartbeatTime.Time.Before(began.Truncate(time.Second)) {
				return nil
			}
			return fmt.Errorf("node is not ready: %s: %s", cond.Reason, cond.Message)
		}
	}
	return fmt.Errorf("the kubelet has not reported whether node %s is ready", h.name)
}

// Kill ends the kubelet at once (SIGKILL): the node stays and stops answering, as a
// machine that fails does.
func (h *Hollow) Kill() error { return h.Process().Kill() }

// firstError returns the first error that is one.
func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
