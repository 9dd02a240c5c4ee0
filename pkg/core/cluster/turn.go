package cluster

import (
	"cmp"
	"strings"
)

// Last orders those last of which something holds.
func Last(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}

// CompareTurn orders pods by whose turn is first: higher priority, then older, then by namespace, name and UID, so that equal
// histories decide alike. It is negative when a comes before b.
func CompareTurn(a, b *PodFact) int {
	if c := cmp.Compare(b.Priority, a.Priority); c != 0 {
		return c
	}
	if c := a.Created.Compare(b.Created); c != 0 {
		return c
	}
	return cmp.Or(strings.Compare(a.Namespace, b.Namespace), strings.Compare(a.Name, b.Name), strings.Compare(string(a.UID), string(b.UID)))
}
