package cluster

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Class is the nodes that look alike to the rules of placement that read a node's description: equal taints, equally cordoned, of equal features, and equal in
// every label that some live demand selects by. What such a rule says of one node of a class holds for all of them.
type Class struct {
	// Serial numbers the classes in the order in which they came to be; it is never used again.
	Serial int
	// Index is dense over the classes, for slices beside the state; it may be used again after a class has gone.
	Index int
	// Like is a node without a name or resources that has the class's taints and the labels that are selected by.
	Like *Node

	key   string
	nodes int
}

// wide is how many values a label may have among the nodes and still tell classes apart. A label with more of them, such as the host name,
// would put every node into a class of its own; demands that select by it are judged node by node instead.
const wide = 64

// labelKey is a label that live demands select by.
type labelKey struct {
	shapes int
	// wide: it does not tell classes apart.
	wide bool
}

// Classes calls f for every class that has nodes, in the order in which they came to be.
func (s *State) Classes(f func(*Class)) {
	for _, c := range s.classes {
		f(c)
	}
}

// ClassVersion changes whenever a class appears or goes, or labels begin to tell classes apart.
func (s *State) ClassVersion() uint64 { return s.classVersion }

// Tells reports whether a label tells classes apart: then the nodes of a class agree in it.
func (s *State) Tells(label string) bool {
	_, tells := slices.BinarySearch(s.tellingKeys, label)
	return tells
}

// SelectsWide reports whether the shape selects by a label that does not tell classes apart, or by the node's own name.
func (s *State) SelectsWide(shape *Shape) bool {
	if shape.ByField {
		return true
	}
	for _, k := range shape.LabelKeys {
		if key := s.labelKeys[k]; key != nil && key.wide {
			return true
		}
	}
	return false
}

// selectBy counts a shape that selects by labels. A label selected by for the first time divides the classes anew.
func (s *State) selectBy(shape *Shape) {
	divide := false
	for _, k := range shape.LabelKeys {
		if key := s.labelKeys[k]; key != nil {
			key.shapes++
			continue
		}
		s.labelKeys[k] = &labelKey{shapes: 1, wide: s.distinct(k) > wide}
		divide = divide || !s.labelKeys[k].wide
	}
	if divide {
		s.classify()
	}
}

// unselect is the inverse. Labels that nobody selects by any more go on telling classes apart until the next division: that is
// harmless, and spares dividing twice when the next such pod comes.
func (s *State) unselect(shape *Shape) {
	for _, k := range shape.LabelKeys {
		s.labelKeys[k].shapes--
	}
}

// classify divides all nodes into classes by the labels that are selected by now.
func (s *State) classify() {
	for k, key := range s.labelKeys {
		if key.shapes == 0 {
			delete(s.labelKeys, k)
		} else {
			key.wide = s.distinct(k) > wide
		}
	}
	s.sortLabelKeys()
	s.classVersion++
	for _, n := range s.slots {
		if n != nil {
			s.assignClass(n)
		}
	}
}

// distinct counts the values that a label has among the nodes, and stops where it is wide.
func (s *State) distinct(label string) int {
	values := map[string]bool{}
	for _, n := range s.slots {
		if n != nil {
			values[n.Fact.Labels[label]] = true
		}
		if len(values) > wide {
			break
		}
	}
	return len(values)
}

// assignClass puts a known node into the class that its fact asks for.
func (s *State) assignClass(n *Node) {
	key := s.classKey(n.Fact)
	if n.Class != nil && n.Class.key == key {
		return
	}
	s.leaveClass(n)
	c := s.classOf[key]
	if c == nil {
		c = s.newClass(key, n.Fact)
	}
	c.nodes++
	n.Class = c
	s.touch(n)
}

func (s *State) leaveClass(n *Node) {
	c := n.Class
	if c == nil {
		return
	}
	n.Class = nil
	c.nodes--
	if c.nodes == 0 {
		delete(s.classOf, c.key)
		s.classes = slices.DeleteFunc(s.classes, func(x *Class) bool { return x == c })
		s.freeClasses = append(s.freeClasses, c.Index)
		s.classVersion++
	}
}

func (s *State) newClass(key string, f *NodeFact) *Class {
	labels := map[string]string{}
	for k, by := range s.labelKeys {
		if v, ok := f.Labels[k]; ok && !by.wide {
			labels[k] = v
		}
	}
	c := &Class{
		Serial: s.nextClass, Index: len(s.classes), key: key,
		Like: &Node{
			Fact: &NodeFact{Labels: labels, Taints: f.Taints, SoftTaints: f.SoftTaints, Unschedulable: f.Unschedulable, Features: f.Features},
			API:  &v1.Node{ObjectMeta: metav1.ObjectMeta{Labels: labels}},
		},
	}
	if last := len(s.freeClasses) - 1; last >= 0 {
		c.Index, s.freeClasses = s.freeClasses[last], s.freeClasses[:last]
	}
	s.nextClass++
	s.classOf[key] = c
	s.classes = append(s.classes, c)
	s.classVersion++
	return c
}

// narrow divides anew when classes have become many because a label has grown wide since it began to tell them apart.
func (s *State) narrow() {
	if len(s.classes) <= s.manyClasses {
		return
	}
	for k, key := range s.labelKeys {
		if !key.wide && s.distinct(k) > wide {
			s.classify()
			return
		}
	}
	s.manyClasses = 2 * len(s.classes) // they are many by right
}

// classKey writes what makes a node's class.
func (s *State) classKey(f *NodeFact) string {
	var b strings.Builder
	b.WriteString(strconv.FormatBool(f.Unschedulable))
	if len(f.Taints)+len(f.SoftTaints) > 0 {
		taints := slices.Concat(f.Taints, f.SoftTaints)
		slices.SortFunc(taints, compareTaints)
		for _, t := range taints {
			b.WriteString(" t" + strconv.Quote(t.Key) + strconv.Quote(t.Value) + strconv.Quote(string(t.Effect)))
		}
	}
	for _, feature := range f.Features {
		b.WriteString(" f" + strconv.Quote(feature))
	}
	for _, k := range s.tellingKeys {
		if v, ok := f.Labels[k]; ok {
			b.WriteString(" l" + strconv.Quote(k) + strconv.Quote(v))
		}
	}
	return b.String()
}

// sortLabelKeys lists the labels that tell classes apart.
func (s *State) sortLabelKeys() {
	s.tellingKeys = s.tellingKeys[:0]
	for k, by := range s.labelKeys {
		if !by.wide {
			s.tellingKeys = append(s.tellingKeys, k)
		}
	}
	slices.Sort(s.tellingKeys)
}

func compareTaints(a, b v1.Taint) int {
	return cmp.Or(strings.Compare(a.Key, b.Key), strings.Compare(a.Value, b.Value), strings.Compare(string(a.Effect), string(b.Effect)))
}
