// Package integration holds Sluice's promises against real parts: its own binary as a child process, a real kube-apiserver and etcd, the
// real controllers, kube-scheduler, real kubelets over a fake container runtime, and simulated nodes that admit pods as kubelets do. It
// has tests only.
//
// All tests share one cluster and run one after another. Each has nodes of its own, which its Sluices see by a label, and a namespace of
// its own. What happened is judged by what Sluice cannot bend: the watch of the API server (observer) and the API server's audit log
// (trail). Every Sluice runs with the rights of deploy/base/rbac.yaml and nothing more; after each test the audit log must show no
// request of a Sluice that was forbidden.
package integration
