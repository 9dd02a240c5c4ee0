package pending

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/types"

	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
	"github.com/sluice-scheduler/sluice/pkg/core/resource"
	"github.com/sluice-scheduler/sluice/pkg/core/share"
)

// TestAStandbyForgetsThoseThatHaveGone: a standby sees pods come, wait and be bound by the leader, and tells none of them anything.
func TestAStandbyForgetsThoseThatHaveGone(t *testing.T) {
	s, q := cluster.New(), New(share.NewScale(resource.NewSpace()))
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	demand := &cluster.Demand{Key: "any"}
	put := func(name string) *cluster.Pod {
		p := s.SetPod(&cluster.PodFact{UID: types.UID(name), Name: name, Ours: true, Demand: demand})
		q.Put(p, now)
		return p
	}
	put("stays")
	for i := range 10_000 {
		q.Drop(put(fmt.Sprintf("passes-%d", i)))
	}
	require.Less(t, len(q.unheard), 200)

	q.Park(q.Next().Lot, &Failure{}, now)
	var told []string
	q.Unheard(false, func(a *Ask) { told = append(told, a.Pod.Fact.Name) })
	require.Equal(t, []string{"stays"}, told, "who still waits is told by the next leader")
	require.NoError(t, q.Verify())
}
