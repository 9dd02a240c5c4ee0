// Package place finds a node for an ask.
package place
