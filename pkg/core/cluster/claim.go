package cluster

import "strconv"

// Claim says to whom a pod belongs and where it wants to queue, as read from the pod alone. It is immutable; pods of equal claims may
// share one.
type Claim struct {
	// App is the id of the pod's application within its namespace; never empty for a pod of ours.
	App string
	// AppFrom is what decided, in words, such as "label sluice.dev/app".
	AppFrom string
	// Role is the pod's part in the application, such as jobmanager; empty when it has none that is known.
	Role string
	// Group is the ID of the group that the pod is in; empty when it starts alone. Gang is what the pod itself tells of its group, by itself or as one
	// of several sources; nil if nothing.
	Group string
	Gang  *GroupFact
	// Awaits says for how long the pod is held while no source tells of its group.
	Awaits Awaits
	// Queue is the queue that the pod names, as it is written; empty when it names none. QueueFrom is what named it.
	Queue, QueueFrom string
	// User and Groups are on whose behalf the pod was made, where that is known and trusted. Groups are sorted, each once.
	User   string
	Groups []string
	// Faults names what could not be read, or not as it is written.
	Faults []string
}

// Awaits says for how long pods wait for their group to be told of.
type Awaits uint8

const (
	// AwaitsNothing: the pods themselves tell of the group (Claim.Gang), or it starts as it comes if nobody does.
	AwaitsNothing Awaits = iota
	// AwaitsSoon: an object tells of it that may be seen a little later than the pod, or be missing (Flink's ConfigMap); Config.SourceWithin after its creation the pod goes
	// on without.
	AwaitsSoon
	// AwaitsAlways: without the object nothing is known of what the pod starts with (the PodGroup that its spec names).
	AwaitsAlways
)

// Key is a text that equal claims have in common and different ones have not.
func (c *Claim) Key() string {
	b := make([]byte, 0, 128)
	put := func(s string) {
		b = strconv.AppendInt(b, int64(len(s)), 10) // the length first, so that no value can pose as two
		b = append(append(b, ':'), s...)
	}
	for _, s := range [...]string{c.App, c.AppFrom, c.Role, c.Group, c.Queue, c.QueueFrom, c.User} {
		put(s)
	}
	if c.Gang != nil {
		put(c.Gang.Key)
	}
	b = append(b, '0'+byte(c.Awaits))
	for _, list := range [...][]string{c.Groups, c.Faults} {
		b = append(strconv.AppendInt(b, int64(len(list)), 10), '*')
		for _, s := range list {
			put(s)
		}
	}
	return string(b)
}
