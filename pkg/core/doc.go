// Package core decides which pod runs where. It has no clock, lock, goroutine, logger, randomness or I/O: time comes in as an
// argument, facts come in as events, decisions go out as effects. Equal histories give equal effects.
//
// A Core is owned by one goroutine. Its caller gathers events, calls Step, carries out the effects in any order and
// reports the outcome of each Bind as a BindDone. Events are whole facts: one that is doubled, late or missing cannot bend the
// accounts, and telling everything again mends all. When Wake says so, Step is called without events.
//
// A step:
//
//  1. intake: facts replace what was known; answers settle what was assumed
//  2. wake: what may help those who wait is held open: nodes that have changed so that somebody parked fits, accounts to which something was given back
//  3. timers: backoffs that have ended, retries that are due, volumes that have taken too long
//  4. decide, if leading: the first in order, of those who are ready and those whom an opening helps, is tried: assumed and bound, or held back by the account that
//     refuses it, or parked with exact reasons; until nobody is left or the work budget is spent (Wake then says "now")
//
// A pod whose volume claims wait for it is assumed like any other; then its volumes are prepared (PrepareVolumes, VolumesDone), and it is bound when the facts say that its claims
// are; see preparation.
//
// Before it turns to a pod or node the core notes it as its Subject, so that a panic can be laid at somebody's door.
package core
