package objects

import (
	"math"
	"strconv"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/sluice-scheduler/sluice/pkg/app/flink/spec"
)

// GenerationAnnotation carries the generation of the FlinkDeployment from which a Deployment and its JobManager pods
// were made. The operator reads it to see whether what runs is what is wanted.
const GenerationAnnotation = "flinkdeployment.flink.apache.org/generation"

// JobManager is the Deployment of the JobManager, named after the cluster and owned by the FlinkDeployment with
// controller=false, as the operator sets it. It comes first: everything else is owned by it.
func JobManager(c *spec.Cluster) *appsv1.Deployment {
	template := build(c, &c.JobManager, spec.ComponentJobManager, func(p *corev1.PodSpec, main *corev1.Container) {
		p.RestartPolicy = corev1.RestartPolicyAlways
		main.Command = []string{entrypoint}
		main.Args = jobManagerArgs(c)
		main.Ports = append(main.Ports, port("rest", restPort(c)), port("jobmanager-rpc", 6123), port("blobserver", 6124))
		main.Env = append(main.Env, fieldEnv("_POD_IP_ADDRESS", "status.podIP"))
		if c.Config["kubernetes.operator.jm-deployment.startup.probe.enabled"] != "false" {
			main.StartupProbe = startupProbe()
		}
		mountConfig(c, p, main)
		if c.Mode == spec.Native && c.TaskManager.Template != nil {
			mount(p, main, templateVolume, templateDir, TemplateMapName(c.ID), []string{templateFile})
		}
	})
	d := deployment(c, c.ID, spec.ComponentJobManager, c.JobManagers, template)
	d.Annotations = merged(c.JobManager.Annotations)
	return d
}

// StandaloneTaskManagers is the Deployment of the TaskManagers of a standalone cluster. It exists from the start,
// so all members of the cluster can be seen together.
func StandaloneTaskManagers(c *spec.Cluster) *appsv1.Deployment {
	template := build(c, &c.TaskManager, spec.ComponentTaskManager, func(p *corev1.PodSpec, main *corev1.Container) {
		p.RestartPolicy = corev1.RestartPolicyAlways
		main.Command = []string{entrypoint}
		main.Args = []string{"taskmanager"}
		main.Ports = append(main.Ports, port("taskmanager-rpc", 6122))
		mountConfig(c, p, main)
	})
	d := deployment(c, StandaloneTaskManagersName(c.ID), spec.ComponentTaskManager, c.TaskManagers, template)
	d.Annotations = map[string]string{GenerationAnnotation: strconv.FormatInt(c.Generation, 10)}
	return d
}

// StandaloneTaskManagersName is the name of a standalone cluster's second Deployment.
func StandaloneTaskManagersName(clusterID string) string { return clusterID + "-taskmanager" }

func deployment(c *spec.Cluster, name, component string, replicas int64, template corev1.PodTemplateSpec) *appsv1.Deployment {
	count, yes, no := int32(replicas), true, false
	return &appsv1.Deployment{
		TypeMeta: metav1.TypeMeta{APIVersion: "apps/v1", Kind: "Deployment"},
		ObjectMeta: metav1.ObjectMeta{
			Name: name, Namespace: c.Namespace, Labels: c.Labels(component),
			OwnerReferences: []metav1.OwnerReference{{
				APIVersion: "flink.apache.org/v1beta1", Kind: "FlinkDeployment", Name: c.ID, UID: c.UID,
				Controller: &no, BlockOwnerDeletion: &yes,
			}},
		},
		Spec: appsv1.DeploymentSpec{
			Replicas: &count,
			Selector: &metav1.LabelSelector{MatchLabels: c.Labels(component)},
			Template: template,
		},
	}
}

func jobManagerArgs(c *spec.Cluster) []string {
	extra := c.Config["kubernetes.jobmanager.entrypoint.args"]
	switch {
	case c.Mode == spec.Native && c.Session:
		return []string{"bash", "-c", "kubernetes-jobmanager.sh kubernetes-session " + extra}
	case c.Mode == spec.Native:
		return []string{"bash", "-c", "kubernetes-jobmanager.sh kubernetes-application " + extra}
	case c.Session:
		return []string{"jobmanager"}
	}
	args := []string{"standalone-job"}
	if c.Job.AllowNonRes != nil && *c.Job.AllowNonRes {
		args = append(args, "--allowNonRestoredState")
	}
	if c.Job.EntryClass != "" {
		args = append(args, "--job-classname", c.Job.EntryClass)
	}
	return append(args, c.Job.Args...)
}

func restPort(c *spec.Cluster) int32 {
	if n, err := c.Config.Int(8081, "rest.port"); err == nil && n > 0 && n < 1<<16 {
		return int32(n)
	}
	return 8081
}

// startupProbe keeps a JobManager from counting as ready before its REST server answers. It never gives up.
func startupProbe() *corev1.Probe {
	return &corev1.Probe{
		ProbeHandler:     corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{Path: "/config", Port: intstr.FromString("rest")}},
		PeriodSeconds:    1,
		FailureThreshold: math.MaxInt32,
	}
}
