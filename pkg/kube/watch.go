package kube

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	v1 "k8s.io/api/core/v1"
	resourcev1 "k8s.io/api/resource/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"

	"github.com/sluice-scheduler/sluice/pkg/app/gang"
	"github.com/sluice-scheduler/sluice/pkg/config"
	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
)

// livePods selects the pods that may hold something. A pod that ends leaves the watch as if deleted.
const livePods = "status.phase!=Succeeded,status.phase!=Failed"

// WatchOptions say what to watch.
type WatchOptions struct {
	// Scheduler is the schedulerName we serve, OtherSchedulers are further ones.
	Scheduler       string
	OtherSchedulers []string
	// Nodes is the label selector of the nodes we may use, as config.Nodes.Selector; empty selects all.
	Nodes string
	// TrustUser says that users and groups on pods may be believed, because something checks them when pods are created.
	TrustUser bool
	// Extra is what node orders ask for beyond what all of them need.
	Extra cluster.Extra
	// Gangs are the kinds of objects that tell which pods start together; none if nothing of that is to be read.
	Gangs []gang.Kind
	// Text is a text in a ConfigMap to follow, unless its Name is empty. TellText is called with it, and whenever it or what is wrong with it
	// changes, by one goroutine at a time.
	Text     config.ConfigMapKey
	TellText func(Text)
	Log      *slog.Logger
}

// Watch turns what happens to pods, nodes and namespaces into events of the core. See NewWatch.
type Watch struct {
	client  *Client
	sink    Sink
	log     *slog.Logger
	reader  *reader
	outage  *outage
	verify  *verifier
	denials map[string]*denial // of the resources that Sluice can do without
	extra   cluster.Extra
	again   time.Duration // after which what may not be read is asked for again

	gangs     *gangs
	kinds     []gang.Kind // that tell of them
	tellers   map[gang.Kind]*gangMirror
	wanted    *wanted       // nil if nothing of them is read
	find      time.Duration // after which the API server is asked again which of them it serves
	discovery sync.Once     // to complain that it does not tell

	text     config.ConfigMapKey
	tellText func(Text)

	selector string
	relists  atomic.Uint64

	mu      sync.Mutex
	waiting map[string]bool // resources not listed yet
	hidden  map[string]bool // resources that cannot be read for want of which pods are held
	synced  chan struct{}
}

// WatchStats are counters since the start.
type WatchStats struct {
	// Outages is how often the API server stopped to answer.
	Outages uint64
	// Relists is how often everything of one kind was read anew since a watch could not be resumed.
	Relists uint64
	// Unreadable is how many objects made reading them panic.
	Unreadable uint64
}

// NewWatch prepares a watch that puts its events into the sink. It fails if the node selector cannot be parsed.
func NewWatch(c *Client, o WatchOptions, sink Sink) (*Watch, error) {
	selector, err := labels.Parse(o.Nodes)
	if err != nil {
		return nil, fmt.Errorf("parse the node selector: %w", err)
	}
	w := &Watch{
		client: c, sink: sink, log: o.Log,
		reader:   newReader(o.Scheduler, o.TrustUser, o.Log).reading(o.Extra),
		outage:   newOutage(c.host, o.Log),
		verify:   newVerifier(c.Look, sink, o.Log),
		denials:  map[string]*denial{},
		extra:    o.Extra,
		again:    askAgain,
		find:     findAgain,
		text:     o.Text,
		tellText: o.TellText,
		selector: selector.String(),
		waiting:  map[string]bool{"nodes": true, "pods": true},
		hidden:   map[string]bool{},
		synced:   make(chan struct{}),
	}
	w.reader.others = o.OtherSchedulers
	w.gangs = newGangs(w.reader, append([]string{o.Scheduler}, o.OtherSchedulers...), o.TrustUser, sink)
	w.withoutGangs(o.Gangs)
	w.without(spaces, "queues and quotas that their annotations set are not known, and pods whose required affinity or anti-affinity has a namespaceSelector "+
		"are held").begun = func() { w.hide(spaces, true) }
	w.without(deviceClasses, "pods that ask for an extended resource which a DeviceClass provides are told that no node offers it").optional = true
	w.withoutStorage()
	if o.Extra.Selectors {
		for _, t := range selecting {
			w.without(t.resource, "pods are not spread by their selectors")
		}
	}
	return w, nil
}

// Run watches until the context ends. It is called once. All resources and the text are independent of each other; a pod may be told before
// its node.
func (w *Watch) Run(ctx context.Context) {
	ctx = quietly(ctx, w.log)
	if w.wanted != nil {
		w.wanted.ctx = ctx
	}
	var all sync.WaitGroup
	all.Go(func() {
		track(ctx, w, tracked[*cluster.NodeFact]{"nodes", newNode, newNodes, nodes{w.reader}})
	})
	all.Go(func() {
		vanished := func(f *cluster.PodFact) { w.verify.check(ctx, f) }
		track(ctx, w, tracked[*cluster.PodFact]{"pods", newPod, newPods, pods{w.reader, vanished, w.wanted}})
	})
	all.Go(func() {
		track(ctx, w, tracked[*cluster.NamespaceFact]{spaces, newNamespace, newNamespaces, namespaces{w.reader}})
	})
	all.Go(func() {
		track(ctx, w, tracked[*cluster.DeviceClassFact]{deviceClasses, newDeviceClass, newDeviceClasses, devices{}})
	})
	w.trackStorage(ctx, all.Go)
	if w.extra.Selectors {
		w.trackSelectors(ctx, all.Go)
	}
	if len(w.kinds) > 0 {
		all.Go(func() { w.followGangs(ctx) })
	}
	if w.text.Name != "" {
		all.Go(func() { w.followText(ctx) })
	}
	all.Wait()
}

// Empty objects and lists for what is read.
func newNode() runtime.Object          { return &v1.Node{} }
func newNodes() runtime.Object         { return &v1.NodeList{} }
func newPod() runtime.Object           { return &v1.Pod{} }
func newPods() runtime.Object          { return &v1.PodList{} }
func newNamespace() runtime.Object     { return &v1.Namespace{} }
func newNamespaces() runtime.Object    { return &v1.NamespaceList{} }
func newDeviceClass() runtime.Object   { return &resourcev1.DeviceClass{} }
func newDeviceClasses() runtime.Object { return &resourcev1.DeviceClassList{} }

// Resources.
const (
	deviceClasses = "deviceclasses"
	spaces        = "namespaces"
)

// options of a reflector. It asks an API server that is away again after 0.2 s to 3 s, sooner than client-go would: until it is back
// nothing is placed.
func options(name string) cache.ReflectorOptions {
	return cache.ReflectorOptions{
		Name:    name,
		Backoff: &wait.Backoff{Duration: 200 * time.Millisecond, Factor: 2, Jitter: 0.5, Steps: 5, Cap: 2 * time.Second},
	}
}

// get is a list or watch of a resource. It is tried once: client-go would repeat it for ten seconds before it told anybody.
func (w *Watch) get(resource string, o metav1.ListOptions) *rest.Request {
	api := w.client.core.RESTClient()
	switch {
	case inApps(resource):
		api = w.client.apps.RESTClient()
	case inStorage(resource):
		api = w.client.storage.RESTClient()
	case resource == deviceClasses:
		api = w.client.devices.RESTClient()
	}
	r := api.Get().MaxRetries(0)
	switch resource {
	case "nodes":
		o.LabelSelector = w.selector
	case "pods":
		o.FieldSelector = livePods
	case configMaps:
		o.FieldSelector = one(w.text.Name)
		r = r.Namespace(w.text.Namespace)
	}
	r = r.Resource(resource).VersionedParams(&o, scheme.ParameterCodec)
	if o.TimeoutSeconds != nil {
		r = r.Timeout(time.Duration(*o.TimeoutSeconds) * time.Second)
	}
	return r
}

func (w *Watch) watch(resource string) func(context.Context, metav1.ListOptions) (watch.Interface, error) {
	return func(ctx context.Context, o metav1.ListOptions) (watch.Interface, error) {
		o.Watch = true
		return w.get(resource, o).Watch(ctx)
	}
}

// listed notes that all objects of a resource are in the sink.
func (w *Watch) listed(resource string) func(times int) {
	return func(times int) {
		w.hide(resource, false)
		if times > 1 {
			w.relists.Add(1)
			w.log.Info("relisted: the watch could not be resumed, so all was read anew and compared", "watching", resource)
			return
		}
		if resource == "pods" && w.wanted != nil {
			late := time.AfterFunc(readWithin, func() { w.late(resource, mounted) })
			w.wanted.whenIdle(func() { late.Stop(); w.settled(resource) })
			return
		}
		w.settled(resource)
	}
}

// settled notes that a resource need not be waited for any more: it is in the sink, or Sluice goes on without. It reports whether that is news.
func (w *Watch) settled(resource string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.waiting[resource] {
		return false
	}
	delete(w.waiting, resource)
	if len(w.waiting) == 0 {
		close(w.synced)
	}
	return true
}

// Synced is closed as soon as all that was there at the start is in the sink; what Sluice can do without only if it can be read.
func (w *Watch) Synced() <-chan struct{} { return w.synced }

// Check returns an error until all that was there at the start is in the sink. It names what is missing.
func (w *Watch) Check() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.waiting) == 0 {
		return nil
	}
	return fmt.Errorf("not all %s have been read from %s yet", strings.Join(w.missing(), " and "), w.client.host)
}

// missing names the resources that are waited for; many kinds that tell of gangs, as before the API server has answered at all, by their number.
func (w *Watch) missing() (names []string) {
	var tell []string
	for _, name := range slices.Sorted(maps.Keys(w.waiting)) {
		if slices.ContainsFunc(w.kinds, func(k gang.Kind) bool { return kindName(k) == name }) {
			tell = append(tell, name)
		} else {
			names = append(names, name)
		}
	}
	if len(tell) > 3 {
		tell = []string{fmt.Sprintf("%d kinds that tell of gangs", len(tell))}
	}
	return append(names, tell...)
}

// Stats returns the counters.
func (w *Watch) Stats() WatchStats {
	return WatchStats{
		Outages: w.outage.count.Load(), Relists: w.relists.Load(), Unreadable: w.reader.unreadable.Load(),
	}
}
