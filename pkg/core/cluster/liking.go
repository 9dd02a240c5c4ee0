package cluster

import (
	"strconv"
	"strings"

	v1 "k8s.io/api/core/v1"
)

// Liking is what a pod would like of its node, and that restricts nothing: the images that are there. It is no part of the shape, for pods that differ in it
// alone fit in the same places. It is immutable, and pods of equal keys may share it.
type Liking struct {
	// Key is the canonical text of all other fields.
	Key string
	// Images are those that the pod's containers and image volumes are made of, sorted, once for each use, by the names that nodes give them.
	Images []string
	// Owner is the controller by whose selector the pod is spread when it does not say how itself; zero if it has none that counts.
	Owner SelectorID
}

// Extra says what is to be read of pods and nodes beyond what every node order needs, because an order asks for it.
type Extra struct {
	// Images are those of pods and nodes.
	Images bool
	// Selectors are those of Services and of the controllers that own pods.
	Selectors bool
}

// Covers reports whether all that is wanted is read.
func (x Extra) Covers(wanted Extra) bool {
	return (x.Images || !wanted.Images) && (x.Selectors || !wanted.Selectors)
}

// Or returns what either of the two reads.
func (x Extra) Or(o Extra) Extra { return Extra{x.Images || o.Images, x.Selectors || o.Selectors} }

// ReadNode makes the fact of a node. The node is not kept; its label map is shared with the fact.
func (x Extra) ReadNode(node *v1.Node) *NodeFact {
	f := ReadNode(node)
	if x.Images {
		f.Images = readImages(node)
	}
	return f
}

// ReadPod makes the fact of a pod; scheduler is the schedulerName we serve. The pod is not kept and may be reused.
func (x Extra) ReadPod(pod *v1.Pod, scheduler string) *PodFact {
	f := ReadPod(pod, scheduler)
	f.Liking = x.readLiking(pod)
	return f
}

// readLiking reads what a pod would like; nil if that is nothing.
func (x Extra) readLiking(pod *v1.Pod) *Liking {
	l := &Liking{}
	if x.Images {
		l.Images = imagesOf(&pod.Spec)
	}
	if x.Selectors {
		l.Owner = ownerOf(pod)
	}
	if l.Key = l.key(); l.Key == "" {
		return nil
	}
	return l
}

// key writes the liking canonically, every piece of free text quoted; empty for one that likes nothing.
func (l *Liking) key() string {
	var b strings.Builder
	if len(l.Images) > 0 {
		b.WriteString("i")
		for _, name := range l.Images {
			b.WriteString(strconv.Quote(name))
		}
	}
	if l.Owner != (SelectorID{}) {
		b.WriteString("o" + strconv.Itoa(int(l.Owner.Kind)) + strconv.Quote(l.Owner.Namespace) + strconv.Quote(l.Owner.Name))
	}
	return b.String()
}
