// Package fit answers whether a pod may run on a node as the node is now, and if not, why.
//
// A fixed list of checks, one file each, in the order of kube-scheduler's default plugins; the first that refuses gives the
// reasons. Fits is the fast yes or no; Why gives the reasons as values, which are counted on the way and become text only at the edge
// (Reason.String, Summary). Both walk the same list. Texts and codes are those of Kubernetes 1.37.
//
// Memory keeps, for a demand that fits nowhere, why each node refuses it, and brings that up to date by looking only at nodes
// that have changed since.
//
// A new check is one file and one line in the list.
package fit
