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
//  2. wake: of those who wait for room, the ones whom a changed node now fits become ready
//  3. timers: backoffs that have ended, retries that are due
//  4. decide, if leading: the first in order is tried, assumed and bound, or parked with exact reasons; until nobody is ready
//     or the work budget is spent (Wake then says "now")
//
// Before it turns to a pod or node the core notes it as its Subject, so that a panic can be laid at somebody's door.
package core
