// Package components turns the Kubernetes and etcd modules that this module's
// go.mod pins into the programs a local cluster runs: etcd, kube-apiserver,
// kube-controller-manager, kube-scheduler, kubectl and the hollow node.
//
// Its promise: after [Ensure] returns without error, every program of [Names]
// is in the folder of the returned [Set], complete and executable. Programs are
// built once per Kubernetes version and kept in the user's cache folder; two
// callers at the same time do not build twice; a build cut short leaves nothing
// behind that a later call would mistake for a program.
package components
