package core

import (
	"errors"
	"fmt"
	"slices"
)

// verifySurvey holds that what is shown of a gang adds up, and that what its standing says of it is so.
func (c *Core) verifySurvey(g *gang) error {
	if c.unfinished || c.state.AnyTouched() {
		return nil
	}
	x, id := c.surveyGroup(g), g.group.ID
	var faults []error
	wrong := func(format string, args ...any) {
		faults = append(faults, fmt.Errorf("group %s is shown as %s, and "+format, append([]any{id, x.Line()}, args...)...))
	}
	placed, existing, expected, kept := 0, 0, 0, c.stockOf(g).kept
	for _, r := range x.Roles {
		if r.Bound+r.Assumed+r.Waiting != r.Existing {
			wrong("%d of role %s are bound, %d assumed and %d wait", r.Bound, r.Role, r.Assumed, r.Waiting)
		}
		placed += r.Bound + r.Assumed
		existing += r.Existing
		expected += r.Expected
	}
	if kept > 0 && x.Standing != GroupBegun && x.Standing != GroupDraining {
		wrong("room is kept for %d", kept)
	}
	switch least := c.stockOf(g).fact; x.Standing {
	case GroupEmpty:
		if existing+expected > 0 {
			wrong("has %d pods", existing)
		}
	case GroupInvalid, GroupGathering, GroupHeldBack, GroupParked, GroupDraining:
		if c.leading && (x.Reason == "" || x.Message == "") {
			wrong("there is no reason or no message: %q, %q", x.Reason, x.Message)
		}
	case GroupBegun:
		if placed+kept == 0 || least == nil || least.Min < 2 {
			wrong("nothing of it is on nodes, or it asks for nothing")
		}
		if kept > 0 && !x.KeptUntil.After(c.now) {
			wrong("the time is over until which room is kept: %s", x.KeptUntil)
		}
	case GroupLapsed:
		if expected > 0 {
			wrong("%d are expected", expected)
		}
	}
	if !slices.Contains(GroupStandings(), x.Standing) {
		wrong("that is no standing")
	}
	return errors.Join(faults...)
}
