package core

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
	"github.com/sluice-scheduler/sluice/pkg/core/fit"
	"github.com/sluice-scheduler/sluice/pkg/core/resource"
)

// What is told in events about the objects that people look at when they ask about a group. Each reason is of one event, whose note has all that there is to say for it.
const (
	// EventPodTooLarge: pods of the group are larger than any node, or suit none that is large enough.
	EventPodTooLarge = "PodTooLarge"
	// EventQuotaTooSmall: what the group needs is more than its queue, or the limit of its user or group, may ever hold.
	EventQuotaTooSmall = "QuotaTooSmall"
	// EventClusterTooSmall: a group that is renewed beside itself has not room for that on all nodes together, even if they were empty.
	EventClusterTooSmall = "ClusterTooSmall"
	// EventGroupWarning: what the source of the group itself warns of.
	EventGroupWarning = "GroupWarning"
	// EventInvalidGroup: what the source says contradicts itself.
	EventInvalidGroup = "InvalidGroup"
)

// outlook is whether a gang can ever start.
type outlook struct {
	kinds []kindOfPod
	// app is that of its pods, by whose accounts it is judged; nil while there are none: then it is by those of the queue in which a pod of such a claim would be. starts: it has not got all that it needs, twice: it will need it twice.
	app           *cluster.App
	namespace     string
	claim         *cluster.Claim
	starts, twice bool
	// hurdles are what keeps it from starting, told what has been said in events, by reason.
	hurdles []hurdle
	told    map[string]string
}

// kindOfPod is pods of a gang that ask for the same, of which so many are needed to start, which may be none of them.
type kindOfPod struct {
	role string
	need int
	ask  fit.Ask
	// demand is what they ask for where none exists; nil where ask is set.
	demand *cluster.Demand
	// settled: one of them is on a node, so that nodes are large enough.
	settled bool
}

// hurdle is something that keeps a gang from starting.
type hurdle struct{ reason, text string }

// prospects are what outlooks depend on beside the gang: which nodes and queues there are.
type prospects struct {
	nodes, tree uint64
	// at is when the gangs to which nothing had happened were judged last.
	at time.Time
	// ever remembers for demands and pins whether there is a node on which they might run.
	ever   map[everKey]bool
	everAt uint64
}

type everKey struct {
	demand *cluster.Demand
	pin    string
}

// judgedAgain is how often at most all gangs are judged because nodes or queues have changed.
const judgedAgain = time.Second

// warn judges whether a gang can ever start, and says in events what has come up.
func (c *Core) warn(g *gang, s *stock) {
	g.outlook.look(g, s)
	c.judge(g)
	c.announceGang(g, s)
}

// reviewOutlooks judges all gangs anew when nodes or queues have changed.
func (c *Core) reviewOutlooks() {
	p := &c.prospects
	if len(c.gangs) == 0 || p.nodes == c.state.FactsVersion() && p.tree == c.state.TreeVersion() {
		return
	}
	if next := p.at.Add(judgedAgain); next.After(c.now) {
		c.noteDue(next)
		return
	}
	p.nodes, p.tree, p.at = c.state.FactsVersion(), c.state.TreeVersion(), c.now
	for _, g := range c.sortedGangs() {
		old := g.outlook.hurdles
		if c.judge(g); !slices.Equal(old, g.outlook.hurdles) {
			c.state.TouchGroup(g.group) // to say so
		}
	}
}

// look notes by what a gang is to be judged.
func (o *outlook) look(g *gang, s *stock) {
	o.kinds, o.app, o.claim = o.kinds[:0], nil, nil
	if s.fact == nil || s.fact.Over {
		return
	}
	o.starts, o.twice = !g.begun || !s.satisfied(), s.fact.Twice
	for _, r := range s.fact.Roles {
		k := kindOfPod{role: r.Role, need: r.Min, settled: s.on[r.Role] > 0}
		if r.Template != nil {
			k.demand = r.Template.Demand
			o.namespace, o.claim = s.fact.Namespace, cmp.Or(o.claim, r.Template.Claim)
		}
		o.kinds = append(o.kinds, k)
	}
	lacking := len(o.kinds)
	for _, list := range [...][]*cluster.Pod{s.real, g.expected} {
		for i := 0; i < len(list) && (lacking > 0 || o.app == nil); i++ {
			o.app = cmp.Or(o.app, list[i].App)
			if k := o.kindOf(list[i].Role()); k != nil && k.ask.Shape == nil {
				k.ask, k.demand = fit.Of(list[i]), nil
				lacking--
			}
		}
	}
	o.lookAtAll(s)
}

func (o *outlook) kindOf(role string) *kindOfPod {
	for i := range o.kinds {
		if o.kinds[i].role == role {
			return &o.kinds[i]
		}
	}
	return nil
}

// lookAtAll adds the pods of a gang without roles, if all of them ask for the same.
func (o *outlook) lookAtAll(s *stock) {
	if len(s.fact.Roles) > 0 || len(s.real) == 0 {
		return
	}
	a := fit.Of(s.real[0])
	if !slices.ContainsFunc(s.real, func(p *cluster.Pod) bool { return p.Shape != a.Shape }) {
		o.kinds = append(o.kinds, kindOfPod{role: s.real[0].Role(), need: s.fact.Min, ask: a, settled: s.placed > 0})
	}
}

// judge finds the hurdles of a gang.
func (c *Core) judge(g *gang) {
	o := &g.outlook
	o.hurdles = nil
	if len(o.kinds) == 0 {
		return
	}
	all := resource.Vector{}
	for i := range o.kinds {
		k := o.kinds[i]
		if k.demand != nil {
			k.ask.Shape = c.state.Sketch(k.demand)
		}
		if k.ask.Shape == nil {
			continue
		}
		all = all.AddTo(k.ask.Shape.Request, int64(k.need))
		o.add(EventPodTooLarge, o.untilThereIs(c.tooLarge(&k), &k))
		o.add(EventClusterTooSmall, c.tooManyTwice(o, &k))
	}
	o.add(EventQuotaTooSmall, c.tooMuch(o, all))
}

// add notes a hurdle, if there is one.
func (o *outlook) add(reason, text string) {
	if text != "" {
		o.hurdles = append(o.hurdles, hurdle{reason, text})
	}
}

// tooLarge says that no node will ever do for pods of a kind; it is empty when one may.
func (c *Core) tooLarge(k *kindOfPod) string {
	if k.settled || c.state.KnownNodes() == 0 || c.mayEver(k.ask) {
		return ""
	}
	who := fmt.Sprintf("a %s, which asks for %s", cmp.Or(k.role, "pod"), c.requestText(k.ask.Shape))
	if slices.ContainsFunc(c.state.Slots(), func(n *cluster.Node) bool { return n != nil && fit.Large(k.ask, n) }) {
		return "None of the nodes that are large enough for " + who + ", suits its node selector, affinity and tolerations."
	}
	return "No node is large enough for " + who + c.mostOffered(k.ask.Shape) + "."
}

// untilThereIs adds to what is said of a kind of pods who waits for such a node: the gang, or those pods alone where it starts without them; and who may bring it. It is
// empty where nobody waits.
func (o *outlook) untilThereIs(text string, k *kindOfPod) string {
	switch {
	case text == "" || k.need > 0 && !o.starts:
		return ""
	case k.need > 0:
		text += " It cannot start until there is such a node"
	default:
		text += " It may start without, and none of these can run until there is such a node"
	}
	if o.app != nil && o.app.Queue() != nil && o.app.Queue().Gangs().ScaleUp != cluster.ScaleUpNone {
		text += ", which an autoscaler may add"
	}
	return text + "."
}

// tooManyTwice says that all nodes together, if they were empty, have not room for twice as many pods of a kind as are needed, where the gang is renewed beside itself.
func (c *Core) tooManyTwice(o *outlook, k *kindOfPod) string {
	if !o.twice || k.need == 0 || c.state.KnownNodes() == 0 || !c.mayEver(k.ask) {
		return "" // nothing is known, or worse is said already
	}
	rooms := 0
	c.visited += c.state.KnownNodes() / nodesPerLook
	for _, n := range c.state.Slots() {
		if n != nil && rooms < 2*k.need && fit.Ever(k.ask, n) {
			rooms += fit.Most(k.ask, n)
		}
	}
	if rooms >= 2*k.need {
		return ""
	}
	return fmt.Sprintf("It runs twice while it is renewed, which needs %d of %s that ask for %s each, and all nodes together, if they were empty, have room for %d. "+
		"It cannot be renewed until there are more nodes, or it asks for less.", 2*k.need, cmp.Or(k.role, "its pods"), c.requestText(k.ask.Shape), rooms)
}

// mostOffered says of the resources of which no node offers what a shape asks for how much the largest does.
func (c *Core) mostOffered(shape *cluster.Shape) string {
	var list []string
	for _, r := range shape.Requests {
		most := int64(0)
		if slot, has := c.state.Space.Slot(r.Name); has {
			for _, n := range c.state.Slots() {
				if n != nil {
					most = max(most, n.Allocatable.At(slot))
				}
			}
		}
		if most < r.Value {
			list = append(list, resource.Display(r.Name, most)+" "+r.Name)
		}
	}
	if len(list) == 0 {
		return ": none offers all of that at once"
	}
	return ": the most that one offers is " + joined(list)
}

// mayEver reports whether there is a node on which an ask might run.
func (c *Core) mayEver(a fit.Ask) bool {
	p := &c.prospects
	if p.ever == nil || p.everAt != c.state.FactsVersion() {
		p.ever, p.everAt = map[everKey]bool{}, c.state.FactsVersion()
	}
	key := everKey{a.Shape.Demand, a.Pin}
	may, known := p.ever[key]
	if !known {
		may = slices.ContainsFunc(c.state.Slots(), func(n *cluster.Node) bool { return n != nil && fit.Ever(a, n) })
		p.ever[key] = may
		c.visited += c.state.KnownNodes() / nodesPerLook
	}
	return may
}

// tooMuch says that an account may never hold all that a gang needs to start, or twice as much where it is renewed beside itself.
func (c *Core) tooMuch(o *outlook, all resource.Vector) string {
	for _, a := range c.accountsOf(o) {
		for _, most := range a.Max {
			name, need := c.state.Space.Name(most.Slot), all.At(most.Slot)
			bound := fmt.Sprintf("%s may never hold more than %s %s", a.Who, resource.Display(name, most.Value), name)
			switch {
			case o.starts && need > most.Value:
				return fmt.Sprintf("It needs %s %s to start, and %s. It cannot start until that is raised, or it asks for less.", resource.Display(name, need), name, bound)
			case o.twice && 2*need > most.Value:
				return fmt.Sprintf("It runs twice while it is renewed, which needs %s %s, and %s. It cannot be renewed until that is raised, or it asks for less.",
					resource.Display(name, 2*need), name, bound)
			}
		}
	}
	return ""
}

// accountsOf are the accounts by which a gang is judged: those of its application, or of the queues in which that would be.
func (c *Core) accountsOf(o *outlook) (list []*cluster.Account) {
	switch {
	case o.app != nil && o.app.Ledger != nil:
		return o.app.Ledger.Accounts
	case o.app != nil || o.claim == nil:
		return nil
	}
	for q := c.state.Foresee(o.namespace, o.claim); q != nil; q = q.Parent {
		list = append(list, &q.Account)
	}
	return list
}

// warnings are all that will hurt a gang: what its source says, and what has been found.
func (g *gang) warnings() (list []string) {
	if f := g.group.Fact(); f != nil {
		list = append(list, f.Warnings...)
	}
	for _, h := range g.outlook.hurdles {
		list = append(list, h.text)
	}
	return list
}

// announceGang says in events what there is to say of a gang and has not been said.
func (c *Core) announceGang(g *gang, s *stock) {
	if !c.leading {
		g.outlook.told = nil // whoever leads next says it
		return
	}
	notes := map[string][]string{}
	for _, h := range g.outlook.hurdles {
		notes[h.reason] = append(notes[h.reason], h.text)
	}
	if s.fact != nil {
		notes[EventGroupWarning], notes[EventInvalidGroup] = s.fact.Warnings, s.fact.Faults
	}
	for _, reason := range [...]string{EventInvalidGroup, EventPodTooLarge, EventQuotaTooSmall, EventClusterTooSmall, EventGroupWarning} {
		c.announceOnce(g, s, reason, strings.Join(notes[reason], "; "))
	}
}

// announceOnce says something about the object of a gang, or about its first pod where it has none, unless that was said last for this reason.
func (c *Core) announceOnce(g *gang, s *stock, reason, note string) {
	o := &g.outlook
	if note == "" {
		delete(o.told, reason)
		return
	}
	about := g.object(s)
	if about.Name == "" || o.told[reason] == note {
		return
	}
	if o.told == nil {
		o.told = map[string]string{}
	}
	o.told[reason] = note
	c.emit(AnnounceObject{Object: about, Type: TypeWarning, Reason: reason, Action: ActionScheduling, Note: note})
}

// object is what people look at when they ask about a gang: what its source names, or else its first pod; the zero value when there is neither.
func (g *gang) object(s *stock) cluster.ObjectRef {
	switch {
	case s.fact != nil && s.fact.Object.Name != "":
		return s.fact.Object
	case len(s.real) > 0:
		p := ref(s.real[0].Fact)
		return cluster.ObjectRef{APIVersion: "v1", Kind: "Pod", Namespace: p.Namespace, Name: p.Name, UID: p.UID}
	}
	return cluster.ObjectRef{}
}
