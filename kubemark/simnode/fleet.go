package simnode

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/util/workqueue"
)

// Fleet is a set of simulated nodes. Its methods may be called from any goroutine.
type Fleet struct {
	opts   Options
	client kubernetes.Interface
	pods   cache.SharedIndexInformer
	queue  workqueue.TypedRateLimitingInterface[string]
	cancel context.CancelFunc
	work   sync.WaitGroup

	mu      sync.Mutex
	hosts   map[string]*host
	entries map[types.UID]*entry
	indices map[string]int // the next of each group
	made    int            // nodes made so far, for their addresses
	started int            // pods started so far, for their addresses
	stats   Stats
}

// Stats counts what a fleet has done since it started.
type Stats struct {
	// Running, Succeeded and Failed count the pods brought to that phase; a rejected pod
	// is not among the Failed.
	Running, Succeeded, Failed int
	// Deleted counts the confirmed deletions.
	Deleted int
	// Rejected counts the pods that were not admitted, by reason, such as OutOfcpu.
	Rejected map[string]int
}

// Start registers the nodes and returns when all are ready. The configuration is used as
// it is: a client-side rate limit in it limits the fleet. ctx bounds the start only; the
// fleet works until [Fleet.Stop].
func Start(ctx context.Context, cfg *rest.Config, o Options) (*Fleet, error) {
	o = o.withDefaults()
	if err := o.validate(); err != nil {
		return nil, err
	}
	client, err := kubernetes.NewForConfig(cfg)
	if err != nil {
		return nil, fmt.Errorf("simulated nodes: make a client: %w", err)
	}
	limiter := workqueue.NewTypedItemExponentialFailureRateLimiter[string](20*time.Millisecond, 5*time.Second)
	f := &Fleet{
		opts: o, client: client, queue: workqueue.NewTypedRateLimitingQueue(limiter),
		hosts: map[string]*host{}, indices: map[string]int{}, entries: map[types.UID]*entry{}, stats: Stats{Rejected: map[string]int{}},
	}
	run, cancel := context.WithCancel(context.Background())
	f.cancel = cancel
	if err := f.start(ctx, run); err != nil {
		f.Stop()
		return nil, fmt.Errorf("simulated nodes: %w", err)
	}
	return f, nil
}

// start registers nodes, then looks after them and their pods until run ends.
func (f *Fleet) start(ctx, run context.Context) error {
	if err := f.register(ctx); err != nil {
		return err
	}
	nodes, err := f.watch(run)
	if err != nil {
		return err
	}
	if !cache.WaitForCacheSync(ctx.Done(), nodes.HasSynced, f.pods.HasSynced) {
		return fmt.Errorf("list nodes and pods: %w", context.Cause(ctx))
	}
	for range f.opts.Writers {
		f.work.Go(func() { f.writer(run) })
	}
	if !f.opts.NoHeartbeats {
		f.work.Go(func() { f.heartbeats(run) })
	}
	return f.waitReady(ctx)
}

// register creates the Node objects.
func (f *Fleet) register(ctx context.Context) error {
	var nodes []*corev1.Node
	for _, g := range f.opts.Groups {
		more, err := f.next(g)
		if err != nil {
			return err
		}
		nodes = append(nodes, more...)
	}
	return each(f.opts.Writers, len(nodes), func(i int) error { return f.create(ctx, nodes[i]) })
}

// next makes the next Node objects of a group; no index is used twice.
func (f *Fleet) next(g Group) ([]*corev1.Node, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	nodes, err := g.nodes(f.indices[g.Name], f.made, time.Now())
	if err == nil {
		f.indices[g.Name] += len(nodes)
		f.made += len(nodes)
	}
	return nodes, err
}

// create registers one node. The fleet knows it before the API server does, for a scheduler may bind a pod to it at once.
func (f *Fleet) create(ctx context.Context, n *corev1.Node) error {
	f.mu.Lock()
	h := newHost(n)
	f.hosts[n.Name] = h
	f.mu.Unlock()
	created, err := f.client.CoreV1().Nodes().Create(ctx, n, metav1.CreateOptions{})
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case err == nil:
		h.node = created
		return nil
	case apierrors.IsAlreadyExists(err):
		err = errors.New("it exists already; give the group another name")
	}
	delete(f.hosts, n.Name)
	return fmt.Errorf("create node %s: %w", n.Name, err)
}

// Add registers n more nodes of a group, as an autoscaler does, and returns their names when they are ready. The group may be one of those that the fleet began with, or
// another.
func (f *Fleet) Add(ctx context.Context, g Group, n int) ([]string, error) {
	g = g.withDefaults()
	if g.Count = n; n < 0 {
		return nil, fmt.Errorf("simulated nodes, group %q: %d more: give a number from 0", g.Name, n)
	}
	if err := g.validate(); err != nil {
		return nil, fmt.Errorf("simulated nodes, group %q: %w", g.Name, err)
	}
	nodes, err := f.next(g)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, node := range nodes {
		names = append(names, node.Name)
	}
	if err := each(f.opts.Writers, len(nodes), func(i int) error { return f.create(ctx, nodes[i]) }); err != nil {
		return nil, fmt.Errorf("simulated nodes: %w", err)
	}
	return names, f.waitReady(ctx)
}

// watch follows the nodes, for changed labels, taints and amounts, and all bound pods.
func (f *Fleet) watch(run context.Context) (nodes cache.SharedIndexInformer, err error) {
	nodeFactory := informers.NewSharedInformerFactoryWithOptions(f.client, 0, informers.WithTransform(trimNode),
		informers.WithTweakListOptions(func(o *metav1.ListOptions) { o.LabelSelector = Label + "=true" }))
	nodes = nodeFactory.Core().V1().Nodes().Informer()
	if _, err = nodes.AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    func(o any) { f.onNode(o.(*corev1.Node)) },
		UpdateFunc: func(_, o any) { f.onNode(o.(*corev1.Node)) },
	}); err != nil {
		return nil, fmt.Errorf("watch nodes: %w", err)
	}
	podFactory := informers.NewSharedInformerFactoryWithOptions(f.client, 0, informers.WithTransform(trimPod),
		informers.WithTweakListOptions(func(o *metav1.ListOptions) { o.FieldSelector = "spec.nodeName!=" }))
	f.pods = podFactory.Core().V1().Pods().Informer()
	if _, err = f.pods.AddEventHandler(f.podHandler()); err != nil {
		return nil, fmt.Errorf("watch pods: %w", err)
	}
	f.work.Go(func() { nodes.RunWithContext(run) })
	f.work.Go(func() { f.pods.RunWithContext(run) })
	return nodes, nil
}

// onNode keeps the node as the API shows it.
func (f *Fleet) onNode(n *corev1.Node) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if h := f.hosts[n.Name]; h != nil {
		h.node = n
	}
}

// waitReady waits until every node can take pods.
func (f *Fleet) waitReady(ctx context.Context) error {
	for {
		waiting := f.notReady()
		if len(waiting) == 0 {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%d of %d nodes, %s among them, did not get ready: %w",
				len(waiting), len(f.Names()), waiting[0], context.Cause(ctx))
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// notReady lists the nodes that cannot take pods yet.
func (f *Fleet) notReady() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	var out []string
	for name, h := range f.hosts {
		if !usable(h.node) {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}

// Stop ends the simulation; the Node objects stay, without heartbeats. A second call does
// nothing.
func (f *Fleet) Stop() {
	f.cancel()
	f.queue.ShutDown()
	f.work.Wait()
}

// Names lists the nodes, sorted.
func (f *Fleet) Names() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Sorted(maps.Keys(f.hosts))
}

// Stats returns what the fleet has done so far.
func (f *Fleet) Stats() Stats {
	f.mu.Lock()
	defer f.mu.Unlock()
	s := f.stats
	s.Rejected = maps.Clone(s.Rejected)
	return s
}

// Silence makes a node fail: no heartbeats, and nothing happens to its pods any more.
func (f *Fleet) Silence(name string) error { return f.setSilent(name, true) }

// Resume ends [Fleet.Silence]: the node catches up with what happened meanwhile.
func (f *Fleet) Resume(name string) error {
	if err := f.setSilent(name, false); err != nil {
		return err
	}
	for _, o := range f.pods.GetStore().List() {
		if p := o.(*corev1.Pod); p.Spec.NodeName == name {
			f.onPod(p)
		}
	}
	return nil
}

// setSilent switches a node on or off.
func (f *Fleet) setSilent(name string, silent bool) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	h := f.hosts[name]
	if h == nil {
		return fmt.Errorf("node %s is not of this fleet", name)
	}
	h.silent = silent
	return nil
}

// Remove makes a node vanish: it falls silent and its Node object is deleted. Its pods
// are left to the cluster's pod garbage collector.
func (f *Fleet) Remove(ctx context.Context, name string) error {
	if err := f.setSilent(name, true); err != nil {
		return err
	}
	f.mu.Lock()
	delete(f.hosts, name)
	f.mu.Unlock()
	if err := f.client.CoreV1().Nodes().Delete(ctx, name, metav1.DeleteOptions{}); err != nil && !apierrors.IsNotFound(err) {
		return fmt.Errorf("delete node %s: %w", name, err)
	}
	return nil
}

// each calls do for 0 to n-1, some at a time, and returns the errors there were; after
// the first, no more are begun.
func each(parallel, n int, do func(int) error) error {
	var (
		wg    sync.WaitGroup
		mu    sync.Mutex
		errs  []error
		slots = make(chan struct{}, parallel)
	)
	failed := func() bool {
		mu.Lock()
		defer mu.Unlock()
		return len(errs) > 0
	}
	for i := 0; i < n && !failed(); i++ {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			if err := do(i); err != nil {
				mu.Lock()
				defer mu.Unlock()
				errs = append(errs, err)
			}
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}
