package cluster

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
)

// Dump writes the accounts canonically: two states that were told the same facts write the same text, whatever the order and
// however often they were told.
func (s *State) Dump(w io.Writer) {
	for _, name := range slices.Sorted(maps.Keys(s.nodes)) {
		s.dumpNode(w, s.nodes[name])
	}
	for q := s.leaf; q != nil; q = q.Parent {
		fmt.Fprintf(w, "queue %s pods=%d used: %s\n", q.Name, q.Pods, s.Space.Format(q.Used))
	}
	for _, p := range s.SortedPods() {
		fmt.Fprintf(w, "pod %s/%s uid=%s %s\n", p.Fact.Namespace, p.Fact.Name, p.Fact.UID, place(p))
	}
}

func (s *State) dumpNode(w io.Writer, n *Node) {
	if n.Fact == nil {
		fmt.Fprintf(w, "node %s unknown\n", n.Name)
	} else {
		fmt.Fprintf(w, "node %s allocatable: %s\n", n.Name, s.Space.Format(n.Allocatable))
	}
	fmt.Fprintf(w, "  used: %s\n", s.Space.Format(n.Used))
	if len(n.ports) > 0 {
		fmt.Fprintf(w, "  ports: %s\n", strings.Join(n.portList(), " "))
	}
}

func (n *Node) portList() []string {
	list := make([]string, len(n.ports))
	for i, p := range n.ports {
		list[i] = fmt.Sprintf("%s/%s:%d×%d", p.Protocol, p.IP, p.Number, p.count)
	}
	slices.Sort(list)
	return list
}

func place(p *Pod) string {
	switch {
	case p.Alloc == nil:
		return "unbound"
	case p.Alloc.Bound:
		return "bound to " + p.Alloc.Node.Name
	}
	return "assumed on " + p.Alloc.Node.Name
}

// SortedPods returns all pods by namespace, name and UID.
func (s *State) SortedPods() []*Pod {
	pods := slices.Collect(maps.Values(s.pods))
	slices.SortFunc(pods, func(a, b *Pod) int {
		return cmp.Or(cmp.Compare(a.Fact.Namespace, b.Fact.Namespace), cmp.Compare(a.Fact.Name, b.Fact.Name),
			cmp.Compare(a.Fact.UID, b.Fact.UID))
	})
	return pods
}
