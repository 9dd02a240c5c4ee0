// Package flink simulates Apache Flink on Kubernetes as a scheduler meets it: the Flink Kubernetes operator that turns
// a FlinkDeployment into a JobManager Deployment, and the native JobManager that then creates its TaskManagers as bare
// pods. No Flink runs; every object it would create is created, against a real API server, with the true names,
// labels, owners, arguments and sizes, and in the true order.
//
//	FlinkDeployment ──operator──▶ Deployment ──Kubernetes──▶ ReplicaSet ──▶ JobManager pod
//	                                  │ owns                                      │ ready, then a start delay
//	                                  ├─▶ Services, ConfigMaps (after it)         ▼
//	                                  └─▶ TaskManager pods ◀── four at a time ── JobManager (simulated)
//
// New and Run are all that is needed: the simulator installs the CustomResourceDefinitions where they are absent, so
// that kubectl apply works as users of Flink know it. Apply sends manifest files; Job, Watch and Wait tell how far a
// job is and when each step was reached. Everything the simulator knows can be read back from the API server, so it
// may be stopped and started at any time; only one may run per cluster.
//
// The deciding is pure and lives beside: package manifest (files), spec (the operator's rules), objects (what is
// created), jobmanager (when TaskManagers are asked for). This package only observes and performs.
// docs/flink-simulator.md says what is simulated and what is not.
package flink
