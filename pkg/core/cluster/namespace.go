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
	// Labels are what terms of pods select namespaces by.
	Labels map[string]string
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

// space is what is known of a namespace.
func (s *State) space(name string) *NamespaceFact {
	if f := s.namespaces[name]; f != nil {
		return f
	}
	return &NamespaceFact{Name: name}
}

// SetNamespace takes in the newest fact of a namespace and looks again where its applications belong, if anything has changed by which they go.
func (s *State) SetNamespace(f *NamespaceFact) {
	s.count(f.Max, f.Guaranteed)
	old, known := s.space(f.Name), s.namespaces[f.Name]
	s.namespaces[f.Name] = f
	if known == nil || !maps.Equal(known.Labels, f.Labels) {
		s.followLabels(f.Name, known)
	}
	s.followSpace(old, f)
}

// RemoveNamespace forgets a namespace.
func (s *State) RemoveNamespace(name string) {
	old := s.space(name)
	if known := s.namespaces[name]; known != nil {
		delete(s.namespaces, name)
		s.followLabels(name, known)
	}
	s.followSpace(old, s.space(name))
}

// fewApps is how many applications of a namespace are placed anew at once; those of a larger one are with all others, some in each step.
const fewApps = 100

func (s *State) followSpace(old, now *NamespaceFact) {
	if s.sameSpace(old, now) {
		return
	}
	var apps []*App
	if in := s.appsIn[now.Name]; in != nil {
		apps = slices.Clone(in.list)
	}
	if len(apps) > fewApps {
		s.lookAgain()
		return
	}
	clear(s.homes)
	slices.SortFunc(apps, func(a, b *App) int { return a.age().compare(b.age()) })
	for _, a := range apps {
		s.place(a)
	}
}

// sameSpace reports whether two facts of a namespace are the same in all that its applications' homes depend on.
func (s *State) sameSpace(a, b *NamespaceFact) bool {
	for _, tag := range s.tags {
		if a.Tag(tag) != b.Tag(tag) {
			return false
		}
	}
	same := func(a, b resource.Amounts) bool { return (a == nil) == (b == nil) && a.Equal(b) }
	return a.Queue == b.Queue && a.QueueFrom == b.QueueFrom && same(a.Max, b.Max) && same(a.Guaranteed, b.Guaranteed) && a.MaxApps == b.MaxApps
}
