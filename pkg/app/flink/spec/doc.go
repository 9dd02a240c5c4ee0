// Package spec turns a FlinkDeployment into the numbers and templates that follow from it: how many JobManagers and
// TaskManagers, of which size, with which effective Flink configuration and which pod templates.
//
// It is pure: no clock, no API server, no files. Decode reads the fields, Resolve applies the rules of the Flink
// Kubernetes operator (which memory syntax is tried first, which of two resource fields wins, how templates merge,
// how many TaskManagers a parallelism needs). Package objects makes Kubernetes objects from the result.
//
// FromConfig does the same from what a running cluster keeps of itself: its effective configuration, in the ConfigMap
// that its pods mount, and its TaskManagers' pod template.
//
// Any input yields either a Cluster or an error that lists every fault with the path of its field; no input panics.
package spec
