// Package child runs programs as children that cannot outlive their owner, and
// finds and ends those that did.
//
// Its promise: a [Process] ends when its owner ends, however that happens (the
// kernel sends it SIGKILL), and takes its own process group with it when stopped.
// What could still be left after a crash is written down in a [Record] before it
// matters; [Sweep] ends exactly the processes it names, recognised by process id,
// boot, start time and program, so that a process id given to somebody else since
// is never touched.
//
// Linux only: it needs /proc and the parent-death signal.
package child
