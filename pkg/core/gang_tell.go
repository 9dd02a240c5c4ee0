package core

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
	"github.com/sluice-scheduler/sluice/pkg/core/fit"
	"github.com/sluice-scheduler/sluice/pkg/core/pending"
	"github.com/sluice-scheduler/sluice/pkg/core/resource"
)

// tellGang sets the waiting pods of a gang aside and tells all of them why they wait, if that is news; there is one event for all of them, about the first.
func (c *Core) tellGang(g *gang, pods []*cluster.Pod, reason, text, kinds string) {
	for _, p := range pods {
		c.aside(p)
	}
	g.told = pending.Told{Reason: reason, Text: text, Kinds: kinds, At: c.now}
	c.tellMates(pods, g.told, true)
}

// tellFollowers tells those who wait behind the first pod of their gang what that one was told, once it was told anything.
func (c *Core) tellFollowers(g *gang, pods []*cluster.Pod) {
	if lot := g.lot(c); lot != nil {
		if l := lot.Lines()[0]; l.Waits() && l.Told != nil {
			c.tellMates(pods, *l.Told, false)
		}
	}
}

// lot returns the lot in which a gang's first pod stands for it; nil when it does not.
func (g *gang) lot(c *Core) *pending.Lot {
	if p := c.headOf(g); p != nil {
		return c.pending.Ask(p).Line().Lot
	}
	return nil
}

// tellMates tells pods of a gang why they wait.
func (c *Core) tellMates(pods []*cluster.Pod, told pending.Told, announced bool) {
	for i, p := range pods {
		a := c.pending.Ask(p)
		if a == nil || a.State != pending.Gathered {
			continue
		}
		a.Why = told.Text
		if c.leading {
			c.say(a, told.Reason, told.Text, told.Kinds, announced && i == 0)
		}
	}
}

// tellGangLine passes on to all of a gang what its first pod has been told.
func (c *Core) tellGangLine(l *pending.Line, reason, text, kinds string) {
	g := c.gangs[l.Lot.Gang.Group]
	if g == nil {
		return
	}
	g.told = pending.Told{Reason: reason, Text: text, Kinds: kinds, At: c.now}
	c.tellMates(g.group.Members(), g.told, false)
	if f := g.group.Fact(); reported(f) {
		c.reportGang(g, c.stockOf(g))
	}
}

// gangFailure says why a gang finds no room.
func (c *Core) gangFailure(g *gang, ask *pending.Gang) *pending.Failure {
	worst := c.tightest(ask)
	memory := &fit.Memory{}
	c.visited += memory.Update(c.state, worst.Ask)
	counts := memory.Counts()
	f := &pending.Failure{Nodes: c.state.KnownNodes(), Counts: counts, At: c.now}
	f.Text = fmt.Sprintf("%s starts with %s together or not at all (%s), and there is not room for all.", groupText(g, nil), countText(ask.Seats, "pod"), c.needsText(g, ask))
	if g.begun {
		f.Text = groupText(g, nil) + " must stay where its pods are by label " + g.group.Fact().Topology.Key + ", and there is no room for another one there, which asks for " + c.requestText(worst.Ask.Shape) + "."
	}
	short := worst.Rooms.Total < worst.Count
	switch {
	case g.begun:
	case short && !c.everFits(worst.Ask):
		f.Text += " No node is large enough for one that asks for " + c.requestText(worst.Ask.Shape) + ", or none may be used by it."
	case short:
		f.Text += fmt.Sprintf(" There is room for %d of the %d that ask for %s.", worst.Rooms.Total, worst.Count, c.requestText(worst.Ask.Shape))
	case g.group.Fact().Topology != nil && g.group.Fact().Topology.Required:
		f.Text += fmt.Sprintf(" All must run where %s has one value, and no value has enough room.", g.group.Fact().Topology.Key)
	default:
		f.Text += " Each kind of them has room by itself, and all together have not."
	}
	if len(counts) > 0 {
		f.Text += " Of the nodes without any, " + countsText(counts) + "."
	}
	f.Kinds = "gang: " + kinds(counts)
	return f
}

// tightest is the need for which there is the least room, by how many times it would fit.
func (c *Core) tightest(ask *pending.Gang) pending.Need {
	return slices.MinFunc(ask.Needs, func(a, b pending.Need) int { return seatOrders[0](c, a, b) })
}

// everFits reports whether an ask would fit on some node if it were empty.
func (c *Core) everFits(a fit.Ask) bool {
	c.visited += c.state.KnownNodes() / nodesPerLook
	return slices.ContainsFunc(c.state.Slots(), func(n *cluster.Node) bool { return n != nil && fit.Could(a, n) })
}

// needsText lists what a gang needs, by role: "1 jobmanager (1 cpu, 2Gi memory), 4 taskmanager (2 cpu, 4Gi memory)".
func (c *Core) needsText(g *gang, ask *pending.Gang) string {
	type kind struct {
		role  string
		shape *cluster.Shape
	}
	counts := map[kind]int{}
	var order []kind
	for _, p := range g.seats {
		k := kind{p.Role(), p.Shape}
		if counts[k] == 0 {
			order = append(order, k)
		}
		counts[k]++
	}
	list := make([]string, len(order))
	for i, k := range order {
		role := k.role
		if role == "" {
			role = "pods"
		}
		list[i] = fmt.Sprintf("%d %s with %s", counts[k], role, c.requestText(k.shape))
	}
	return strings.Join(list, ", ")
}

// requestText is what a shape asks for, for people.
func (c *Core) requestText(shape *cluster.Shape) string {
	list := make([]string, len(shape.Requests))
	for i, r := range shape.Requests {
		list[i] = resource.Display(r.Name, r.Value) + " " + r.Name
	}
	if len(list) == 0 {
		return "nothing"
	}
	return strings.Join(list, ", ")
}

func countsText(counts []fit.Count) string {
	merged := map[string]int{}
	for _, n := range counts {
		merged[n.Reason.String()] += n.Nodes
	}
	list := make([]string, 0, len(merged))
	for text, n := range merged {
		list = append(list, strconv.Itoa(n)+" "+text)
	}
	slices.Sort(list)
	return strings.Join(list, ", ")
}

// groupText names a group, and what told of it when that is known.
func groupText(g *gang, s *stock) string {
	text := "its group " + g.group.ID
	if s != nil && s.fact != nil && s.fact.Source != "" {
		text += " (" + s.fact.Source + ")"
	}
	return text
}

func countText(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return strconv.Itoa(n) + " " + what + "s"
}

func missingText(missing, of int, role string) string {
	if role != "" {
		role += " "
	}
	verb := "do"
	if missing == 1 {
		verb = "does"
	}
	return fmt.Sprintf("%d of the %d %s %s not exist", missing, of, strings.TrimSpace(role+"pods"), verb)
}

// joined lists texts in a sentence.
func joined(list []string) string {
	switch len(list) {
	case 0:
		return ""
	case 1:
		return list[0]
	}
	return strings.Join(list[:len(list)-1], ", ") + " and " + list[len(list)-1]
}
