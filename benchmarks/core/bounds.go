package core

import _ "embed"

// Bounds is bounds.yaml: what the cases must reach, and the runs that it came from.
//
//go:embed bounds.yaml
var Bounds []byte
