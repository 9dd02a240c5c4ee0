package gang

import (
	"slices"
	"strings"

	v1 "k8s.io/api/core/v1"

	"github.com/sluice-scheduler/sluice/pkg/app"
	"github.com/sluice-scheduler/sluice/pkg/app/flink/spec"
)

// Kind is a kind of objects to be watched, in all namespaces. Where its version is not served any other will do.
type Kind struct {
	Group, Version, Kind, Resource string
	// Selector is the label selector of the objects that matter; empty for all.
	Selector string
	// Builtin: every API server has it. Others come with a custom resource definition, or with an option of the API server, and may come, and go, later.
	Builtin bool
	// Without says what is the case where it cannot be read, to complete "no right to read …, ".
	Without string
}

// noHA selects the ConfigMaps of Flink clusters without those in which its JobManagers elect their leader, which change every few seconds.
const noHA = "type in (flink-native-kubernetes, flink-standalone-kubernetes),configmap-type!=high-availability"

// Kinds are the kinds to be watched. Any of them may be missing.
var Kinds = []Kind{
	podGroups, volcanoPodGroups, pluginPodGroups, kaiPodGroups,
	flinkDeployments, flinkSessionJobs, configMaps, deployments, statefulSets, jobs,
	sparkApplications, rayClusters, jobSets, leaderWorkerSets,
	pyTorchJobs, tfJobs, mpiJobs, xgBoostJobs, paddleJobs, jaxJobs,
}

var (
	podGroups = Kind{
		Group: "scheduling.k8s.io", Version: "v1beta1", Kind: "PodGroup", Resource: "podgroups",
		Without: "pods that name a PodGroup are held",
	}
	volcanoPodGroups = Kind{
		Group: "scheduling.volcano.sh", Version: "v1beta1", Kind: "PodGroup", Resource: "podgroups",
		Without: "pods in groups of Volcano start one by one",
	}
	pluginPodGroups = Kind{
		Group: "scheduling.x-k8s.io", Version: "v1alpha1", Kind: "PodGroup", Resource: "podgroups",
		Without: "pods in groups of scheduler-plugins start one by one",
	}
	kaiPodGroups = Kind{
		Group: "scheduling.run.ai", Version: "v2alpha2", Kind: "PodGroup", Resource: "podgroups",
		Without: "pods in groups of KAI start one by one",
	}
)

var (
	flinkDeployments = Kind{
		Group: "flink.apache.org", Version: "v1beta1", Kind: "FlinkDeployment", Resource: "flinkdeployments",
		Without: "what Flink clusters of the operator need is known from their ConfigMaps alone, after their JobManagers are created",
	}
	flinkSessionJobs = Kind{
		Group: "flink.apache.org", Version: "v1beta1", Kind: "FlinkSessionJob", Resource: "flinksessionjobs",
		Without: "it is not shown how many TaskManagers the jobs of a session cluster ask for",
	}
	configMaps = Kind{
		Version: "v1", Kind: "ConfigMap", Resource: "configmaps", Selector: noHA, Builtin: true,
		Without: "what native Flink clusters without an operator need is not known, so their pods start one by one",
	}
)

// Controllers that every cluster has.
var (
	deployments = Kind{
		Group: "apps", Version: "v1", Kind: "Deployment", Resource: "deployments", Builtin: true,
		Without: "what Flink clusters of plain manifests need is not known, so their pods start one by one",
	}
	statefulSets = Kind{
		Group: "apps", Version: "v1", Kind: "StatefulSet", Resource: "statefulsets", Builtin: true,
		Without: "what Flink clusters of plain manifests need is not known, so their pods start one by one",
	}
	jobs = Kind{
		Group: "batch", Version: "v1", Kind: "Job", Resource: "jobs", Builtin: true,
		Without: "how many pods of a Job run at once is not known, so they start as their annotations say, or one by one",
	}
)

// Resources of operators.
var (
	sparkApplications = Kind{
		Group: "sparkoperator.k8s.io", Version: "v1beta2", Kind: "SparkApplication", Resource: "sparkapplications",
		Without: "what Spark applications of the operator need is not known, so their pods start one by one",
	}
	rayClusters = Kind{
		Group: "ray.io", Version: "v1", Kind: "RayCluster", Resource: "rayclusters",
		Without: "what Ray clusters need is not known, so their pods start one by one",
	}
	jobSets = Kind{
		Group: "jobset.x-k8s.io", Version: "v1alpha2", Kind: "JobSet", Resource: "jobsets",
		Without: "what JobSets need is not known, so their pods start one by one",
	}
	leaderWorkerSets = Kind{
		Group: "leaderworkerset.x-k8s.io", Version: "v1", Kind: "LeaderWorkerSet", Resource: "leaderworkersets",
		Without: "what LeaderWorkerSets need is not known, so their pods start one by one",
	}
	pyTorchJobs = training("v1", "PyTorchJob")
	tfJobs      = training("v1", "TFJob")
	mpiJobs     = training("v2beta1", "MPIJob") // or v1, of the training operator
	xgBoostJobs = training("v1", "XGBoostJob")
	paddleJobs  = training("v1", "PaddleJob")
	jaxJobs     = training("v1", "JAXJob")
)

func training(version, kind string) Kind {
	return Kind{
		Group: "kubeflow.org", Version: version, Kind: kind, Resource: strings.ToLower(kind) + "s",
		Without: "what such jobs need is not known, so their pods start one by one",
	}
}

// APIVersion is group and version as objects have them.
func (k Kind) APIVersion() string {
	if k.Group == "" {
		return k.Version
	}
	return k.Group + "/" + k.Version
}

// Wanted returns the names of the ConfigMaps, beside those that are watched, that tell of the pod's group: the one a Spark driver was submitted with, and the one from
// which a JobManager of plain manifests has its configuration. They have no label by which they could be watched, so they are to be got by name when the pod is first seen,
// and given to Sources; the first never changes, the second is taken as it was. They may be given up (Gone) with the pod. A ConfigMap that is not there is no fault.
func Wanted(pod *v1.Pod) (configMaps []string) {
	switch {
	case pod.Labels["spark-role"] == app.Driver:
		for i := range pod.Spec.Volumes {
			if c := pod.Spec.Volumes[i].ConfigMap; c != nil && sparkConfig(c.Name) {
				configMaps = append(configMaps, c.Name)
			}
		}
	case hasComponent(pod.Labels) && !isFlinkType(pod.Labels[spec.LabelType]):
		configMaps = flinkConfigs(pod)
	}
	slices.Sort(configMaps)
	return slices.Compact(configMaps)
}
