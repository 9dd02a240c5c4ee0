// Package objects makes the Kubernetes objects of a Flink cluster from a spec.Cluster: the Deployment of the
// JobManager, its ConfigMaps and Services, bare TaskManager pods (native) or a Deployment of them (standalone).
//
// It is pure, and true to what Flink's native integration and the Flink Kubernetes operator write: names, labels,
// annotations, owners, arguments, environment, ports, volumes, resources, and the order of containers (sidecars of
// the template first, the main container last). What a scheduler reads of a pod is therefore what it would read in
// production. Equal input gives equal objects.
package objects
