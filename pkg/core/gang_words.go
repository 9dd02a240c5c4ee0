package core

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
	"github.com/sluice-scheduler/sluice/pkg/core/resource"
)

// deadlineText says what happens when an application's patience ends: "Flink will fail this slot request at 12:05:10 UTC (slot.request.timeout 5m)".
func deadlineText(f *cluster.GroupFact, at time.Time) string {
	ends := cmp.Or(f.Ends, "The application gives up waiting for its pods")
	clock := strings.TrimSpace(cmp.Or(f.Clock, "it waits") + " " + shortDuration(f.Patience))
	return fmt.Sprintf("%s at %s UTC (%s)", ends, at.UTC().Format(time.TimeOnly), clock)
}

// shortDuration writes a duration without the parts that are zero at its end: 5m, 1h30m, 1m30s.
func shortDuration(d time.Duration) string {
	text := d.Round(time.Second).String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

// remedy says what would help a group that does not get on by itself.
func (c *Core) remedy(x *GroupSurvey, g *gang, s *stock) string {
	switch x.Standing {
	case GroupGathering:
		if s.fact != nil {
			return "Create the pods that are missing, or let fewer be asked for together."
		}
	case GroupParked:
		return c.roomRemedy(g)
	case GroupHeldBack:
		return c.quotaRemedy(g)
	case GroupWaiting:
		if x.Reason == ReasonWaitingForTurn {
			return "What helps those who came first in its queue, or a queue that is not strict."
		}
	case GroupLapsed:
		return "Its pods are placed as they come, if there is room. If none come, see what the first pod waits for."
	}
	return ""
}

// roomRemedy says how much more room would let a group start, and where. Rooms are those of all nodes, so where all pods must be in one value of a label more may be needed.
func (c *Core) roomRemedy(g *gang) string {
	worst := c.tightest(g.ask)
	missing, each := worst.Count-worst.Rooms.Total, c.requestText(worst.Ask.Shape)
	within := ""
	if t := g.group.Fact().Topology; t != nil && t.Required {
		within = "in one value of " + t.Key
	}
	switch {
	case missing <= 0 && within != "":
		return "Room for all of them " + within + ": all values together have enough, and none has by itself."
	case missing <= 0:
		return "Room on other nodes: each kind of its pods has enough by itself, and all together have not."
	case within != "":
		return fmt.Sprintf("Room for %d more that ask for %s each, for all of them %s, on nodes that they may use.", missing, each, within)
	case worst.Rooms.Total == 0:
		return fmt.Sprintf("Room for %d that ask for %s each, on nodes that they may use: there is none for a single one.", missing, each)
	}
	return fmt.Sprintf("Room for %d more that ask for %s each, on nodes that they may use.", missing, each)
}

// quotaRemedy says how much less must be used, or how much more allowed, for a group to start.
func (c *Core) quotaRemedy(g *gang) string {
	r := g.line().Hold.Refusal
	if r.Slot < 0 {
		return fmt.Sprintf("An application of %s that ends, or a larger number of applications for it.", r.Account.Who)
	}
	name := c.state.Space.Name(r.Slot)
	asked := resource.Display(name, r.Asked) + " " + name
	if r.Never {
		return fmt.Sprintf("A max of at least %s for %s, or fewer or smaller pods. No pod that ends helps.", asked, r.Account.Who)
	}
	lacks := r.Asked - (r.Max - r.Account.Used.At(r.Slot))
	return fmt.Sprintf("%s %s less in use in %s, or so much more allowed.", resource.Display(name, lacks), name, r.Account.Who)
}

// Line says in one line how a group stands: "begun: jobmanager 1 of 1 bound, taskmanager 2 of 4 bound, room kept for 2 until 12:05:10 UTC".
func (x *GroupSurvey) Line() string {
	var parts []string
	for _, r := range x.Roles {
		parts = append(parts, r.line())
	}
	if !x.KeptUntil.IsZero() {
		parts = append(parts, "until "+x.KeptUntil.UTC().Format(time.TimeOnly)+" UTC")
	}
	text := string(x.Standing)
	if len(parts) > 0 {
		text += ": " + strings.Join(parts, ", ")
	}
	return text
}

func (r *GroupRole) line() string {
	text := fmt.Sprintf("%s %d of %d bound", cmp.Or(r.Role, "pods"), r.Bound, max(r.Count, r.Existing))
	if r.Waiting > 0 {
		text += fmt.Sprintf(", %d waiting", r.Waiting)
	}
	if kept := r.KeptPods(); kept > 0 {
		text += fmt.Sprintf(", room kept for %d", kept)
	}
	return text
}
