package config

import "time"

const (
	// APIVersion is the version of the format that this package reads.
	APIVersion = "config.sluice.dev/v1alpha1"
	// Kind is the kind that a configuration file must name.
	Kind = "SluiceConfiguration"
)

// Configuration is all that an operator may set for one Sluice process. It is read at the start; node orders and scarce resources are read again whenever
// the file changes. The queues are in a file or ConfigMap of their own.
//
// Start from Default or Parse: the zero value is not a valid configuration.
type Configuration struct {
	// APIVersion names the version of the format. Required; it must be `config.sluice.dev/v1alpha1`, so that a file
	// written for another version is refused instead of half understood.
	APIVersion string `yaml:"apiVersion"`
	// Kind names the kind of file. Required; it must be `SluiceConfiguration`.
	Kind string `yaml:"kind"`
	// SchedulerName is the `spec.schedulerName` of the pods that this Sluice places; it leaves all other pods alone. It is
	// also the reporting controller of its events. A lower-case DNS name of at most 63 characters. Two Sluices
	// that lead at the same time need different names; `default-scheduler` takes over the pods that name no
	// scheduler, so kube-scheduler must not run then.
	SchedulerName string `yaml:"schedulerName"`
	// OtherSchedulerNames are further names under which pods are placed, as if they gave `schedulerName`: for example `default-scheduler`
	// beside `sluice`, while workloads are moved over. Each as `schedulerName` is, and once. Empty, there is one name.
	OtherSchedulerNames []string `yaml:"otherSchedulerNames"`
	// Nodes says which nodes Sluice may use.
	Nodes Nodes `yaml:"nodes"`
	// Backoff says how long a pod waits after the API server refused its bind.
	Backoff Backoff `yaml:"backoff"`
	// RetryAfter is how long a parked pod waits at most for an event that could help it; then it is tried again in any
	// case. It is a net under lost wake-ups, not a way to poll: from 1s to 24h. Very short, every parked shape is
	// tried over and over; very long, a pod whose wake-up was missed waits that long.
	RetryAfter time.Duration `yaml:"retryAfter"`
	// StarvationAfter is how long a pod that fits nowhere waits, while none that asks for the same is placed, until room may be kept for it, when its turn
	// comes: on the node where least is missing, what falls free is nobody else's until the pod fits. Of each queue one pod at a time is so served, and on one
	// node in twenty at most; when for twice this time nothing more has fallen free, another node is taken. From 0s to 24h; at 0s no room is ever kept, and
	// in a full cluster pods that ask for much may wait for ever behind those that ask for little. Very short, more room lies idle while it is kept.
	StarvationAfter time.Duration `yaml:"starvationAfter"`
	// Step bounds the work of one step of the core.
	Step Step `yaml:"step"`
	// Bind governs the binding requests to the API server.
	Bind Bind `yaml:"bind"`
	// Volumes governs how long the volumes of a pod may take.
	Volumes Volumes `yaml:"volumes"`
	// Gang governs how long room is kept for pods that start together but do not exist yet.
	Gang Gang `yaml:"gang"`
	// Status governs the writes of the pods' PodScheduled condition.
	Status Status `yaml:"status"`
	// Events governs the writes of events about pods.
	Events Events `yaml:"events"`
	// NodeOrders are the ways to choose among nodes that have room, of which the first holds for pods that name none. Without any, a built-in order holds:
	// nodes with most free first, preferences of pods and nodes honoured, scarce resources kept for those who ask for them.
	// A change of this list takes effect while Sluice runs; see the page on node orders.
	NodeOrders []NodeOrder `yaml:"nodeOrders"`
	// ScarceResources says which resources node orders treat as scarce. A change takes effect while Sluice runs.
	ScarceResources ScarceResources `yaml:"scarceResources"`
	// Queues says where the queues are configured.
	Queues Queues `yaml:"queues"`
	// LeaderElection makes one of several Sluices decide while the others follow.
	LeaderElection LeaderElection `yaml:"leaderElection"`
	// Web is the server for health checks, metrics, the REST API and debugging.
	Web Web `yaml:"web"`
	// Log governs the log on standard error.
	Log Log `yaml:"log"`
	// StateDirectory is the folder for what must outlive a crash of the process: `quarantine.json`, the list of objects
	// that made the core panic. An absolute path, created when missing; empty means a folder `sluice` in the
	// system's folder for temporary files. If it does not survive a restart of the container, an object that makes the
	// core panic does so again after each restart.
	StateDirectory string `yaml:"stateDirectory"`
	// Client governs the connection to the API server.
	Client Client `yaml:"client"`
}

// Schedulers are all names under which pods are placed.
func (c *Configuration) Schedulers() []string {
	return append([]string{c.SchedulerName}, c.OtherSchedulerNames...)
}

// Nodes says which nodes Sluice may use.
type Nodes struct {
	// Selector is a label selector as kubectl takes it, for example `pool=batch,arch in (amd64,arm64),!reserved`. Empty means
	// all nodes. Pods on nodes outside it do not count where pods are kept apart, brought together or spread:
	// a pod with anti-affinity by zone may be placed in a zone where a pod that it must avoid runs on a node outside the selector, and pods there
	// make no zone fuller or emptier for topology spread. kube-scheduler counts them, as it sees all nodes. So select whole zones, or use
	// terms about other pods only among pods that all run on selected nodes. A node whose labels stop matching gets no further pods
	// and keeps those it has. What Sluice promises about reservations holds only on nodes that no other scheduler fills.
	Selector string `yaml:"selector"`
}

// Backoff says how long a pod waits after the API server refused its bind. The wait starts at Initial and doubles with each
// refusal up to Max. A pod that fits on no node does not wait for a time, but for a change that helps.
type Backoff struct {
	// Initial is the wait after the first refusal, from 1ms to 1h and not above `backoff.max`. Very short, a pod whose bind is
	// refused over and over keeps the API server busy; very long, a passing failure delays a pod needlessly.
	Initial time.Duration `yaml:"initial"`
	// Max is the longest wait, from 1ms to 1h. Equal to `backoff.initial` it makes the wait constant.
	Max time.Duration `yaml:"max"`
}

// Step bounds the work of one step of the core, between two looks at what has happened in the cluster.
type Step struct {
	// Budget is the number of nodes that a step may visit, from 1 to 1000000000; it is checked between groups of pods.
	// Counted in nodes rather than in time, so that equal histories give equal decisions. Small, events are seen
	// sooner and more time goes into changing over; large, a burst of hopeless pods delays the reaction to events (a visit costs
	// some tens of nanoseconds). At 1 each step decides one group.
	Budget int `yaml:"budget"`
}

// Bind governs the binding requests to the API server. Their number in flight adjusts itself, between MinInFlight
// and MaxInFlight, to how fast the API server answers.
type Bind struct {
	// MaxInFlight is the largest number of binding requests in flight, from 1 to 1024. Too few leave the API server idle; too
	// many make it time out.
	MaxInFlight int `yaml:"maxInFlight"`
	// MinInFlight is the number of binding requests in flight that is always allowed, however slow the API server answers, from 1
	// to `bind.maxInFlight`. Equal to it, the number no longer adjusts itself.
	MinInFlight int `yaml:"minInFlight"`
	// Timeout is how long one binding request may take, from 1s to 10m. After it nobody knows whether the pod was bound: its
	// room stays taken until a read of the pod tells. Very short, a busy API server's late answers all count as lost.
	Timeout time.Duration `yaml:"timeout"`
}

// Volumes governs how long the volumes of a pod may take.
type Volumes struct {
	// BindTimeout is how long the volume claims of a pod that has been given a node may take to be bound, from 1s to 24h; its room is kept meanwhile.
	// After it the pod leaves the node and is tried again. It is kube-scheduler's bindTimeoutSeconds. Short, a slow provisioner makes pods wander
	// between nodes; long, a claim that nobody provisions keeps room from others.
	BindTimeout time.Duration `yaml:"bindTimeout"`
}

// Gang governs how long room is kept for pods that start together but do not exist yet: the TaskManagers of a Flink job whose JobManager has just been placed,
// the executors of a Spark driver. Whether an autoscaler is asked for a gang is said per queue, in the queues file.
type Gang struct {
	// HoldFor is how long room is kept for such pods once the one that starts them has been given a node, from 0s to 24h. It must be enough to pull
	// its image and to start it. At 0s none is kept, and of two jobs each may get half of what it needs; very long, room lies idle for pods that do not come.
	HoldFor time.Duration `yaml:"holdFor"`
	// ReentryFor is how long the room of a job is kept whose pods are gone but which is to run on, as in the middle of an upgrade, from 0s to 24h. At 0s who
	// waits in its queue takes it, and the job waits behind them.
	ReentryFor time.Duration `yaml:"reentryFor"`
	// ConfigMapWithin is how long a JobManager of native Flink waits for the ConfigMap that says how many TaskManagers it will start, for that is made after it, from
	// 0s to 10m. After it the JobManager is placed by itself. Where Sluice may not read these ConfigMaps, every such JobManager without a FlinkDeployment waits that long.
	ConfigMapWithin time.Duration `yaml:"configMapWithin"`
}

// Status governs the writes of the pods' PodScheduled condition, which says why a pod waits. The first condition and a
// changed reason are always written at once.
type Status struct {
	// CountsEvery is the least time between two writes for one pod whose reasons stayed the same and only the number of nodes
	// per reason changed, from 0s to 1h. At 0s they are written whenever the pod is tried again, at most ten seconds after
	// they changed, which costs the API server most when the cluster is busiest; at 1h the numbers in the condition may be that old.
	CountsEvery time.Duration `yaml:"countsEvery"`
}

// Events governs the writes of events about pods. No event is dropped; they wait behind binds and conditions, for a rest of 0.1s between binds or, while pods keep arriving, for 10s.
type Events struct {
	// MaxInFlight is the largest number of event requests in flight, from 1 to 256. Few make `kubectl describe` trail
	// behind under load; many take requests of the API server away from binds.
	MaxInFlight int `yaml:"maxInFlight"`
}

// LeaderElection makes one of several Sluices decide while the others follow the cluster in memory, ready to take over.
// They agree by a Lease object.
type LeaderElection struct {
	// Enabled turns the election on. Off, this Sluice leads from its start: run only one then.
	Enabled bool `yaml:"enabled"`
	// Namespace holds the Lease. It must exist, and the rights to the Lease must be given there.
	Namespace string `yaml:"namespace"`
	// Name is the name of the Lease. Sluices of equal namespace and name elect one leader among them.
	Name string `yaml:"name"`
	// LeaseDuration is how long a leader that fell silent is still believed in: the longest pause of placement after a leader's node
	// dies. Whole seconds, from 1s to 1h, and longer than `leaderElection.renewDeadline`. A leader that stops in order hands over at once.
	LeaseDuration time.Duration `yaml:"leaseDuration"`
	// RenewDeadline is how long the leader tries to renew its Lease before it steps down and exits. Longer than 1.2 times
	// `leaderElection.retryPeriod`, since tries are up to that much apart. Short, a brief outage of the API server costs a restart.
	RenewDeadline time.Duration `yaml:"renewDeadline"`
	// RetryPeriod is the time between two tries to take or renew the Lease, at least 100ms. Short, a change of leader is
	// noticed sooner and the API server gets more requests.
	RetryPeriod time.Duration `yaml:"retryPeriod"`
}

// Web is the server for health checks, metrics, the REST API and debugging.
type Web struct {
	// Address is the host:port to listen on. The host is an IP address or `localhost`; without one (`:10270`) it listens on all
	// addresses, which a kubelet's probes need. Pages under /debug and /api answer callers on the same machine only, whatever
	// the address. Port 0 takes a free port.
	Address string `yaml:"address"`
}

// Log governs the log on standard error.
type Log struct {
	// Level is the least severity that is written: `debug`, `info`, `warn` or `error`. At debug each decision is a line.
	Level string `yaml:"level"`
	// Format is `text` for people or `json` for collectors, one object a line.
	Format string `yaml:"format"`
}

// Client governs the connection to the API server.
type Client struct {
	// QPS is the largest number of requests a second that the client sends on average. -1 means no limit, for the number of
	// requests in flight already follows the API server and its fairness rules protect it; otherwise above 0, at most 100000.
	// Zero is refused, since Kubernetes clients understand it as 5.
	QPS float64 `yaml:"qps"`
	// Burst is how many requests may exceed `client.qps` for a moment, from 1 to 100000. Without meaning while qps is -1.
	Burst int `yaml:"burst"`
}
