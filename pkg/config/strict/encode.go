package strict

import (
	"bytes"
	"fmt"
	"reflect"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// Encode writes a struct as the YAML that Decode reads back to an equal one, with durations as people write them.
func Encode(from any) ([]byte, error) {
	var n yaml.Node
	if err := n.Encode(from); err != nil {
		return nil, fmt.Errorf("encode %T as YAML: %w", from, err)
	}
	tidy(&n, reflect.Indirect(reflect.ValueOf(from)))
	var out bytes.Buffer
	e := yaml.NewEncoder(&out)
	e.SetIndent(2)
	if err := e.Encode(&n); err != nil {
		return nil, fmt.Errorf("encode %T as YAML: %w", from, err)
	}
	return out.Bytes(), nil
}

// tidy shortens the durations in the structs of a document: 5m0s becomes 5m.
func tidy(n *yaml.Node, v reflect.Value) {
	if v.Kind() != reflect.Struct || n.Kind != yaml.MappingNode {
		return
	}
	for _, f := range fieldsOf(v.Type()) {
		for i := 0; i+1 < len(n.Content); i += 2 {
			if n.Content[i].Value != f.name {
				continue
			}
			inner := reflect.Indirect(v.FieldByIndex(f.index))
			if !inner.IsValid() {
				continue
			}
			if isDuration(inner.Type()) {
				n.Content[i+1].Value = FormatDuration(time.Duration(inner.Int()))
			}
			tidy(n.Content[i+1], inner)
		}
	}
}

// FormatDuration writes a duration as people do, without its zero parts: 5m rather than 5m0s.
func FormatDuration(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}
