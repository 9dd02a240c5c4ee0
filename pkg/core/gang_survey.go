package core

import (
	"cmp"
	"slices"
	"time"

	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
	"github.com/sluice-scheduler/sluice/pkg/core/fit"
	"github.com/sluice-scheduler/sluice/pkg/core/resource"
)

// GroupSurvey is a group as it stands: what is told of it and by whom, what there is of it, for whom room is kept, what it waits for and until when that may take.
type GroupSurvey struct {
	Namespace, ID string
	Standing      GroupStanding
	// Sources are who tells of it: what the first says holds, and overrules the others.
	Sources []GroupSource
	// Min is how many pods start together.
	Min int
	// Apps are the applications of its pods, Queue that of the first of them.
	Apps  []string
	Queue string
	// Topology is the node label of which all its pods are to have one value, if any; Required says that it waits rather than be spread.
	Topology string
	Required bool
	// Roles are those that are told of, and those that its pods have besides, by name.
	Roles []GroupRole
	// Since is when the oldest of its pods was created.
	Since time.Time
	// KeptSince is since when pods are expected for which room is kept, KeptUntil until when that goes on.
	KeptSince, KeptUntil time.Time
	// Deadline is when the application gives up waiting for what is missing, Patience how long it waits, and DeadlineText the same in words; zero while nothing is missing or it is not known.
	Deadline     time.Time
	Patience     time.Duration
	DeadlineText string
	// Reason and Message are what its waiting pods are told, if any wait for it; Counts are why nodes refuse the pod for which there is the least room.
	Reason, Message string
	Nodes           int
	Counts          []fit.Count
	// Faults are contradictions in what is told of it, Warnings what will hurt; Remedy is what would help now, if anything must be done.
	Faults, Warnings []string
	Remedy           string
}

// GroupSource is somebody who tells of a group.
type GroupSource struct {
	Origin cluster.Origin
	// Source is what it tells, in words.
	Source string
	Object cluster.ObjectRef
}

// GroupRole is a group's pods of one role.
type GroupRole struct {
	Role string
	// Min is how many of them are among those that start together, Count how many there are to be. First: they start the others.
	Min, Count int
	First      bool
	// Existing are those that exist: Bound, Assumed (on their way) or Waiting, for their turn, for room or for something else.
	Existing, Bound, Assumed, Waiting int
	// Expected are those that do not exist yet and are wanted, Kept the nodes on which room is kept for them; or, as it falls free, for those that have waited
	// long.
	Expected int
	Kept     []KeptRoom
	// Each is what one of them asks for.
	Each resource.Amounts
}

// KeptRoom is room on a node for pods that do not exist yet, or still wait.
type KeptRoom struct {
	Node string
	Pods int
}

// KeptPods is for how many room is kept.
func (r *GroupRole) KeptPods() (n int) {
	for _, k := range r.Kept {
		n += k.Pods
	}
	return n
}

// Group surveys a group; known is false when there is none of that namespace and ID. It is a query, to be made between steps.
func (c *Core) Group(namespace, id string) (survey GroupSurvey, known bool) {
	g := c.gangs[c.state.Group(namespace, id)]
	if g == nil {
		return GroupSurvey{Namespace: namespace, ID: id}, false
	}
	return c.surveyGroup(g), true
}

// Groups surveys all groups, by namespace and ID. It is a query, to be made between steps; the cost is that of passing all pods of groups: some
// tens of milliseconds for 100,000.
func (c *Core) Groups() []GroupSurvey {
	list := make([]GroupSurvey, 0, len(c.gangs))
	for _, g := range c.sortedGangs() {
		list = append(list, c.surveyGroup(g))
	}
	return list
}

func (c *Core) surveyGroup(g *gang) GroupSurvey {
	s := c.stockOf(g)
	x := GroupSurvey{Namespace: g.group.Namespace, ID: g.group.ID, Standing: g.standingOf()}
	for _, f := range g.group.Facts() {
		x.Sources = append(x.Sources, GroupSource{Origin: f.Origin, Source: f.Source, Object: f.Object})
	}
	if f := s.fact; f != nil {
		x.Min, x.Patience = f.Min, f.Patience
		x.Faults = f.Faults
		if f.Topology != nil {
			x.Topology, x.Required = f.Topology.Key, f.Topology.Required
		}
	}
	x.Warnings = g.warnings()
	c.surveyPods(&x, g, s)
	c.surveyWait(&x, g, s)
	c.surveyClocks(&x, g, s)
	x.Remedy = c.remedy(&x, g, s)
	return x
}

// surveyPods counts the pods by role, and says to whom they belong.
func (c *Core) surveyPods(x *GroupSurvey, g *gang, s *stock) {
	t := roleTable{}
	if s.fact != nil {
		for _, r := range s.fact.Roles {
			row := t.row(r.Role)
			row.Min, row.Count, row.First = r.Min, r.Count, r.First
			if r.Template != nil {
				row.Each = r.Template.Demand.Requests
			}
		}
	}
	for _, p := range g.expected {
		t.row(p.Role()).expect(p)
	}
	for _, p := range s.real {
		t.row(p.Role()).add(p)
		x.Apps = append(x.Apps, p.App.ID)
		if q := p.App.Queue(); q != nil && x.Queue == "" {
			x.Queue = q.Name
		}
		if x.Since.IsZero() || p.Fact.Created.Before(x.Since) {
			x.Since = p.Fact.Created
		}
	}
	if len(s.real) == 0 && len(g.expected) > 0 {
		x.Apps = []string{g.expected[0].App.ID}
		if q := g.expected[0].App.Queue(); q != nil {
			x.Queue = q.Name
		}
	}
	slices.Sort(x.Apps)
	x.Apps = slices.Compact(x.Apps)
	x.Roles = t.sorted()
}

// roleTable is what there is of each role.
type roleTable []*GroupRole

func (t *roleTable) row(role string) *GroupRole {
	for _, r := range *t {
		if r.Role == role {
			return r
		}
	}
	r := &GroupRole{Role: role}
	*t = append(*t, r)
	return r
}

// sorted lists the rows: the roles that start others first, then by name.
func (t roleTable) sorted() (list []GroupRole) {
	for _, r := range t {
		slices.SortFunc(r.Kept, func(a, b KeptRoom) int { return cmp.Compare(a.Node, b.Node) })
		list = append(list, *r)
	}
	slices.SortFunc(list, func(a, b GroupRole) int { return cmp.Or(cluster.Last(!a.First, !b.First), cmp.Compare(a.Role, b.Role)) })
	return list
}

// add counts a pod that exists. What such a pod asks for is known better than what was told.
func (r *GroupRole) add(p *cluster.Pod) {
	r.Existing++
	r.Each = p.Shape.Requests
	switch {
	case p.Alloc == nil:
		r.Waiting++
	case p.Alloc.Reserved:
		r.Waiting++
		r.keep(p.Alloc.Node.Name)
	case p.Alloc.Bound:
		r.Bound++
	default:
		r.Assumed++
	}
}

// expect counts a pod that does not exist yet.
func (r *GroupRole) expect(p *cluster.Pod) {
	r.Expected++
	r.Each = p.Shape.Requests
	if p.Alloc != nil {
		r.keep(p.Alloc.Node.Name)
	}
}

// keep counts room that is kept on a node.
func (r *GroupRole) keep(at string) {
	if i := slices.IndexFunc(r.Kept, func(k KeptRoom) bool { return k.Node == at }); i >= 0 {
		r.Kept[i].Pods++
		return
	}
	r.Kept = append(r.Kept, KeptRoom{at, 1})
}

// surveyWait says what the pods of a group that has not begun wait for.
func (c *Core) surveyWait(x *GroupSurvey, g *gang, s *stock) {
	x.Reason, x.Message = c.whyWaits(g, s)
	switch x.Standing {
	case GroupParked:
		_, failure := g.line().Why()
		x.Nodes, x.Counts = failure.Nodes, slices.Clone(failure.Counts)
	case GroupOver:
		x.Message = s.fact.Why
	}
}

// surveyClocks says until when room is kept, and until when the application waits.
func (c *Core) surveyClocks(x *GroupSurvey, g *gang, s *stock) {
	if s.fact == nil || x.Standing != GroupBegun {
		return
	}
	if !g.owing.IsZero() && len(g.expected) > 0 {
		x.KeptSince, x.KeptUntil = g.owing, c.keepUntil(g, s)
	}
	if x.Deadline = g.deadline(s); !x.Deadline.IsZero() {
		x.DeadlineText = deadlineText(s.fact, x.Deadline)
	}
}

// deadline is when the application gives up waiting for those that are missing of what it needs: its patience begins when the first pod is ready, and each time that it asks for others in the
// place of lost ones, which shows in when these were created, or else in since when they are expected. It is zero when nothing is missing, or when it cannot be told.
func (g *gang) deadline(s *stock) time.Time {
	first := s.first()
	if s.fact.Patience == 0 || first == nil || first.Fact.Ready.IsZero() || s.satisfied() {
		return time.Time{}
	}
	asked := g.owing
	for _, p := range s.real {
		if waits := p.Alloc == nil || p.Alloc.Reserved; waits && (asked.IsZero() || p.Fact.Created.Before(asked)) {
			asked = p.Fact.Created
		}
	}
	return later(first.Fact.Ready, asked).Add(s.fact.Patience)
}
