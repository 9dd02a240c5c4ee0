package main

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sluice-scheduler/sluice/pkg/web/api"
)

// TestTableOfQueues holds what each kind of line looks like; docs/cli.md has a whole one.
func TestTableOfQueues(t *testing.T) {
	tree := api.Queue{
		Name: "root.team", RunningApps: 1, MaxApps: 2, Pods: 3, PendingPods: 4,
		Resources: map[string]api.Resource{
			"pods":              {Used: "3", Pending: "4", Fair: "7"},
			"ephemeral-storage": {Used: "1536Mi", Pending: "0", Fair: "1536Mi", Max: "1Pi"},
			"example.com/tpu":   {Used: "0", Pending: "12", Fair: "0", Guaranteed: "0", Max: "0"},
			"memory":            {Used: "5726623061", Pending: "123456", Fair: "1000Gi", Guaranteed: "5Gi"},
			"cpu":               {Used: "16", Pending: "1500m", Fair: "333m", Guaranteed: "12345m", Max: "15500m"},
		},
		Queues: []api.Queue{
			{Name: "root.team.empty", Dynamic: true, Draining: true, Members: []api.Member{
				{Kind: "group", Name: "ops", Used: map[string]string{"cpu": "1"}, Max: map[string]string{"memory": "2Gi"}},
			}},
			{Name: "root.team.full", Dynamic: true, Resources: map[string]api.Resource{"cpu": {Used: "2", Pending: "0", Fair: "2", Max: "2"}}},
		},
	}
	require.Equal(t, ""+
		"QUEUE      APPS  PODS  PENDING PODS  RESOURCE           USED  GUARANTEED   MAX    FAIR  PENDING  MARKS\n"+
		"root.team   1/2     3             4  cpu                  16        12.3  15.5    333m      1.5  over guaranteed, at max\n"+
		"                                     memory           5.33Gi         5Gi     -  1000Gi    121Ki  over guaranteed\n"+
		"                                     example.com/tpu       0           0     0       0       12  at max\n"+
		"  empty       0     0             0  -                                                           dynamic, draining\n"+
		"  full        0     0             0  cpu                   2           -     2       2        0  dynamic, at max\n",
		queueTable(&tree, false))
	require.Equal(t, ""+
		"QUEUE            APPS  PODS  PENDING PODS  RESOURCE             USED  GUARANTEED   MAX    FAIR  PENDING  MARKS\n"+
		"root.team         1/2     3             4  cpu                    16        12.3  15.5    333m      1.5  over guaranteed, at max\n"+
		"                                           memory             5.33Gi         5Gi     -  1000Gi    121Ki  over guaranteed\n"+
		"                                           ephemeral-storage   1.5Gi           -   1Pi   1.5Gi        0\n"+
		"                                           example.com/tpu         0           0     0       0       12  at max\n"+
		"                                           pods                    3           -     -       7        4\n"+
		"  empty             0     0             0  -                                                             dynamic, draining\n"+
		"    (group ops)     0     0                cpu                     1                 -\n"+
		"                                           memory                  0               2Gi\n"+
		"  full              0     0             0  cpu                     2           -     2       2        0  dynamic, at max\n",
		queueTable(&tree, true))
}

func TestReadableAmounts(t *testing.T) {
	for in, want := range map[[2]string]string{
		{"cpu", ""}: "-", {"cpu", "0"}: "0", {"cpu", "1m"}: "1m", {"cpu", "999m"}: "999m", {"cpu", "1001m"}: "1", {"cpu", "1999m"}: "2",
		{"cpu", "99999m"}: "100", {"cpu", "123456"}: "123456", {"cpu", "10050m"}: "10.1", {"cpu", "100"}: "100", {"cpu", "-1500m"}: "-1.5",
		{"memory", "0"}: "0", {"memory", "1023"}: "1023", {"memory", "1Ki"}: "1Ki", {"memory", "1000Mi"}: "1000Mi", {"memory", "1048575Ki"}: "1024Mi",
		{"memory", "2Pi"}: "2Pi", {"memory", "-3Gi"}: "-3Gi", {"nvidia.com/gpu", "1234567"}: "1234567", {"nvidia.com/gpu", "8"}: "8",
	} {
		require.Equal(t, want, readable(in[0], in[1]), "%v", in)
	}
}
