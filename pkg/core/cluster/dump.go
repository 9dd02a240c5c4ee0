package cluster

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/sluice-scheduler/sluice/pkg/core/resource"
)

// Dump writes the accounts canonically: two states that were told the same facts write the same text, whatever the order and
// however often they were told. Resources that no known node offers are left out: whether they are counted depends on what was offered or bounded once.
func (s *State) Dump(w io.Writer) {
	var offered resource.Vector
	for _, n := range s.nodes {
		for slot, value := range n.Allocatable {
			if value > 0 {
				offered = offered.AddTo(unit(slot), 1)
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(s.nodes)) {
		if n := s.nodes[name]; !n.hollow() {
			s.dumpNode(w, n, offered)
		}
	}
	s.dumpTopology(w)
	s.dumpQueue(w, s.root, offered)
	for _, a := range s.SortedApps() {
		fmt.Fprintf(w, "app %s/%s pods=%d placed=%d %s\n", a.Namespace, a.ID, a.pods, a.Placed, cmp.Or(a.Fault, a.Why))
	}
	for _, p := range s.SortedPods() {
		fmt.Fprintf(w, "pod %s/%s uid=%s %s\n", p.Fact.Namespace, p.Fact.Name, p.Fact.UID, place(p))
	}
}

func (s *State) dumpNode(w io.Writer, n *Node, offered resource.Vector) {
	if n.Fact == nil {
		fmt.Fprintf(w, "node %s unknown\n", n.Name)
	} else {
		fmt.Fprintf(w, "node %s allocatable: %s\n", n.Name, s.Space.Format(n.Allocatable))
	}
	fmt.Fprintf(w, "  used: %s\n", s.Space.Format(masked(n.Used, offered)))
	if len(n.ports) > 0 {
		fmt.Fprintf(w, "  ports: %s\n", strings.Join(n.portList(), " "))
	}
	if len(n.attached) > 0 {
		fmt.Fprintf(w, "  volumes: %s\n", strings.Join(n.attachedList(), " "))
	}
}

// dumpTopology writes the counts by domain that are not zero.
func (s *State) dumpTopology(w io.Writer) {
	var lines []string
	for _, m := range s.topo.live {
		for _, t := range m.tallies {
			if t.users == t.passing {
				continue
			}
			var counts []string
			for value, d := range t.scope.Axis.numbers {
				if n := t.counts.at(d); n != 0 {
					counts = append(counts, fmt.Sprintf(" %s=%d", value, n))
				}
			}
			slices.Sort(counts)
			who := "pods"
			if t.staying {
				who = "staying pods"
			}
			lines = append(lines, fmt.Sprintf("%s %s in %s:%s\n", who, m.key, t.scope.key, strings.Join(counts, "")))
		}
	}
	slices.Sort(lines)
	for _, line := range lines {
		fmt.Fprint(w, line)
	}
}

func (s *State) dumpQueue(w io.Writer, q *Queue, offered resource.Vector) {
	mark := ""
	if q.Dynamic {
		mark = " dynamic"
	} else if q.Draining {
		mark = " draining"
	}
	fmt.Fprintf(w, "queue %s%s apps=%d pods=%d used: %s\n", q.Name, mark, q.Apps, q.Pods, s.Space.Format(masked(q.Used, offered)))
	for _, who := range slices.Sorted(maps.Keys(q.members)) {
		a := q.members[who]
		fmt.Fprintf(w, "  %s apps=%d pods=%d used: %s\n", a.Who, a.Apps, a.Pods, s.Space.Format(masked(a.Used, offered)))
	}
	for _, child := range q.Children() {
		s.dumpQueue(w, child, offered)
	}
}

// SortedApps returns all applications by namespace and id.
func (s *State) SortedApps() []*App {
	return slices.SortedFunc(slices.Values(s.apps), func(a, b *App) int {
		return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.ID, b.ID))
	})
}

// unit is one piece of the resource of a slot.
func unit(slot int) resource.Vector {
	v := make(resource.Vector, slot+1)
	v[slot] = 1
	return v
}

// masked returns v without the slots, beyond those that every space has, of which nothing is offered.
func masked(v, offered resource.Vector) resource.Vector {
	out := slices.Clone(v)
	for slot := resource.SlotEphemeralStorage + 1; slot < len(out); slot++ {
		if offered.At(slot) == 0 {
			out[slot] = 0
		}
	}
	return out
}

func (n *Node) portList() []string {
	list := make([]string, len(n.ports))
	for i, p := range n.ports {
		list[i] = fmt.Sprintf("%s/%s:%d×%d", p.Protocol, p.IP, p.Number, p.count)
	}
	slices.Sort(list)
	return list
}

func (n *Node) attachedList() []string {
	list := make([]string, len(n.attached))
	for i, u := range n.attached {
		list[i] = fmt.Sprintf("%s/%s×%d+%d", u.Driver, strings.ReplaceAll(u.Handle, " ", "_"), u.pods, u.attachments)
	}
	slices.Sort(list)
	return list
}

func place(p *Pod) string {
	switch {
	case p.nominee != nil:
		return "unbound, nominated for " + p.nominee.Name
	case p.Alloc == nil:
		return "unbound"
	case p.Alloc.Bound:
		return "bound to " + p.Alloc.Node.Name
	case p.Alloc.Reserved:
		return "reserved on " + p.Alloc.Node.Name
	}
	return "assumed on " + p.Alloc.Node.Name
}

// SortedPods returns all pods by namespace, name and UID.
func (s *State) SortedPods() []*Pod {
	pods := slices.Collect(maps.Values(s.pods))
	slices.SortFunc(pods, comparePods)
	return pods
}

func comparePods(a, b *Pod) int {
	return cmp.Or(cmp.Compare(a.Fact.Namespace, b.Fact.Namespace), cmp.Compare(a.Fact.Name, b.Fact.Name), cmp.Compare(a.Fact.UID, b.Fact.UID))
}
