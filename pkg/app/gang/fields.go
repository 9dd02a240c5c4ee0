package gang

import (
	"fmt"
	"math"
	"strings"
)

// most bounds every number of pods, so that sums of them stay sane.
const most = 1 << 20

// field walks into nested mappings; nil if there is nothing at the path.
func field(o map[string]any, path ...string) any {
	var at any = o
	for _, name := range path {
		m, ok := at.(map[string]any)
		if !ok {
			return nil
		}
		at = m[name]
	}
	return at
}

// number reads a whole number from 0 at a path, or what holds where there is none; fault says what is wrong with what is there.
func number(o map[string]any, unset int, path ...string) (n int, fault string) {
	value := field(o, path...)
	f := math.NaN()
	switch v := value.(type) {
	case nil:
		return unset, ""
	case int64:
		f = float64(v)
	case float64:
		f = v
	case int:
		f = float64(v)
	}
	if f != math.Trunc(f) || f < 0 || f > most {
		return unset, fmt.Sprintf("%s is not a whole number from 0 to %d", strings.Join(path, "."), most)
	}
	return int(f), ""
}

// text reads a text at a path; empty if there is none.
func text(o map[string]any, path ...string) string {
	s, _ := field(o, path...).(string)
	return s
}
