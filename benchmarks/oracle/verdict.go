package oracle

import (
	"slices"
	"strings"
)

// Code is what a judge says of a pair of pod and node, by kube-scheduler's names of status codes.
type Code uint8

// The codes. Failed is an attempt that ends in an error of the scheduler's own.
const (
	Fits Code = iota
	Unschedulable
	Unresolvable
	Failed
)

func (c Code) String() string {
	return [...]string{"fits", "Unschedulable", "UnschedulableAndUnresolvable", "Error"}[c]
}

// Verdict is what a judge says of a pair.
type Verdict struct {
	Code Code
	// Reasons are those of the first plugin that refuses, sorted.
	Reasons []string
	// Plugin is the one that refuses. Only upstream's verdicts have it: Sluice's reasons tell it by their text.
	Plugin int
}

// Same reports whether two verdicts say the same.
func (v Verdict) Same(w Verdict) bool {
	return v.Code == w.Code && slices.Equal(v.Reasons, w.Reasons)
}

func (v Verdict) String() string {
	if v.Code == Fits {
		return v.Code.String()
	}
	return v.Code.String() + ": " + strings.Join(v.Reasons, "; ")
}
