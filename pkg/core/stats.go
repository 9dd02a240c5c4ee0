package core

// Stats are counters since the core was made, and the present numbers of pods. They take no part in decisions.
type Stats struct {
	// Attempts by result.
	Scheduled, Unschedulable, Errors uint64
	// QuotaRefused counts how often pods of equal accounts were held back for want of quota.
	QuotaRefused uint64
	// NodesVisited is how many nodes were looked at in all.
	NodesVisited uint64
	// Bound counts binds confirmed, Refused those refused, Recalled those asked back in time.
	Bound, Refused, Recalled uint64
	// Stolen counts rooms that another scheduler took after we had assumed them.
	Stolen uint64
	// Rejected counts pods of ours that a kubelet refused, by its reason.
	Rejected map[string]uint64
	// Elsewhere counts our pods that another scheduler bound.
	Elsewhere uint64
	// Woken counts groups of equal pods woken because a node changed so that they fit, or because something happened to their claims.
	Woken uint64
	// VolumesFailed counts pods that were taken off their node again because their claims were not bound.
	VolumesFailed uint64

	// Ready, Parked, Backoff, Gated, Held and Assumed are pods of ours that are not bound: about to be tried, waiting for room, waiting out a
	// refusal, gated, held for a reason of their own, on their way.
	Ready, Parked, Backoff, Gated, Held, Assumed int
	// HeldBack are those whose queue, user or group has no quota left for them.
	HeldBack int
	// Reserved are those for which room is kept on a node as it falls free; Reservations counts how often that began, Expired how often it ended in vain.
	Reserved              int
	Reservations, Expired uint64
	// Gathered are those that wait with their group, Expected those that do not exist yet and for which room is kept or wanted. Gangs counts groups that were started, Kept the rooms kept for
	// expected pods, Arrived those that a real pod took, Lapsed how often room was given up because what was expected did not come in time.
	Gathered, Expected int
	// Drains counts how often nodes began to be drained for a gang, HeadStarts how often its first pods were started without the others.
	Drains, HeadStarts           uint64
	Gangs, Kept, Arrived, Lapsed uint64
	// Groups are how many groups there are of each standing, RoomsKept for how many of the Expected pods room is kept now, BeganAfter the times from the creation of a group's oldest pod until
	// the group began.
	Groups     map[GroupStanding]int
	RoomsKept  int
	BeganAfter Durations
	// Apps is how many applications there are.
	Apps int
	// Nodes, Pods and Shapes are how many of each are known.
	Nodes, Pods, Shapes int
	// Scarce are the units of the scarce resources, by name, counted within the last seconds.
	Scarce []ScarceUnits
	// Preparing is how many of Assumed wait for their claims to be bound.
	Preparing int
	// Quarantined is how many objects are set aside.
	Quarantined int
}
