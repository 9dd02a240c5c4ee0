// Package kube joins Sluice to a Kubernetes API server: what happens there comes in as events of the core, what the core decides goes
// out as API requests. Nothing else in Sluice imports client-go.
//
// Its promise: a fact is handed on as it was read, once, and what cannot be read is handed on as a pod or node that holds still and
// says so. An answer to a write is one of a few verdicts, and "perhaps" is one of them: this package never guesses and never repeats a
// write by itself.
//
//	Client     the connection: protobuf, no limit of its own on requests unless asked
//	Watch      pods of all schedulers, the usable nodes, namespaces, volumes and what belongs to them, as far as they may be read → core events
//	Text       the text of one ConfigMap, followed if asked
//	Bind …     writes, each answered by an Answer
//	Prepare    what is written for a pod's volume claims before it is bound
//	Look       a fresh read of one pod, for whoever must know how a bind ended
//	Election   one leader among several processes, by a Lease
//
// No API object is kept. Each is replaced by its fact on the goroutine that decodes it, pods that ask for the same share one
// cluster.Demand, and those of one application and role a cluster.Claim.
package kube
