package cluster

import (
	"strconv"

	v1 "k8s.io/api/core/v1"
)

// Liking is what a pod would like of its node, and that restricts nothing: the images and the pods that are there. It is no part of the shape, for pods that differ in it
// alone fit in the same places. It is immutable, and pods of equal keys may share it.
type Liking struct {
	// Key is the canonical text of all other fields.
	Key string
	// Images are those that the pod's containers and image volumes are made of, sorted, once for each use, by the names that nodes give them.
	Images []string
	// Near are the terms of preferred affinity between pods, Spread the topology spread constraints that forbid nothing (ScheduleAnyway).
	Near   []Leaning
	Spread []Spread
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
	if x != (Extra{}) {
		f.Liking = x.readLiking(pod)
	}
	return f
}

// readLiking reads what a pod would like; nil if that is nothing.
func (x Extra) readLiking(pod *v1.Pod) *Liking {
	l := Liking{Near: readLeanings(pod)}
	l.Spread, _ = readSpread(pod, v1.ScheduleAnyway) // a pod with one that cannot be read is not placed
	if x.Images {
		l.Images = imagesOf(&pod.Spec)
	}
	if x.Selectors {
		l.Owner = ownerOf(pod)
	}
	if l.Key = l.key(); l.Key == "" {
		return nil
	}
	found := l // a copy, so that most pods cost no allocation
	return &found
}

// key writes the liking canonically, every piece of free text quoted; empty for one that likes nothing.
func (l *Liking) key() string {
	q := &quoter{}
	for i := range l.Near {
		q.quote("near", l.Near[i].Key, l.Near[i].text, strconv.Itoa(int(l.Near[i].Weight)))
	}
	for i := range l.Spread {
		l.Spread[i].write(q)
	}
	for _, name := range l.Images {
		q.quote("image", name)
	}
	if o := l.Owner; o != (SelectorID{}) {
		q.quote("owner", strconv.Itoa(int(o.Kind)), o.Namespace, o.Name)
	}
	return q.String()
}
