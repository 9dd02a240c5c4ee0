package core

import "time"

// Durations counts durations by how long they were.
type Durations struct {
	// Within holds for each of the bounds how many were as long or shorter, and longer than the bound before.
	Within [beganBounds]uint64
	// Count is of all, those beyond the last bound included, Sum their sum.
	Count uint64
	Sum   time.Duration
}

// beganBounds is how many bounds there are: from a second to some nine hours.
const beganBounds = 16

// BeganBounds are the bounds of Stats.BeganAfter: a second, and each twice the one before. Pods are created at whole seconds, so less would mean nothing.
func BeganBounds() []time.Duration {
	bounds := make([]time.Duration, beganBounds)
	for i := range bounds {
		bounds[i] = time.Second << i
	}
	return bounds
}

func (d *Durations) add(took time.Duration) {
	d.Count++
	d.Sum += took
	for i := range d.Within {
		if took <= time.Second<<i {
			d.Within[i]++
			return
		}
	}
}

// noteBegun counts a gang that begins, but not one whose pods beyond those that it needs are placed together.
func (c *Core) noteBegun(g *gang) {
	if g.begun {
		return
	}
	c.stats.Gangs++
	if oldest := g.oldest(); !oldest.IsZero() {
		c.stats.BeganAfter.add(max(0, c.now.Sub(oldest)))
	}
}

// oldest is when the oldest of a gang's pods that exist was created; zero when none exists.
func (g *gang) oldest() (at time.Time) {
	for _, p := range g.group.Members() {
		if !p.Fact.Expected && (at.IsZero() || p.Fact.Created.Before(at)) {
			at = p.Fact.Created
		}
	}
	return at
}

// countGangs counts the gangs, and the pods that they expect.
func (c *Core) countGangs(s *Stats) {
	if len(c.gangs) == 0 {
		return
	}
	s.Groups = map[GroupStanding]int{}
	for _, g := range c.gangs {
		s.Groups[g.standingOf()]++
		s.Expected += len(g.expected)
		for _, p := range g.expected {
			if p.Alloc != nil {
				s.RoomsKept++
			}
		}
	}
}
