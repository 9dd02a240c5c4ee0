package fit

import "github.com/sluice-scheduler/sluice/pkg/core/cluster"

// View is which classes of nodes an ask that is not Refused may use, judged once per class instead of once per node. The zero View is brought up to date by its
// first Update.
type View struct {
	// Classes may hold nodes that fit; all nodes of other classes refuse.
	Classes []*cluster.Class
	// ByNode: within these classes the rules that read a node's description must still be put to each node, because the ask
	// reads what classes do not tell apart.
	ByNode bool

	version uint64
	filled  bool
}

// Update judges the classes anew if they have changed.
func (v *View) Update(s *cluster.State, a Ask) {
	if v.filled && v.version == s.ClassVersion() {
		return
	}
	*v = View{Classes: v.Classes[:0], filled: true, version: s.ClassVersion(), ByNode: byNode(s, a)}
	s.Classes(func(c *cluster.Class) {
		if v.admits(a, c) {
			v.Classes = append(v.Classes, c)
		}
	})
}

// byNode reports whether an ask reads what classes do not tell apart.
func byNode(s *cluster.State, a Ask) bool { return s.SelectsWide(a.Shape) || a.Shape.Names != nil }

// Within returns those of the view's classes whose nodes may reach the ask's volumes.
func (v *View) Within(s *cluster.State, a Ask) []*cluster.Class {
	if a.Volumes == nil {
		return v.Classes
	}
	classes := v.Classes
	for _, volume := range a.Volumes.Plan().Bound {
		if volume == nil || !s.Tells(volume.Fact.Pin.Key) {
			continue
		}
		reach := make([]*cluster.Class, 0, len(classes))
		for _, c := range classes {
			if couldReach(volume.Fact, c.Like) {
				reach = append(reach, c)
			}
		}
		classes = reach
	}
	return classes
}

func (v *View) admits(a Ask, c *cluster.Class) bool {
	return unschedulable.fits(a, c.Like) && taints.fits(a, c.Like) && (v.ByNode || affinity.fits(a, c.Like)) &&
		features.fits(a, c.Like)
}

// Open reports whether Admits is true of every node of the view's classes that has room.
func (v *View) Open(a Ask) bool {
	return len(a.Shape.Ports) == 0 && !a.Yields && !v.ByNode && a.Volumes == nil && !a.Topological()
}

// Admits reports what is left to ask of a node that is in one of the view's classes and has room enough if nobody else is on the way: its host ports, its
// nominees, its description where classes do not tell, what it can do for the ask's volumes, and where other pods are.
func (v *View) Admits(a Ask, n *cluster.Node) bool {
	return fitsTopology(a, n) && ports.fits(a, n) && (len(n.Nominees) == 0 || fitsBeside(a, n)) && (!v.ByNode || named.fits(a, n) && affinity.fits(a, n)) &&
		fitsVolumes(a, n)
}
