package gang

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// trainingJob is what is read of the jobs of Kubeflow's training operator and of the MPI operator.
type trainingJob struct {
	Spec struct {
		PyTorch map[string]replicas `json:"pytorchReplicaSpecs"`
		TF      map[string]replicas `json:"tfReplicaSpecs"`
		MPI     map[string]replicas `json:"mpiReplicaSpecs"`
		XGBoost map[string]replicas `json:"xgbReplicaSpecs"`
		Paddle  map[string]replicas `json:"paddleReplicaSpecs"`
		JAX     map[string]replicas `json:"jaxReplicaSpecs"`
		Policy  struct {
			Suspend    *bool `json:"suspend"`
			Scheduling struct {
				Min *int32 `json:"minAvailable"`
			} `json:"schedulingPolicy"`
		} `json:"runPolicy"`
		Elastic *struct {
			Min *int32 `json:"minReplicas"`
		} `json:"elasticPolicy"`
		Launcher string `json:"launcherCreationPolicy"`
	} `json:"spec"`
	Status struct {
		Conditions []struct {
			Type   string `json:"type"`
			Status string `json:"status"`
		} `json:"conditions"`
		Replicas map[string]struct {
			Succeeded int32 `json:"succeeded"`
		} `json:"replicaStatuses"`
	} `json:"status"`
}

type replicas struct {
	Replicas *int32             `json:"replicas"`
	Template v1.PodTemplateSpec `json:"template"`
}

// readTraining makes the reader of one kind of Kubeflow's jobs.
func readTraining(k Kind) func(*Reader, metav1.Object, *Piece) {
	return func(r *Reader, o metav1.Object, into *Piece) {
		d := begin(o, k, strings.ToLower(k.Kind)+"/"+o.GetName())
		var j trainingJob
		if err := decode(o, &j); err != nil {
			d.refuse(err, into)
			return
		}
		j.draft(r, o, k, d)
		d.end(r, o, into)
	}
}

func (j *trainingJob) draft(r *Reader, o metav1.Object, k Kind, d *draft) {
	all := j.roles()
	total := 0
	d.exact = j.Spec.Elastic == nil
	for _, name := range slices.Sorted(maps.Keys(all)) {
		spec := all[name]
		n := sane(orElse(spec.Replicas, 1))
		d.add(role{min: n, count: n, member: j.member(r, o, k, name, spec), done: sane(j.Status.Replicas[name].Succeeded)})
		total += n
	}
	d.fact.Source = fmt.Sprintf("%s %s: %s", k.Kind, o.GetName(), plural(total, "replica"))
	least := j.Spec.Policy.Scheduling.Min
	switch {
	case least != nil:
		d.share(sane(*least))
		d.fact.Source += fmt.Sprintf(", minAvailable %d", *least)
	case j.Spec.Elastic != nil && j.Spec.Elastic.Min != nil:
		d.elastic(sane(*j.Spec.Elastic.Min))
	}
	j.over(d)
}

// elastic lets workers be as few as the policy says.
func (d *draft) elastic(least int) {
	for i := range d.roles {
		if d.roles[i].name == "worker" {
			d.roles[i].min = min(d.roles[i].min, least)
			d.fact.Source += fmt.Sprintf(", elastic, runs with %s", plural(least, "worker"))
		}
	}
}

func (j *trainingJob) roles() map[string]replicas {
	s := &j.Spec
	for _, m := range [...]map[string]replicas{s.PyTorch, s.TF, s.MPI, s.XGBoost, s.Paddle, s.JAX} {
		if len(m) > 0 {
			return m
		}
	}
	return nil
}

// member is a pod with the labels that the operator gives it.
func (j *trainingJob) member(r *Reader, o metav1.Object, k Kind, name string, spec replicas) *member {
	kind, labels := strings.ToLower(k.Kind), map[string]string{"training.kubeflow.org/job-name": o.GetName()}
	labels["training.kubeflow.org/operator-name"] = kind + "-controller"
	labels["training.kubeflow.org/replica-type"] = strings.ToLower(name)
	if text(content(o), "apiVersion") == mpiJobs.APIVersion() {
		labels["training.kubeflow.org/operator-name"] = "mpi-operator"
		labels["training.kubeflow.org/job-role"] = strings.ToLower(name)
		delete(labels, "training.kubeflow.org/replica-type")
	}
	return r.member(o.GetNamespace(), &spec.Template, labels)
}

// over notes that the job has ended, or is not to run.
func (j *trainingJob) over(d *draft) {
	if orElse(j.Spec.Policy.Suspend, false) {
		d.halted("spec.runPolicy.suspend is true")
	}
	for _, c := range j.Status.Conditions {
		if c.Status == "True" && (c.Type == "Succeeded" || c.Type == "Failed") {
			d.ended("the job has " + strings.ToLower(c.Type))
			return
		}
	}
}
