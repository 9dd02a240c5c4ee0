// Package app says which application, role, group and queue a pod belongs to, and what a namespace says of queues. It reads labels,
// annotations, owner references and volumes of the object alone. What other objects tell of a pod's group is in package gang.
//
// Its promise: the same object always gives the same answer; whatever stands in the object, there is an application and no panic; and
// what decided is said in words. An application's id
//
//   - is what somebody wrote on the pod, unchanged, if somebody did, and else
//   - KIND/NAME of what the pods have in common: flink/orders, job/batch-7, deployment/web, pod/alone. Kinds of custom resources
//     that Sluice does not know carry their group: pipeline.example.com/nightly. So things of different kinds never meet.
//   - outlives its pods: no part of it changes when a pod is replaced, a JobManager restarts or a Deployment is rolled over.
//
// The rules stand in two lists, rules in identify.go for applications and groupRules in group.go for groups, most explicit first; a new engine is one function and
// one line in each.
//
// The package is pure: no clock, no I/O, no client-go.
package app
