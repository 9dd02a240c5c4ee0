package cluster

import (
	"iter"
	"strings"
	"unique"
)

// Labels are the labels of a pod, interned: equal labels are one value, compared at one look and kept once however many pods have them. The zero
// Labels are none. They are packed into one text, so that labels which no other pod has (as a StatefulSet writes them) cost little more than
// their own bytes. They implement Labels of k8s.io/apimachinery/pkg/labels.
type Labels struct{ packed unique.Handle[string] }

// end closes each key and each value; the API admits it in neither.
const end = "\x00"

// PackLabels interns labels.
func PackLabels(from map[string]string) Labels {
	if len(from) == 0 {
		return Labels{}
	}
	var b strings.Builder
	for _, k := range sortedKeys(from) {
		b.WriteString(k + end + from[k] + end)
	}
	return Labels{unique.Make(b.String())}
}

// All goes through the labels in the order of their keys.
func (l Labels) All() iter.Seq2[string, string] {
	return func(yield func(key, value string) bool) {
		if l == (Labels{}) {
			return
		}
		for rest := l.packed.Value(); rest != ""; {
			var key, value string
			key, rest, _ = strings.Cut(rest, end)
			value, rest, _ = strings.Cut(rest, end)
			if !yield(key, value) {
				return
			}
		}
	}
}

// Lookup returns the value of a label and whether there is one.
func (l Labels) Lookup(label string) (value string, exists bool) {
	if l == (Labels{}) {
		return "", false
	}
	for rest := l.packed.Value(); rest != ""; {
		var key string
		key, rest, _ = strings.Cut(rest, end)
		value, rest, _ = strings.Cut(rest, end)
		if key == label {
			return value, true
		}
	}
	return "", false
}

// Has reports whether there is a label.
func (l Labels) Has(label string) bool {
	_, has := l.Lookup(label)
	return has
}

// Get returns the value of a label, empty where there is none.
func (l Labels) Get(label string) string {
	value, _ := l.Lookup(label)
	return value
}
