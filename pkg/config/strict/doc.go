// Package strict reads YAML written by people into Go structs and says exactly what is wrong with it.
//
// Its promise: nothing is ignored, guessed or repaired. A key that no field takes, a key given twice, a value of the wrong
// type, a second document: each is a Fault with file, line, column, path, the line at fault and what is allowed, and all
// faults that can be found are reported in one go. Whatever the input, reading ends soon and never panics.
//
// The way of a file:
//
//	bytes ── Read ──> Document ── Decode ──> struct laid over its defaults
//	             syntax  │           unknown keys, types │ Check: ranges, rules between fields
//	                     └───────────────┬───────────────┘
//	                                   Faults
//
// A field is bound by its yaml tag, as in go.yaml.in/yaml, of which `-` and `,inline` are understood. Fields may be text,
// booleans, numbers, time.Duration, structs, pointers, lists, maps with text keys, and any type with UnmarshalText. A key
// without a value leaves a section, list or map as it was; a list or map that is given replaces the default.
//
// A value with two forms, single or section, implements Flexible. A struct with rules implements Checker. A struct that knows keys which it does not use implements Tolerant; such a
// key gives a warning instead of an error.
package strict
