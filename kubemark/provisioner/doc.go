// Package provisioner makes volumes for claims as the external provisioner of a CSI driver does, without any disks behind them.
//
// It looks after the claims whose class names its driver. A claim of a class that waits for its first consumer is provisioned once a scheduler has selected a node for
// it (annotation volume.kubernetes.io/selected-node), for the part of the cluster that the node is in; any other at once, for nowhere in particular. Then the
// persistentvolume-binder-controller of kube-controller-manager binds the two, as with any provisioner:
//
//	scheduler: selected-node ──> binder: storage-provisioner ──> provisioner: PersistentVolume with claimRef ──> binder: claim bound
//	                                                                 └── fails: takes selected-node back, so that the scheduler chooses anew
//
// A volume whose claim is deleted is deleted, if its class says so. It uses nothing but the API, so it works on any cluster.
package provisioner
