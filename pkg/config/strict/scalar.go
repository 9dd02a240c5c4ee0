package strict

import (
	"encoding"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// scalar decodes a single value.
func (w *walk) scalar(path string, n *yaml.Node, v reflect.Value) {
	if n.Kind != yaml.ScalarNode {
		w.refuse(path, "must be %s, but is %s", wanted(v), describe(n))
		return
	}
	if isNull(n) {
		w.refuse(path, "must be %s, but is null; give it a value, or remove it", wanted(v))
		return
	}
	if u, ok := v.Addr().Interface().(encoding.TextUnmarshaler); ok {
		if err := u.UnmarshalText([]byte(n.Value)); err != nil {
			w.refuse(path, "%s", err)
		}
		return
	}
	if advice, ok := setScalar(n, v); !ok {
		w.refuse(path, "must be %s, but is %s%s", wanted(v), describe(n), advice)
	}
}

// setScalar takes the value over. If it cannot, advice may say more than that it is of the wrong type.
func setScalar(n *yaml.Node, v reflect.Value) (advice string, ok bool) {
	switch {
	case isDuration(v.Type()):
		return setDuration(n, v)
	case v.Kind() == reflect.String:
		if n.ShortTag() != "!!str" {
			return "; if text is meant, put it in quotes: " + quote(n.Value), false
		}
		v.SetString(n.Value)
		return "", true
	case v.Kind() == reflect.Bool:
		v.SetBool(n.Value == "true")
		return "", n.ShortTag() == "!!bool" && (n.Value == "true" || n.Value == "false")
	}
	ok = setNumber(n, v)
	switch {
	case ok:
	case isWhole(n):
		advice = "; that is out of range"
	case n.ShortTag() == "!!int":
		advice = "; write it in decimal digits without a leading zero"
	}
	return advice, ok
}

func setNumber(n *yaml.Node, v reflect.Value) (ok bool) {
	switch bits := v.Type().Bits(); {
	case v.CanInt():
		i, err := strconv.ParseInt(n.Value, 10, bits)
		v.SetInt(i)
		return isWhole(n) && err == nil
	case v.CanUint():
		i, err := strconv.ParseUint(n.Value, 10, bits)
		v.SetUint(i)
		return isWhole(n) && err == nil
	case v.CanFloat():
		f, err := strconv.ParseFloat(n.Value, bits)
		v.SetFloat(f)
		return (isWhole(n) || n.ShortTag() == "!!float") && err == nil && !math.IsInf(f, 0) && !math.IsNaN(f)
	}
	panic(fmt.Sprintf("strict: cannot decode into %s", v.Type()))
}

func setDuration(n *yaml.Node, v reflect.Value) (advice string, ok bool) {
	d, err := time.ParseDuration(n.Value)
	switch {
	case err == nil:
		v.SetInt(int64(d))
		return "", true
	case isWhole(n):
		return "; a unit is missing: ms, s, m or h", false
	}
	return "; units are ms, s, m and h", false
}

// isWhole tells a decimal number as people write it. YAML's other forms (octal 010, 0x10, 1_000) are refused, since readers
// differ in what they take them for.
func isWhole(n *yaml.Node) bool {
	digits := strings.TrimPrefix(n.Value, "-")
	if n.Style != 0 || digits == "" || (digits[0] == '0' && len(digits) > 1) {
		return false
	}
	return strings.Trim(digits, "0123456789") == ""
}

// wanted says what a field takes.
func wanted(v reflect.Value) string {
	bits := func() uint { return uint(v.Type().Bits()) }
	switch {
	case isDuration(v.Type()):
		return "a duration such as 10s, 5m or 1h30m"
	case v.Kind() == reflect.String:
		return "text"
	case v.Kind() == reflect.Bool:
		return "true or false"
	case v.CanInt() && bits() < 64:
		return fmt.Sprintf("a whole number from %d to %d", -1<<(bits()-1), 1<<(bits()-1)-1)
	case v.CanInt():
		return "a whole number such as 128"
	case v.CanUint() && bits() < 64:
		return fmt.Sprintf("a whole number from 0 to %d", 1<<bits()-1)
	case v.CanUint():
		return "a whole number from 0 up"
	case v.CanFloat():
		return "a number such as 2.5"
	}
	return "a single value"
}

// describe says what a node of the file is.
func describe(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a section of keys"
	case yaml.SequenceNode:
		return "a list"
	case yaml.AliasNode:
		return "the alias " + quote("*"+n.Value)
	}
	switch n.ShortTag() {
	case "!!int", "!!float":
		return "the number " + printable(n.Value)
	case "!!bool":
		return n.Value
	case "!!null":
		return "null"
	case "!!timestamp":
		return "the date " + printable(n.Value)
	}
	if strings.TrimSpace(n.Value) == "" {
		return "empty text"
	}
	return "the text " + quote(n.Value)
}
