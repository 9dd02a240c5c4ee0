package resource

import (
	"fmt"
	"slices"
	"strings"
)

// Slots that every space has from the start.
const (
	SlotPods = iota
	SlotCPU
	SlotMemory
	SlotEphemeralStorage
)

// Space interns resource names: each name that a node offers or a bound names has one slot, in the order in which the names were first seen.
// The zero Space is not usable; see NewSpace.
type Space struct {
	names []string
	index map[string]int
}

// NewSpace returns a space that holds pods, cpu, memory and ephemeral-storage.
func NewSpace() *Space {
	s := &Space{index: map[string]int{}}
	for _, name := range []string{Pods, CPU, Memory, EphemeralStorage} {
		s.Intern(name)
	}
	return s
}

// Len returns the number of slots.
func (s *Space) Len() int { return len(s.names) }

// Name returns the resource's name of a slot.
func (s *Space) Name(slot int) string { return s.names[slot] }

// Slot returns the slot of a name, if it has one.
func (s *Space) Slot(name string) (slot int, ok bool) {
	slot, ok = s.index[name]
	return slot, ok
}

// Intern returns the slot of a name and makes one if it is new; grown tells which.
func (s *Space) Intern(name string) (slot int, grown bool) {
	if slot, ok := s.index[name]; ok {
		return slot, false
	}
	slot = len(s.names)
	s.names = append(s.names, name)
	s.index[name] = slot
	return slot, true
}

// Vector turns amounts into a vector of this space. Names without a slot are returned.
func (s *Space) Vector(amounts Amounts) (v Vector, unknown []string) {
	v = make(Vector, len(s.names))
	for _, a := range amounts {
		if slot, ok := s.index[a.Name]; ok {
			v[slot] = a.Value
		} else {
			unknown = append(unknown, a.Name)
		}
	}
	return v, unknown
}

// Format lists the non-zero slots of a vector as name=value, sorted by name.
func (s *Space) Format(v Vector) string {
	var parts []string
	for slot, value := range v {
		if value != 0 {
			parts = append(parts, fmt.Sprintf("%s=%d", s.names[slot], value))
		}
	}
	slices.Sort(parts)
	return strings.Join(parts, " ")
}
