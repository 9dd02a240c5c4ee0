package core

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/types"

	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
)

// TestApplicationsThatNeverHadAQueueAreForgotten: pods that name a queue that does not exist come and go.
func TestApplicationsThatNeverHadAQueueAreForgotten(t *testing.T) {
	c := New(Config{})
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	c.Step(now, []Event{Lead{On: true}, QueuesSet{Tree: &cluster.Tree{Root: &cluster.QueueSpec{Name: "root", Parent: true}}}})
	for i := range 1000 {
		uid := types.UID(fmt.Sprint(i))
		c.Step(now, []Event{PodSet{Pod: &cluster.PodFact{UID: uid, Name: string(uid), Ours: true, Demand: &cluster.Demand{Key: "any"}}}})
		c.Step(now, []Event{PodGone{UID: uid}})
	}
	require.Empty(t, c.homeless)
}
