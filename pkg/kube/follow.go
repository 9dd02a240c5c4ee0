package kube

import (
	"context"
	"log/slog"
	"sync"
	"time"

	v1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"

	"github.com/sluice-scheduler/sluice/pkg/app/gang"
)

const (
	// findAgain is how often the API server is asked which kinds it serves. Custom resources come when somebody installs an operator, and the first of
	// them may follow within seconds. To watch their definitions would tell sooner, but needs a right of its own, and does not tell of kinds that
	// come with an option of the API server or from a server beside it.
	findAgain = 5 * time.Second
	// readWithin is how long the start waits for what exists of a kind; a broken conversion of somebody's custom resource must not hold everything up.
	readWithin = 10 * time.Second
	// One answer that a kind is not there, or may not be read, may be a slip: of an API server that has not read all definitions yet, of rights that are being
	// applied anew, of whatever stands between. What the objects of a kind told is forgotten when all answers of about a minute say so: as many as refusedFor to who
	// asks for the objects (every askAgain), as many as missingFor to who asks which kinds there are (every findAgain). The objects of a definition that is
	// deleted are deleted before it, and that is heeded at once.
	refusedFor = 3
	missingFor = 12
)

// followed is a kind that is being watched.
//
//	not served ── found ──> followed ── vanished, for a minute ──> forgotten
//	                          │    ^ └──── another version ──> followed in that, nothing is forgotten
//	                 no right v    │ granted
//	                         done without, after a minute of that forgotten
type followed struct {
	version string
	// missed is how many answers in a row said that it is not served.
	missed int
	cancel context.CancelFunc
	ended  chan struct{}
}

// kindName is how people and RBAC call a kind.
func kindName(k gang.Kind) string {
	if k.Group == "" {
		return k.Resource
	}
	return k.Resource + "." + k.Group
}

// withoutGangs prepares for kinds that do not exist or cannot be read.
func (w *Watch) withoutGangs(kinds []gang.Kind) {
	w.tellers = map[gang.Kind]*gangMirror{}
	for _, k := range kinds {
		if w.denials[kindName(k)] != nil {
			continue // another version of a kind: its objects are the same ones
		}
		w.kinds = append(w.kinds, k)
		m := &gangMirror{mirror: newMirror[*gang.Piece](tellers{w.gangs, k}, w.sink, w.listed(kindName(k)))}
		w.tellers[k] = m
		d := w.without(kindName(k), k.Without)
		d.optional, d.custom, d.begun, d.patient = true, true, m.forget, refusedFor
	}
	if len(kinds) > 0 {
		w.wanted = newWanted(w.client, w.gangs, w.without(mounted, "how many executors a Spark driver will start, and whether a Flink cluster of plain manifests is reactive, is not known"))
		delete(w.waiting, mounted) // the pods are waited for, and they for these
	}
}

// mounted are the ConfigMaps that are got by name.
const mounted = "the ConfigMaps that first pods mount"

// gangMirror holds what the objects of a kind tell.
type gangMirror struct {
	*mirror[*gang.Piece]
	mu sync.Mutex
}

// forget takes back what the objects told, since the kind cannot be read any more. Nobody else touches the mirror then: the one who lists waits for the list,
// or has ended; but a list that was broken off may outlive him.
func (m *gangMirror) forget() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.missing(nil)
	m.times = 0
}

// followGangs watches those of the kinds that the API server serves, from when it does until it no longer does.
func (w *Watch) followGangs(ctx context.Context) {
	running := map[gang.Kind]*followed{}
	defer func() {
		for _, f := range running {
			<-f.ended
		}
	}()
	for level := slog.LevelDebug; ctx.Err() == nil; { // what is there at the start is no news
		if offers, err := w.offers(ctx); err == nil {
			for _, k := range w.kinds {
				w.heedOffer(ctx, running, k, offers[k], level)
			}
			level = slog.LevelInfo
		}
		select {
		case <-time.After(w.find):
		case <-ctx.Done():
		}
	}
}

// offers are what the API server serves. If it refuses to tell, each kind is asked for as if it were served.
func (w *Watch) offers(ctx context.Context) (map[gang.Kind]offer, error) {
	offers, err := w.client.served(ctx, w.kinds)
	switch {
	case err == nil:
		w.outage.worked("API groups")
		return offers, nil
	case !apierrors.IsForbidden(err):
		w.outage.failed(ctx, "API groups", err)
		return nil, err
	}
	w.outage.worked("API groups")
	w.discovery.Do(func() {
		w.log.Warn("no right to ask which API groups there are, so every kind that may tell of gangs is asked for", "error", plain(err),
			"remedy", "give Sluice's service account the ClusterRole system:discovery, as every authenticated user has by default")
	})
	offers = map[gang.Kind]offer{}
	for _, k := range w.kinds {
		offers[k] = offer{version: k.Version}
	}
	return offers, nil
}

// heedOffer begins to watch a kind, which is said at the given level, or ends it.
func (w *Watch) heedOffer(ctx context.Context, running map[gang.Kind]*followed, k gang.Kind, o offer, level slog.Level) {
	f := running[k]
	switch {
	case o.unknown:
		return
	case f != nil && o.version == "":
		if f.missed++; f.missed < missingFor {
			return
		}
		f.end()
		delete(running, k)
		w.denials[kindName(k)].denied.Store(false)
		w.tellers[k].forget()
		w.log.Info("the API server does not serve "+kindName(k)+" any more, so what its objects told is forgotten", "version", f.version)
	case f != nil && f.version != o.version:
		f.end()
		w.log.Info("the API server serves "+kindName(k)+" in another version", "version", o.version, "before", f.version)
		running[k] = w.followKind(ctx, k, o.version)
	case f != nil:
		f.missed = 0
	case o.version != "":
		w.log.Log(ctx, level, "what "+kindName(k)+" tell of gangs is heeded", "version", o.version)
		running[k] = w.followKind(ctx, k, o.version)
	default:
		w.settled(kindName(k))
	}
}

// end ends the watch of a kind.
func (f *followed) end() {
	f.cancel()
	<-f.ended
}

// followKind watches a kind until its context is cancelled.
func (w *Watch) followKind(ctx context.Context, k gang.Kind, version string) *followed {
	name := kindName(k)
	ctx, cancel := context.WithCancel(ctx)
	f := &followed{version: version, cancel: cancel, ended: make(chan struct{})}
	late := time.AfterFunc(readWithin, func() { w.late(name, name) })
	go func() {
		defer close(f.ended)
		cache.NewReflectorWithOptions(w.kindSource(ctx, k, version), example(k, version), w.tellers[k].mirror, options(name)).RunWithContext(ctx)
		late.Stop()
	}()
	return f
}

// late ends the wait for a resource that has to do with objects that do not come.
func (w *Watch) late(resource, objects string) {
	if w.settled(resource) {
		w.log.Warn("going on before all "+objects+" have been read: the API server does not give them", "waited", readWithin)
	}
}

// kindSource lists and watches a kind.
func (w *Watch) kindSource(ctx context.Context, k gang.Kind, version string) *source {
	name := kindName(k)
	list := func(ctx context.Context, o metav1.ListOptions) (runtime.Object, error) {
		all := examples(k, version)
		return all, w.ask(k, version, o).Do(ctx).Into(all)
	}
	stream := func(ctx context.Context, o metav1.ListOptions) (watch.Interface, error) {
		o.Watch = true
		return w.ask(k, version, o).Watch(ctx)
	}
	return &source{ctx: ctx, resource: name, outage: w.outage, denial: w.denials[name], list: list, watch: stream}
}

// ask is a list or watch of a kind. It is tried once.
func (w *Watch) ask(k gang.Kind, version string, o metav1.ListOptions) *rest.Request {
	api, path := w.client.custom, []string{"/apis", k.Group, version}
	if isTyped(k, version) {
		api = w.client.core.RESTClient() // which speaks all that client-go has types for
	}
	if k.Group == "" {
		path = []string{"/api", version}
	}
	o.LabelSelector = k.Selector
	r := api.Get().MaxRetries(0).AbsPath(path...).Resource(k.Resource).SpecificallyVersionedParams(&o, scheme.ParameterCodec, v1.SchemeGroupVersion)
	if o.TimeoutSeconds != nil {
		r = r.Timeout(time.Duration(*o.TimeoutSeconds) * time.Second)
	}
	return r
}

func versionKind(k gang.Kind, version string) schema.GroupVersionKind {
	return schema.GroupVersionKind{Group: k.Group, Version: version, Kind: k.Kind}
}

// isTyped reports whether objects are read in their Go type, for which they come as protobuf: client-go has it, and it is that of the version that package gang reads.
func isTyped(k gang.Kind, version string) bool {
	return version == k.Version && scheme.Scheme.Recognizes(versionKind(k, version))
}

// example is an empty object of a kind.
func example(k gang.Kind, version string) runtime.Object {
	if isTyped(k, version) {
		if o, err := scheme.Scheme.New(versionKind(k, version)); err == nil {
			return o
		}
	}
	u := &unstructured.Unstructured{}
	u.SetGroupVersionKind(versionKind(k, version))
	return u
}

// examples is an empty list of them.
func examples(k gang.Kind, version string) runtime.Object {
	of := versionKind(k, version)
	of.Kind += "List"
	if isTyped(k, version) {
		if o, err := scheme.Scheme.New(of); err == nil {
			return o
		}
	}
	u := &unstructured.UnstructuredList{}
	u.SetGroupVersionKind(of)
	return u
}
