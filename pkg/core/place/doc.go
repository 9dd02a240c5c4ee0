// Package place finds a node for an ask.
//
// Its promise: what it returns is the best node by the order that is named, of all on which the ask fits as they are now, and nil only when there is none.
// It changes nothing of the state. How many nodes it looked at goes with the answer, for the work budget of a step.
//
// First walks the order until a node admits the ask; Remembered, for an ask that fitted nowhere before, looks only at nodes that have changed since, by
// the same scores.
package place
