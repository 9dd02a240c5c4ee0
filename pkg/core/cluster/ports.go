package cluster

// portUse is a host port in use on a node and how many pods use it: more than one only when somebody else placed them.
type portUse struct {
	Port
	count int
}

// PortsFree reports whether none of the wanted host ports is in use on the node. Two ports collide when number and protocol are
// equal and the addresses are equal or one of them stands for all.
func (n *Node) PortsFree(want []Port) bool {
	for i := range want {
		for j := range n.ports {
			if collide(want[i], n.ports[j].Port) {
				return false
			}
		}
	}
	return true
}

// Collide reports whether one of some host ports cannot be used beside one of others.
func Collide(some, others []Port) bool {
	for i := range some {
		for j := range others {
			if collide(some[i], others[j]) {
				return true
			}
		}
	}
	return false
}

func collide(a, b Port) bool {
	return a.Number == b.Number && a.Protocol == b.Protocol && (a.IP == b.IP || a.IP == AnyIP || b.IP == AnyIP)
}

func (n *Node) movePorts(ports []Port, sign int64) {
	for _, p := range ports {
		n.movePort(p, int(sign))
	}
}

func (n *Node) movePort(p Port, sign int) {
	for i := range n.ports {
		if n.ports[i].Port != p {
			continue
		}
		n.ports[i].count += sign
		if n.ports[i].count == 0 {
			last := len(n.ports) - 1
			n.ports[i] = n.ports[last]
			n.ports = n.ports[:last]
		}
		return
	}
	n.ports = append(n.ports, portUse{p, sign})
}

// Clashes reports whether a host port of an allocation on this node is used by another pod there as well.
func (n *Node) Clashes(a *Allocation) bool {
	for _, p := range a.Ports {
		users := 0
		for i := range n.ports {
			if collide(p, n.ports[i].Port) {
				users += n.ports[i].count
			}
		}
		if users > 1 {
			return true
		}
	}
	return false
}
