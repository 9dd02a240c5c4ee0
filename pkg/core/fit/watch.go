package fit

import "github.com/sluice-scheduler/sluice/pkg/core/cluster"

// Watch calls f for each matcher by whose counts the ask is judged, with what may happen to them that could help. Together with changes of the nodes
// themselves that is all that can.
func (a Ask) Watch(f func(*cluster.Matcher, cluster.Stir)) {
	if b := a.Shape.Bonds; b != nil {
		for _, t := range b.Together[:min(1, len(b.Together))] {
			f(t.Of(), cluster.Arrived|cluster.Emptied)
		}
		for _, t := range b.Apart {
			f(t.Of(), cluster.Cleared)
		}
		for _, c := range b.Spread {
			f(c.Tally.Of(), cluster.Evened)
		}
	}
	if a.Kin != nil {
		for _, m := range a.Kin.Against {
			f(m, cluster.Cleared)
		}
	}
}
