// Package run joins the core to a cluster: facts and answers flow in through the Inbox, the Loop steps the core, and the Outbox carries
// out what it decides.
//
//	kube.Watch ──> Inbox ──> Loop: core.Step ──> Outbox ──> API server
//	                 ^                              │
//	                 └────────── BindDone ──────────┘
//
// Its promise: the core is touched by one goroutine only, and nobody waits for it who decodes a watch or writes to the API server. Every
// Bind is answered by exactly one BindDone, and not before it is known how it ended. What is owed to the API server is kept until it
// has been written, has become moot or is refused for good; nothing is dropped for lack of room. The API server is never flooded: requests
// in flight follow its latency, and when it asks for patience it gets it from all writers.
//
// Node orders and queues can change meanwhile. Settings takes them in, whole and only if they agree, and puts them into the Inbox; what is broken is
// refused, and what is in force stays.
//
// A panic of the core ends the process, after the object that it was busy with has been noted in quarantine.json; the next start sets
// that object aside instead of meeting the same end (see Quarantine).
//
// Time is taken from the time package alone, so everything here runs in a testing/synctest bubble.
package run
