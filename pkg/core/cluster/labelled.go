package cluster

// labelled holds the known nodes by the values of those labels by which somebody has asked for them: what volumes are pinned by. Nodes with a value are in no order
// that means anything.
type labelled map[string]map[string][]*Node

// With returns the known nodes that have a label value. The slice belongs to the state.
func (s *State) With(p Pin) []*Node {
	values, indexed := s.labelled[p.Key]
	if !indexed {
		values = map[string][]*Node{}
		s.labelled[p.Key] = values
		for _, n := range s.slots {
			if n != nil {
				relist(values, n, p.Key, nil, n.Fact.Labels)
			}
		}
	}
	return values[p.Value]
}

// relabel follows that the labels of a known node have changed; nil for none.
func (s *State) relabel(n *Node, old, now map[string]string) {
	for key, values := range s.labelled {
		relist(values, n, key, old, now)
	}
}

func relist(values map[string][]*Node, n *Node, key string, old, now map[string]string) {
	was, had := old[key]
	is, has := now[key]
	if had == has && was == is {
		return
	}
	if had {
		if values[was] = cut(values[was], n); len(values[was]) == 0 {
			delete(values, was)
		}
	}
	if has {
		values[is] = append(values[is], n)
	}
}

func labelsOf(f *NodeFact) map[string]string {
	if f == nil {
		return nil
	}
	return f.Labels
}
