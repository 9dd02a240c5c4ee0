// Package gang reads from whole API objects which pods start together: how many, of which size, and what is known of those that do not exist
// yet. It knows the PodGroups of Kubernetes and of other schedulers, the resources of Flink's, Spark's and Ray's operators, the ConfigMaps that
// Flink and Spark leave in the cluster, Jobs, JobSets and their like, and the controllers of a Flink cluster of plain manifests.
//
// It is used in two steps, so that the costly one needs no lock:
//
//	object ── Reader.Read ──> *Piece ── Sources.Set / Gone ──> []Change ──> core.GroupSet, core.GroupGone
//
// Read turns one object into what it tells; it may be called by any number of goroutines. Sources remembers the pieces and joins those that tell
// of one group together: two ConfigMaps, a JobManager's and the TaskManagers' controllers. It may be called by one goroutine at a time. The order in
// which objects come plays no part in what is told in the end; one told twice changes nothing.
//
//	var reader = &gang.Reader{Schedulers: []string{"sluice"}}
//	for _, kind := range gang.Kinds { watch(kind, func(o metav1.Object) { put(sources.Set(reader.Read(o))) }) }
//	// a pod of ours that is not bound yet, once: what it needs beside what is watched
//	for _, name := range gang.Wanted(pod) { put(sources.Set(reader.Read(getConfigMap(pod.Namespace, name)))) }
//
// Its promises:
//
//   - The group of a fact is the one that package app finds for the pods (Claim.Group), and its roles are theirs (Claim.Role): both are read from the
//     pods that the object will make, by the code that reads real pods.
//   - A pod has a group only if one of the kinds here, or the pod itself (Claim.Gang), will tell of it. Where an object has nothing to ask for it tells so: a
//     fact with Min below 2.
//   - No object makes it panic, and no unknown field disturbs it. What cannot be read is in words in the fact.
//
// The package is pure: no clock, no I/O, no client-go.
package gang
