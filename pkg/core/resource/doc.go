// Package resource keeps amounts of resources as vectors over one interned space of names.
//
// An Amount names its resource and is how facts arrive. A Vector has one slot for each resource that some node
// offers or some bound names and is how the core reckons: adding a pod to a node is a loop over a handful of integers, without maps.
// Slots are never given back, so a vector made once stays right for the life of the space; a shorter vector reads as zero
// beyond its end.
//
// Units: cpu in millicores, memory and storage in bytes, everything else in pieces.
package resource
