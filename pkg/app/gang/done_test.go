package gang

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
)

func object(t testing.TB, text string) metav1.Object {
	t.Helper()
	u := &unstructured.Unstructured{}
	require.NoError(t, yaml.Unmarshal([]byte(text), &u.Object))
	return u
}

// owed is what a fact asks for: "min 3: worker 2 of 2, master 1 of 1".
func owed(f *cluster.GroupFact) string {
	text := fmt.Sprintf("min %d:", f.Min)
	for _, r := range f.Roles {
		text += fmt.Sprintf(" %s %d of %d", r.Role, r.Min, r.Count)
	}
	return text
}

const trainer = `{apiVersion: kubeflow.org/v1, kind: PyTorchJob, metadata: {name: mnist, namespace: lab%s}, spec: {%s pytorchReplicaSpecs: {
  Master: {replicas: 1, template: {spec: {containers: [{name: c}]}}}, Worker: {replicas: 3, template: {spec: {containers: [{name: c}]}}}}},
  status: {replicaStatuses: {Master: {active: 1, succeeded: %d}, Worker: {active: 1, succeeded: %d, failed: 1}}}}`

// Pods that have succeeded do not come again, so that no room is to be kept for them.
func TestWhoHasSucceededIsNotOwed(t *testing.T) {
	for _, c := range []struct {
		meta, spec      string
		master, workers int
		want            string
	}{
		{"", "", 0, 0, "min 4: master 1 of 1 worker 3 of 3"},
		{"", "", 0, 1, "min 3: master 1 of 1 worker 2 of 2"},
		{"", "", 0, 3, "min 1: master 1 of 1 worker 0 of 0"},
		{"", "", 0, 9, "min 1: master 1 of 1 worker 0 of 0"},
		{"", "elasticPolicy: {minReplicas: 2},", 0, 1, "min 3: master 1 of 1 worker 2 of 2"},
		{"", "elasticPolicy: {minReplicas: 2},", 0, 2, "min 2: master 1 of 1 worker 1 of 1"},
		{", annotations: {sluice.dev/min-members: 'worker=3,master=1'}", "", 0, 2, "min 2: master 1 of 1 worker 1 of 1"},
		{", annotations: {sluice.dev/min-members: all}", "", 0, 2, "min 2: master 1 of 1 worker 1 of 1"},
	} {
		f := theFact(t, NewSources().Set(reader.Read(object(t, fmt.Sprintf(trainer, c.meta, c.spec, c.master, c.workers)))))
		require.Equal(t, c.want, owed(f), c)
		require.Empty(t, f.Faults)
		require.False(t, f.Over)
	}
	f := theFact(t, NewSources().Set(reader.Read(object(t, fmt.Sprintf(trainer, "", "", 1, 3)))))
	require.Equal(t, []any{true, true, "all of its pods have succeeded"}, []any{f.Over, f.Finished, f.Why})
	require.Contains(t, f.Source, ", 4 succeeded")
}

const trainSet = `{apiVersion: jobset.x-k8s.io/v1alpha2, kind: JobSet, metadata: {name: train, namespace: lab}, spec: {replicatedJobs: [
  {name: driver, template: {spec: {template: {spec: {containers: [{name: c}]}}}}},
  {name: node, replicas: 2, template: {spec: {parallelism: 4, completions: 4, template: {spec: {containers: [{name: c}]}}}}}]},
  status: {replicatedJobsStatus: [{name: node, succeeded: %d, active: 1}]}}`

const nodesOfSet = `{apiVersion: batch/v1, kind: Job, metadata: {name: train-node-%d, namespace: lab}, spec: {parallelism: 4, completions: 4,
  template: {metadata: {labels: {jobset.sigs.k8s.io/jobset-name: train, jobset.sigs.k8s.io/replicatedjob-name: node}}, spec: {containers: [{name: c}]}}},
  status: {succeeded: %d}}`

// A JobSet counts the Jobs that are complete; its Jobs know how many of their pods are.
func TestJobsTellOfTheirPodsInAJobSet(t *testing.T) {
	s := NewSources()
	set := func(format string, n ...any) *cluster.GroupFact {
		return theFact(t, s.Set(reader.Read(object(t, fmt.Sprintf(format, n...)))))
	}
	require.Empty(t, s.Set(reader.Read(object(t, fmt.Sprintf(nodesOfSet, 0, 1)))), "nothing is told of a JobSet before it is there")
	require.Equal(t, "min 8: driver 1 of 1 node 7 of 7", owed(set(trainSet, 0)))
	require.Equal(t, "min 6: driver 1 of 1 node 5 of 5", owed(set(nodesOfSet, 1, 2)))
	require.Equal(t, "min 3: driver 1 of 1 node 2 of 2", owed(set(nodesOfSet, 0, 4)))
	require.Empty(t, s.Set(reader.Read(object(t, fmt.Sprintf(trainSet, 1)))), "that one Job is complete is known")
	require.Equal(t, "min 5: driver 1 of 1 node 4 of 4", owed(theFact(t, s.Gone(reader.Read(object(t, fmt.Sprintf(nodesOfSet, 1, 2))).Key))))
	require.Equal(t, "min 1: driver 1 of 1 node 0 of 0", owed(set(trainSet, 2)))
	require.Empty(t, s.Set(reader.Read(object(t, fmt.Sprintf(nodesOfSet, 0, 0)))), "nor less for what a Job forgets")
	s.Gone(reader.Read(object(t, fmt.Sprintf(trainSet, 2))).Key)
	require.Equal(t, NewSources(), s)
}

const ring = `{apiVersion: batch/v1, kind: Job, metadata: {name: ring, namespace: lab, annotations: {sluice.dev/min-members: "%s"}},
  spec: {parallelism: 6, completions: 8, completionMode: Indexed, template: {metadata: {labels: {}, annotations: {sluice.dev/min-members: "%[1]s"}}, spec: {containers: [{name: c}]}}},
  status: {succeeded: %d, failedIndexes: "%s"}}`

func TestTheLastPodsOfAJobStartWithWhoIsLeft(t *testing.T) {
	for _, c := range []struct {
		wish   string
		done   int
		failed string
		want   int
	}{
		{"all", 0, "", 6}, {"all", 2, "", 6}, {"all", 3, "", 5}, {"all", 3, "0,4-6", 1}, {"4", 3, "", 4}, {"4", 3, "2", 4}, {"4", 3, "1-2", 3}, {"4", 3, "7-1,x,-4", 4},
	} {
		f := theFact(t, NewSources().Set(reader.Read(object(t, fmt.Sprintf(ring, c.wish, c.done, c.failed)))))
		require.Equal(t, c.want, f.Min, c)
		require.False(t, f.Over)
		require.Empty(t, f.Faults)
	}
	f := theFact(t, NewSources().Set(reader.Read(object(t, fmt.Sprintf(ring, "all", 7, "3")))))
	require.Equal(t, []any{0, true, true}, []any{f.Min, f.Over, f.Finished})
}
