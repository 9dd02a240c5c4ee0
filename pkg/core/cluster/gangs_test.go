package cluster_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
)

func TestWhatAQueueDoesNotSayOfGangsIsItsParents(t *testing.T) {
	root := &cluster.Queue{Spec: &cluster.QueueSpec{}}
	middle := &cluster.Queue{Parent: root, Spec: &cluster.QueueSpec{Gang: cluster.GangSpec{ScaleUp: cluster.ScaleUpStartFirst, StartFirstAfter: time.Hour}}}
	leaf := &cluster.Queue{Parent: middle, Spec: &cluster.QueueSpec{Gang: cluster.GangSpec{StartFirstAfter: time.Second}}}
	closed := &cluster.Queue{Parent: middle, Spec: &cluster.QueueSpec{Gang: cluster.GangSpec{ScaleUp: cluster.ScaleUpNone}}}
	require.Equal(t, cluster.GangSpec{ScaleUp: cluster.ScaleUpNone, StartFirstAfter: time.Minute}, root.Gangs())
	require.Equal(t, cluster.GangSpec{ScaleUp: cluster.ScaleUpStartFirst, StartFirstAfter: time.Second}, leaf.Gangs())
	require.Equal(t, cluster.GangSpec{ScaleUp: cluster.ScaleUpNone, StartFirstAfter: time.Hour}, closed.Gangs())
}
