package strict

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Place is where a struct stands in the file. A Checker reports the faults of its fields to it, by the names of their keys;
// "names[2]" is an item of the list names, and "" is the struct itself.
type Place struct {
	document *Document
	path     string
}

// Has tells whether the file sets the key, even if wrongly.
func (p *Place) Has(key string) bool {
	_, ok := p.document.marks[p.at(key)]
	return ok
}

// OK tells whether nothing is wrong with any of the keys so far. Rules between fields ask first, so that one mistake gives one
// fault.
func (p *Place) OK(keys ...string) bool {
	return !slices.ContainsFunc(keys, func(k string) bool { return p.document.faulty[p.at(k)] })
}

// Clean tells whether the file has no error so far. Rules about the file as a whole ask first.
func (p *Place) Clean() bool { return len(p.document.faulty) == 0 }

// First gives the first of the keys that the file sets, and the first of all if it sets none: the one to point at when a rule
// between fields is broken.
func (p *Place) First(keys ...string) string {
	for _, k := range keys {
		if p.Has(k) {
			return k
		}
	}
	return keys[0]
}

// Faultf reports an error at the key's value or, if the file does not set it, at the section around it. A key whose value
// could not be decoded has its fault already and gets no second one.
func (p *Place) Faultf(key, format string, args ...any) { p.report(Error, key, format, args...) }

// Warnf reports a warning in the same way.
func (p *Place) Warnf(key, format string, args ...any) { p.report(Warning, key, format, args...) }

func (p *Place) report(s Severity, key, format string, args ...any) {
	path := p.at(key)
	if p.document.undecoded[path] {
		return
	}
	p.document.report(s, p.document.locate(path), path, format, args...)
}

// Spot gives the place of a key's value as a fault without a message, for rules that can only be judged later, when more than this file is known.
func (p *Place) Spot(key string) Fault {
	path := p.at(key)
	return p.document.fault(p.document.locate(path), path)
}

func (p *Place) at(key string) string {
	switch {
	case key == "":
		return p.path
	case p.path == "" || key[0] == '[':
		return p.path + key
	}
	return p.path + "." + key
}

// Entry names an entry of the section or map at key, for the methods of a Place: its own key may hold dots and other odd characters.
// An empty key stands for the Place's own section.
func Entry(key, name string) string { return join(key, name) }

// OneOfText is OneOf for text that may be written in upper or lower case; it returns the allowed one, and false if it reported a fault.
func OneOfText(at *Place, key, value string, allowed ...string) (string, bool) {
	i := slices.IndexFunc(allowed, func(a string) bool { return strings.EqualFold(a, value) })
	if i < 0 {
		OneOf(at, key, value, allowed...)
		return "", false
	}
	return allowed[i], true
}

// Between reports a value outside from low to high.
func Between[T cmp.Ordered](at *Place, key string, value, low, high T) {
	if value < low || value > high {
		at.Faultf(key, "must be between %s and %s, but is %s", show(low), show(high), show(value))
	}
}

// Ascending reports a pair of values of which low is above high, at the first of the two that the file sets. A value that has a fault
// of its own is not compared.
func Ascending[T cmp.Ordered](at *Place, lowKey string, low T, highKey string, high T) {
	if !at.OK(lowKey, highKey) || low <= high {
		return
	}
	if at.First(lowKey, highKey) == lowKey {
		at.Faultf(lowKey, "must not be above %s, which is %s, but is %s", at.at(highKey), show(high), show(low))
		return
	}
	at.Faultf(highKey, "must not be below %s, which is %s, but is %s", at.at(lowKey), show(low), show(high))
}

// OneOf reports a text that is none of the allowed ones, with the nearest of them if one is near.
func OneOf(at *Place, key, value string, allowed ...string) {
	if slices.Contains(allowed, value) {
		return
	}
	message := fmt.Sprintf("must be one of %s, but is %s", list(allowed), quote(value))
	if near, ok := Nearest(value, allowed); ok {
		message += fmt.Sprintf("; did you mean %s?", near)
	}
	at.Faultf(key, "%s", message)
}

func show(v any) string {
	if d, ok := v.(time.Duration); ok {
		return FormatDuration(d)
	}
	return fmt.Sprint(v)
}
