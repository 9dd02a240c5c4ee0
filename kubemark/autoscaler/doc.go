// Package autoscaler grows and shrinks the local cluster as Kubernetes' Cluster Autoscaler does, as far as a scheduler meets it.
//
//	every Interval:  pods that wait for nodes ──fit on nodes, or on nodes to come?──▶ nothing to do
//	                        │ no
//	                        ▼
//	                 the group whose nodes help most of them ──Delay──▶ nodes register
//	                 nodes of groups that were empty for Unneeded ────▶ removed
//
// It judges by what the Cluster Autoscaler looks at and by nothing else: a pod waits for nodes when its condition PodScheduled is False with the reason Unschedulable, it is not
// being deleted, names one of the schedulers, has no node and no nominated node (such a pod is taken for one that will be placed), and is not of a DaemonSet. Messages and events are not read. What
// would fit on a new node is judged by kube-scheduler's own rules for a node without pods, not by those of whoever schedules. Of gangs it knows nothing: each pod counts for itself.
//
// ProvisioningRequests of the classes check-capacity and best-effort-atomic-scale-up are served as well: room for all of the pods that one asks for, or none, kept for ten minutes.
//
// Groups may be empty; what their nodes will be like is known from their template, so that pods that ask for GPUs make a group grow from zero.
package autoscaler
