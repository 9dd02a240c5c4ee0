// Package core measures the deciding core alone: no API server, one goroutine, one processor.
//
// A decision is a Bind that Step returns. Time runs from the first event in to the last BindDone, with intake, choice of the node, commit and garbage
// collection. Pods arrive a thousand at a time; every bind is answered in the next step.
package core
