package app

import "strings"

// sparkOperator is the SparkApplication whose operator made the pod. Spark's own id, spark-app-selector, comes before it: see appNames.
func sparkOperator(m *marks) (id, from string) {
	return m.named(sparkApp, "sparkoperator.k8s.io/app-name")
}

// sparkDriver is a driver without any label that tells its application. Its executors belong to the driver's pod, and so does it itself.
func sparkDriver(m *marks) (id, from string) {
	if m.pod.Labels["spark-role"] != Driver {
		return "", ""
	}
	id, _ = alone(m)
	return id, "the pod itself, a Spark driver"
}

// ray is the RayJob or RayService that a Ray cluster was made for, else the cluster.
func ray(m *marks) (id, from string) {
	kind, _ := m.label("ray.io/originated-from-crd")
	name, from := m.label("ray.io/originated-from-cr-name")
	if kind != "" && name != "" {
		return strings.ToLower(kind) + "/" + name, from
	}
	return m.named(rayGroup, "ray.io/cluster")
}

// jobSet is a JobSet; a TrainJob makes one of its own name.
func jobSet(m *marks) (id, from string) {
	return m.named(jobSetGroup, "jobset.sigs.k8s.io/jobset-name")
}

// kubeflow is a job of Kubeflow's training operator or MPI operator. The kind is taken from what the operator calls itself (pytorchjob-controller,
// mpi-operator), for that is the same on all pods of a job, while their owners are not: the launcher of an MPIJob belongs to a Job.
func kubeflow(m *marks) (id, from string) {
	operator, _ := m.label("training.kubeflow.org/operator-name")
	kind := strings.TrimSuffix(strings.TrimSuffix(operator, "-controller"), "-operator")
	if !strings.HasSuffix(kind, "job") {
		kind += "job"
	}
	return m.named(kind+"/", "training.kubeflow.org/job-name")
}

// leaderWorkerSet is a LeaderWorkerSet with all its groups.
func leaderWorkerSet(m *marks) (id, from string) {
	return m.named(lwsGroup, "leaderworkerset.sigs.k8s.io/name")
}

// job is the Job that the pod's label names, for a pod that its Job no longer owns.
func job(m *marks) (id, from string) {
	return m.named(jobGroup, "batch.kubernetes.io/job-name")
}

// named is the prefix and the value of a label, if the pod has it.
func (m *marks) named(prefix, label string) (id, from string) {
	value, from := m.label(label)
	if value == "" {
		return "", ""
	}
	return prefix + value, from
}
