// Package jobmanager is the mind of a native Flink JobManager, reduced to what Kubernetes sees of it: when it asks
// for TaskManager pods, how it names them, which it gives up, and what it does when one dies or when it is itself
// restarted.
//
// It is pure. A shell observes pods, calls Decide with the time, performs the decision and calls again. The rules:
//
//   - TaskManagers do not exist before the JobManager is ready and a start delay has passed (image pull, JVM start and
//     the user's main method take time). Then all that are missing are asked for at once.
//   - A TaskManager is named <cluster>-taskmanager-<attempt>-<index>. The index grows with every request of one
//     JobManager process and is never used again; the attempt grows by one with every JobManager process.
//   - A TaskManager that terminates (phase Failed or Succeeded, a terminated container, or the pod gone) is deleted, and
//     one replacement is asked for. If it had been running, the whole job restarts.
//   - When more than a given number of TaskManagers per minute fail before they run, requests pause.
//   - A new JobManager process keeps the TaskManagers that are scheduled, deletes those that are not, and asks for the
//     missing ones.
//   - TaskManagers that are no longer needed are cancelled at once when unscheduled, and after an idle time otherwise.
//
// The life of the job that is told about:
//
//	Starting ──leader ready──▶ Waiting ──all run──▶ Running
//	   ▲                          ▲                    │
//	   │                          │             a running one dies
//	   │                      (new JobManager)         ▼
//	   └───────leader lost────────┴────────────── Restarting ──all run──▶ Running
package jobmanager
