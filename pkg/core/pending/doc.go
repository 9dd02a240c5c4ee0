// Package pending knows who waits, in what order, and until when or until what.
//
// Pods of equal asks (shape, kin and pin) are one Lot, because what fits one fits the other: when one of them fits nowhere, all are parked, and woken
// together. The pods of a lot that draw on the same accounts stand in one Line, because what is too much for one is too much for the other: a line whose
// account is spent is held back as a whole until something is given back. Within a line those of one application are a Party.
//
// The lines of a queue hang on its Branch, and branches form the queues' tree. Each branch knows what it would offer next: the line whose first party
// comes first (priority, then as the queue sorts its applications), or the offer of the branch below whose queue comes first
// (share.Scale.Key). A change goes up one path, so finding the next costs the depth of the tree, not its size.
//
// A pod:
//
//	       Put                Take                    Backoff: the bind was refused
//	new ────────▶ in a line ────────▶ away (assumed) ───────────────────────────────▶ backoff
//	                ▲  ▲                    │ Put: the bind was recalled                │
//	                │  └────────────────────┘                                           │
//	                └───────────────────────────────────────────────────────────────────┘ Tick: it is over
//
// A pod that has waited long takes another way out of its line: Reserve, and from there Take once the room is there, or Return when it is not kept any longer.
//
// Aside puts a pod beside all this: gated, or held, for it cannot be tried as it is; until its own fact, or its application's home, changes, and it is Put.
// Drop forgets a pod from wherever it is.
//
// A line, with all its pods; Park and Wake concern all lines of its lot:
//
//	         HoldBack: an account refuses it
//	ready ──────────────────────────────────────────▶ held back ◀──────────┐
//	│   ▲                                             │   │   │            │
//	│   ├──── Call, or Seek: the account lets it in ──┘   │   │            │
//	│   │                                                 │   │            │
//	│   │ Wake: try all anew      Seek: the account lets  │   │ Call       │ HoldBack
//	│   │                         it in, its lot waits    │   │            │
//	│   └──────────────── parked ◀────────────────────────┘   │            │
//	│                     ▲  ▲ │                              ▼            │
//	└─────────────────────┘  │ └────────── Call ─────────▶ called ─────────┘
//	 Park: it fits nowhere   │                              │
//	                         └────────── Dismiss ───────────┘
//
// A node that changes makes nobody ready. Help notes that a parked lot fits there, until Unhelp. Seek finds, among the lines of the helped lots and those that an account with
// something given back would let in, the one whose turn is first; Call lets it be tried once although its lot is parked, and Dismiss lets it wait again. One line
// is called at a time. When an account has room for the first pods of all the lines that it held back, Seek makes them ready together.
//
// Where it depends on other pods whether a lot fits (Watch), a change of one node is not all that may help: such a lot is woken, to be tried on all nodes, when what it
// waits for happens to one of the counts by which it is judged (Stir).
package pending
