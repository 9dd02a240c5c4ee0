package run

import (
	"sync"

	"k8s.io/apimachinery/pkg/types"

	"github.com/sluice-scheduler/sluice/pkg/core"
)

// Inbox gathers events from many writers for the one loop. It keeps the order in which the events about one object were put in, never
// makes a writer wait, and forgets a fact that a newer fact of the same object replaces before anybody has read it: an outage of
// the loop costs no more memory than the cluster has objects.
type Inbox struct {
	mu     sync.Mutex
	events []core.Event // nil where a newer fact follows
	live   int
	pods   map[types.UID]int // where the unread newest fact is
	nodes  map[string]int
	spaces map[string]int       // of namespaces
	stored map[storedObject]int // of volumes and what belongs to them
	signal chan struct{}
}

// NewInbox returns an empty inbox.
func NewInbox() *Inbox {
	return &Inbox{pods: map[types.UID]int{}, nodes: map[string]int{}, spaces: map[string]int{}, stored: map[storedObject]int{}, signal: make(chan struct{}, 1)}
}

// Put adds events in their order.
func (b *Inbox) Put(events ...core.Event) {
	if len(events) == 0 {
		return
	}
	b.mu.Lock()
	for _, e := range events {
		b.add(e)
	}
	b.mu.Unlock()
	notify(b.signal)
}

func (b *Inbox) add(e core.Event) {
	at := len(b.events)
	switch e := e.(type) {
	case core.PodSet:
		b.forget(indexOf(b.pods, e.Pod.UID))
		b.pods[e.Pod.UID] = at
	case core.NodeSet:
		b.forget(indexOf(b.nodes, e.Node.Name))
		b.nodes[e.Node.Name] = at
	case core.NamespaceSet:
		b.forget(indexOf(b.spaces, e.Namespace.Name))
		b.spaces[e.Namespace.Name] = at
	case core.NamespaceGone:
		b.forget(indexOf(b.spaces, e.Name))
		delete(b.spaces, e.Name)
	case core.PodGone:
		b.forget(indexOf(b.pods, e.UID))
		delete(b.pods, e.UID)
	case core.NodeGone:
		delete(b.nodes, e.Name) // its fact stays: it may tell of another UID
	default:
		if of, gone := storedIn(e); of != (storedObject{}) {
			b.forget(indexOf(b.stored, of))
			b.stored[of] = at
			if gone {
				delete(b.stored, of)
			}
		}
	}
	b.events = append(b.events, e)
	b.live++
	if len(b.events) > 256 && len(b.events) > 4*b.live {
		b.pack()
	}
}

// pack gives back the places of facts that were replaced.
func (b *Inbox) pack() {
	events := b.events
	b.events, b.live = make([]core.Event, 0, b.live+1), 0
	clear(b.pods)
	clear(b.nodes)
	clear(b.spaces)
	clear(b.stored)
	for _, e := range events {
		if e != nil {
			b.add(e)
		}
	}
}

// forget drops the fact at old, if there is one.
func (b *Inbox) forget(old int) {
	if old >= 0 && b.events[old] != nil {
		b.events[old] = nil
		b.live--
	}
}

func indexOf[K comparable](m map[K]int, k K) int {
	if at, ok := m[k]; ok {
		return at
	}
	return -1
}

// Take returns all events and leaves the inbox empty.
func (b *Inbox) Take() []core.Event {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.events) == 0 {
		return nil
	}
	out := b.events[:0]
	for _, e := range b.events {
		if e != nil {
			out = append(out, e)
		}
	}
	b.events, b.live = nil, 0
	clear(b.pods)
	clear(b.nodes)
	clear(b.spaces)
	clear(b.stored)
	return out
}

// Len is how many events wait.
func (b *Inbox) Len() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.live
}

// Signal receives a value some time after events were put in.
func (b *Inbox) Signal() <-chan struct{} { return b.signal }

// notify wakes the one who listens, if it is not awake already.
func notify(signal chan<- struct{}) {
	select {
	case signal <- struct{}{}:
	default:
	}
}
