package run

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"maps"
	"slices"
	"sync"
	"time"

	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/sluice-scheduler/sluice/pkg/core"
	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
	"github.com/sluice-scheduler/sluice/pkg/kube"
)

// chance draws numbers that depend on the seed and on what they are drawn for, and not on who draws first: goroutines that run at the same
// instant of virtual time run in any order.
type chance int64

func (c chance) draw(what ...any) uint64 {
	h := fnv.New64a()
	fmt.Fprint(h, int64(c), what)
	x := h.Sum64() // FNV alone mixes its high bits badly
	x ^= x >> 33
	x *= 0xff51afd7ed558ccd
	x ^= x >> 33
	return x
}

func (c chance) percent(p uint64, what ...any) bool { return c.draw(what...)%100 < p }

// between draws a time to the nanosecond, so that hardly anything happens at the same instant.
func (c chance) between(least, most time.Duration, what ...any) time.Duration {
	return least + time.Duration(c.draw(what...)%uint64(most-least))
}

// stormServer is an API server in memory with pods, nodes and watches, and with the ill will of its chance.
type stormServer struct {
	chance chance
	// exclusive: nobody but us binds to the nodes, so none may ever be overfull.
	exclusive bool

	mu     sync.Mutex
	calm   bool // no more faults
	down   time.Time
	pods   map[string]*v1.Pod // by name
	nodes  map[string]*v1.Node
	bound  map[types.UID][]string
	nth    map[string]int
	trace  []string
	faults []string
	feed   *feed
	began  time.Time
}

func newStormServer(seed int64, exclusive bool) *stormServer {
	return &stormServer{
		chance: chance(seed), exclusive: exclusive, began: time.Now(),
		pods: map[string]*v1.Pod{}, nodes: map[string]*v1.Node{}, bound: map[types.UID][]string{}, nth: map[string]int{},
	}
}

func (s *stormServer) note(format string, args ...any) {
	s.trace = append(s.trace, fmt.Sprintf("%12d ", time.Since(s.began))+fmt.Sprintf(format, args...))
}

func (s *stormServer) fault(format string, args ...any) {
	s.faults = append(s.faults, fmt.Sprintf("%v: ", time.Since(s.began))+fmt.Sprintf(format, args...))
}

// told tells the watch that an object changed; the caller holds the lock.
func (s *stormServer) told(kind, name string) { s.feed.changed(kind, name) }

// handle lets a request meet a fate drawn from its kind, object and number.
func (s *stormServer) handle(ctx context.Context, kind, name string, carryOut func() kube.Answer) kube.Answer {
	s.mu.Lock()
	s.nth[kind+name]++
	n := s.nth[kind+name]
	s.note("%s %s %d", kind, name, n)
	takes := s.chance.between(time.Millisecond, 30*time.Millisecond, "takes", kind, name, n)
	luck := s.chance.draw("luck", kind, name, n) % 100
	if s.calm {
		luck = 99
	}
	if time.Now().Before(s.down) {
		s.mu.Unlock()
		return kube.Answer{Verdict: kube.Busy, Err: errors.New("connection refused")}
	}
	s.mu.Unlock()
	lost := kube.Answer{Verdict: kube.Unknown, Err: errors.New("connection reset")}
	if luck == 0 { // hangs until the client gives up, and is carried out later or never
		<-ctx.Done()
		if s.chance.percent(50, "after", kind, name, n) {
			s.later(s.chance.between(time.Millisecond, 20*time.Second, "late", kind, name, n), carryOut)
		}
		return lost
	}
	select {
	case <-time.After(takes):
	case <-ctx.Done():
		return lost
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case luck < 3:
		return kube.Answer{Verdict: kube.Busy, After: time.Duration(1+n%3) * time.Second, Err: errors.New("429")}
	case luck < 5:
		return lost
	case luck < 7:
		s.later(s.chance.between(time.Millisecond, 20*time.Second, "late", kind, name, n), carryOut)
		return lost
	case luck < 12:
		carryOut()
		return lost
	}
	return carryOut()
}

func (s *stormServer) later(after time.Duration, carryOut func() kube.Answer) {
	time.AfterFunc(after, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		carryOut()
	})
}

// Bind does what the API server's binding does: it does not ask whether there is such a node.
func (s *stormServer) Bind(ctx context.Context, b core.Bind) kube.Answer {
	return s.handle(ctx, kindBind, b.Pod.Name, func() kube.Answer {
		p := s.pods[b.Pod.Name]
		switch {
		case p == nil:
			return kube.Answer{Verdict: kube.Gone, Err: errors.New("not found")}
		case p.UID != b.Pod.UID || p.Spec.NodeName != "" || p.DeletionTimestamp != nil:
			return kube.Answer{Verdict: kube.Conflict, Err: errors.New("409")}
		}
		s.place(p, b.Node)
		return kube.Answer{}
	})
}

// place binds a pod, and lets its kubelet refuse it if there is no room; the caller holds the lock.
func (s *stormServer) place(p *v1.Pod, node string) {
	p = p.DeepCopy()
	p.Spec.NodeName = node
	s.pods[p.Name] = p
	s.bound[p.UID] = append(s.bound[p.UID], node)
	s.note("bound %s %s", p.Name, node)
	if len(s.bound[p.UID]) > 1 {
		s.fault("pod %s was bound twice: %v", p.Name, s.bound[p.UID])
	}
	n := s.nodes[node]
	if n != nil && s.used(node) > n.Status.Allocatable.Cpu().MilliValue() {
		if s.exclusive {
			s.fault("node %s is overfull after %s was bound", node, p.Name)
		}
		p.Status.Phase, p.Status.Reason = v1.PodFailed, "OutOfcpu"
	}
	s.told("pod", p.Name)
}

// used is what live pods hold on a node.
func (s *stormServer) used(node string) (milli int64) {
	for _, p := range s.pods {
		if p.Spec.NodeName == node && p.Status.Phase != v1.PodFailed && p.Status.Phase != v1.PodSucceeded {
			milli += p.Spec.Containers[0].Resources.Requests.Cpu().MilliValue()
		}
	}
	return milli
}

func (s *stormServer) Look(ctx context.Context, ref core.PodRef) (sight kube.Sight, a kube.Answer) {
	a = s.handle(ctx, kindLook, ref.Name, func() kube.Answer {
		if p := s.pods[ref.Name]; p != nil && p.UID == ref.UID {
			sight = kube.Sight{Exists: true, Node: p.Spec.NodeName, Deleting: p.DeletionTimestamp != nil}
		}
		return kube.Answer{}
	})
	return sight, a
}

func (s *stormServer) Condition(ctx context.Context, c core.Condition) kube.Answer {
	return s.handle(ctx, kindCondition, c.Pod.Name, func() kube.Answer {
		p := s.pods[c.Pod.Name]
		if p == nil || p.UID != c.Pod.UID {
			return kube.Answer{Verdict: kube.Gone, Err: errors.New("not found")}
		}
		p = p.DeepCopy()
		p.Status.Conditions = []v1.PodCondition{{
			Type: v1.PodScheduled, Status: v1.ConditionFalse, Reason: c.Reason, Message: c.Message, ObservedGeneration: c.ObservedGeneration,
		}}
		s.pods[p.Name] = p
		s.told("pod", p.Name)
		return kube.Answer{}
	})
}

func (s *stormServer) GroupStatus(ctx context.Context, e core.GroupStatus) kube.Answer {
	return s.handle(ctx, kindGroup, e.Group.Name, func() kube.Answer { return kube.Answer{} })
}

func (s *stormServer) Announce(ctx context.Context, n kube.Notice) kube.Answer {
	return s.handle(ctx, kindEvent, n.Pod.Name, func() kube.Answer { return kube.Answer{} })
}

// feed is a watch of all pods and nodes, with the mirror behind it. It delivers late, sometimes twice, and is cut now and then; then it
// compares all there is with what it told, as a relist does.
type feed struct {
	server *stormServer
	inbox  *Inbox
	known  map[string]*v1.Pod
	nodes  map[string]bool
	last   time.Time // of the latest delivery planned: order is kept
	serial int
	cut    bool
}

// changed plans the delivery of an object as it is now; the caller holds the lock of the server.
func (f *feed) changed(kind, name string) {
	f.serial++
	if f.cut {
		return
	}
	n := f.serial
	if !f.server.calm && f.server.chance.percent(1, "cut", n) {
		f.cut = true
		time.AfterFunc(f.server.chance.between(time.Second, 8*time.Second, "cut for", n), f.relist)
		return
	}
	at := time.Now().Add(f.server.chance.between(time.Microsecond, 200*time.Millisecond, "delay", n))
	if !at.After(f.last) {
		at = f.last.Add(time.Microsecond)
	}
	f.last = at
	times := 1
	if f.server.chance.percent(5, "doubled", n) {
		times = 2
	}
	pod, node := f.server.pods[name], f.server.nodes[name]
	time.AfterFunc(time.Until(at), func() {
		f.server.mu.Lock()
		defer f.server.mu.Unlock()
		for range times {
			if f.cut {
				return
			}
			if kind == "pod" {
				f.inbox.Put(f.pod(name, pod)...)
			} else {
				f.inbox.Put(f.node(name, node)...)
			}
		}
	})
}

func (f *feed) relist() {
	f.server.mu.Lock()
	defer f.server.mu.Unlock()
	f.cut = false
	var events []core.Event
	for _, name := range slices.Sorted(maps.Keys(f.known)) {
		events = append(events, f.pod(name, f.server.pods[name])...)
	}
	for _, name := range slices.Sorted(maps.Keys(f.server.pods)) {
		events = append(events, f.pod(name, f.server.pods[name])...)
	}
	for _, name := range slices.Sorted(maps.Keys(f.nodes)) {
		events = append(events, f.node(name, f.server.nodes[name])...)
	}
	for _, name := range slices.Sorted(maps.Keys(f.server.nodes)) {
		events = append(events, f.node(name, f.server.nodes[name])...)
	}
	f.inbox.Put(events...)
}

// pod gives the events of a pod as it now is; nil or ended is gone.
func (f *feed) pod(name string, p *v1.Pod) (events []core.Event) {
	if p != nil && cmp.Or(p.Status.Phase, v1.PodPending) != v1.PodPending {
		p = nil
	}
	old := f.known[name]
	if old != nil && (p == nil || p.UID != old.UID) {
		events = append(events, core.PodGone{UID: old.UID})
		delete(f.known, name)
	}
	if p != nil {
		f.known[name] = p
		events = append(events, core.PodSet{Pod: cluster.ReadPod(p, "sluice")})
	}
	return events
}

func (f *feed) node(name string, n *v1.Node) []core.Event {
	if n == nil {
		delete(f.nodes, name)
		return []core.Event{core.NodeGone{Name: name}}
	}
	f.nodes[name] = true
	return []core.Event{core.NodeSet{Node: cluster.ReadNode(n)}}
}
