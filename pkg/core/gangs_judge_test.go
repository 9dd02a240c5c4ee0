package core_test

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/types"

	"github.com/sluice-scheduler/sluice/pkg/core"
	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
)

// groupID names a group.
type groupID struct{ namespace, id string }

// groupBooks are what is told of groups by itself, and the rooms that are kept.
type groupBooks struct {
	groups map[groupID][cluster.Origins]*cluster.GroupFact
	// rooms are those kept after the last step, and expected all of which pods are expected.
	rooms, expected []core.Room
	// held are assumed without a bind, for the volumes of others.
	held map[types.UID]string
	// entire are the groups of which all that they need was on nodes, or had room kept, after the last step.
	entire map[groupID]bool
	// seen counts what the histories have reached.
	seen map[string]int
}

func newGroupBooks() groupBooks {
	return groupBooks{groups: map[groupID][cluster.Origins]*cluster.GroupFact{}, held: map[types.UID]string{}, seen: map[string]int{}}
}

func (b *groupBooks) learnGroup(e core.Event) {
	switch e := e.(type) {
	case core.GroupSet:
		id := groupID{e.Group.Namespace, e.Group.ID}
		told := b.groups[id]
		told[e.Group.Origin] = e.Group
		b.groups[id] = told
	case core.GroupGone:
		id := groupID{e.Namespace, e.ID}
		told := b.groups[id]
		told[e.Origin] = nil
		b.groups[id] = told
	}
}

func (b *groupBooks) everyGroup(tell func(core.Event)) {
	for _, id := range slices.SortedFunc(maps.Keys(b.groups), func(x, y groupID) int { return strings.Compare(x.id, y.id) }) {
		for _, f := range b.groups[id] {
			if f != nil {
				tell(core.GroupSet{Group: f})
			}
		}
	}
}

// party is what there is of a group by a plain reading.
type party struct {
	id   groupID
	fact *cluster.GroupFact
	// members are its pods by whose turn is first; those that are on their way out and on no node are none.
	members []*cluster.PodFact
	// kept are the rooms for those that are to come.
	kept []core.Room
}

// groupOf is the group of a pod; its id is empty for none.
func (j *judge) groupOf(uid types.UID) groupID {
	if c := j.claims[uid]; c != nil && c.Group != "" {
		return groupID{j.pods[uid].Namespace, c.Group}
	}
	return groupID{}
}

func (j *judge) parties() []*party {
	all := map[groupID]*party{}
	at := func(id groupID) *party {
		if all[id] == nil {
			all[id] = &party{id: id}
		}
		return all[id]
	}
	for _, uid := range slices.Sorted(maps.Keys(j.pods)) {
		p := j.pods[uid]
		if id := j.groupOf(uid); id.id != "" && p.Ours {
			x := at(id)
			if own := j.claims[uid].Gang; own != nil && (x.fact == nil || cmp.Or(cmp.Compare(own.Origin, x.fact.Origin), cmp.Compare(own.Key, x.fact.Key)) < 0) {
				x.fact = own
			}
			if j.at[uid] != "" || !p.Deleting {
				x.members = append(x.members, p)
			}
		}
	}
	for id, told := range j.groups {
		for _, f := range told {
			if x := at(id); f != nil && (x.fact == nil || f.Origin < x.fact.Origin) {
				x.fact = f
			}
		}
	}
	for _, room := range j.rooms {
		x := at(groupID{room.Pod.Namespace, room.Pod.Claim.Group})
		x.kept = append(x.kept, room)
	}
	list := slices.SortedFunc(maps.Values(all), func(a, b *party) int {
		return cmp.Or(cmp.Compare(a.id.namespace, b.id.namespace), cmp.Compare(a.id.id, b.id.id))
	})
	for _, x := range list {
		slices.SortFunc(x.members, func(a, b *cluster.PodFact) int { return cluster.CompareTurn(a, b) })
	}
	return list
}

// asks reports whether a group asks for anything that it is to have before it starts.
func (x *party) asks() bool { return x.fact != nil && !x.fact.Over && x.fact.Min > 1 }

// on are the nodes of its members and of the rooms kept for it, by role.
func (x *party) on(j *judge) (byRole map[string]int, nodes []string) {
	byRole = map[string]int{}
	for _, p := range x.members {
		if node := j.at[p.UID]; node != "" {
			byRole[j.claims[p.UID].Role]++
			nodes = append(nodes, node)
		}
	}
	for _, room := range x.kept {
		byRole[room.Pod.Claim.Role]++
		nodes = append(nodes, room.Node)
	}
	return byRole, nodes
}

// gathering are the groups that have not begun, those that are held, and those whose pods wait for each other.
func (j *judge) gathering() map[groupID]bool {
	list := map[groupID]bool{}
	b := j.books()
	for _, x := range j.parties() {
		_, nodes := x.on(j)
		list[x.id] = x.id.id != "" && (x.fact == nil || x.asks() && (len(nodes) == 0 || x.fact.Together || x.mayBeHead(j)) || x.invalid(j, b))
	}
	return list
}

// begins is what had begun before a step, and where it was.
type begins map[groupID][]string

func (j *judge) begun() begins {
	b := begins{}
	for _, x := range j.parties() {
		if _, nodes := x.on(j); len(nodes) > 0 {
			b[x.id] = nodes
		}
	}
	return b
}

// lookIn takes in what the core expects, and forgets what is not assumed any more.
func (j *judge) lookIn(c *core.Core) {
	j.expected, j.rooms = c.Rooms(), nil
	for _, room := range j.expected {
		if room.Node != "" {
			j.rooms = append(j.rooms, room)
		}
	}
	for uid, node := range j.held {
		p := j.pods[uid]
		if p != nil {
			if x := c.Explain(p.Namespace, p.Name); x.Pod.UID == uid && x.Standing == core.StandingAssumed && x.Node == node {
				continue
			}
		}
		delete(j.held, uid)
		if p != nil && p.Node == "" && j.inFlight[uid] == "" {
			delete(j.at, uid)
		}
	}
}

// judgeRooms judges the rooms that are new after a step.
func (j *judge) judgeRooms(before []core.Room) error {
	for i, room := range j.rooms {
		if slices.ContainsFunc(before, func(o core.Room) bool {
			return o.Pod.UID == room.Pod.UID && o.Node == room.Node && o.Pod.Demand == room.Pod.Demand
		}) {
			continue
		}
		n := j.nodes[room.Node]
		if n == nil || j.quarantined[n.UID] {
			return fmt.Errorf("room for %s is kept on %s, which does not exist", room.Pod.Name, room.Node)
		}
		all := j.rooms
		j.rooms = slices.Delete(slices.Clone(all), i, i+1)
		err := j.allowed(room.Pod, n)
		app := appID{room.Pod.Namespace, room.Pod.Claim.App}
		if b := j.books(); err == nil && b.homes[app].path != "" { // what has lost its queue stays where it was as long as anything of it does
			err = b.quotaOf(app, room.Pod)
		}
		j.rooms = all
		if err != nil {
			return fmt.Errorf("room for %s on %s: %w", room.Pod.Name, room.Node, err)
		}
	}
	return nil
}

// judgeHeld takes in what is assumed without a word: the binds that wait for the volumes of a gang.
func (j *judge) judgeHeld(c *core.Core) error {
	for _, uid := range slices.Sorted(maps.Keys(j.pods)) {
		p := j.pods[uid]
		if j.at[uid] != "" || !p.Ours || p.Node != "" {
			continue
		}
		x := c.Explain(p.Namespace, p.Name)
		if x.Standing != core.StandingAssumed || j.inFlight[uid] != "" {
			continue
		}
		if err := j.judgePlacing(core.Bind{Pod: core.PodRef{UID: uid, Namespace: p.Namespace, Name: p.Name}, Node: x.Node}, core.PrepareVolumes{}); err != nil {
			return fmt.Errorf("held: %w", err)
		}
		j.at[uid], j.held[uid] = x.Node, x.Node
	}
	return nil
}

// judgeBegins judges what a step has done for groups.
func (j *judge) judgeBegins(before begins, effects []core.Effect) error {
	bound := map[groupID]bool{}
	for _, e := range effects {
		if b, ok := e.(core.Bind); ok && j.pods[b.Pod.UID] != nil {
			bound[j.groupOf(b.Pod.UID)] = true
		}
	}
	for _, x := range j.parties() {
		byRole, nodes := x.on(j)
		if !x.asks() || len(nodes) == 0 {
			continue
		}
		if len(before[x.id]) > 0 || len(nodes) == len(x.kept) { // it ran before, or its room is kept for its return
			continue
		}
		if err := j.judgeDomain(x, nodes); err != nil {
			return err
		}
		if len(nodes) < x.fact.Min {
			return fmt.Errorf("group %s begins with %d of %d", x.id.id, len(nodes), x.fact.Min)
		}
		for _, role := range x.fact.Roles {
			if byRole[role.Role] < role.Min {
				return fmt.Errorf("group %s begins with %d of %d %s", x.id.id, byRole[role.Role], role.Min, role.Role)
			}
		}
		if len(x.fact.Faults) > 0 {
			return fmt.Errorf("group %s begins in spite of its faults", x.id.id)
		}
		j.seen["at once"]++
		prepares := 0
		for _, p := range x.members {
			if _, is := j.preparing[p.UID]; is {
				prepares++
			}
		}
		if prepares > 0 && bound[x.id] && len(nodes)-prepares < x.fact.Min {
			return fmt.Errorf("group %s: a pod is bound while the volumes of %d others are prepared", x.id.id, prepares)
		}
		if prepares > 0 {
			j.seen["after volumes"]++
		}
	}
	return nil
}

// judgeDomain holds that a group which must stay in one domain starts in one; those beyond the least that it needs stand for themselves.
func (j *judge) judgeDomain(x *party, after []string) error {
	t := x.fact.Topology
	if t == nil || !t.Required {
		return nil
	}
	valueOf := func(node string) string {
		if n := j.nodes[node]; n != nil {
			return n.Labels[t.Key]
		}
		return "?"
	}
	most := 0
	for value, n := range valueCounts(after, valueOf) {
		if value != "" {
			most = max(most, n)
		}
	}
	if most < x.fact.Min {
		return fmt.Errorf("group %s is to start in one %s, and %d are in that with the most", x.id.id, t.Key, most)
	}
	j.seen["in a domain"]++
	return nil
}

func valueCounts(nodes []string, valueOf func(string) string) map[string]int {
	counts := map[string]int{}
	for _, n := range nodes {
		counts[valueOf(n)]++
	}
	return counts
}

// judgeAwaiting says what is wrong with placing a pod for the sake of what is told of its group.
func (j *judge) judgeAwaiting(p *cluster.PodFact, now time.Time) error {
	id := j.groupOf(p.UID)
	if id.id == "" {
		return nil
	}
	for _, x := range j.parties() {
		if x.id != id {
			continue
		}
		switch c := j.claims[p.UID]; {
		case x.fact == nil && c.Awaits == cluster.AwaitsAlways:
			return fmt.Errorf("nobody tells of group %s", id.id)
		case x.fact == nil && c.Awaits == cluster.AwaitsSoon && now.Before(p.Created.Add(10*time.Second)):
			return fmt.Errorf("somebody may tell of group %s soon", id.id)
		case x.fact != nil && len(x.fact.Faults) > 0 && p.Needs == nil && j.inFlight[p.UID] == "":
			return fmt.Errorf("group %s has faults", id.id)
		}
	}
	return nil
}

// seats are the pods with which a group would begin, by the rule that is written down: of each role as many as it needs, those first whose turn is, and then others; nil when some are missing.
func (x *party) seats(j *judge, c *core.Core) (list []*cluster.PodFact) {
	var waiting []*cluster.PodFact
	for _, p := range x.members {
		standing := c.Explain(p.Namespace, p.Name).Standing
		if j.at[p.UID] == "" && !p.Gated && (standing == core.StandingGathered || standing == core.StandingParked || standing == core.StandingHeldBack || standing == core.StandingReady) {
			waiting = append(waiting, p)
		}
	}
	if len(waiting) == 0 {
		return nil
	}
	taken := map[types.UID]bool{}
	for _, role := range x.fact.Roles {
		need := role.Min
		for _, p := range waiting {
			if need > 0 && j.claims[p.UID].Role == role.Role {
				list, taken[p.UID] = append(list, p), true
				need--
			}
		}
		if need > 0 && role.Template == nil {
			return nil
		}
		for range need {
			list = append(list, x.foreseen(j, role, waiting[0]))
		}
	}
	for _, p := range waiting {
		if len(list) < x.fact.Min && !taken[p.UID] {
			list = append(list, p)
		}
	}
	if len(list) < x.fact.Min || !slices.ContainsFunc(list, func(p *cluster.PodFact) bool { return p.UID != "" }) {
		return nil // of those that it needs none exists
	}
	return list
}

// foreseen is a pod that is to come: as the core expects it, for it may have learned from others of its role.
func (x *party) foreseen(j *judge, role cluster.RoleFact, like *cluster.PodFact) *cluster.PodFact {
	f := *role.Template
	for _, e := range j.expected {
		if e.Pod.Namespace == x.id.namespace && e.Pod.Claim.Group == x.id.id && e.Pod.Claim.Role == role.Role {
			f = *e.Pod
		}
	}
	f.Namespace, f.UID = x.id.namespace, ""
	claim := *j.claims[like.UID]
	claim.Role, claim.Group = role.Role, x.id.id
	f.Claim = &claim
	return &f
}

// mayBeHead reports whether pods that start others are on nodes and not all that the group needs, so that they may have been started without the others, which are a gang of their own then.
func (x *party) mayBeHead(j *judge) bool {
	byRole, _ := x.on(j)
	return !x.whole(j) && slices.ContainsFunc(x.fact.Roles, func(r cluster.RoleFact) bool { return r.First && byRole[r.Role] > 0 })
}

// onlyFirst reports whether no pods are on nodes but those that start the others, which may have been started without them.
func (x *party) onlyFirst(j *judge) bool {
	byRole, nodes := x.on(j)
	first := 0
	for _, role := range x.fact.Roles {
		if role.First {
			first += byRole[role.Role]
		}
	}
	return first == len(nodes) && !x.whole(j)
}

// whole reports whether all that a group needs is on nodes.
func (x *party) whole(j *judge) bool {
	byRole, nodes := x.on(j)
	for _, role := range x.fact.Roles {
		if byRole[role.Role] < role.Min {
			return false
		}
	}
	return len(nodes) >= x.fact.Min
}

// invalid reports whether a group contradicts itself.
func (x *party) invalid(j *judge, b *books) bool {
	queues, keys := map[string]bool{}, map[string]bool{}
	least := cluster.Origins
	for _, p := range x.members {
		if path := b.homes[j.appOf(p.UID)].path; path != "" {
			queues[path] = true
		}
	}
	for uid, p := range j.pods {
		if own := j.claims[uid]; p.Ours && j.groupOf(uid) == x.id && own.Gang != nil {
			if own.Gang.Origin < least {
				least = own.Gang.Origin
				clear(keys)
			}
			if own.Gang.Origin == least {
				keys[own.Gang.Key] = true
			}
		}
	}
	return len(x.fact.Faults) > 0 || len(queues) > 1 || len(keys) > 1
}

// checkStarts holds, when nothing has happened for a while, that each group that can begin has begun.
func (r *runner) checkStarts() {
	j, c := r.judge, r.cores[0]
	if !j.leading || c.Stats().Reserved > 0 || len(r.prepared) > 0 {
		return
	}
	b := j.books()
	for _, x := range j.parties() {
		if _, nodes := x.on(j); !x.asks() || len(nodes) > 0 || x.invalid(j, b) {
			continue
		}
		seats := x.seats(j, c)
		if len(seats) == 0 || slices.ContainsFunc(seats, func(p *cluster.PodFact) bool { return p.Needs != nil }) {
			continue
		}
		j.seen["searched"]++
		if !r.fitsQuota(seats) {
			continue
		}
		shapes := map[string]bool{}
		for _, p := range seats {
			shapes[p.Demand.Key+p.Pin] = true
		}
		at := r.packing(x, seats)
		if at != nil && len(shapes) > 1 {
			j.seen["packings missed"]++ // seats are placed one after the other in few orders, which does not find every packing of different ones
			continue
		}
		require.Nil(r.t, at, "group %s fits and has not begun", x.id.id)
	}
}

// fitsQuota reports whether all seats together have quota.
func (r *runner) fitsQuota(seats []*cluster.PodFact) bool {
	j := r.judge
	real := j.rooms
	defer func() { j.rooms = real }()
	for _, p := range seats {
		if j.books().quotaOf(appID{p.Namespace, p.Claim.App}, p) != nil {
			return false
		}
		j.rooms = append(slices.Clone(j.rooms), core.Room{Pod: p, Node: "nowhere"})
	}
	return true
}

// packing returns nodes on which all seats fit together, by trying all there are; nil when there are none.
func (r *runner) packing(x *party, seats []*cluster.PodFact) []string {
	seats = slices.Clone(seats)
	slices.SortStableFunc(seats, func(a, b *cluster.PodFact) int { return cmp.Compare(a.Demand.Key+a.Pin, b.Demand.Key+b.Pin) })
	names := slices.Sorted(maps.Keys(r.judge.nodes))
	t := x.fact.Topology
	if t == nil || !t.Required {
		return r.pack(seats, names, 0)
	}
	domains := map[string][]string{}
	for _, name := range names {
		if value, has := r.judge.nodes[name].Labels[t.Key]; has {
			domains[value] = append(domains[value], name)
		}
	}
	for _, value := range slices.Sorted(maps.Keys(domains)) {
		if at := r.pack(seats, domains[value], 0); at != nil {
			return at
		}
	}
	return nil
}

// pack places the first seat on each node from a first one on, and the others after it; equal seats stand in the order of their nodes.
func (r *runner) pack(seats []*cluster.PodFact, nodes []string, from int) []string {
	if len(seats) == 0 {
		return []string{}
	}
	j, p := r.judge, seats[0]
	real := j.rooms
	defer func() { j.rooms = real }()
	for i := from; i < len(nodes); i++ {
		n := j.nodes[nodes[i]]
		if p.Pin != "" && p.Pin != n.Name || j.quarantined[n.UID] || j.allowed(p, n) != nil {
			continue
		}
		j.rooms = append(slices.Clone(real), core.Room{Pod: p, Node: n.Name})
		next := 0
		if len(seats) > 1 && seats[1].Demand.Key+seats[1].Pin == p.Demand.Key+p.Pin {
			next = i
		}
		if rest := r.pack(seats[1:], nodes, next); rest != nil {
			return append([]string{n.Name}, rest...)
		}
	}
	return nil
}

// partial reports whether something of a group is on nodes and not all that it needs. What that means depends on what was before, which a new core cannot know.
func (j *judge) partial() bool {
	return slices.ContainsFunc(j.parties(), func(x *party) bool {
		_, nodes := x.on(j)
		return x.asks() && len(nodes) > 0 && (x.fact.Together || !x.whole(j))
	})
}

// harmless reports whether an event takes nothing from any group: a pod has come that asks for what was foreseen, or a bind has ended well.
func (j *judge) harmless(e core.Event) bool {
	switch e := e.(type) {
	case core.PodSet:
		p, old := e.Pod, j.pods[e.Pod.UID]
		if old != nil {
			return !p.Terminal && p.Demand == old.Demand && p.Claim == old.Claim && (p.Node == old.Node || p.Node == j.inFlight[p.UID])
		}
		return p.Ours && !p.Terminal && p.Node == "" && j.foreseen(p)
	case core.BindDone:
		return e.Outcome == core.Bound || j.inFlight[e.UID] != e.Node
	}
	return false
}

// foreseen reports whether a pod is in no group, or room is kept for just such a one in its group.
func (j *judge) foreseen(p *cluster.PodFact) bool {
	if p.Claim == nil || p.Claim.Group == "" {
		return true
	}
	return p.Pin == "" && p.Needs == nil && slices.ContainsFunc(j.rooms, func(r core.Room) bool {
		return r.Pod.Namespace == p.Namespace && r.Pod.Claim.Group == p.Claim.Group && r.Pod.Claim.Role == p.Claim.Role && r.Pod.Demand.Key == p.Demand.Key
	})
}

// judgeWhole holds that a group keeps what it has: on nodes and kept are none, or at least what it needs, until a member goes, or one takes a place that it turns out not to fit in, which it
// is told.
func (j *judge) judgeWhole(upset bool, told map[groupID]bool) error {
	before := j.entire
	j.entire = map[groupID]bool{}
	b := j.books()
	for _, x := range j.parties() {
		if !x.asks() || x.invalid(j, b) {
			continue
		}
		byRole, nodes := x.on(j)
		if j.entire[x.id] = x.whole(j); before[x.id] && !j.entire[x.id] && !upset && !told[x.id] && !x.overdrawn(b) {
			return fmt.Errorf("group %v had all of its %d pods and has %d, %v, though nothing has happened to it", x.id, x.fact.Min, len(nodes), byRole)
		}
	}
	return nil
}

// overdrawn reports whether a group's queue may hold no more of its pods, so that even one who takes the place of another is refused, as when its bounds have been lowered.
func (x *party) overdrawn(b *books) bool {
	return slices.ContainsFunc(x.members, func(p *cluster.PodFact) bool { return b.quota(p) != nil })
}

// short is how many pods a group is still to get for which no room is kept.
func (x *party) short(j *judge) (n int) {
	for _, e := range j.expected {
		if e.Node == "" && e.Pod.Claim.Group == x.id.id && e.Pod.Namespace == x.id.namespace {
			n++
		}
	}
	return n
}

// judgeOwed holds that no room is given to who comes anew while it is missing for a pod that a group which has begun is still to get.
func (j *judge) judgeOwed(before begins, effects []core.Effect) error {
	fresh := map[types.UID]string{}
	for _, e := range effects {
		if b, ok := e.(core.Bind); ok && len(before[j.groupOf(b.Pod.UID)]) == 0 {
			fresh[b.Pod.UID] = b.Node
		}
	}
	if len(fresh) == 0 || j.keeps { // room may have been kept for one of them from before
		return nil
	}
	real := j.at
	defer func() { j.at = real }()
	j.at = maps.Clone(real)
	for uid := range fresh {
		delete(j.at, uid)
	}
	for _, x := range j.parties() {
		if !x.asks() || len(before[x.id]) == 0 || x.onlyFirst(j) {
			continue
		}
		if top := x.fact.Topology; x.short(j) != 1 || top != nil && top.Required {
			continue // room is kept for all of them or none; or not any node will do
		}
		for _, e := range j.expected {
			if e.Node != "" || e.Pod.Claim.Group != x.id.id || e.Pod.Namespace != x.id.namespace {
				continue
			}
			j.seen["owed"]++
			if j.books().quotaOf(appID{e.Pod.Namespace, e.Pod.Claim.App}, e.Pod) != nil {
				continue
			}
			for uid, node := range fresh {
				if n := j.nodes[node]; j.pods[uid].Priority <= e.Pod.Priority && j.allowed(e.Pod, n) == nil {
					return fmt.Errorf("%s got room on %s, which %s is owed", uid, node, e.Pod.Name)
				}
			}
		}
	}
	return nil
}
