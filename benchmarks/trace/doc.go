// Package trace measures how well pods with GPUs are placed on a real, mixed cluster: Sluice's core against kube-scheduler's own scoring.
//
// A Trace is a list of machines and a list of tasks, loaded from the CSV files of a public cluster trace or made by Generate from
// distributions fitted to it. Machines and tasks become real v1.Node and v1.Pod objects; both schedulers read those.
//
// Fill puts pods, drawn from the list with replacement, one after the other onto the empty cluster until a multiple of its GPUs has been asked
// for. Nobody leaves, nothing is tried twice. Replay lets the tasks come and go at the times of the trace, under virtual time, and measures how
// long they wait.
//
// Every placement of either side is entered in a Ledger of our own, which refuses what does not fit.
package trace
