package trace

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
)

const (
	nodesFile = "sn,cpu_milli,memory_mib,gpu,model\nfat-0,64000,262144,2,A\nlean-0,8000,65536,2,B\nplain-0,32000,65536,0,\n"
	podsFile  = "name,cpu_milli,memory_mib,num_gpu,gpu_milli,gpu_spec,qos,pod_phase,creation_time,deletion_time,scheduled_time\n" +
		"p0,4000,1024,1,250,,LS,Running,10,40,20\n" +
		"p1,24000,2048,2,1000,B|A|B,BE,Failed,30,35,\n"
)

func load(t *testing.T, nodes, pods string) (*Trace, error) {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "nodes.csv"), []byte(nodes), 0o644))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "pods.csv"), []byte(pods), 0o644))
	return Load(dir, "nodes.csv", "pods.csv")
}

func TestLoadReadsNodesAndPods(t *testing.T) {
	got, err := load(t, nodesFile, podsFile)
	require.NoError(t, err)
	require.Equal(t, &Trace{
		Timed: true,
		Machines: []Machine{
			{"fat-0", 64000, 262144, 2, "A"}, {"lean-0", 8000, 65536, 2, "B"}, {"plain-0", 32000, 65536, 0, ""},
		},
		Tasks: []Task{
			{"p0", Demand{4000, 1024, 1, ""}, 10 * time.Second, 20 * time.Second},
			{"p1", Demand{24000, 2048, 2, "A|B"}, 30 * time.Second, 5 * time.Second},
		},
	}, got)
	require.EqualValues(t, 4, got.GPUs())
}

func TestLoadNamesFileAndLine(t *testing.T) {
	for _, c := range []struct{ nodes, pods, want string }{
		{nodesFile + "x,1,2,0\n", podsFile, "nodes.csv: after 4 lines: record on line 5: wrong number of fields"},
		{nodesFile + "x,1.5,2,0,\n", podsFile, `nodes.csv:5: cpu_milli: "1.5" is not a whole number`},
		{nodesFile + "x,1,2,-1,A\n", podsFile, `nodes.csv:5: gpu: "-1" is not a whole number`},
		{nodesFile + "x,1,2,0,A\n", podsFile, "nodes.csv:5: a node has a GPU model if and only if"},
		{nodesFile + "fat-0,1,2,0,\n", podsFile, `node "fat-0" is listed twice`},
		{"sn,cpu_milli\n", podsFile, `nodes.csv:1: the header lacks the column "memory_mib"`},
		{nodesFile, podsFile + "p2,1,2,1,1001,,,,1,2,1\n", "pods.csv:4: gpu_milli is a share of one GPU"},
		{nodesFile, podsFile + "p2,1,2,2,500,,,,1,2,1\n", "pods.csv:4: 2 GPUs can only be whole ones"},
		{nodesFile, podsFile + "p2,1,2,0,500,,,,1,2,1\n", "pods.csv:4: gpu_milli is 500 where num_gpu is 0"},
		{nodesFile, podsFile + "p2,1,2,1,500,,,,5,4,\n", "pods.csv:4: the pod is deleted at 4, before it starts at 5"},
		{nodesFile, "", "pods.csv:1: header: EOF"},
		{nodesFile, strings.Split(podsFile, "\n")[0] + "\n", "pods.csv: after 1 lines: EOF"},
	} {
		_, err := load(t, c.nodes, c.pods)
		require.ErrorContains(t, err, c.want)
	}
	_, err := Load(t.TempDir(), "nodes.csv", "pods.csv")
	require.ErrorIs(t, err, os.ErrNotExist)
}

func TestObjectsSayWhatTheTraceSays(t *testing.T) {
	m := Machine{"n", 64000, 1024, 8, "A"}
	node := cluster.ReadNode(m.Node())
	require.Empty(t, node.Faults)
	require.EqualValues(t, 8, node.Allocatable.Get(GPU))
	require.EqualValues(t, 64000, node.Allocatable.Get("cpu"))
	require.EqualValues(t, 1024<<20, node.Allocatable.Get("memory"))
	require.Equal(t, "A", node.Labels[ModelLabel])

	pod := cluster.ReadPod(Demand{500, 256, 2, "A|B"}.Pod("p", start), scheduler)
	require.True(t, pod.Ours)
	require.Empty(t, pod.Demand.Unsupported)
	require.EqualValues(t, 2, pod.Demand.Requests.Get(GPU))
	require.True(t, Demand{Models: "A|B"}.Allows(&m))
	require.False(t, Demand{Models: "B|AA"}.Allows(&m))
}

func TestGenerateIsRepeatableAndLikeThePublicTrace(t *testing.T) {
	got := Generate(300, 4000, Mix{Spec: 0.33, Multi: 0.1}, 7)
	require.Equal(t, got, Generate(300, 4000, Mix{Spec: 0.33, Multi: 0.1}, 7))
	var spec, multi, asking, short int
	for _, task := range got.Tasks {
		if task.GPUs > 0 {
			asking++
		}
		if task.GPUs > 1 {
			multi++
		}
		if task.Models != "" {
			spec++
		}
		if task.Life < 540*time.Second {
			short++
		}
	}
	n := float64(len(got.Tasks))
	require.Len(t, got.Tasks, 4000)
	require.InDelta(t, 0.1, float64(multi)/float64(asking), 0.03)
	require.InDelta(t, 0.9*0.33, float64(spec)/float64(asking), 0.03)
	require.InDelta(t, 0.5, float64(short)/n, 0.05)
	require.Greater(t, asking, 3000)
}

func TestIntervals(t *testing.T) {
	require.Equal(t, Estimate{Half: -1}, Of(nil))
	require.Equal(t, Estimate{Mean: 3, Half: -1}, Of([]float64{3}))
	e := Of([]float64{1, 2, 3, 4})
	require.InDelta(t, 2.5, e.Mean, 1e-9)
	require.InDelta(t, 2.0541, e.Half, 1e-3) // 3.182 × 1.2910 / 2
	require.True(t, e.Surely(0.4))
	require.False(t, e.Surely(0.5))
	require.False(t, Of([]float64{3}).Surely(0), "one value says nothing")
}

func TestCasesAreComplete(t *testing.T) {
	cases, err := Cases()
	require.NoError(t, err)
	require.Len(t, cases, 5)
	for _, c := range cases {
		require.NotEmpty(t, c.Bounds.From, c.Name)
		made, err := c.Workload.Trace("")
		require.NoError(t, err, c.Name)
		require.NotEmpty(t, made.Machines, c.Name)
	}
}
