package autoscaler

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/sluice-scheduler/sluice/kubemark/simnode"
)

// Fleet is what it grows and shrinks.
type Fleet interface {
	Add(ctx context.Context, g simnode.Group, n int) (names []string, err error)
	Remove(ctx context.Context, name string) error
}

// Autoscaler is one that runs. Make it with Start.
type Autoscaler struct {
	client    kubernetes.Interface
	fleet     Fleet
	opts      Options
	templates []*corev1.Node // one for each group
	now       func() time.Time
	cancel    context.CancelFunc
	work      sync.WaitGroup

	mu     sync.Mutex
	coming []int                // nodes of each group that are on their way
	empty  map[string]time.Time // since when a node has been
	stats  Stats
}

// Stats count what it has done.
type Stats struct{ Added, Removed int }

// Start brings each group to its minimum and then looks after them until Stop.
func Start(ctx context.Context, client kubernetes.Interface, fleet Fleet, o Options) (*Autoscaler, error) {
	a, err := newWith(client, fleet, o)
	if err != nil {
		return nil, err
	}
	for _, g := range a.opts.Groups {
		if _, err := fleet.Add(ctx, g.Template, g.Min); err != nil {
			return nil, fmt.Errorf("autoscaler: %w", err)
		}
	}
	run, cancel := context.WithCancel(context.Background())
	a.cancel = cancel
	a.work.Go(func() { a.run(run) })
	return a, nil
}

func newWith(client kubernetes.Interface, fleet Fleet, o Options) (*Autoscaler, error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	a := &Autoscaler{
		client: client, fleet: fleet, opts: o.withDefaults(), now: time.Now, empty: map[string]time.Time{}, coming: make([]int, len(o.Groups)),
	}
	for _, g := range o.Groups {
		n, err := g.Template.Template()
		if err != nil {
			return nil, err
		}
		a.templates = append(a.templates, n)
	}
	return a, nil
}

// Stop ends it. Nodes that are on their way do not come any more.
func (a *Autoscaler) Stop() {
	a.cancel()
	a.work.Wait()
}

// Stats tells what it has done so far.
func (a *Autoscaler) Stats() Stats {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.stats
}

func (a *Autoscaler) run(ctx context.Context) {
	tick := time.NewTicker(a.opts.Interval)
	defer tick.Stop()
	for {
		if err := a.look(ctx); err != nil && ctx.Err() == nil {
			a.opts.Log.Warn("autoscaler: will look again", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// look is one round: read the cluster, decide, and act. The lists come from the API server's cache; a round may be a moment late.
func (a *Autoscaler) look(ctx context.Context) error {
	cached := metav1.ListOptions{ResourceVersion: "0"}
	nodes, err := a.client.CoreV1().Nodes().List(ctx, cached)
	if err != nil {
		return fmt.Errorf("list nodes: %w", err)
	}
	pods, err := a.client.CoreV1().Pods("").List(ctx, cached)
	if err != nil {
		return fmt.Errorf("list pods: %w", err)
	}
	p := a.picture(nodes.Items, pods.Items)
	if err := a.serve(ctx, &p, pods.Items); err != nil {
		return err
	}
	options, _ := a.decide(p)
	for _, o := range options {
		a.grow(ctx, o)
		a.announce(ctx, o)
	}
	return a.shrink(ctx, p)
}

// picture is the cluster as one round sees it.
type picture struct {
	rooms   []*simnode.Room
	there   int            // how many of the rooms are nodes that exist; the others are on their way
	sizes   []int          // nodes of each group, those on their way included
	vacant  map[string]int // nodes of groups without pods, with their group
	waiting []*corev1.Pod  // for which it is to grow, the largest first
}

func (a *Autoscaler) picture(nodes []corev1.Node, pods []corev1.Pod) picture {
	p := picture{sizes: make([]int, len(a.templates)), vacant: map[string]int{}}
	rooms := map[string]*simnode.Room{}
	for i := range nodes {
		n := &nodes[i]
		rooms[n.Name] = simnode.NewRoom(n)
		p.rooms = append(p.rooms, rooms[n.Name])
		if g := a.groupOf(n); g >= 0 {
			p.sizes[g]++
			p.vacant[n.Name] = g
		}
	}
	for i := range pods {
		pod := &pods[i]
		switch r := rooms[pod.Spec.NodeName]; {
		case pod.Status.Phase == corev1.PodSucceeded || pod.Status.Phase == corev1.PodFailed:
		case r != nil:
			r.Take(pod)
			delete(p.vacant, pod.Spec.NodeName)
		case waits(pod, a.opts.Schedulers):
			p.waiting = append(p.waiting, pod)
		}
	}
	p.there = len(p.rooms)
	a.mu.Lock()
	defer a.mu.Unlock()
	for g, n := range a.coming {
		p.sizes[g] += n
		for range n {
			p.rooms = append(p.rooms, simnode.NewRoom(a.templates[g]))
		}
	}
	largestFirst(p.waiting)
	return p
}

// groupOf finds a node's group by the label that all nodes of one have; -1: none of ours.
func (a *Autoscaler) groupOf(n *corev1.Node) int {
	return slices.IndexFunc(a.templates, func(t *corev1.Node) bool {
		return n.Labels[corev1.LabelInstanceTypeStable] == t.Labels[corev1.LabelInstanceTypeStable]
	})
}

// decide says which groups grow, each time the one that helps most, until nobody is helped any more, and for whom there is no room even then.
func (a *Autoscaler) decide(p picture) (all []option, left []*corev1.Pod) {
	left = squeeze(p.waiting, p.rooms)
	for len(left) > 0 {
		best := option{}
		for g, t := range a.templates {
			if o := imagine(g, t, a.opts.Groups[g].Max-p.sizes[g], left); o.better(best) {
				best = o
			}
		}
		if len(best.helped) == 0 {
			return all, left
		}
		p.sizes[best.group] += best.nodes
		all, left = append(all, best), best.left
	}
	return all, nil
}

// grow orders nodes; they come after the delay.
func (a *Autoscaler) grow(ctx context.Context, o option) {
	g := a.opts.Groups[o.group]
	a.opts.Log.Info("autoscaler: nodes ordered", "group", g.Template.Name, "nodes", o.nodes, "for pods", len(o.helped))
	a.mu.Lock()
	a.coming[o.group] += o.nodes
	a.mu.Unlock()
	a.work.Go(func() {
		select {
		case <-ctx.Done():
		case <-time.After(a.opts.Delay):
			if _, err := a.fleet.Add(ctx, g.Template, o.nodes); err != nil && ctx.Err() == nil {
				a.opts.Log.Warn("autoscaler: no nodes came", "group", g.Template.Name, "error", err)
			}
		}
		a.mu.Lock()
		defer a.mu.Unlock()
		a.coming[o.group] -= o.nodes
		a.stats.Added += o.nodes
	})
}

// shrink removes nodes that have been empty for long enough.
func (a *Autoscaler) shrink(ctx context.Context, p picture) error {
	if a.opts.Unneeded < 0 {
		return nil
	}
	now := a.now()
	for name := range a.empty {
		if _, still := p.vacant[name]; !still {
			delete(a.empty, name)
		}
	}
	for name, g := range p.vacant {
		since, known := a.empty[name]
		if !known {
			a.empty[name] = now
			continue
		}
		if now.Sub(since) < a.opts.Unneeded || p.sizes[g] <= a.opts.Groups[g].Min {
			continue
		}
		if err := a.fleet.Remove(ctx, name); err != nil {
			return err
		}
		p.sizes[g]--
		delete(a.empty, name)
		a.opts.Log.Info("autoscaler: empty node removed", "node", name)
		a.mu.Lock()
		a.stats.Removed++
		a.mu.Unlock()
	}
	return nil
}

// announce tells the pods that nodes were ordered for.
func (a *Autoscaler) announce(ctx context.Context, o option) {
	for _, p := range o.helped {
		a.tell(ctx, p, fmt.Sprintf("pod triggered scale-up: %d nodes of group %s", o.nodes, a.opts.Groups[o.group].Template.Name))
	}
}

// tell writes the event by which users of the Cluster Autoscaler know that help is coming. That it cannot be written is no fault.
func (a *Autoscaler) tell(ctx context.Context, p *corev1.Pod, text string) {
	now := metav1.NewTime(a.now())
	_, _ = a.client.CoreV1().Events(p.Namespace).Create(ctx, &corev1.Event{
		ObjectMeta:     metav1.ObjectMeta{Name: fmt.Sprintf("%s.%x", p.Name, now.UnixNano()), Namespace: p.Namespace},
		InvolvedObject: corev1.ObjectReference{APIVersion: "v1", Kind: "Pod", Namespace: p.Namespace, Name: p.Name, UID: p.UID},
		Type:           corev1.EventTypeNormal, Reason: "TriggeredScaleUp", Message: text,
		Source: corev1.EventSource{Component: "cluster-autoscaler"}, FirstTimestamp: now, LastTimestamp: now, Count: 1,
	}, metav1.CreateOptions{})
}
