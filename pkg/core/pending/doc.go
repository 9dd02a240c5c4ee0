// Package pending knows who waits, in what order, and until when or until what.
//
// Pods of equal asks (shape and pin) wait in one Lot, because what fits one fits the other: they are tried, parked and woken
// together, at the cost of one. Lots take turns by the pod at their head: priority, then age, then name and UID.
//
//	        Put                        fits nowhere: Park
//	new ─────────▶ in a ready lot ────────────────────────▶ in a parked lot
//	                 │    ▲    ▲                                  │
//	     Take        │    │    └──────────────────────────────────┘
//	   (assumed)     │    │       a node changed and it fits there, a retry is due: Wake
//	                 ▼    │ backoff over: Tick
//	               away ──┴─────▶ backoff        Backoff (the bind was refused)
//
// A gated pod and a held one (it cannot be tried as it is) are aside until their own fact changes.
package pending
