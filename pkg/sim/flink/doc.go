// Package flink runs Flink jobs on a cluster in memory, under virtual time, with the core that runs in production: what the simulator in kubemark/flink does against a real
// API server, in microseconds and without chance. The same rules decide (packages jobmanager and rules), the same objects are made (pkg/app/flink/objects), and the core
// learns what they need as it does from a real cluster (pkg/app/gang).
//
//	FlinkDeployment ─▶ JobManager pod ─bound, started─▶ jobmanager.State ─▶ TaskManager pods ─bound, started─▶ the job runs
//
// A World plays operator, Deployment controller and kubelets as far as they matter: a JobManager that is gone is made anew at once; a pod that has its node runs after
// StartAfter; a changed manifest is deployed anew when all old pods are gone.
//
// Scenarios are Go tests and, as text that is compared with its transcript, the files below testdata (see script.go).
package flink
