package spec_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sluice-scheduler/sluice/pkg/app/flink/spec"
)

func TestBothFormsOfAConfiguration(t *testing.T) {
	want := spec.Config{"taskmanager.numberOfTaskSlots": "2", "parallelism.default": "4", "kubernetes.jobmanager.labels": "a:b,c:d", "state.dir": "s3://x/y"}
	flat, ok, err := spec.ParseConfig(map[string]string{spec.FlatFile: `
# a comment
taskmanager.numberOfTaskSlots: 2
parallelism.default:   4   # as always
kubernetes.jobmanager.labels: "a:b,c:d"
state.dir: s3://x/y
no separator
empty:
:
`})
	require.True(t, ok)
	require.NoError(t, err)
	require.Equal(t, want, flat)
	nested, ok, err := spec.ParseConfig(map[string]string{spec.NestedFile: `
taskmanager: {numberOfTaskSlots: 2}
parallelism.default: 4
kubernetes: {jobmanager: {labels: "a:b,c:d"}}
state: {dir: s3://x/y, other: null}
`, spec.FlatFile: "ignored: 1"})
	require.True(t, ok)
	require.NoError(t, err)
	require.Equal(t, want, nested)
	_, ok, err = spec.ParseConfig(map[string]string{"log4j.properties": "x"})
	require.False(t, ok)
	require.NoError(t, err)
	_, _, err = spec.ParseConfig(map[string]string{spec.NestedFile: "a: {b: 1}\na.b: 2"})
	require.ErrorContains(t, err, "given twice")
}

// What runs is read from its configuration as it would be from the FlinkDeployment that it was made of, and the configuration is left alone.
func TestAClusterFromItsConfiguration(t *testing.T) {
	c, err := spec.ResolveObject(deployment(t, `
flinkVersion: v1_20
flinkConfiguration: {taskmanager.numberOfTaskSlots: 2, external-resources: gpu, external-resource.gpu.amount: 1, external-resource.gpu.kubernetes.config-key: nvidia.com/gpu}
jobManager: {replicas: 2, resources: {requests: {cpu: 1, memory: 1g}}}
taskManager: {resources: {requests: {cpu: 1.5, memory: 3g}, limits: {cpu: 3, memory: 3g}}}
job: {jarURI: x, parallelism: 7}
`))
	require.NoError(t, err)
	before := len(c.Config)
	again, err := spec.FromConfig(c.ID, c.Namespace, spec.Native, c.Config, nil)
	require.NoError(t, err)
	require.Equal(t, before, len(c.Config))
	require.Equal(t, []any{c.TaskManagers, c.JobManagers, c.Slots, c.Session}, []any{again.TaskManagers, again.JobManagers, again.Slots, again.Session})
	require.Equal(t, c.TaskManager.Requests, again.TaskManager.Requests)
	require.Equal(t, c.TaskManager.Limits, again.TaskManager.Limits)
	require.Equal(t, c.JobManager.Requests, again.JobManager.Requests)
	require.Equal(t, c.Memory, again.Memory)
}

// Keys that the FlinkDeployment sets win over what it is resolved over.
func TestResolveOverDefaults(t *testing.T) {
	u := deployment(t, "flinkVersion: v1_20\nflinkConfiguration: {parallelism.default: 6}\njob: {jarURI: x}\n")
	d, err := spec.Decode(u)
	require.NoError(t, err)
	c, err := spec.ResolveOver(d, spec.Config{"parallelism.default": "60", "taskmanager.numberOfTaskSlots": "3"})
	require.NoError(t, err)
	require.Equal(t, []int64{6, 3, 2}, []int64{c.Parallelism, c.Slots, c.TaskManagers})
	_, err = spec.ResolveOver(d, spec.Config{"taskmanager.numberOfTaskSlots": "many"})
	require.Error(t, err)
}
