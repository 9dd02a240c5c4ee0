package app

// Labels or annotations of our own, read before all others.
const (
	AppName   = "sluice.dev/app"
	QueueName = "sluice.dev/queue"
	RoleName  = "sluice.dev/role"
)

// Annotations of our own that say on whose behalf a pod was made: a user, and groups separated by commas.
const (
	UserAnnotation   = "sluice.dev/user"
	GroupsAnnotation = "sluice.dev/groups"
)

// appNames give an application as it is written, in order: ours, YuniKorn's (with Spark's, which it reads too), Volcano's, Kueue's and
// that of scheduler-plugins.
var appNames = []string{
	AppName,
	yunikornApp, "applicationId",
	"spark-app-selector",
	"scheduling.k8s.io/group-name", "scheduling.volcano.sh/group-name",
	"kueue.x-k8s.io/pod-group-name",
	"scheduling.x-k8s.io/pod-group",
}

// queueNames give a queue as it is written, in order: ours, YuniKorn's, Volcano's, Kueue's, KAI's.
var queueNames = []string{
	QueueName,
	"yunikorn.apache.org/queue", "queue",
	volcanoQueue, "volcano.sh/queue-name",
	"kueue.x-k8s.io/queue-name",
	"kai.scheduler/queue",
}

// roleNames give a role, in order. Flink's component and the index of a LeaderWorkerSet are read by code.
var roleNames = []string{
	"spark-role",
	"training.kubeflow.org/replica-type", "training.kubeflow.org/job-role",
	"jobset.sigs.k8s.io/replicatedjob-name", // before the step of a TrainJob, which stands on the Job and need not reach its pods
	"trainer.kubeflow.org/trainjob-ancestor-step",
	"volcano.sh/task-spec",
}

// Names of others that more than one place reads.
const (
	yunikornApp  = "yunikorn.apache.org/app-id"
	yunikornUser = "yunikorn.apache.org/user.info"
	volcanoQueue = "scheduling.volcano.sh/queue-name"
	kueueTotal   = "kueue.x-k8s.io/pod-group-total-count"
)

// Annotations of namespaces that YuniKorn reads. The last two are its deprecated form of the quota.
const (
	namespaceParent     = "yunikorn.apache.org/parentqueue"
	namespaceQuota      = "yunikorn.apache.org/namespace.quota"
	namespaceGuaranteed = "yunikorn.apache.org/namespace.guaranteed"
	namespaceMaxApps    = "yunikorn.apache.org/namespace.maxApps"
	namespaceMaxCPU     = "yunikorn.apache.org/namespace.max.cpu"
	namespaceMaxMemory  = "yunikorn.apache.org/namespace.max.memory"
)
