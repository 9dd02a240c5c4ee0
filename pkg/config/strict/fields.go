package strict

import (
	"reflect"
	"strings"
)

// field is a place in a struct that a key names.
type field struct {
	name  string
	index []int
	typ   reflect.Type
}

// fieldsOf lists the fields of a struct in order; the fields of an inlined struct stand for themselves.
func fieldsOf(t reflect.Type) []field {
	var fields []field
	for i := range t.NumField() {
		f := t.Field(i)
		name, options, _ := strings.Cut(tagOf(f), ",")
		switch {
		case !f.IsExported() || name == "-":
		case strings.Contains(options, "inline"):
			for _, inner := range fieldsOf(f.Type) {
				inner.index = append([]int{i}, inner.index...)
				fields = append(fields, inner)
			}
		case name == "":
			panic("strict: " + t.String() + "." + f.Name + " has no yaml tag")
		default:
			fields = append(fields, field{name: name, index: []int{i}, typ: f.Type})
		}
	}
	return fields
}

// tagOf returns the field's yaml tag or, for types that come from elsewhere, its json tag.
func tagOf(f reflect.StructField) string {
	if tag, ok := f.Tag.Lookup("yaml"); ok {
		return tag
	}
	return f.Tag.Get("json")
}

func names(t reflect.Type) []string {
	var names []string
	for _, f := range fieldsOf(t) {
		names = append(names, f.name)
	}
	return names
}

// sections lists where below t, at most so many levels down, the key is known. It is for people who put a key at the wrong level.
func sections(t reflect.Type, path, key string, levels int) []string {
	var found []string
	for _, f := range fieldsOf(t) {
		if f.name == key && path != "" {
			found = append(found, join(path, key))
		}
		if f.typ.Kind() == reflect.Struct && levels > 1 {
			found = append(found, sections(f.typ, join(path, f.name), key, levels-1)...)
		}
	}
	return found
}

// join appends a key to a path. A key that would be misread there stands in brackets and quotes, and cut when very long.
func join(path, key string) string {
	if key == "" || len(key) > 256 || strings.ContainsAny(key, ".[]\" \t\r\n") {
		return path + "[" + quote(key) + "]"
	}
	if path == "" {
		return key
	}
	return path + "." + key
}

// parent cuts the last step off a path that join or an index has built.
func parent(path string) string {
	if strings.HasSuffix(path, "\"]") {
		if i := strings.LastIndex(path, "[\""); i >= 0 {
			return path[:i]
		}
	}
	return path[:max(strings.LastIndexAny(path, ".["), 0)]
}
