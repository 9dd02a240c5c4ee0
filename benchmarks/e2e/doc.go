// Package e2e measures schedulers end to end: on a real API server and etcd, as processes of their own, seen from outside by a watch.
//
// Three are compared on the same pods: Sluice, kube-scheduler, and the ceiling, a blind binder that learns of pods from the same watch and
// binds them round robin without deciding anything. What the ceiling reaches is what the API server of this machine can take; a
// scheduler can come close to it but not beyond.
//
// Its promises:
//
//   - All three act as one service account, in one priority level of the API server, speak protobuf, and meet no limit on the client's
//     side.
//   - Every measurement has a control plane of its own, started anew, with the same nodes and pods made from the same seed. Nodes stand
//     still meanwhile: no leases, no kubelets, no pod is ever Running.
//   - The rounds are interleaved, and ratios are taken within a round, so that what else the machine does hits all of them alike; how
//     much that was is measured and printed.
//   - After each measurement every bind is judged by a plain check that shares no code with Sluice, and the events are counted.
//   - Nothing is left out: what went wrong fails the run.
package e2e
