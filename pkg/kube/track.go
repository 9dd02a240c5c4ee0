package kube

import (
	"context"
	"maps"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/tools/cache"
)

// tracked is a resource that is watched.
type tracked[F any] struct {
	resource string
	// object and list make empty ones of its kind.
	object, list func() runtime.Object
	kind         kind[F]
}

// track watches a resource and mirrors it until the context ends.
func track[F any](ctx context.Context, w *Watch, t tracked[F]) {
	list := func(ctx context.Context, o metav1.ListOptions) (runtime.Object, error) {
		all := t.list()
		return all, w.get(t.resource, o).Do(ctx).Into(all)
	}
	lw := &source{ctx: ctx, resource: t.resource, outage: w.outage, denial: w.denials[t.resource], list: list, watch: w.watch(t.resource)}
	m := newMirror(t.kind, w.sink, w.listed(t.resource))
	cache.NewReflectorWithOptions(lw, t.object(), m, options(t.resource)).RunWithContext(ctx)
}

// without prepares for a resource that Sluice can do without; effect says what is missing then.
func (w *Watch) without(resource, effect string) *denial {
	w.waiting[resource] = true
	d := &denial{
		resource: resource, effect: "going on without: " + effect,
		remedy: "give Sluice's service account the rights in deploy/base/rbac.yaml; no restart is needed",
		log:    w.log, again: askAgain, waive: func() { w.settled(resource) },
	}
	w.denials[resource] = d
	return d
}

// Note says what Sluice does without, since it cannot read it; empty if there is nothing.
func (w *Watch) Note() (note string) {
	for _, resource := range slices.Sorted(maps.Keys(w.denials)) {
		if d := w.denials[resource]; d.denied.Load() {
			note += "; " + d.words()
		}
	}
	return strings.TrimPrefix(note, "; ")
}
