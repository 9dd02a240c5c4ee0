package strict

import (
	"encoding"
	"fmt"
	"reflect"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// Checker is implemented by a struct that has rules of its own. Check is called once all of the struct's fields are decoded, the
// inner structs' rules first.
type Checker interface {
	Check(at *Place)
}

// Tolerant is implemented by a struct that knows keys which it has no use for, such as those of another product's format.
// Ignores says whether the key is one, and why it has no effect; the key then gives a warning. The receiver is a zero value.
type Tolerant interface {
	Ignores(key string) (why string, ok bool)
}

// Flexible is implemented by a value that may be written in two ways: as a single value, or as a section or 'key: value' pairs. Forms
// returns pointers to what takes the one and the other.
type Flexible interface {
	Forms() (single, section any)
}

// Decode lays the document over what into holds already, which must be a pointer to a struct, and returns all faults of reading,
// decoding and checking in the order of the file. With an error among them, into is in no state to be used.
func (d *Document) Decode(into any) Faults {
	v := reflect.ValueOf(into)
	if v.Kind() != reflect.Pointer || v.Elem().Kind() != reflect.Struct {
		panic(fmt.Sprintf("strict: Decode needs a pointer to a struct, got %T", into))
	}
	if d.root != nil && len(d.faults) == 0 {
		w := walk{Document: d, root: v.Elem().Type()}
		w.value("", d.root, v.Elem(), 0)
	}
	d.faults.sort()
	return d.faults
}

// walk goes through the document and the struct in step.
type walk struct {
	*Document
	root     reflect.Type
	aliases  int // how many aliases the walk is inside of
	expanded int // values seen inside aliases
	stopped  bool
}

// refuse reports a value that cannot be taken over. The place of one that an alias brought in is that of the alias.
func (w *walk) refuse(path, format string, args ...any) {
	w.undecoded[path] = true
	w.report(Error, w.locate(path), path, format, args...)
}

// value decodes one node into v.
func (w *walk) value(path string, n *yaml.Node, v reflect.Value, depth int) {
	if !w.admit(path, n, depth) {
		return
	}
	if n.Kind == yaml.AliasNode {
		w.aliases++
		w.value(path, n.Alias, v, depth+1)
		w.aliases--
		return
	}
	if n.Style&yaml.TaggedStyle != 0 {
		w.refuse(path, "has the tag %s; tags are not allowed, so remove it", quote(n.Tag))
		return
	}
	if v.Kind() == reflect.Pointer {
		w.pointer(path, n, v, depth)
		return
	}
	if isScalar(v) {
		w.scalar(path, n, v)
		return
	}
	if isNull(n) {
		return
	}
	if f, ok := v.Addr().Interface().(Flexible); ok {
		w.flexible(path, n, f, depth)
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		w.structure(path, n, v, depth)
	case reflect.Slice:
		w.list(path, n, v, depth)
	case reflect.Map:
		w.mapping(path, n, v, depth)
	default:
		panic(fmt.Sprintf("strict: %s is of type %s, which this package cannot decode", path, v.Type()))
	}
}

// admit notes the place of the value and stops documents that are too deep or, by their aliases, too large.
func (w *walk) admit(path string, n *yaml.Node, depth int) bool {
	if w.stopped {
		return false
	}
	if _, ok := w.marks[path]; !ok {
		w.marks[path] = position(n)
	}
	if w.aliases > 0 {
		w.expanded++
	}
	switch {
	case depth > maxDepth:
		w.refuse(path, "is nested too deep; at most %d levels are allowed", maxDepth)
		w.stopped = true
	case w.expanded > maxExpanded:
		w.refuse(path, "the aliases of the file stand for more than the %d values that are allowed; write them out", maxExpanded)
		w.stopped = true
	}
	return !w.stopped
}

func (w *walk) pointer(path string, n *yaml.Node, v reflect.Value, depth int) {
	if isNull(n) {
		return
	}
	if v.IsNil() {
		v.Set(reflect.New(v.Type().Elem()))
	}
	w.value(path, n, v.Elem(), depth)
}

// flexible decodes a value in the form in which it is written.
func (w *walk) flexible(path string, n *yaml.Node, f Flexible, depth int) {
	single, section := f.Forms()
	switch n.Kind {
	case yaml.ScalarNode:
		w.value(path, n, reflect.ValueOf(single).Elem(), depth+1)
	case yaml.MappingNode:
		w.value(path, n, reflect.ValueOf(section).Elem(), depth+1)
	default:
		w.refuse(path, "must be %s, or 'key: value' pairs, but is %s", wanted(reflect.ValueOf(single).Elem()), describe(n))
	}
}

func (w *walk) structure(path string, n *yaml.Node, v reflect.Value, depth int) {
	if n.Kind != yaml.MappingNode {
		w.refuse(path, "must be a section with the keys %s, but is %s", list(names(v.Type())), describe(n))
		return
	}
	fields := fieldsOf(v.Type())
	w.entries(path, n, func(key, value *yaml.Node) {
		at := join(path, key.Value)
		for _, f := range fields {
			if f.name == key.Value {
				w.field(at, key, value, v.FieldByIndex(f.index), depth+1)
				return
			}
		}
		w.unknown(at, key, v.Type())
	})
	if c, ok := v.Addr().Interface().(Checker); ok && !w.stopped {
		c.Check(&Place{document: w.Document, path: path})
	}
}

// field decodes the value of a key. An absent value is reported at the key, for it has no place of its own.
func (w *walk) field(path string, key, value *yaml.Node, v reflect.Value, depth int) {
	if isNull(value) && value.Value == "" {
		w.marks[path] = position(key)
		if isScalar(v) {
			w.refuse(path, "has no value; give it one, or remove the key to get the default")
			return
		}
	}
	w.value(path, value, v, depth)
}

func (w *walk) list(path string, n *yaml.Node, v reflect.Value, depth int) {
	if n.Kind != yaml.SequenceNode {
		w.refuse(path, "must be a list, one '- item' a line, but is %s", describe(n))
		return
	}
	items := reflect.MakeSlice(v.Type(), len(n.Content), len(n.Content))
	for i, item := range n.Content {
		w.value(fmt.Sprintf("%s[%d]", path, i), item, items.Index(i), depth+1)
	}
	v.Set(items)
}

func (w *walk) mapping(path string, n *yaml.Node, v reflect.Value, depth int) {
	if n.Kind != yaml.MappingNode {
		w.refuse(path, "must be 'key: value' pairs, but is %s", describe(n))
		return
	}
	pairs := reflect.MakeMapWithSize(v.Type(), len(n.Content)/2)
	w.entries(path, n, func(key, value *yaml.Node) {
		element := reflect.New(v.Type().Elem()).Elem()
		w.field(join(path, key.Value), key, value, element, depth+1)
		pairs.SetMapIndex(reflect.ValueOf(key.Value).Convert(v.Type().Key()), element)
	})
	v.Set(pairs)
}

// entries calls take for each key of a mapping that is text and stands there for the first time.
func (w *walk) entries(path string, n *yaml.Node, take func(key, value *yaml.Node)) {
	first := make(map[string]int, len(n.Content)/2)
	for i := 0; i+1 < len(n.Content) && !w.stopped; i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		if key.Kind != yaml.ScalarNode || key.Style&yaml.TaggedStyle != 0 {
			w.report(Error, position(key), path, "has a key that is not plain text, but %s", describe(key))
			continue
		}
		if key.ShortTag() == "!!merge" {
			w.report(Error, position(key), path, "merge keys (<<) are not allowed; write the keys out")
			continue
		}
		if line, ok := first[key.Value]; ok {
			w.report(Error, position(key), join(path, key.Value), "is set twice, first in line %d; keep one of them", line)
			continue
		}
		first[key.Value] = key.Line
		take(key, value)
	}
}

// unknown reports a key that no field takes.
func (w *walk) unknown(path string, key *yaml.Node, t reflect.Type) {
	if tolerant, ok := reflect.New(t).Interface().(Tolerant); ok {
		if why, ok := tolerant.Ignores(key.Value); ok {
			w.report(Warning, position(key), path, "has no effect: %s", why)
			return
		}
	}
	allowed := names(t)
	if near, ok := Nearest(key.Value, allowed); ok {
		w.report(Error, position(key), path, "unknown key; did you mean %s?", near)
		return
	}
	if known := sections(w.root, "", key.Value, 3); len(known) > 0 {
		w.report(Error, position(key), path, "unknown key here; did you mean %s?", strings.Join(known, " or "))
		return
	}
	w.report(Error, position(key), path, "unknown key; allowed here: %s", list(allowed))
}

func isScalar(v reflect.Value) bool {
	if v.CanAddr() {
		if _, ok := v.Addr().Interface().(encoding.TextUnmarshaler); ok {
			return true
		}
	}
	switch v.Kind() {
	case reflect.Struct, reflect.Slice, reflect.Map, reflect.Pointer, reflect.Interface:
		return false
	}
	return true
}

func isDuration(t reflect.Type) bool { return t == reflect.TypeFor[time.Duration]() }

func list(words []string) string { return strings.Join(words, ", ") }
