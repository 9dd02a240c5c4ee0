// Package cluster is the live state that decisions are made on: nodes, pods, shapes, the queue's use, and a journal to
// undo with.
//
// Facts come in whole (PodFact, NodeFact: read once from the API object, then immutable) and replace what was known; the
// state keeps records (Pod, Node, Shape) that point at the newest fact. Exactly one function, move, takes an allocation into or out of every
// account; an allocation stores what it added, so taking it out subtracts that very record and cannot fail. Placing tentatively is
// Checkpoint, Assume …, then Commit or Rollback.
//
//	           Assume                 SetPod with the same node
//	pending ────────────▶ assumed ───────────────────────────────▶ bound
//	   ▲                     │                                       │
//	   └──── Forget ─────────┘          RemovePod, terminal pod      │
//	         (refused bind)   gone ◀─────────────────────────────────┘
//
// A fact without a node never ends an assumed or bound allocation: it can only be late. One with another node moves it.
//
// The package has no clock, lock or I/O, and is owned by one goroutine.
package cluster
