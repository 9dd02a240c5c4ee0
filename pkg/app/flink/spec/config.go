package spec

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Config is an effective Flink configuration: flat keys, each value as its text.
type Config map[string]string

// Flatten turns spec.flinkConfiguration into flat keys. Users may nest mappings as in Flink 2's config.yaml; both
// writings of one key in the same manifest are refused, because either could be meant.
func Flatten(nested map[string]any) (Config, error) {
	flat := Config{}
	if err := flat.flatten("", nested); err != nil {
		return nil, err
	}
	return flat, nil
}

func (c Config) flatten(prefix string, nested map[string]any) error {
	for _, key := range slices.Sorted(maps.Keys(nested)) {
		path := key
		if prefix != "" {
			path = prefix + "." + key
		}
		value := nested[key]
		if m, ok := value.(map[string]any); ok {
			if err := c.flatten(path, m); err != nil {
				return err
			}
			continue
		}
		if value == nil {
			continue
		}
		if _, twice := c[path]; twice {
			return fmt.Errorf("spec.flinkConfiguration: %q is given twice, once nested and once with dots; keep one", path)
		}
		text, err := scalarText(value)
		if err != nil {
			return fmt.Errorf("spec.flinkConfiguration: %q: %w", path, err)
		}
		c[path] = text
	}
	return nil
}

// scalarText writes one value as Flink would read it; lists are joined with semicolons, Flink's list separator.
func scalarText(value any) (string, error) {
	switch v := value.(type) {
	case string:
		return v, nil
	case bool:
		return strconv.FormatBool(v), nil
	case int64:
		return strconv.FormatInt(v, 10), nil
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64), nil
	case json.Number:
		return v.String(), nil
	case []any:
		parts := make([]string, 0, len(v))
		for _, item := range v {
			text, err := scalarText(item)
			if err != nil {
				return "", err
			}
			parts = append(parts, text)
		}
		return strings.Join(parts, ";"), nil
	default:
		return "", fmt.Errorf("expected a string, number, boolean or list of these, got %s", kindOf(value))
	}
}

// Get returns the value of the first of these keys that is set: the present key first, deprecated ones after it.
func (c Config) Get(keys ...string) (string, bool) {
	for _, key := range keys {
		if v, ok := c[key]; ok {
			return v, true
		}
	}
	return "", false
}

// Default sets a key that the user has not set.
func (c Config) Default(key, value string) {
	if _, ok := c[key]; !ok {
		c[key] = value
	}
}

// Int reads a whole number, or returns the given default when the key is unset.
func (c Config) Int(unset int64, keys ...string) (int64, error) {
	text, ok := c.Get(keys...)
	if !ok {
		return unset, nil
	}
	n, err := strconv.ParseInt(strings.TrimSpace(text), 10, 64)
	if err != nil {
		return 0, fmt.Errorf("flinkConfiguration %q: %q is not a whole number", keys[0], shorten(text))
	}
	return n, nil
}

// Float reads a positive finite number, or returns the given default when the key is unset.
func (c Config) Float(unset float64, keys ...string) (float64, error) {
	text, ok := c.Get(keys...)
	if !ok {
		return unset, nil
	}
	f, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
	if err != nil || math.IsNaN(f) || math.IsInf(f, 0) || f < 0 {
		return 0, fmt.Errorf("flinkConfiguration %q: %q is not a positive number", keys[0], shorten(text))
	}
	return f, nil
}

// Bytes reads a memory size in Flink's syntax, or returns the given default in bytes when the key is unset.
func (c Config) Bytes(unset int64, keys ...string) (int64, error) {
	text, ok := c.Get(keys...)
	if !ok {
		return unset, nil
	}
	n, err := ParseMemorySize(text)
	if err != nil {
		return 0, fmt.Errorf("flinkConfiguration %q: %w", keys[0], err)
	}
	return n, nil
}

// Bool reads true or false, or returns the given default when the key is unset.
func (c Config) Bool(unset bool, key string) (bool, error) {
	text, ok := c[key]
	if !ok {
		return unset, nil
	}
	b, err := strconv.ParseBool(strings.ToLower(strings.TrimSpace(text)))
	if err != nil {
		return false, fmt.Errorf("flinkConfiguration %q: %q is neither true nor false", key, shorten(text))
	}
	return b, nil
}

// Map reads a map option in both of Flink's writings: one value "a:1,b:2", or one key per entry below the prefix.
func (c Config) Map(key string) (map[string]string, error) {
	out := map[string]string{}
	if text, ok := c[key]; ok {
		if err := parseMap(text, out); err != nil {
			return nil, fmt.Errorf("flinkConfiguration %q: %w", key, err)
		}
	}
	for k, v := range c {
		if rest, ok := strings.CutPrefix(k, key+"."); ok && rest != "" {
			out[rest] = v
		}
	}
	return out, nil
}

func parseMap(text string, out map[string]string) error {
	for _, part := range strings.Split(text, ",") {
		if part = strings.TrimSpace(part); part == "" {
			continue
		}
		key, value, ok := strings.Cut(part, ":")
		if !ok || strings.TrimSpace(key) == "" {
			return fmt.Errorf("%q is not of the form key:value,key:value", shorten(text))
		}
		out[strings.TrimSpace(key)] = strings.Trim(strings.TrimSpace(value), `'"`)
	}
	return nil
}

// List reads a list option, separated by semicolons (Flink's way) or commas.
func (c Config) List(key string) []string {
	var out []string
	for _, part := range strings.FieldsFunc(c[key], func(r rune) bool { return r == ';' || r == ',' }) {
		if part = strings.Trim(strings.TrimSpace(part), "[]"); part != "" {
			out = append(out, part)
		}
	}
	return out
}

// Duration reads a time in Flink's syntax ("30 s", "5min", "300000" for milliseconds), or returns the default.
func (c Config) Duration(unset time.Duration, key string) (time.Duration, error) {
	text, ok := c[key]
	if !ok {
		return unset, nil
	}
	text = strings.TrimSpace(text)
	cut := strings.IndexFunc(text, func(r rune) bool { return r < '0' || r > '9' })
	if cut < 0 {
		cut = len(text)
	}
	n, err := strconv.ParseInt(text[:cut], 10, 64)
	unit, known := durationUnits[strings.ToLower(strings.TrimSpace(text[cut:]))]
	if err != nil || !known || n > math.MaxInt64/int64(unit) {
		return 0, fmt.Errorf(`flinkConfiguration %q: %q is not a duration; write for example "30 s" or "5 min"`, key, shorten(text))
	}
	return time.Duration(n) * unit, nil
}

var durationUnits = map[string]time.Duration{
	"": time.Millisecond, "ms": time.Millisecond, "milli": time.Millisecond, "s": time.Second, "sec": time.Second,
	"second": time.Second, "seconds": time.Second, "m": time.Minute, "min": time.Minute, "minute": time.Minute,
	"minutes": time.Minute, "h": time.Hour, "hour": time.Hour, "hours": time.Hour, "d": 24 * time.Hour,
	"day": 24 * time.Hour, "days": 24 * time.Hour,
}

// Overlap finds a key that is also the prefix of another ("a" and "a.b"). Flink 2's nested config.yaml cannot hold
// both, and the operator refuses to deploy them.
func (c Config) Overlap() (short, long string, found bool) {
	for _, key := range slices.Sorted(maps.Keys(c)) {
		for i := strings.LastIndexByte(key, '.'); i > 0; i = strings.LastIndexByte(key[:i], '.') {
			if _, ok := c[key[:i]]; ok {
				return key[:i], key, true
			}
		}
	}
	return "", "", false
}
