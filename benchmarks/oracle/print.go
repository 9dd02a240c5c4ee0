package oracle

import (
	"bytes"
	"fmt"
	"io"
	"reflect"
	"regexp"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	v1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/yaml"
)

// What the documents of a case are, as the comments in front of them say.
const (
	isThere = "is there"
	comes   = "comes, or is now"
	goes    = "goes"
	placed  = "is placed by Sluice"
	tried   = "is placed by Sluice, and rolled back"
)

// Write prints a difference and its case, in a form that ReadCase takes back.
func (d *Difference) Write(out io.Writer) {
	fmt.Fprintf(out, "# %s\n# seed %d, world %d\n", strings.ReplaceAll(d.String(), "\n", "\n# "), d.Seed, d.World)
	fmt.Fprintf(out, "# the pod is %s\n", d.Case.Pod)
	document := func(what string, o metav1.Object) { fmt.Fprintf(out, "--- # %s\n%s", what, tidy(o)) }
	d.Case.Start.Each(func(o metav1.Object) { document(isThere, o) })
	for _, c := range d.Case.Changes {
		for _, p := range c.Tried {
			document(tried, p)
		}
		switch {
		case c.Assumed:
			document(placed, c.Set)
		case c.Set != nil:
			document(comes, c.Set)
		}
		if c.Gone != nil {
			document(goes, c.Gone)
		}
	}
}

// noise are lines that say nothing.
var noise = regexp.MustCompile(`(?m)^ *(resources: {}|status: {}|spec: {}|creationTimestamp: null|nodeInfo:|daemonEndpoints:|kubeletEndpoint:|Port: 0|[a-zA-Z]+(Version|ID|UUID|Image|System|itecture): "")\n`)

// tidy writes an object as YAML.
func tidy(o metav1.Object) string {
	text, err := yaml.Marshal(o)
	if err != nil {
		return "# " + err.Error() + "\n"
	}
	return "kind: " + reflect.TypeOf(o).Elem().Name() + "\n" + noise.ReplaceAllString(string(text), "")
}

// kinds are what may be in a case.
var kinds = map[string]func() metav1.Object{
	"Namespace": func() metav1.Object { return &v1.Namespace{} }, "Node": func() metav1.Object { return &v1.Node{} },
	"Pod":                   func() metav1.Object { return &v1.Pod{} },
	"PersistentVolumeClaim": func() metav1.Object { return &v1.PersistentVolumeClaim{} },
	"PersistentVolume":      func() metav1.Object { return &v1.PersistentVolume{} },
	"StorageClass":          func() metav1.Object { return &storagev1.StorageClass{} },
	"CSIDriver":             func() metav1.Object { return &storagev1.CSIDriver{} }, "CSINode": func() metav1.Object { return &storagev1.CSINode{} },
	"CSIStorageCapacity":    func() metav1.Object { return &storagev1.CSIStorageCapacity{} },
	"Service":               func() metav1.Object { return &v1.Service{} },
	"ReplicationController": func() metav1.Object { return &v1.ReplicationController{} },
	"ReplicaSet":            func() metav1.Object { return &appsv1.ReplicaSet{} },
	"StatefulSet":           func() metav1.Object { return &appsv1.StatefulSet{} },
	"VolumeAttachment":      func() metav1.Object { return &storagev1.VolumeAttachment{} },
}

var subject = regexp.MustCompile(`(?m)^# the pod is (.*)$`)

// ReadCase reads what Write has printed.
func ReadCase(text []byte) (*Case, error) {
	c := &Case{Start: &World{}}
	parts := bytes.Split(text, []byte("--- # "))
	if m := subject.FindSubmatch(parts[0]); m != nil {
		c.Pod = string(m[1])
	}
	for _, part := range parts[1:] {
		what, body, _ := strings.Cut(string(part), "\n")
		o, err := readObject([]byte(body))
		if err != nil {
			return nil, err
		}
		if err := c.take(what, o); err != nil {
			return nil, err
		}
	}
	return c, nil
}

func readObject(text []byte) (metav1.Object, error) {
	var head metav1.TypeMeta
	if err := yaml.Unmarshal(text, &head); err != nil {
		return nil, fmt.Errorf("reading a document: %w", err)
	}
	make := kinds[head.Kind]
	if make == nil {
		return nil, fmt.Errorf("no kind is called %q", head.Kind)
	}
	o := make()
	if err := yaml.UnmarshalStrict(text, o); err != nil {
		return nil, fmt.Errorf("reading a %s: %w", head.Kind, err)
	}
	o.(runtime.Object).GetObjectKind().SetGroupVersionKind(schema.GroupVersionKind{}) // as clients hand objects on
	return o, nil
}

// take enters a document into the case.
func (c *Case) take(what string, o metav1.Object) error {
	switch what {
	case isThere:
		c.Start.Apply(Change{Set: o})
	case comes:
		c.Changes = append(c.Changes, Change{Set: o})
	case placed:
		c.Changes = append(c.Changes, Change{Set: o, Assumed: true})
	case goes:
		c.Changes = append(c.Changes, Change{Gone: o})
	case tried:
		pod := o.(*v1.Pod)
		if n := len(c.Changes); n > 0 && c.Changes[n-1].Tried != nil {
			c.Changes[n-1].Tried = append(c.Changes[n-1].Tried, pod)
			return nil
		}
		c.Changes = append(c.Changes, Change{Tried: []*v1.Pod{pod}})
	default:
		return fmt.Errorf("%q says nothing of an object", what)
	}
	return nil
}
