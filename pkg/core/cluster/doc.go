// Package cluster is the live state that decisions are made on: nodes, pods and their shapes, the tree of queues and what is used of it, and a journal to
// undo with.
//
// Facts come in whole (PodFact, NodeFact, NamespaceFact: read once from the API object, then immutable; a Tree is one, too) and replace what was known; the
// state keeps records (Pod, Shape, Node, Class, App, Queue) that point at the newest fact. Exactly one function, move, takes an allocation into or out of every
// account; an allocation stores what it added, so taking it out subtracts that very record and cannot fail. Placing tentatively is
// Checkpoint, Assume …, then Commit or Rollback.
//
//	           Assume                 SetPod with the same node
//	pending ────────────▶ assumed ───────────────────────────────▶ bound
//	   ▲                     │                                       │
//	   └──── Release ────────┘          RemovePod, terminal pod      │
//	         (refused bind)   gone ◀─────────────────────────────────┘
//
// A fact without a node never ends an assumed or bound allocation: it can only be late. One with another node moves it.
//
// Pods of ours form applications (App). An application's home is the leaf where the rules of the tree put it, by its pods' claims and its namespace; queues are
// made and go with the applications that rules send there. Its use is entered in a Ledger: the accounts of the leaf, of all queues above it, and of its
// user and group where limits name them. After a change that concerns many, homes are found anew some at a time (Rehome). They depend on nothing but the
// tree, the namespaces and the pods, so that a restart finds the same.
//
// Terms about other pods (Topology) become matchers: which pods each selects is known at all times, by folks of pods that no term tells apart, and how many of them are
// placed in each domain of a topology key is counted in tallies, by move like all else. What terms make of a pod itself is its Kin.
//
// What pods need of volumes (Volumes) points at the records of claims, those at volumes and classes; see storage. An allocation holds a mount: what its node counts of
// volumes, and what was chosen for claims that are bound when the pod is placed.
//
// The package has no clock, lock or I/O, and is owned by one goroutine.
package cluster
