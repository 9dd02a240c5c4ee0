package core

import "github.com/sluice-scheduler/sluice/pkg/core/pending"

// GroupStanding is where a group stands.
type GroupStanding string

// The standings of groups.
const (
	GroupLoose     GroupStanding = "loose"     // it asks for nothing: its pods start as they come
	GroupEmpty     GroupStanding = "empty"     // it is told of and has no pods
	GroupInvalid   GroupStanding = "invalid"   // what is told of it contradicts itself, and its pods are held
	GroupGathering GroupStanding = "gathering" // pods that it needs do not exist yet, or nothing is known of it yet
	GroupHeld      GroupStanding = "held"      // none of its pods may be tried as it is
	GroupWaiting   GroupStanding = "waiting"   // all are there, or expected, and its turn has not come
	GroupHeldBack  GroupStanding = "held-back" // its queue, user or group has not enough left for all
	GroupParked    GroupStanding = "parked"    // there is not room for all; a change that helps wakes it
	GroupDraining  GroupStanding = "draining"  // it has waited long, and room is kept for all of it on nodes as it falls free
	GroupBegun     GroupStanding = "begun"     // it has had room for all that it needs; room is kept for those that are to come
	GroupLapsed    GroupStanding = "lapsed"    // it has begun; what was to come did not come in time, and no room is kept for it any more
	GroupOver      GroupStanding = "over"      // the application has ended, or is not to run: it is owed nothing
)

// GroupStandings returns all of them, in the order in which a group passes through them.
func GroupStandings() []GroupStanding {
	return []GroupStanding{
		GroupLoose, GroupEmpty, GroupInvalid, GroupGathering, GroupHeld, GroupWaiting, GroupHeldBack, GroupParked, GroupDraining, GroupBegun, GroupLapsed, GroupOver,
	}
}

// stand says where a gang stands by what there is of it, and by why it cannot be tried, if it cannot.
func (g *gang) stand(s *stock, reason string) GroupStanding {
	switch f := s.fact; {
	case reason == ReasonInvalidGroup:
		return GroupInvalid
	case reason != "":
		return GroupGathering
	case f == nil:
		return GroupLoose
	case f.Over:
		return GroupOver
	case len(s.real) == 0 && s.kept == 0 && !g.begun:
		return GroupEmpty
	case f.Min < 2:
		return GroupLoose
	case g.begun && g.lapsed:
		return GroupLapsed
	case g.begun:
		return GroupBegun
	case len(s.waiting) == 0 && !g.headStart:
		return GroupHeld
	case g.ask != nil:
		return GroupWaiting
	}
	return GroupGathering
}

// standingOf says where a gang stands now. It is cheap.
func (g *gang) standingOf() GroupStanding {
	line := g.line()
	switch {
	case g.drain != nil:
		return GroupDraining
	case line == nil || g.standing != GroupWaiting:
		return g.standing
	}
	switch hold, failure := line.Why(); {
	case hold != nil:
		return GroupHeldBack
	case failure != nil && !line.Behind():
		return GroupParked
	}
	return GroupWaiting
}

// line is the one in which a pod stands for the gang; nil when none does.
func (g *gang) line() *pending.Line {
	if g.ask == nil || g.ask.Lot() == nil || len(g.ask.Lot().Lines()) == 0 {
		return nil
	}
	return g.ask.Lot().Lines()[0]
}
