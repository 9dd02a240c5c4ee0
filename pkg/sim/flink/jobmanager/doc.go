// Package jobmanager is the mind of a Flink JobManager and of its job, reduced to what Kubernetes sees of them: when TaskManager pods are asked for, how they
// are named, which are given up, when the job runs, restarts, fails and ends.
//
// It is pure: no clock, no API. A shell observes pods, calls Decide with the time, performs the decision and calls again, at the latest after Wake; it may as well
// do so in virtual time. The rules:
//
//   - TaskManagers do not exist before the JobManager is ready and a start delay has passed (image pull, JVM start and
//     the user's main method take time). Then all that are missing are asked for at once.
//   - A TaskManager is named <cluster>-taskmanager-<attempt>-<index>. The index grows with every request of one
//     JobManager process and is never used again; the attempt grows by one with every JobManager process.
//   - A job that has not got its slots within a time fails: TaskManagers without a node are cancelled, and after the delay of its restart it asks again, by new names.
//   - A TaskManager that has a node and does not run within a time is deleted, and one more asked for. One without a node may wait for ever.
//   - A TaskManager that terminates (phase Failed or Succeeded, a terminated container, or the pod gone) is deleted, and
//     one replacement is asked for. If it had been running, the whole job restarts; a batch job only does its tasks again.
//   - When more than a given number of TaskManagers per minute fail before they run, requests pause.
//   - A new JobManager process keeps the TaskManagers that are scheduled, deletes those that are not, and asks for the
//     missing ones. TaskManagers that run and have no JobManager for too long exit.
//   - TaskManagers that are no longer needed are cancelled at once when unscheduled, and after an idle time otherwise.
//   - An adaptive job runs with its minimum once that has stood for a time, and restarts to use more, not too often. A reactive one does so at every arrival; what
//     arrives while it restarts costs nothing more. A batch job hands its tasks to any number of TaskManagers, stage by stage.
//
// The life of the job (rules.go says who runs when, job.go follows it):
//
//	Starting ──leader ready──▶ Waiting ──enough run──▶ Running ──work done──▶ Finished
//	   ▲                        │  ▲                    │  ▲
//	   │          slots not in time│         a TaskManager is lost, or more have come
//	   │                        ▼  │(new JobManager)    ▼  │ enough run, after the delay
//	   └──── leader lost ───── Restarting ◀─────────────┘──┘
//	                            └── may not restart ──▶ Failed
package jobmanager
