package objects

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/sluice-scheduler/sluice/pkg/app/flink/spec"
)

// TaskManagerName is the name that a native JobManager gives a TaskManager: attempt counts the starts of the
// JobManager, index the TaskManagers that this start has asked for, both from 1.
func TaskManagerName(clusterID string, attempt, index int) string {
	return fmt.Sprintf("%s-taskmanager-%d-%d", clusterID, attempt, index)
}

var nameSuffix = regexp.MustCompile(`^-taskmanager-([1-9][0-9]{0,8})-([1-9][0-9]{0,8})$`)

// ParseTaskManagerName is the inverse of TaskManagerName. ok is false for names of another form or cluster.
func ParseTaskManagerName(clusterID, name string) (attempt, index int, ok bool) {
	rest, found := strings.CutPrefix(name, clusterID)
	m := nameSuffix.FindStringSubmatch(rest)
	if !found || m == nil {
		return 0, 0, false
	}
	attempt, _ = strconv.Atoi(m[1])
	index, _ = strconv.Atoi(m[2])
	return attempt, index, true
}

// TaskManager is one TaskManager of a native cluster: a bare pod that is never restarted in place, owned directly by
// the JobManager's Deployment.
func TaskManager(c *spec.Cluster, owner *appsv1.Deployment, attempt, index int) *corev1.Pod {
	name := TaskManagerName(c.ID, attempt, index)
	template := build(c, &c.TaskManager, spec.ComponentTaskManager, func(p *corev1.PodSpec, main *corev1.Container) {
		p.RestartPolicy = corev1.RestartPolicyNever
		main.Command = []string{entrypoint}
		main.Args = []string{"bash", "-c", taskManagerCommand(c, name)}
		main.Ports = append(main.Ports, port("taskmanager-rpc", 6122))
		main.Env = append(main.Env,
			fieldEnv("_POD_NODE_ID", "spec.nodeName"),
			corev1.EnvVar{Name: "FLINK_TM_JVM_MEM_OPTS", Value: jvmOptions(c.Memory)})
		mountConfig(c, p, main)
	})
	pod := &corev1.Pod{
		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "Pod"},
		ObjectMeta: template.ObjectMeta,
		Spec:       template.Spec,
	}
	pod.Name, pod.Namespace = name, c.Namespace
	pod.OwnerReferences = []metav1.OwnerReference{ownedBy(owner)}
	return pod
}

func ownedBy(d *appsv1.Deployment) metav1.OwnerReference {
	yes := true
	return metav1.OwnerReference{
		APIVersion: "apps/v1", Kind: "Deployment", Name: d.Name, UID: d.UID, Controller: &yes, BlockOwnerDeletion: &yes,
	}
}

// taskManagerCommand writes the start command: identity first, then the sizes that the JobManager computed.
func taskManagerCommand(c *spec.Cluster, name string) string {
	m := c.Memory
	args := []string{
		"kubernetes-taskmanager.sh",
		"-Dtaskmanager.resource-id=" + name,
		"-Djobmanager.rpc.address=" + c.ID + "." + c.Namespace,
		"-D taskmanager.memory.network.min=" + size(m.Network),
		"-D taskmanager.cpu.cores=" + spec.FormatCPU(c.TaskManager.CPU),
		"-D taskmanager.memory.task.off-heap.size=" + size(m.TaskOffHeap),
		"-D taskmanager.memory.jvm-metaspace.size=" + size(m.Metaspace),
	}
	args = append(args, externalArgs(c.TaskManager.External)...)
	args = append(
		args,
		"-D taskmanager.memory.jvm-overhead.min="+size(m.Overhead),
		"-D taskmanager.memory.framework.off-heap.size="+size(m.FrameworkOffHeap),
		"-D taskmanager.memory.network.max="+size(m.Network),
		"-D taskmanager.memory.framework.heap.size="+size(m.FrameworkHeap),
		"-D taskmanager.memory.managed.size="+size(m.Managed),
		"-D taskmanager.memory.task.heap.size="+size(m.TaskHeap),
		"-D taskmanager.numberOfTaskSlots="+strconv.FormatInt(c.Slots, 10),
		"-D taskmanager.memory.jvm-overhead.max="+size(m.Overhead),
	)
	return strings.Join(args, " ") + " " + c.Config["kubernetes.taskmanager.entrypoint.args"]
}

func externalArgs(all []spec.External) []string {
	if len(all) == 0 {
		return []string{"-D external-resources=none"}
	}
	var names, amounts []string
	for _, e := range all {
		names = append(names, e.Name)
		amounts = append(amounts, fmt.Sprintf("-D external-resource.%s.amount=%d", e.Name, e.Amount))
	}
	return append([]string{"-D external-resources=" + strings.Join(names, ";")}, amounts...)
}

func size(bytes int64) string { return strconv.FormatInt(bytes, 10) + "b" }

func jvmOptions(m spec.Layout) string {
	heap := m.FrameworkHeap + m.TaskHeap
	direct := m.FrameworkOffHeap + m.TaskOffHeap + m.Network
	return fmt.Sprintf("-Xmx%d -Xms%d -XX:MaxDirectMemorySize=%d -XX:MaxMetaspaceSize=%d", heap, heap, direct, m.Metaspace)
}
