// Package local runs a real Kubernetes cluster on this machine, without root,
// containers or network access: etcd, kube-apiserver, kube-controller-manager and,
// on demand, kube-scheduler as child processes on loopback, nodes that are real
// kubelet code over a fake container runtime (hollow) or simulated by the thousand,
// and Sluice under the rights shipped in deploy/. The demo, the integration tests and
// the benchmarks all use it.
//
//	c, err := local.Start(ctx, local.Options{})
//	defer c.Stop()
//	fleet, err := c.Simulate(ctx, simnode.Options{Groups: []simnode.Group{{Count: 100}}})
//	s, err := c.StartSluice(ctx, local.SluiceOptions{Binary: "bin/sluice"})
//	// … c.Client() creates pods, Sluice binds them, the fleet runs them …
//
// Its promise: when Start returns without error everything answers; Stop leaves no
// process and no temporary file; a crashed owner's children die with it, and what else
// it left is removed by the next Start of anybody, or by [Clean]. Several clusters may
// run at once, in one process or many.
package local
