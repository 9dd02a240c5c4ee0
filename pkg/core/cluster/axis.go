package cluster

import (
	"slices"
	"strconv"

	v1 "k8s.io/api/core/v1"
	"k8s.io/component-helpers/scheduling/corev1"
	"k8s.io/klog/v2"
)

// Axis is a topology key: it divides the known nodes that carry the label into domains, one for each value.
type Axis struct {
	Key string
	// of holds the domain of each node by its index, outside for none.
	of []int32
	// domains are by number; a number whose domain has lost its last node is used again.
	domains []domain
	numbers map[string]int32
	free    []int32
	scopes  int
	// located is how many nodes are in domains.
	located int
}

// domain is the nodes that have one value of the key, in no order that means anything.
type domain struct {
	value string
	nodes []*Node
}

func (d *domain) leave(n *Node) {
	dropAt(&d.nodes, slices.Index(d.nodes, n), func(*Node, int) {})
}

const outside = -1

// Scope is the nodes of an axis on which pods are counted: all of them, or, for a spread constraint, those that carry all of the pod's keys and that
// it may use as far as the constraint's policies go.
type Scope struct {
	Axis *Axis

	key string
	// keys, and where it is not nil the demand's affinity or tolerations, restrict the nodes.
	keys                 []string
	demand               *Demand
	byAffinity, byTaints bool
	// of is as in Axis; nodes counts by domain, domains those that have any.
	of      []int32
	nodes   []int32
	domains int
	tallies []*Tally
	at      int
}

// axis returns the axis of a key, made when there is none.
func (s *State) axis(key string) *Axis {
	x := s.topo.axes[key]
	if x == nil {
		x = &Axis{Key: key, numbers: map[string]int32{}}
		s.topo.axes[key] = x
		for _, n := range s.slots {
			if n != nil {
				x.locate(n)
			}
		}
	}
	return x
}

// locate puts a node into the domain that its labels say, or into none when it is not known.
func (x *Axis) locate(n *Node) {
	x.of = grown(x.of, n.Index)
	if old := x.of[n.Index]; old != outside {
		x.located--
		x.domains[old].leave(n)
		if len(x.domains[old].nodes) == 0 {
			delete(x.numbers, x.domains[old].value)
			x.free = append(x.free, old)
		}
	}
	x.of[n.Index] = outside
	if n.Fact == nil {
		return
	}
	if value, has := x.value(n); has {
		d := x.number(value)
		x.located++
		x.domains[d].nodes = append(x.domains[d].nodes, n)
		x.of[n.Index] = d
	}
}

// eachNode is the key of the axis in which each node that carries a host name is a domain by itself.
const eachNode = "each node with " + v1.LabelHostname

// value returns what tells the domain of a known node, if it is in any.
func (x *Axis) value(n *Node) (value string, has bool) {
	if x.Key == eachNode {
		_, has = n.Fact.Labels[v1.LabelHostname]
		return n.Name, has
	}
	value, has = n.Fact.Labels[x.Key]
	return value, has
}

// divisions is how many domains there are, and one more if some of the known nodes are in none.
func (x *Axis) divisions(known int) int {
	if x.everywhere(known) {
		return len(x.numbers)
	}
	return len(x.numbers) + 1
}

// everywhere reports whether all of the known nodes are in a domain.
func (x *Axis) everywhere(known int) bool { return x.located == known }

func (x *Axis) number(value string) int32 {
	d, known := x.numbers[value]
	if known {
		return d
	}
	if last := len(x.free) - 1; last >= 0 {
		d, x.free = x.free[last], x.free[:last]
		x.domains[d] = domain{value: value}
	} else {
		d = int32(len(x.domains))
		x.domains = append(x.domains, domain{value: value})
	}
	x.numbers[value] = d
	return d
}

// grown returns the list with room for an index.
func grown(list []int32, index int) []int32 {
	for len(list) <= index {
		list = append(list, outside)
	}
	return list
}

// scope returns a scope of an axis, made as it is given if there is none: for a spread constraint the narrow one, else nil for that of all nodes.
func (s *State) scope(key string, made *Scope) *Scope {
	if made == nil {
		made = &Scope{key: strconv.Quote(key)}
	}
	if known := s.topo.scopeOf[made.key]; known != nil {
		return known
	}
	made.Axis = s.axis(key)
	made.Axis.scopes++
	made.at = len(s.topo.scopes)
	s.topo.scopes = append(s.topo.scopes, made)
	s.topo.scopeOf[made.key] = made
	for _, n := range s.slots {
		if n != nil {
			s.admitTo(made, n)
		}
	}
	return made
}

// keysOf returns the keys of constraints, sorted, each once.
func keysOf(list []Spread) (keys []string) {
	for i := range list {
		keys = append(keys, list[i].Key)
	}
	slices.Sort(keys)
	return slices.Compact(keys)
}

// narrow makes the scope of a constraint for nodes that carry some keys, its own among them.
func narrow(c *Spread, d *Demand, keys []string) *Scope {
	x := &Scope{demand: d, keys: keys, byAffinity: c.HonorAffinity && d.Affinity != nil, byTaints: c.HonorTaints}
	if len(x.keys) == 1 && !x.byAffinity && !x.byTaints {
		return &Scope{key: strconv.Quote(c.Key)}
	}
	q := quoter{}
	q.quote(c.Key, "of")
	q.quote(x.keys...)
	if x.byAffinity {
		q.quote("affinity", d.affinityText)
	}
	if x.byTaints {
		q.quote("taints")
		for _, t := range d.Tolerations {
			q.quote(t.Key, string(t.Operator), t.Value, string(t.Effect))
		}
	}
	x.key = q.String()
	return x
}

func (s *State) dropScope(x *Scope) {
	if len(x.tallies) > 0 {
		return
	}
	delete(s.topo.scopeOf, x.key)
	dropAt(&s.topo.scopes, x.at, func(o *Scope, at int) { o.at = at })
	x.Axis.scopes--
	if x.Axis.scopes == 0 {
		delete(s.topo.axes, x.Axis.Key)
	}
}

// includes reports whether pods on a node count.
func (x *Scope) includes(n *Node) bool {
	if n.Fact == nil || x.Axis.of[n.Index] == outside {
		return false
	}
	for _, k := range x.keys {
		if _, has := n.Fact.Labels[k]; !has {
			return false
		}
	}
	if x.byAffinity {
		if match, _ := x.demand.Affinity.Match(n.API); !match {
			return false
		}
	}
	return !x.byTaints || !slices.ContainsFunc(n.Fact.Taints, func(t v1.Taint) bool { return !Tolerates(x.demand.Tolerations, &t) })
}

// Tolerates reports whether one of the tolerations covers the taint. The operators Gt and Lt are behind an alpha gate that is off in Kubernetes 1.37.
func Tolerates(tolerations []v1.Toleration, t *v1.Taint) bool {
	return corev1.TolerationsTolerateTaint(klog.Logger{}, tolerations, t, false)
}

// admitTo counts a node where the scope includes it.
func (s *State) admitTo(x *Scope, n *Node) {
	x.of = grown(x.of, n.Index)
	if !x.includes(n) {
		x.of[n.Index] = outside
		return
	}
	d := x.Axis.of[n.Index]
	x.of[n.Index] = d
	for len(x.nodes) <= int(d) {
		x.nodes = append(x.nodes, 0)
	}
	x.nodes[d]++
	if x.nodes[d] == 1 {
		x.domains++
		for _, t := range x.tallies {
			s.widen(t, d)
		}
	}
}

// dismissFrom is the inverse; no pods on the node are counted any more.
func (s *State) dismissFrom(x *Scope, n *Node) {
	if n.Index >= len(x.of) || x.of[n.Index] == outside {
		return
	}
	d := x.of[n.Index]
	x.of[n.Index] = outside
	x.nodes[d]--
	if x.nodes[d] == 0 {
		x.domains--
		for _, t := range x.tallies {
			s.contract(t, d)
		}
	}
}

// lift takes a node and what is on it out of all counts, before anything about it changes that decides where they belong; ground puts them back.
func (s *State) lift(n *Node) {
	if n.Fact == nil {
		return
	}
	for _, a := range n.Pods {
		s.tie(a, -1)
	}
	for _, x := range s.topo.scopes {
		s.dismissFrom(x, n)
	}
}

func (s *State) ground(n *Node) {
	for _, x := range s.topo.axes {
		x.locate(n)
	}
	if n.Fact == nil {
		return
	}
	for _, x := range s.topo.scopes {
		s.admitTo(x, n)
	}
	for _, a := range n.Pods {
		s.tie(a, +1)
	}
}
