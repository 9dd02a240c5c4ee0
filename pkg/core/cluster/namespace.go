package cluster

import (
	"maps"
	"slices"
	"strings"

	"github.com/sluice-scheduler/sluice/pkg/core/resource"
)

// NamespaceFact is what the scheduler keeps of a namespace. It is immutable once made.
type NamespaceFact struct {
	Name            string
	ResourceVersion string
	// Queue is the queue for applications of the namespace that name none, as it is written; QueueFrom the annotation that says so.
	Queue, QueueFrom string
	// Parent is the queue below which a placement rule may put the namespace's own, as it is written; ParentFrom the annotation that says so.
	Parent, ParentFrom string
	// Guaranteed and Max are for a queue that is made for the namespace. As in a QueueSpec they may hold zeros; nil says nothing.
	Guaranteed, Max resource.Amounts
	// MaxApps is how many applications may run at a time in such a queue; 0 is unlimited.
	MaxApps int
	// Annotations are those of its annotations that tags of placement rules may name: all whose value could be a queue.
	Annotations map[string]string
	// Faults names what could not be read. An annotation that is named here counts as absent.
	Faults []string
}

// Tags of YuniKorn's placement rules. Any other tag that begins with the prefix goes on with the name of an annotation.
const (
	TagNamespace = "namespace"
	TagParent    = "namespace.parentqueue"
	tagPrefix    = "namespace."
)

// Tag returns the value of a tag that a placement rule names, empty if there is none: namespace for the namespace's name,
// namespace.parentqueue for Parent, namespace.ANNOTATION for the value of an annotation. As in YuniKorn case does not matter.
func (f *NamespaceFact) Tag(name string) string {
	name = strings.ToLower(name)
	annotation, isAnnotation := strings.CutPrefix(name, tagPrefix)
	switch {
	case name == TagNamespace:
		return f.Name
	case name == TagParent:
		return f.Parent
	case isAnnotation:
		return f.annotation(annotation)
	}
	return ""
}

// annotation finds an annotation whatever its case; of several the first in order.
func (f *NamespaceFact) annotation(lower string) string {
	for _, key := range slices.Sorted(maps.Keys(f.Annotations)) {
		if strings.ToLower(key) == lower {
			return f.Annotations[key]
		}
	}
	return ""
}
