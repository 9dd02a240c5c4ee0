// Package simnode simulates nodes by the thousand in one process: it registers Node
// objects, keeps their leases and status, and does with the pods bound to them what a
// kubelet does, as far as the API shows it.
//
// The life of a pod on a simulated node:
//
//	bound ──admitted──► Pending ──StartDelay──► Running ──run-for──► Succeeded or Failed
//	  └────refused────► Failed (OutOfcpu, OutOfpods, NodePorts, NodeAffinity, …)
//	deleted (deletionTimestamp) ──StopDelay──► DELETE with grace period 0 ──► gone
//
// Admission follows the kubelet's rules, reasons and messages, in the order in which the
// pods arrive: the race of two schedulers for one room has the same loser, and the same
// trace in the API, as on a real node.
//
// What is not simulated: images, volumes, probes, container restarts, init containers
// that take time, logs and exec, in-place resize, eviction under pressure, and making
// room for critical pods.
//
// It uses nothing but the API, so it works on any cluster.
package simnode
