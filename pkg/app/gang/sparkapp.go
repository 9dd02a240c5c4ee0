package gang

import (
	"strconv"

	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/sluice-scheduler/sluice/pkg/app"
	"github.com/sluice-scheduler/sluice/pkg/app/flink/spec"
)

// sparkApplication is what is read of a SparkApplication.
type sparkApplication struct {
	Spec struct {
		Type           string                 `json:"type"`
		Suspend        *bool                  `json:"suspend"`
		Conf           map[string]spec.Scalar `json:"sparkConf"`
		NodeSelector   map[string]string      `json:"nodeSelector"`
		OverheadFactor *spec.Scalar           `json:"memoryOverheadFactor"`
		BatchScheduler string                 `json:"batchScheduler"`
		Driver         sparkRole              `json:"driver"`
		Executor       sparkRole              `json:"executor"`
		Dynamic        struct {
			Enabled bool   `json:"enabled"`
			Initial *int32 `json:"initialExecutors"`
			Min     *int32 `json:"minExecutors"`
		} `json:"dynamicAllocation"`
	} `json:"spec"`
	Status struct {
		Application struct {
			State string `json:"state"`
		} `json:"applicationState"`
	} `json:"status"`
}

// sparkRole is the driver or the executors of a SparkApplication.
type sparkRole struct {
	Instances         *int32             `json:"instances"`
	Cores             *int32             `json:"cores"`
	CoreRequest       string             `json:"coreRequest"`
	CoreLimit         string             `json:"coreLimit"`
	Memory            string             `json:"memory"`
	MemoryOverhead    string             `json:"memoryOverhead"`
	GPU               *sparkGPU          `json:"gpu"`
	Labels            map[string]string  `json:"labels"`
	Annotations       map[string]string  `json:"annotations"`
	NodeSelector      map[string]string  `json:"nodeSelector"`
	Tolerations       []v1.Toleration    `json:"tolerations"`
	Affinity          *v1.Affinity       `json:"affinity"`
	Sidecars          []v1.Container     `json:"sidecars"`
	InitContainers    []v1.Container     `json:"initContainers"`
	SchedulerName     string             `json:"schedulerName"`
	PriorityClassName string             `json:"priorityClassName"`
	HostNetwork       *bool              `json:"hostNetwork"`
	Template          v1.PodTemplateSpec `json:"template"`
}

type sparkGPU struct {
	Name     string `json:"name"`
	Quantity int64  `json:"quantity"`
}

// readSparkApplication reads a SparkApplication. Its driver starts the executors.
func readSparkApplication(r *Reader, o metav1.Object, into *Piece) {
	d := begin(o, sparkApplications, "sparkapplication/"+o.GetName())
	var a sparkApplication
	if err := decode(o, &a); err != nil {
		d.refuse(err, into)
		return
	}
	s := &spark{properties: a.properties(), jvm: a.Spec.Type != "Python" && a.Spec.Type != "R"}
	driver, executor := a.template(&a.Spec.Driver), a.template(&a.Spec.Executor)
	s.draft(r, o.GetNamespace(), d, "SparkApplication "+o.GetName(), driver, executor, map[string]string{"sparkoperator.k8s.io/app-name": o.GetName()})
	a.over(d)
	d.end(r, o, into)
}

// properties are those with which the operator calls spark-submit. Fields of the spec win over sparkConf.
func (a *sparkApplication) properties() map[string]string {
	p := map[string]string{}
	for key, value := range a.Spec.Conf {
		p[key] = string(value)
	}
	put := func(key, value string) {
		if value != "" {
			p[key] = value
		}
	}
	for role, s := range map[string]*sparkRole{app.Driver: &a.Spec.Driver, app.Executor: &a.Spec.Executor} {
		put("spark."+role+".cores", digits(s.Cores))
		put("spark.kubernetes."+role+".request.cores", s.CoreRequest)
		put("spark.kubernetes."+role+".limit.cores", s.CoreLimit)
		put("spark."+role+".memory", s.Memory)
		put("spark."+role+".memoryOverhead", s.MemoryOverhead)
	}
	put("spark.executor.instances", digits(a.Spec.Executor.Instances))
	if p["spark.executor.instances"] == "" {
		p["spark.executor.instances"] = "1"
	}
	if a.Spec.OverheadFactor != nil {
		put("spark.kubernetes.memoryOverheadFactor", string(*a.Spec.OverheadFactor))
	}
	if a.Spec.BatchScheduler != "" && a.Spec.BatchScheduler != "kube-scheduler" {
		put("spark.kubernetes.scheduler.name", a.Spec.BatchScheduler)
	}
	if a.Spec.Dynamic.Enabled {
		put("spark.dynamicAllocation.enabled", "true")
		put("spark.dynamicAllocation.initialExecutors", digits(a.Spec.Dynamic.Initial))
		put("spark.dynamicAllocation.minExecutors", digits(a.Spec.Dynamic.Min))
	}
	return p
}

func digits(n *int32) string {
	if n == nil {
		return ""
	}
	return strconv.Itoa(int(*n))
}

// template is the pod of a role before Spark completes it: its template, and what the operator's webhook adds.
func (a *sparkApplication) template(s *sparkRole) *v1.PodTemplateSpec {
	t := s.Template.DeepCopy()
	t.Labels, t.Annotations = overlaid(t.Labels, s.Labels), overlaid(t.Annotations, s.Annotations)
	p := &t.Spec
	p.NodeSelector = overlaid(p.NodeSelector, a.Spec.NodeSelector, s.NodeSelector)
	p.Tolerations = append(p.Tolerations, s.Tolerations...)
	p.InitContainers = append(p.InitContainers, s.InitContainers...)
	mainOf(p, "")
	p.Containers = append(p.Containers, s.Sidecars...)
	if s.Affinity != nil {
		p.Affinity = s.Affinity
	}
	if s.SchedulerName != "" {
		p.SchedulerName = s.SchedulerName
	}
	if s.PriorityClassName != "" {
		p.PriorityClassName = s.PriorityClassName
	}
	p.HostNetwork = p.HostNetwork || orElse(s.HostNetwork, false)
	if s.GPU != nil && s.GPU.Name != "" {
		gpus := *resource.NewQuantity(max(0, s.GPU.Quantity), resource.DecimalSI)
		p.Containers[0].Resources.Limits = overlaid(p.Containers[0].Resources.Limits, v1.ResourceList{v1.ResourceName(s.GPU.Name): gpus})
	}
	return t
}

// over notes that the application has ended, or is not to run. One that is to be tried again is neither.
func (a *sparkApplication) over(d *draft) {
	switch state := a.Status.Application.State; {
	case state == "COMPLETED" || state == "FAILED":
		d.ended("the application is " + state)
	case orElse(a.Spec.Suspend, false):
		d.halted("spec.suspend is true")
	}
}
