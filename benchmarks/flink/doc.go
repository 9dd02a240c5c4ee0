// Package flink measures how schedulers treat pods that must start together, Flink's first: on a real API server and etcd, with simulated nodes and the Flink
// simulator, Sluice and kube-scheduler one after the other on the same jobs, beside a binder that decides nothing.
//
//   - Contend: Flink jobs that have room for half of them. What is wasted on jobs that have only started in part, how many fail because their slots do not come in
//     time, and how many run, against the best packing.
//   - Storm: a hundred jobs at once, and again when all of their pods are gone at once. How long until all run, against the binder.
//   - Gangs: as many pods as fit, in gangs, against the same pods without gangs and against the binder.
//   - Stream: one large gang against one-pod jobs without end. How long until it starts.
//
// What is measured is what an observer of the API server sees; nothing asks a scheduler. docs/benchmarks-flink.md says how, bounds.yaml what Sluice must reach.
package flink
