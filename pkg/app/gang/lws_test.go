package gang

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

const serving = `{apiVersion: leaderworkerset.x-k8s.io/v1, kind: LeaderWorkerSet, metadata: {name: llm, namespace: lab}, spec: {replicas: %d, leaderWorkerTemplate: {size: 3,
  leaderTemplate: {spec: {containers: [{name: c, resources: {requests: {cpu: 1, memory: 1Gi}}}]}},
  workerTemplate: {metadata: {labels: {app: llm}}, spec: {tolerations: [{key: gpu, operator: Exists}], %s containers: [{name: c, resources: {limits: {nvidia.com/gpu: 8}}}]}}}}}`

const spread = `topologySpreadConstraints: [{maxSkew: 1, topologyKey: zone, whenUnsatisfiable: %s, labelSelector: {matchLabels: {app: llm}},
  matchLabelKeys: [leaderworkerset.sigs.k8s.io/group-index]}],`

// The pods of all groups are made of those of the first, and are what they would be if they were made by themselves.
func TestGroupsOfASetDifferInTheirIndex(t *testing.T) {
	for _, constraints := range []string{"", fmt.Sprintf(spread, "DoNotSchedule"), fmt.Sprintf(spread, "ScheduleAnyway")} {
		set := object(t, fmt.Sprintf(serving, 12, constraints))
		var s leaderWorkerSet
		require.NoError(t, decode(set, &s))
		p := reader.Read(set)
		require.Len(t, p.whole, 12)
		for i, f := range p.whole {
			labels := map[string]string{"leaderworkerset.sigs.k8s.io/name": "llm", groupIndex: fmt.Sprint(i), "leaderworkerset.sigs.k8s.io/worker-index": "1"}
			worker := reader.fact(*reader.member("lab", &s.Spec.Template.Worker, labels))
			require.Equal(t, worker, f.Roles[1].Template)
			require.Equal(t, f.ID, worker.Claim.Group)
		}
	}
}

func BenchmarkReadLargeSet(b *testing.B) {
	set := object(b, fmt.Sprintf(serving, mostGroups, ""))
	for b.Loop() {
		reader.Read(set)
	}
}
