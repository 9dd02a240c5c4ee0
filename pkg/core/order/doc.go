// Package order keeps the nodes sorted by how good they are, so that the first one that fits is the one to take.
//
// The score here is static: it depends on the node alone. An Index follows the state: Refresh re-inserts exactly the nodes that
// changed since the last call, so that nothing is ever re-sorted, and a rollback in the state needs no undo here.
package order
