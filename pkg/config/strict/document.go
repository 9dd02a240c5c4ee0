package strict

import (
	"bytes"
	"fmt"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

const (
	// maxFaults ends the collection of faults of one severity: who has made a hundred needs no list of a thousand.
	maxFaults = 100
	// maxDepth is how deep values may be nested.
	maxDepth = 100
	// maxExpanded is how many values the aliases of a document may stand for. Those written out are bounded by the file's size.
	maxExpanded = 10_000
)

// Document is a YAML file that has been read, with the faults found so far.
type Document struct {
	name      string
	lines     []string
	root      *yaml.Node
	faults    Faults
	marks     map[string]mark // where the value of a path stands
	faulty    map[string]bool // paths with an error
	undecoded map[string]bool // paths whose value could not be taken over
}

// Read takes the text of a YAML file and the name under which to report its faults. More than limit bytes are refused
// unread. A document that could not be read has its fault in Decode's answer.
func Read(name string, data []byte, limit int) *Document {
	d := &Document{
		name: name, lines: []string{""}, marks: map[string]mark{}, faulty: map[string]bool{}, undecoded: map[string]bool{},
	}
	if len(data) > limit {
		d.report(Error, mark{1, 1}, "", "the file has %d bytes, more than the %d that are allowed", len(data), limit)
		return d
	}
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	d.lines = splitLines(data)
	if at := invalidUTF8(data); at >= 0 {
		d.report(Error, markAt(data, at), "", "the file is not UTF-8 text from here on; save it as UTF-8")
		return d
	}
	documents, problem := parse(data)
	if problem != "" {
		d.reportSyntax(data, problem)
		return d
	}
	d.choose(documents)
	return d
}

// Text returns the text at a top-level key, and false if there is none. It serves to find out what kind of file this is
// before Decode is asked to judge it as one.
func (d *Document) Text(key string) (string, bool) {
	if d.root == nil || d.root.Kind != yaml.MappingNode {
		return "", false
	}
	for i := 0; i+1 < len(d.root.Content); i += 2 {
		k, v := d.root.Content[i], d.root.Content[i+1]
		if k.Value == key && v.Kind == yaml.ScalarNode && !isNull(v) {
			d.marks[key] = position(v)
			return v.Value, true
		}
	}
	return "", false
}

// Refuse reports an error at the value of a top-level key that Text has found, without decoding anything, and returns the
// faults.
func (d *Document) Refuse(key, format string, args ...any) Faults {
	d.report(Error, d.locate(key), key, format, args...)
	d.faults.sort()
	return d.faults
}

// choose takes the only document that holds something.
func (d *Document) choose(documents []*yaml.Node) {
	for _, n := range documents {
		if len(n.Content) == 0 || isNull(n.Content[0]) {
			continue
		}
		if d.root != nil {
			m := position(n.Content[0])
			d.report(Error, m, "", "a second document starts here; one file holds one document, so remove what follows the '---'")
			return
		}
		d.root = n.Content[0]
	}
	if d.root == nil {
		d.report(Error, mark{1, 1}, "", "the file is empty: nothing but comments or white space")
	}
}

// report adds a fault, unless there are too many of its severity already: warnings must not crowd out an error.
func (d *Document) report(s Severity, m mark, path, format string, args ...any) {
	if s == Error {
		d.faulty[path] = true
	}
	if d.faults.count(s) >= maxFaults {
		return
	}
	f := d.fault(m, path)
	f.Severity, f.Message = s, fmt.Sprintf(format, args...)
	d.faults = append(d.faults, f)
}

// fault is a fault at a place, brought inside the file, without a message.
func (d *Document) fault(m mark, path string) Fault {
	line := min(max(m.line, 1), len(d.lines))
	source := d.lines[line-1]
	column := min(max(m.column, 1), utf8.RuneCountInString(source)+1)
	if m.line > line {
		column = utf8.RuneCountInString(source) + 1
	}
	return Fault{File: d.name, Line: line, Column: column, Path: path, Source: source}
}

// locate gives the place of the value at path or, if the file does not set it, that of the nearest value around it.
func (d *Document) locate(path string) mark {
	for {
		if m, ok := d.marks[path]; ok {
			return m
		}
		if path == "" {
			return mark{1, 1}
		}
		path = parent(path)
	}
}

func position(n *yaml.Node) mark { return mark{n.Line, n.Column} }

func isNull(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null" }

func invalidUTF8(data []byte) int {
	for i := 0; i < len(data); {
		r, size := utf8.DecodeRune(data[i:])
		if r == utf8.RuneError && size <= 1 {
			return i
		}
		i += size
	}
	return -1
}
