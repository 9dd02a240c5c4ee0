package spec_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/sluice-scheduler/sluice/pkg/app/flink/spec"
)

// deployment is a FlinkDeployment named job with the given YAML as its spec, over a Flink version.
func deployment(t *testing.T, text string) *unstructured.Unstructured {
	t.Helper()
	body := map[string]any{}
	require.NoError(t, yaml.Unmarshal([]byte(text), &body))
	if _, ok := body["flinkVersion"]; !ok {
		body["flinkVersion"] = "v1_20"
	}
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "flink.apache.org/v1beta1", "kind": "FlinkDeployment",
		"metadata": map[string]any{"name": "job"}, "spec": body,
	}}
}

func resolve(t *testing.T, text string) *spec.Cluster {
	t.Helper()
	c, err := spec.ResolveObject(deployment(t, text))
	require.NoError(t, err)
	return c
}

func TestMemorySyntaxOfFlinkComesFirst(t *testing.T) {
	const mi = spec.Mebi
	for text, want := range map[string]int64{
		"2048m": 2048 * mi, "2048 mb": 2048 * mi, "2048M": 2048 * mi, "1G": 1024 * mi, "2g": 2048 * mi, "2 gibibytes": 2048 * mi,
		"1073741824": 1024 * mi, "1073741824b": 1024 * mi, " 512m ": 512 * mi, "4096k": 4 * mi,
		// what only Kubernetes knows
		"2Gi": 2048 * mi, "512Mi": 512 * mi, "512mi": 512 * mi, "2048Ki": 2 * mi, "1.5Gi": 1536 * mi, "1.5G": 1500000000, "1.5k": 1500,
	} {
		got, err := spec.ParseMemory(text)
		require.NoError(t, err, text)
		require.Equal(t, want, got, text)
	}
	for _, text := range []string{"", "m", "-1g", "0", "12x", "lots", "99999999999999999999", "9999999t", "1e30"} {
		_, err := spec.ParseMemory(text)
		require.Error(t, err, text)
	}
	require.Equal(t, []string{"2 gb", "1536 mb", "1500000000 bytes"},
		[]string{spec.FormatMemory(2 << 30), spec.FormatMemory(1536 * mi), spec.FormatMemory(1500000000)})
}

func TestNumberOfTaskManagers(t *testing.T) {
	for name, c := range map[string]struct {
		text                   string
		taskManagers, parallel int64
	}{
		"one slot by default":       {"job: {parallelism: 3}", 3, 3},
		"rounded up":                {"job: {parallelism: 7}\nflinkConfiguration: {taskmanager.numberOfTaskSlots: 3}", 3, 7},
		"nested configuration":      {"job: {parallelism: 8}\nflinkConfiguration: {taskmanager: {numberOfTaskSlots: 4}}", 2, 8},
		"replicas win":              {"job: {parallelism: 99}\ntaskManager: {replicas: 3}\nflinkConfiguration: {taskmanager.numberOfTaskSlots: 2}", 3, 6},
		"parallelism.default":       {"job: {}\nflinkConfiguration: {parallelism.default: 5}", 5, 5},
		"nothing said":              {"job: {}", 1, 1},
		"largest vertex override":   {"job: {parallelism: 2}\nflinkConfiguration: {pipeline.jobvertex-parallelism-overrides: 'a:3,b:9'}", 9, 9},
		"session":                   {"{}", 0, 0},
		"session that keeps slots":  {"flinkConfiguration: {slotmanager.number-of-slots.min: 5, taskmanager.numberOfTaskSlots: 2}", 3, 0},
		"standalone":                {"mode: standalone\njob: {parallelism: 5}\nflinkConfiguration: {taskmanager.numberOfTaskSlots: 2}", 3, 5},
		"standalone with replicas":  {"mode: standalone\ntaskManager: {replicas: 4}\njob: {parallelism: 1}", 4, 4},
		"standalone session, alone": {"mode: standalone", 1, 0},
	} {
		t.Run(name, func(t *testing.T) {
			got := resolve(t, c.text)
			require.Equal(t, c.taskManagers, got.TaskManagers)
			require.Equal(t, c.parallel, got.Parallelism)
		})
	}
}

func quantity(list corev1.ResourceList, name string) string {
	q := list[corev1.ResourceName(name)]
	return q.String()
}

func TestResources(t *testing.T) {
	for name, c := range map[string]struct {
		text     string
		requests map[string]string
		limits   map[string]string
	}{
		"defaults": {
			"flinkConfiguration: {taskmanager.numberOfTaskSlots: 3}",
			map[string]string{"cpu": "3", "memory": "1728Mi"},
			map[string]string{"cpu": "3", "memory": "1728Mi"},
		},
		"milli is mebi": {
			`taskManager: {resources: {requests: {memory: "2048m", cpu: "1"}}}`,
			map[string]string{"cpu": "1", "memory": "2Gi"},
			map[string]string{"memory": "2Gi"},
		},
		"the new field wins": {
			`taskManager: {resources: {requests: {memory: 3g, cpu: 2}}, resource: {memory: 9g, cpu: 9}}`,
			map[string]string{"cpu": "2", "memory": "3Gi"},
			nil,
		},
		"an empty new field does not": {
			`taskManager: {resources: {}, resource: {memory: 3g, cpu: 1.5}}`,
			map[string]string{"cpu": "1500m", "memory": "3Gi"},
			nil,
		},
		"limits alone stand for requests": {
			`taskManager: {resources: {limits: {memory: 3g, cpu: "2"}}}`,
			map[string]string{"cpu": "2", "memory": "3Gi"},
			map[string]string{"cpu": "2", "memory": "3Gi"},
		},
		"limits above requests become factors": {
			`taskManager: {resources: {requests: {memory: 2048m, cpu: 500m}, limits: {memory: 3Gi, cpu: 1}}}`,
			map[string]string{"cpu": "500m", "memory": "2Gi"},
			map[string]string{"cpu": "1", "memory": "3Gi"},
		},
		"factors in the configuration": {
			"flinkConfiguration: {kubernetes.taskmanager.cpu.limit-factor: 2.5, kubernetes.taskmanager.cpu: 2}",
			map[string]string{"cpu": "2"},
			map[string]string{"cpu": "5"},
		},
		"devices": {
			"flinkConfiguration: {external-resources: 'gpu;fpga', external-resource: {gpu: {amount: 2, kubernetes.config-key: nvidia.com/gpu}, fpga.amount: 1}}",
			map[string]string{"nvidia.com/gpu": "2", "fpga": "0"},
			map[string]string{"nvidia.com/gpu": "2"},
		},
		"flink size": {
			"flinkConfiguration: {taskmanager.memory.flink.size: 1280m}",
			map[string]string{"memory": "1728Mi"},
			nil,
		},
	} {
		t.Run(name, func(t *testing.T) {
			tm := resolve(t, c.text).TaskManager
			for k, want := range c.requests {
				require.Equal(t, want, quantity(tm.Requests, k), "request %s", k)
			}
			for k, want := range c.limits {
				require.Equal(t, want, quantity(tm.Limits, k), "limit %s", k)
			}
		})
	}
}

func TestExtraResourcesTravelInTheTemplate(t *testing.T) {
	c := resolve(t, `taskManager: {resources: {requests: {memory: 2g, nvidia.com/gpu: 1}, limits: {nvidia.com/gpu: 1}}}`)
	require.Len(t, c.TaskManager.Template.Spec.Containers, 1)
	main := c.TaskManager.Template.Spec.Containers[0]
	require.Equal(t, spec.MainContainer, main.Name)
	require.Equal(t, "1", quantity(main.Resources.Requests, "nvidia.com/gpu"))
	require.NotContains(t, main.Resources.Requests, corev1.ResourceMemory)
	require.Nil(t, c.JobManager.Template)
}

func TestTemplatesMerge(t *testing.T) {
	const text = `
podTemplate:
  metadata: {labels: {a: common, b: common}}
  spec:
    schedulerName: sluice
    containers:
    - {name: side, image: s}
    - {name: flink-main-container, env: [{name: A, value: "1"}]}
taskManager:
  podTemplate:
    metadata: {labels: {b: role}}
    spec:
      priorityClassName: high
      containers:
      - {name: flink-main-container, env: [{name: B, value: "2"}]}
`
	byName := resolve(t, text+"flinkConfiguration: {kubernetes.operator.pod-template.merge-arrays-by-name: true}").TaskManager.Template
	require.Equal(t, map[string]string{"a": "common", "b": "role"}, byName.Labels)
	require.Equal(t, "sluice", byName.Spec.SchedulerName)
	require.Equal(t, "high", byName.Spec.PriorityClassName)
	require.Len(t, byName.Spec.Containers, 2)
	require.Equal(t, []corev1.EnvVar{{Name: "A", Value: "1"}, {Name: "B", Value: "2"}}, byName.Spec.Containers[1].Env)

	byPosition := resolve(t, text).TaskManager.Template
	require.Equal(t, spec.MainContainer, byPosition.Spec.Containers[0].Name, "the first of the role is laid over the first of the common template")
	require.Equal(t, "s", byPosition.Spec.Containers[0].Image)
	require.Equal(t, "side", resolve(t, text).JobManager.Template.Spec.Containers[0].Name, "merging changed the common template")
}

func TestOptionsOfARole(t *testing.T) {
	c := resolve(t, `
flinkConfiguration:
  kubernetes.taskmanager.node-selector: "pool:flink, zone:a"
  kubernetes.taskmanager.labels: {team: x}
  kubernetes.taskmanager.tolerations: "key:k1,operator:Equal,value:v1,effect:NoSchedule;key:k2,operator:Exists,tolerationSeconds:60"
  containerized.taskmanager.env.FOO: bar
`)
	sixty := int64(60)
	require.Equal(t, map[string]string{"pool": "flink", "zone": "a"}, c.TaskManager.NodeSelector)
	require.Equal(t, map[string]string{"team": "x"}, c.TaskManager.Labels)
	require.Equal(t, []corev1.EnvVar{{Name: "FOO", Value: "bar"}}, c.TaskManager.Env)
	require.Equal(t, []corev1.Toleration{
		{Key: "k1", Operator: "Equal", Value: "v1", Effect: "NoSchedule"},
		{Key: "k2", Operator: "Exists", TolerationSeconds: &sixty},
	}, c.TaskManager.Tolerations)
	require.Empty(t, c.JobManager.NodeSelector)
	require.Equal(t, "default", c.TaskManager.ServiceAccount)
}

func TestFaultsSayWhatToDo(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"memory":              {"taskManager: {resources: {requests: {memory: 12x}}}", `spec.taskManager.resources.requests.memory: "12x" is neither`},
		"old memory":          {"jobManager: {resource: {memory: much}}", `spec.jobManager.resource.memory: "much" is neither`},
		"cpu":                 {"taskManager: {resource: {cpu: -1}}", "not a sensible number of cores"},
		"cpu text":            {"taskManager: {resource: {cpu: two}}", "is not a number of cores"},
		"parallelism text":    {"job: {parallelism: four}", "spec.job.parallelism: expected a whole number, got string"},
		"parallelism zero":    {"job: {parallelism: 0}", "Flink takes 1 to 32768"},
		"parallelism huge":    {"job: {parallelism: 1000000000}", "out of range"},
		"slots":               {"flinkConfiguration: {taskmanager.numberOfTaskSlots: 0}", "give at least 1"},
		"slots text":          {"flinkConfiguration: {taskmanager.numberOfTaskSlots: two}", "is not a whole number"},
		"replicas":            {"taskManager: {replicas: 0}\njob: {}", "spec.taskManager.replicas: 0 is out of range"},
		"mode":                {"mode: swarm", "neither native nor standalone"},
		"version":             {"flinkVersion: latest", "is not a Flink version"},
		"state":               {"job: {state: paused}", "neither running nor suspended"},
		"key twice":           {"flinkConfiguration: {a.b: 1, a: {b: 2}}", `"a.b" is given twice`},
		"keys overlap":        {"flinkVersion: v2_0\nflinkConfiguration: {state.backend: x, state.backend.incremental: y}", "which Flink 2's config.yaml cannot hold"},
		"configuration list":  {"flinkConfiguration: [a]", "spec.flinkConfiguration: expected a mapping, got array"},
		"small memory":        {"flinkConfiguration: {taskmanager.memory.process.size: 512m}", "is too small for its parts"},
		"template":            {"podTemplate: {spec: {containers: {name: a}}}", "podTemplate: not a pod"},
		"device amount":       {"flinkConfiguration: {external-resources: gpu}", `set "external-resource.gpu.amount"`},
		"toleration":          {"flinkConfiguration: {kubernetes.jobmanager.tolerations: dedicated}", "is not of the form key:value"},
		"limit below request": {"taskManager: {resources: {requests: {cpu: 2}, limits: {cpu: 1}}}", "is less than its request"},
		"extra resource":      {"taskManager: {resources: {requests: {x.y/z: many}}}", "is not a Kubernetes quantity"},
		"spec is a list":      {"job: [1]", "spec.job: expected a mapping"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := spec.ResolveObject(deployment(t, c.text))
			require.ErrorContains(t, err, c.want)
		})
	}
}

func TestAllFaultsAtOnce(t *testing.T) {
	_, err := spec.ResolveObject(deployment(t, "mode: x\nflinkVersion: latest\ntaskManager: {resource: {cpu: z}}\njob: {parallelism: -1}"))
	for _, want := range []string{"spec.mode", "spec.flinkVersion", "spec.taskManager.resource.cpu", "spec.job.parallelism"} {
		require.ErrorContains(t, err, want)
	}
}

func TestNames(t *testing.T) {
	for name, good := range map[string]bool{
		"a": true, "orders": true, "orders-2": true, "Orders": false, "2orders": false, "orders-": false, "or.ders": false,
		"a123456789012345678901234567890123456789012345": false, "": false,
	} {
		u := deployment(t, "{}")
		u.SetName(name)
		_, err := spec.ResolveObject(u)
		require.Equal(t, good, err == nil, "%q: %v", name, err)
	}
}

func TestSessionJob(t *testing.T) {
	u := deployment(t, "deploymentName: s\njob: {parallelism: 4}")
	j, err := spec.DecodeSessionJob(u)
	require.NoError(t, err)
	require.Equal(t, "s", j.Deployment)
	require.Equal(t, int64(4), *j.Job.Parallelism)
	for text, want := range map[string]string{
		"job: {}": "spec.deploymentName: missing", "deploymentName: s": "spec.job: missing",
		"deploymentName: s\njob: {parallelism: 0}": "out of range",
	} {
		_, err := spec.DecodeSessionJob(deployment(t, text))
		require.ErrorContains(t, err, want)
	}
}
