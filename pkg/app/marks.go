package app

import (
	"fmt"
	"hash/fnv"
	"strings"
	"unicode"
	"unicode/utf8"

	v1 "k8s.io/api/core/v1"
)

// marks reads what is written on one pod, and keeps what it found wrong with it.
type marks struct {
	pod    *v1.Pod
	app    string // the application, once it is known
	faults []string
}

// get returns the label of that name, else the annotation of that name, and which of them it was. Empty values count as absent.
func (m *marks) get(name string) (value, from string) {
	if value, from = m.label(name); value != "" {
		return value, from
	}
	return m.annotation(name)
}

// first returns the first of the names that has a value.
func (m *marks) first(names []string) (value, from string) {
	for _, name := range names {
		if value, from = m.get(name); value != "" {
			return value, from
		}
	}
	return "", ""
}

func (m *marks) label(name string) (value, from string) {
	if value = m.pod.Labels[name]; value == "" {
		return "", ""
	}
	from = "label " + name
	return orNothing(m.tame(value, from), from)
}

func (m *marks) annotation(name string) (value, from string) {
	if value = m.pod.Annotations[name]; value == "" {
		return "", ""
	}
	from = "annotation " + name
	return orNothing(m.tame(value, from), from)
}

func orNothing(value, from string) (string, string) {
	if value == "" {
		return "", ""
	}
	return value, from
}

// tame is the tame form of a value; a fault names what it was read from if that is not the value as it is written.
func (m *marks) tame(value, from string) string {
	tamed, whole := tame(value)
	if !whole {
		m.fault(notWhole(from))
	}
	return tamed
}

// fault notes something wrong, once.
func (m *marks) fault(text string) {
	for _, known := range m.faults {
		if known == text {
			return
		}
	}
	m.faults = append(m.faults, text)
}

func notWhole(from string) string {
	return fmt.Sprintf("%s is shortened: it has more than %d bytes or characters that cannot be printed", from, longest)
}

// longest is how many bytes of a value are kept: as many as the name of an object may have.
const longest = 253

// tame returns a value that may be shown anywhere: without spaces around it, and if it is too long or cannot be printed, what can be of its
// beginning and a checksum, so that different values stay different. No queue is named like that. whole says that nothing was lost.
func tame(value string) (tamed string, whole bool) {
	trimmed := strings.TrimSpace(value)
	if len(trimmed) <= longest && printable(trimmed) {
		return trimmed, true
	}
	h := fnv.New64a()
	h.Write([]byte(trimmed))
	sum := fmt.Sprintf("…%016x", h.Sum64())
	return beginning(trimmed, longest-len(sum)) + sum, false
}

func printable(s string) bool {
	for _, r := range s {
		if !unicode.IsPrint(r) || r == utf8.RuneError {
			return false
		}
	}
	return true
}

// beginning returns the printable characters from the start of s, as many as have room.
func beginning(s string, room int) string {
	var b strings.Builder
	for _, r := range s {
		if !unicode.IsPrint(r) || r == utf8.RuneError {
			continue
		}
		if b.Len()+utf8.RuneLen(r) > room {
			break
		}
		b.WriteRune(r)
	}
	return b.String()
}
