package core

import "github.com/sluice-scheduler/sluice/pkg/core/cluster"

// Room is a pod that does not exist yet, for judges: where room is kept for it, which is empty while there is none.
type Room struct {
	Pod  *cluster.PodFact
	Node string
}

// Rooms returns what is expected of all groups.
func (c *Core) Rooms() (list []Room) {
	for _, g := range c.sortedGangs() {
		for _, p := range g.expected {
			r := Room{Pod: p.Fact}
			if p.Alloc != nil && !p.Alloc.Reserved {
				r.Node = p.Alloc.Node.Name
			}
			list = append(list, r)
		}
	}
	return list
}
