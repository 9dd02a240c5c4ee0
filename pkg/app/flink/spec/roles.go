package spec

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
)

// baseConfig writes the keys that the operator always sets, and its defaults for keys that the user left out.
func (r *resolver) baseConfig() {
	c, s := r.c.Config, r.d.Spec
	c["kubernetes.cluster-id"] = r.d.Name
	c["kubernetes.namespace"] = r.d.Namespace
	c.Default("kubernetes.rest-service.exposed.type", "ClusterIP")
	c.Default("web.cancel.enable", "false")
	c["execution.target"] = r.target()
	c["$internal.flink.version"] = r.c.Version
	if s.Image != "" {
		c[r.imageKey()] = s.Image
	}
	if s.ImagePullPolicy != "" {
		c["kubernetes.container.image.pull-policy"] = s.ImagePullPolicy
	}
	if s.ServiceAccount != "" {
		c["kubernetes.service-account"] = s.ServiceAccount
	}
	if c["high-availability.type"] != "" || c["high-availability"] != "" {
		c["high-availability.cluster-id"] = r.d.Name
	}
	r.ownerReference()
	if s.Job != nil {
		r.jobConfig(s.Job)
	}
}

func (r *resolver) target() string {
	switch {
	case r.c.Mode == Standalone:
		return "remote"
	case r.c.Session:
		return "kubernetes-session"
	default:
		return "kubernetes-application"
	}
}

func (r *resolver) imageKey() string {
	if r.before117() {
		return "kubernetes.container.image"
	}
	return "kubernetes.container.image.ref"
}

func (r *resolver) ownerReference() {
	if r.d.UID == "" {
		return
	}
	r.c.Config["kubernetes.jobmanager.owner.reference"] = fmt.Sprintf(
		"apiVersion:flink.apache.org/v1beta1,kind:FlinkDeployment,name:%s,uid:%s,controller:false,blockOwnerDeletion:true",
		r.d.Name, r.d.UID)
}

func (r *resolver) jobConfig(job *JobSpec) {
	c := r.c.Config
	c.Default("pipeline.name", r.d.Name)
	c["execution.shutdown-on-application-finish"] = "false"
	c.Default("execution.checkpointing.externalized-checkpoint-retention", "RETAIN_ON_CANCELLATION")
	if r.d.UID != "" {
		c.Default("$internal.pipeline.job-id", JobID(string(r.d.UID)))
	}
	if job.UpgradeMode == "last-state" {
		c.Default("execution.checkpointing.interval", "300000 ms")
	}
	if job.JarURI != "" {
		c["pipeline.jars"] = job.JarURI
	}
	if job.EntryClass != "" {
		c["$internal.application.main"] = job.EntryClass
	}
	if len(job.Args) > 0 {
		c["$internal.application.program-args"] = strings.Join(job.Args, ";")
	}
	if job.AllowNonRes != nil {
		c["execution.savepoint.ignore-unclaimed-state"] = strconv.FormatBool(*job.AllowNonRes)
	}
}

// JobID derives the fixed id of a FlinkDeployment's job from the object's UID: 32 hexadecimal digits.
func JobID(uid string) string {
	hex := strings.ReplaceAll(uid, "-", "")
	for _, d := range hex {
		if !strings.ContainsRune("0123456789abcdef", d) {
			return strings.Repeat("0", 32)
		}
	}
	return (hex + strings.Repeat("0", 32))[:32]
}

// roles completes both roles from the effective configuration.
func (r *resolver) roles() {
	c := r.c
	memory, err := JobManagerMemory(c.Config)
	r.fault(err)
	r.role(&c.JobManager, "jobmanager", "master", 1, memory)
	c.JobManager.Annotations["flinkdeployment.flink.apache.org/generation"] = strconv.FormatInt(c.Generation, 10)
	c.Memory, err = TaskManagerLayout(c.Config)
	r.fault(err)
	c.TaskManager.External = r.external()
	r.role(&c.TaskManager, "taskmanager", "taskmanager", float64(c.Slots), c.Memory.Process)
	c.Config.Default("taskmanager.numberOfTaskSlots", strconv.FormatInt(c.Slots, 10))
	c.Config.Default("jobmanager.memory.process.size", FormatMemory(memory))
	if _, ok := c.Config["taskmanager.memory.flink.size"]; !ok {
		c.Config.Default("taskmanager.memory.process.size", FormatMemory(c.Memory.Process))
	}
}

func (r *resolver) role(role *Role, name, envRole string, cores float64, memory int64) {
	c := r.c.Config
	var err error
	role.CPU, err = c.Float(cores, "kubernetes."+name+".cpu.amount", "kubernetes."+name+".cpu")
	r.fault(err)
	if err == nil && (role.CPU <= 0 || role.CPU > 1e6) {
		r.fault(fmt.Errorf("kubernetes.%s.cpu.amount: %v is not a sensible number of cores", name, role.CPU))
		role.CPU = cores
	}
	cpuFactor := r.factor("kubernetes." + name + ".cpu.limit-factor")
	memoryFactor := r.factor("kubernetes." + name + ".memory.limit-factor")
	mebi := memory / Mebi
	role.Requests = corev1.ResourceList{corev1.ResourceCPU: cpuQuantity(role.CPU), corev1.ResourceMemory: mebibytes(mebi)}
	role.Limits = corev1.ResourceList{
		corev1.ResourceCPU:    cpuQuantity(role.CPU * cpuFactor),
		corev1.ResourceMemory: mebibytes(int64(float64(mebi) * memoryFactor)),
	}
	for _, ext := range role.External {
		if ext.Key != "" && r.c.Mode == Native {
			q := *resource.NewQuantity(ext.Amount, resource.DecimalSI)
			role.Requests[corev1.ResourceName(ext.Key)], role.Limits[corev1.ResourceName(ext.Key)] = q, q
		}
	}
	role.Labels, role.Annotations = r.option("kubernetes."+name+".labels"), r.option("kubernetes."+name+".annotations")
	role.NodeSelector = r.option("kubernetes." + name + ".node-selector")
	role.Tolerations = r.tolerations("kubernetes." + name + ".tolerations")
	for _, key := range slices.Sorted(maps.Keys(c)) {
		if env, ok := strings.CutPrefix(key, "containerized."+envRole+".env."); ok && env != "" {
			role.Env = append(role.Env, corev1.EnvVar{Name: env, Value: c[key]})
		}
	}
	role.ServiceAccount = "default"
	if account, ok := c.Get("kubernetes."+name+".service-account", "kubernetes.service-account"); ok {
		role.ServiceAccount = account
	}
}

func (r *resolver) factor(key string) float64 {
	f, err := r.c.Config.Float(1, key)
	if err == nil && (f < 1 || f > 1000) {
		err = fmt.Errorf("flinkConfiguration %q: %v is out of range; a limit is 1 to 1000 times its request", key, f)
		f = 1
	}
	r.fault(err)
	return f
}

func (r *resolver) option(key string) map[string]string {
	m, err := r.c.Config.Map(key)
	r.fault(err)
	if m == nil {
		m = map[string]string{}
	}
	return m
}

// tolerations reads "key:k1,operator:Equal,value:v1,effect:NoSchedule;key:k2,operator:Exists".
func (r *resolver) tolerations(key string) []corev1.Toleration {
	var out []corev1.Toleration
	for _, part := range strings.Split(r.c.Config[key], ";") {
		if strings.TrimSpace(part) == "" {
			continue
		}
		fields := map[string]string{}
		if err := parseMap(part, fields); err != nil {
			r.fault(fmt.Errorf("flinkConfiguration %q: %w", key, err))
			continue
		}
		t := corev1.Toleration{
			Key: fields["key"], Operator: corev1.TolerationOperator(fields["operator"]),
			Value: fields["value"], Effect: corev1.TaintEffect(fields["effect"]),
		}
		if text, ok := fields["tolerationSeconds"]; ok {
			n, err := strconv.ParseInt(text, 10, 64)
			if err != nil {
				r.fault(fmt.Errorf("flinkConfiguration %q: tolerationSeconds %q is not a whole number", key, shorten(text)))
			}
			t.TolerationSeconds = &n
		}
		out = append(out, t)
	}
	return out
}

// external reads the devices of the TaskManagers: external-resources: gpu, external-resource.gpu.amount: 2,
// external-resource.gpu.kubernetes.config-key: nvidia.com/gpu.
func (r *resolver) external() []External {
	var out []External
	for _, name := range r.c.Config.List("external-resources") {
		if name == "none" {
			continue
		}
		prefix := "external-resource." + name
		if _, ok := r.c.Config[prefix+".amount"]; !ok {
			r.fault(fmt.Errorf("flinkConfiguration: external resource %q has no amount; set %q", shorten(name), prefix+".amount"))
			continue
		}
		amount, err := r.c.Config.Int(0, prefix+".amount")
		r.fault(err)
		if err == nil && amount < 1 {
			r.fault(fmt.Errorf("flinkConfiguration %q: %d is not positive", prefix+".amount", amount))
			continue
		}
		out = append(out, External{Name: name, Key: r.c.Config[prefix+".kubernetes.config-key"], Amount: amount})
	}
	return out
}

func cpuQuantity(cores float64) resource.Quantity {
	return *resource.NewMilliQuantity(int64(cores*1000+0.5), resource.DecimalSI)
}

func mebibytes(n int64) resource.Quantity {
	return resource.MustParse(strconv.FormatInt(n, 10) + "Mi")
}
