// Package pending knows who waits, in what order, and until when or until what.
//
// Pods of equal asks (shape and pin) are one Lot, because what fits one fits the other: when one of them fits nowhere, all are parked, and woken
// together. The pods of a lot that draw on the same accounts stand in one Line, because what is too much for one is too much for the other: a line whose
// account is spent is held back as a whole until something is given back. Within a line those of one application are a Party.
//
// The lines of a queue hang on its Branch, and branches form the queues' tree. Each branch knows what it would offer next: the line whose first party
// comes first (priority, then as the queue sorts its applications), or the offer of the branch below whose queue comes first
// (share.Scale.Key). A change goes up one path, so finding the next costs the depth of the tree, not its size.
//
//	        Put                       fits nowhere: Park, for all lines of the lot
//	new ─────────▶ in a ready line ───────────────────────────▶ in a parked line
//	                 │   ▲   ▲  │                                    │
//	     Take        │   │   │  └── an account is spent: HoldBack     │
//	   (assumed)     │   │   │              │  Relieve               │
//	                 │   │   └──────────────┴────────────────────────┘  a node changed and it fits there, a retry is due: Wake
//	                 ▼   │ backoff over: Tick
//	               away ─┴─────▶ backoff        Backoff (the bind was refused)
//
// A gated pod and a held one (it cannot be tried as it is) are aside until their own fact, or their application's home, changes.
package pending
