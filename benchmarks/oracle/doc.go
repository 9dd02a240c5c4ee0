// Package oracle lets kube-scheduler's own plugins (Kubernetes 1.37.2, run in memory) and Sluice's fit judge the same random clusters and pods, and
// shows where they differ.
//
// A World is what the API server would tell: nodes, placed pods, namespaces and so on, as v1 objects. A generator makes one from a seed and changes it
// by and by. Upstream takes the world as it is; Sluice reads the same objects with the readers that run in production, keeps a real cluster.State
// and takes in every change as an event, so that what is compared is also what was built up step by step. Then pods come: for each pod and each
// node both sides say whether it may run there, with which code, and for which reasons of the first plugin that refuses. Sluice is asked
// in the slow way that gives reasons and in each of the fast ones, which must agree.
//
// A pair of pod and node counts for a plugin if the plugin was reached and its PreFilter did not skip. A difference is made small by
// leaving out whatever it does not need (Shrink) and printed as YAML. What differs on purpose is listed in differences.md; each entry has a
// predicate in differences.go.
package oracle
