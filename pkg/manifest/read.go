package manifest

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	utiljson "k8s.io/apimachinery/pkg/util/json"
	"sigs.k8s.io/yaml"
)

// Object is one object of a file.
type Object struct {
	*unstructured.Unstructured
	File string
	Line int // of the document's first content
}

// Where names the object's place as "file:line".
func (o Object) Where() string { return fmt.Sprintf("%s:%d", o.File, o.Line) }

// Read reads all objects of a file. On any fault it returns no objects and an error that lists every faulty document
// with file and line.
func Read(file string, data []byte) ([]Object, error) {
	var (
		out    []Object
		faults []error
	)
	for _, doc := range split(data) {
		objects, err := doc.objects(file)
		if err != nil {
			faults = append(faults, err)
			continue
		}
		out = append(out, objects...)
	}
	if len(faults) > 0 {
		return nil, errors.Join(faults...)
	}
	return out, nil
}

// document is the text between two separators.
type document struct {
	text []byte
	line int // of its first line, from 1
}

// split cuts a file at lines that begin with "---", as kubectl does.
func split(data []byte) []document {
	var docs []document
	current := document{line: 1}
	lines := bytes.SplitAfter(data, []byte("\n"))
	for i, line := range lines {
		if separator.Match(line) {
			docs = append(docs, current)
			current = document{line: i + 2}
			continue
		}
		current.text = append(current.text, line...)
	}
	return append(docs, current)
}

var separator = regexp.MustCompile(`^---(\s+#.*)?\s*$`)

// first is the line of the document's first content, and false when there is only comment or space.
func (d document) first() (int, bool) {
	for i, line := range strings.Split(string(d.text), "\n") {
		if text := strings.TrimSpace(line); text != "" && !strings.HasPrefix(text, "#") && text != "..." {
			return d.line + i, true
		}
	}
	return 0, false
}

func (d document) objects(file string) ([]Object, error) {
	line, filled := d.first()
	if !filled {
		return nil, nil
	}
	json, err := yaml.YAMLToJSONStrict(d.text)
	if err != nil {
		return nil, d.fault(file, line, err)
	}
	var content any
	if err := utiljson.Unmarshal(json, &content); err != nil {
		return nil, fmt.Errorf("%s:%d: %w", file, line, err)
	}
	if content == nil {
		return nil, nil
	}
	m, ok := content.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("%s:%d: expected an object with apiVersion and kind", file, line)
	}
	return wrap(file, line, m)
}

// wrap checks what every object must have and unfolds lists.
func wrap(file string, line int, m map[string]any) ([]Object, error) {
	o := Object{Unstructured: &unstructured.Unstructured{Object: m}, File: file, Line: line}
	for _, field := range []string{"apiVersion", "kind"} {
		if v, ok := m[field].(string); !ok || v == "" {
			return nil, fmt.Errorf("%s: %s is missing or not a string", o.Where(), field)
		}
	}
	if items, ok := m["items"].([]any); ok && strings.HasSuffix(o.GetKind(), "List") {
		return unfold(o, items)
	}
	meta, ok := m["metadata"].(map[string]any)
	if name, named := meta["name"].(string); !ok || !named || name == "" {
		return nil, fmt.Errorf("%s: %s has no metadata.name", o.Where(), o.GetKind())
	}
	return []Object{o}, nil
}

func unfold(list Object, items []any) ([]Object, error) {
	var out []Object
	for i, item := range items {
		m, ok := item.(map[string]any)
		if !ok {
			return nil, fmt.Errorf("%s: items[%d] is not an object", list.Where(), i)
		}
		objects, err := wrap(list.File, list.Line, m)
		if err != nil {
			return nil, fmt.Errorf("items[%d]: %w", i, err)
		}
		out = append(out, objects...)
	}
	return out, nil
}

var lineNumber = regexp.MustCompile(`line (\d+): `)

// fault moves the line of a YAML error from its document to the file.
func (d document) fault(file string, first int, err error) error {
	text := err.Error()
	for _, noise := range []string{"error converting YAML to JSON: ", "yaml: ", "unmarshal errors:\n  "} {
		text = strings.Replace(text, noise, "", 1)
	}
	line := first
	if m := lineNumber.FindStringSubmatchIndex(text); m != nil {
		if n, err := strconv.Atoi(text[m[2]:m[3]]); err == nil {
			line = d.line + n - 1
		}
		text = text[:m[0]] + text[m[1]:]
	}
	return fmt.Errorf("%s:%d: %s", file, line, text)
}
