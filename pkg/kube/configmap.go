package kube

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/tools/cache"

	"github.com/sluice-scheduler/sluice/pkg/config"
	"github.com/sluice-scheduler/sluice/pkg/core"
)

// Text is what is seen of a text in a ConfigMap.
type Text struct {
	// Object is the ConfigMap that holds it, for events; its UID is empty if there is none.
	Object core.PodRef
	Data   []byte
	// Err says why there is no text: no such ConfigMap, no such key, or no right to read it.
	Err error
}

// text turns the ConfigMap at a key into the text, or what keeps it from being one. It is the store that a reflector fills, of the one object there may be.
//
// All methods are called by the reflector's one goroutine.
type text struct {
	at   config.ConfigMapKey
	tell func(Text)
}

// name is how people find it.
func (t *text) name() string { return "ConfigMap " + t.at.Namespace + "/" + t.at.Name }

// Add takes in the ConfigMap.
func (t *text) Add(object any) error {
	m, ok := object.(*v1.ConfigMap)
	if !ok {
		return fmt.Errorf("unexpected object of type %T", object)
	}
	t.tell(t.read(m))
	return nil
}

// Update takes in the changed ConfigMap.
func (t *text) Update(object any) error { return t.Add(object) }

// Delete takes in that it is no longer there.
func (t *text) Delete(any) error {
	t.tell(Text{Err: errors.New(t.name() + " was deleted")})
	return nil
}

// Replace takes in what there is at the start, and whenever the watch could not be resumed.
func (t *text) Replace(objects []any, _ string) error {
	if len(objects) > 0 {
		return t.Add(objects[0])
	}
	t.tell(Text{Err: errors.New("there is no " + t.name())})
	return nil
}

// Resync does nothing.
func (t *text) Resync() error { return nil }

func (t *text) read(m *v1.ConfigMap) Text {
	out := Text{Object: core.PodRef{UID: m.UID, Namespace: m.Namespace, Name: m.Name}}
	if s, ok := m.Data[t.at.Key]; ok {
		out.Data = []byte(s)
		return out
	}
	if b, ok := m.BinaryData[t.at.Key]; ok { // kubectl puts there what is not UTF-8
		out.Data = b
		return out
	}
	keys := "none"
	if len(m.Data) > 0 {
		keys = strings.Join(slices.Sorted(maps.Keys(m.Data)), ", ")
	}
	out.Err = fmt.Errorf("%s has no key %s; it has %s", t.name(), t.at.Key, keys)
	return out
}

// followText watches the one ConfigMap until the context ends. It is not waited for: whoever needs the text is told when it is there, or why not.
func (w *Watch) followText(ctx context.Context) {
	t := &text{at: w.text, tell: w.tellText}
	denied := errors.New("there is no right to read " + t.name())
	d := &denial{
		resource: t.name(), effect: "what it says is not known", remedy: "give Sluice's service account the right to list and watch it, as in deploy/base/rbac.yaml; no restart is needed",
		log: w.log, again: w.again, waive: func() { w.tellText(Text{Err: denied}) },
	}
	lw := &source{ctx: ctx, resource: configMaps, outage: w.outage, denial: d, list: w.listConfigMaps, watch: w.watch(configMaps)}
	cache.NewReflectorWithOptions(lw, &v1.ConfigMap{}, t, options(configMaps)).RunWithContext(ctx)
}

// configMaps is the resource.
const configMaps = "configmaps"

func (w *Watch) listConfigMaps(ctx context.Context, o metav1.ListOptions) (runtime.Object, error) {
	list := &v1.ConfigMapList{}
	return list, w.get(configMaps, o).Do(ctx).Into(list)
}

// one selects the object of a name. The API server's rights for that name alone allow a list or watch with it.
func one(name string) string {
	return fields.OneTermEqualSelector(metav1.ObjectNameField, name).String()
}
