package cluster

import (
	"errors"
	"fmt"

	"github.com/sluice-scheduler/sluice/pkg/core/resource"
)

// Verify reckons every account anew from the allocations and returns all that differs; nil when the state is sound. It costs a
// walk over everything and is for tests, fuzzing and debugging.
func (s *State) Verify() error {
	v := verifier{s: s, used: map[*Node]resource.Vector{}, accounts: map[*Account]*Account{}, apps: map[*App]*App{}, bars: map[*Queue]int{}, dwellers: map[*Queue]int{}}
	v.check(len(s.journal) == 0, "the journal holds %d entries", len(s.journal))
	v.pods()
	v.nodes()
	v.nominees()
	v.shapes()
	v.topology()
	v.queues()
	v.owners()
	v.storage()
	return errors.Join(v.faults...)
}

type verifier struct {
	s        *State
	used     map[*Node]resource.Vector
	accounts map[*Account]*Account
	apps     map[*App]*App
	// bars and dwellers are what the queues should count.
	bars, dwellers map[*Queue]int
	foreign        resource.Vector
	faults         []error
}

func (v *verifier) check(ok bool, format string, args ...any) {
	if !ok {
		v.faults = append(v.faults, fmt.Errorf(format, args...))
	}
}

func (v *verifier) pods() {
	taken := map[int32]bool{}
	for _, i := range v.s.freePods {
		v.check(!taken[i], "index %d of a pod is free twice", i)
		taken[i] = true
	}
	for uid, p := range v.s.pods {
		v.check(!taken[p.Index], "the index %d of pod %s is another's, or free", p.Index, uid)
		taken[p.Index] = true
		v.check(p.Fact.UID == uid, "pod %s is filed under %s", p.Fact.UID, uid)
		v.check(v.s.shapes[p.Shape.Key] == p.Shape, "pod %s has a shape that is not interned", uid)
		a := p.Alloc
		v.check(p.Fact.Node == "" || a != nil && a.Bound && a.Node.Name == p.Fact.Node, "pod %s is bound to %s but not counted there", uid, p.Fact.Node)
		if a == nil {
			continue
		}
		v.check(a.Pod == p && a.at < len(a.Node.Pods) && a.Node.Pods[a.at] == a, "pod %s is not listed on its node", uid)
		v.check(v.s.nodes[a.Node.Name] == a.Node, "pod %s is on a node record that is not filed", uid)
		v.used[a.Node] = v.used[a.Node].AddTo(a.Uses, 1)
		v.check(a.App == p.App, "pod %s is counted for another application", uid)
		v.sum(a)
	}
}

func (v *verifier) nodes() {
	known := 0
	for name, n := range v.s.nodes {
		v.check(n.Used.Equal(v.used[n]), "node %s: used is %v but its pods sum to %v", name, n.Used, v.used[n])
		v.check(int64(len(n.Pods)) == n.Used.At(resource.SlotPods), "node %s: lists %d pods, counts %d", name, len(n.Pods), n.Used.At(resource.SlotPods))
		ports, presumed, kept := 0, Presumed{}, 0
		for _, a := range n.Pods {
			ports += len(a.Ports)
			presumed.CPU += a.Presumed.CPU
			presumed.Memory += a.Presumed.Memory
			if a.Reserved {
				kept++
			}
		}
		v.check(kept == n.Reserved, "node %s: counts %d reservations, has %d", name, n.Reserved, kept)
		v.check(presumed == n.Presumed, "node %s: presumed is %v but its pods sum to %v", name, n.Presumed, presumed)
		for _, p := range n.ports {
			ports -= p.count
		}
		v.check(ports == 0, "node %s: its ports are off by %d", name, ports)
		if n.Fact == nil {
			v.check(!n.hollow(), "node %s is neither known nor named by a pod or an attachment", name)
			continue
		}
		known++
		v.check(v.s.slots[n.Index] == n, "node %s is not at its index", name)
		v.check(n.Class != nil && v.s.classOf[n.Class.key] == n.Class && n.Class.key == v.s.classKey(n.Fact), "node %s is not in its class", name)
	}
	taken := map[int]bool{}
	for _, i := range v.s.freeClasses {
		v.check(!taken[i], "index %d of a class is free twice", i)
		taken[i] = true
	}
	for _, c := range v.s.classes {
		v.check(!taken[c.Index], "the index %d of a class is another's, or free", c.Index)
		taken[c.Index] = true
	}
	v.check(known == v.s.known, "%d nodes are known but %d are counted", known, v.s.known)
	ring := 0
	last := v.s.version + 1
	v.s.Since(0, func(n *Node) {
		ring++
		v.check(n.Version < last, "node %s is out of turn among the latest", n.Name)
		last = n.Version
	})
	v.check(ring == known, "%d nodes are among the latest, %d are known", ring, known)
}

func (v *verifier) shapes() {
	users := map[*Shape]int{}
	for _, p := range v.s.pods {
		users[p.Shape]++
	}
	for _, shape := range v.s.shapes {
		v.check(shape.pods == users[shape] && shape.pods > 0, "shape %q counts %d pods, has %d", shape.Key, shape.pods, users[shape])
	}
}
