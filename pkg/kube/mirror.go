package kube

import (
	"fmt"
	"maps"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/tools/cache"

	"github.com/sluice-scheduler/sluice/pkg/core"
)

// Sink takes events. Put must not wait: it is called by the goroutines that decode the watches.
type Sink interface {
	Put(events ...core.Event)
}

// key names an object of one kind.
type key struct{ namespace, name string }

// kind is what a mirror must know about the objects it holds.
type kind[F any] interface {
	// read makes the fact of an API object.
	read(object any) (key, F)
	// set returns the events of a fact that replaces old, or that is new if old is nil.
	set(old *F, fact F) []core.Event
	// gone returns the events of an object that vanished. The object as it was last is nil if nobody saw it go.
	gone(fact F, object any) []core.Event
}

// mirror holds the newest fact of every object of one kind and tells the sink what changes. It is the store that a client-go reflector
// fills, in place of an informer's queue, cache and listeners: each object is turned into its fact on arrival and kept once, and
// the facts of a whole list are in the sink when Replace returns.
//
// All methods are called by the reflector's one goroutine.
//
//	list or stream ── Replace ──> facts ── difference ──> sink
//	watch ── Add, Update, Delete ──┘
type mirror[F any] struct {
	kind  kind[F]
	facts map[key]F
	sink  Sink
	// synced is called after each Replace, with how often there has been one.
	synced func(times int)
	times  int
}

func newMirror[F any](k kind[F], sink Sink, synced func(int)) *mirror[F] {
	return &mirror[F]{kind: k, facts: map[key]F{}, sink: sink, synced: synced}
}

// Add takes in an object that appeared.
func (m *mirror[F]) Add(object any) error {
	if !isObject(object) {
		return fmt.Errorf("unexpected object of type %T", object)
	}
	m.sink.Put(m.set(m.kind.read(object))...)
	return nil
}

// Update takes in an object that changed.
func (m *mirror[F]) Update(object any) error { return m.Add(object) }

// Delete takes in that an object vanished, or no longer matches the selector.
func (m *mirror[F]) Delete(object any) error {
	if !isObject(object) {
		return fmt.Errorf("unexpected object of type %T", object)
	}
	at, _ := m.kind.read(object)
	fact, ok := m.facts[at]
	if !ok {
		return nil
	}
	delete(m.facts, at)
	m.sink.Put(m.kind.gone(fact, object)...)
	return nil
}

// Replace takes in everything there is: after the start, and whenever the watch could not be resumed.
func (m *mirror[F]) Replace(objects []any, _ string) error {
	present := make(map[key]bool, len(objects))
	var events []core.Event
	for _, o := range objects {
		var at key
		var fact F
		if i, ok := o.(*item[F]); ok {
			at, fact = i.at, i.fact
		} else if isObject(o) {
			at, fact = m.kind.read(o)
		} else {
			return fmt.Errorf("unexpected object of type %T", o)
		}
		present[at] = true
		events = append(events, m.set(at, fact)...)
	}
	events = append(m.missing(present), events...)
	m.sink.Put(events...)
	m.times++
	m.synced(m.times)
	return nil
}

// missing removes the facts that are not present, in a fixed order.
func (m *mirror[F]) missing(present map[key]bool) (events []core.Event) {
	var lost []key
	for at := range maps.Keys(m.facts) {
		if !present[at] {
			lost = append(lost, at)
		}
	}
	slices.SortFunc(lost, func(a, b key) int { return compareKeys(a, b) })
	for _, at := range lost {
		events = append(events, m.kind.gone(m.facts[at], nil)...)
		delete(m.facts, at)
	}
	return events
}

func (m *mirror[F]) set(at key, fact F) []core.Event {
	var old *F
	if known, ok := m.facts[at]; ok {
		old = &known
	}
	m.facts[at] = fact
	return m.kind.set(old, fact)
}

// Resync does nothing: whoever wants to be told again can ask the core to forget, and nobody does.
func (m *mirror[F]) Resync() error { return nil }

// Transformer turns the objects of an initial stream into facts one by one, so that they are never all in memory at once.
func (m *mirror[F]) Transformer() cache.TransformFunc {
	return func(object any) (any, error) {
		if !isObject(object) {
			return object, nil
		}
		at, fact := m.kind.read(object)
		return &item[F]{at: at, fact: fact}, nil
	}
}

// item carries a fact through the reflector's temporary store, which asks for no more than the object's key.
type item[F any] struct {
	at   key
	fact F
}

// GetObjectMeta gives the key.
func (i *item[F]) GetObjectMeta() metav1.Object {
	return &metav1.ObjectMeta{Namespace: i.at.namespace, Name: i.at.name}
}

// GetObjectKind says nothing.
func (i *item[F]) GetObjectKind() schema.ObjectKind { return schema.EmptyObjectKind }

// DeepCopyObject returns the item itself, for facts never change.
func (i *item[F]) DeepCopyObject() runtime.Object { return i }
