package flink

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sluice-scheduler/sluice/benchmarks/stand"
)

func ran(scheduler string, round int, figures map[string]float64) Measurement {
	return Measurement{Scheduler: scheduler, Round: round, Figures: figures}
}

func report(t *testing.T) *Report {
	bounds, err := readBounds()
	require.NoError(t, err)
	return &Report{Bounds: bounds, Cases: []Outcome{
		{Case: "contend-2", Measurements: []Measurement{
			ran("ceiling-32", 0, map[string]float64{figureWasted: 0.5, figureTimeouts: 0}),
			ran(stand.Sluice, 0, map[string]float64{figureWasted: 1.5, figureTimeouts: 1}),
			ran(stand.KubeScheduler, 0, map[string]float64{figureWasted: 300, figureTimeouts: 6}),
		}},
		{Case: "storm", Measurements: []Measurement{
			ran(stand.Sluice, 0, map[string]float64{figureAllRun: 12}),
			ran("ceiling-32", 1, map[string]float64{figureAllRun: 10}),
			ran(stand.Sluice, 1, map[string]float64{figureAllRun: 11}),
		}},
	}}
}

func TestBoundsAreHeldAgainstTheSameRound(t *testing.T) {
	r := report(t)
	require.Equal(t, []string{"− ceiling ≤ 1: 1, held"}, r.verdicts(&r.Cases[0], figureWasted))
	require.Equal(t, []string{"≤ 0: 1, MISSED"}, r.verdicts(&r.Cases[0], figureTimeouts))
	require.Equal(t, []string{"÷ ceiling ≤ 1.2: 1.10, held"}, r.verdicts(&r.Cases[1], figureAllRun), "the other round has no ceiling")
	require.Equal(t, []string{"contend-2: slot timeouts ≤ 0: 1, MISSED"}, r.Missed())
	r.Cases[1].Measurements = r.Cases[1].Measurements[:1]
	require.Equal(t, []string{"÷ ceiling ≤ 1.2: not measured"}, r.verdicts(&r.Cases[1], figureAllRun))
}

func TestTableHasSluiceFirstAndSaysWhatIsMissing(t *testing.T) {
	var b bytes.Buffer
	report(t).Print(&b)
	require.Regexp(t, `\| case +\| figure +\| sluice +\| kube-scheduler +\| ceiling-32 +\| bound`, b.String())
	require.Regexp(t, `\| contend-2 +\| slot timeouts +\| 1 +\| 6 +\| 0 +\| ≤ 0: 1, MISSED +\|`, b.String())
	require.Regexp(t, `\| storm +\| seconds until all jobs run +\| 11.50 \(11–12\) +\| – +\| 10 +\|`, b.String())
}

func TestEveryFigureWithABoundHasARow(t *testing.T) {
	bounds, err := readBounds()
	require.NoError(t, err)
	for _, b := range bounds {
		require.Contains(t, figureOrder, b.Figure)
	}
}

func TestCasesAndWhoIsMeasured(t *testing.T) {
	o := Options{Jobs: []int{2, 50}, GangSizes: []int{20}, InFlight: 32, Schedulers: []string{stand.Sluice, Plain, stand.KubeScheduler, stand.Ceiling}}
	all, err := o.cases()
	require.NoError(t, err)
	require.Equal(t, "contend-2, contend-50, storm, gangs-of-20, stream", names(all))
	who := func(c benchCase) (names []string) {
		all, err := o.contenders(c)
		require.NoError(t, err)
		for _, w := range all {
			names = append(names, w.Name)
		}
		return names
	}
	require.Equal(t, []string{"sluice", "kube-scheduler", "ceiling-32"}, who(storm{}))
	require.Equal(t, []string{"sluice", "sluice-plain", "kube-scheduler", "ceiling-32"}, who(gangs{size: 20}))
	require.Equal(t, []string{"sluice", "kube-scheduler"}, who(stream{}))
	o.Cases = []string{"contend-*"}
	all, err = o.cases()
	require.NoError(t, err)
	require.Equal(t, "contend-2, contend-50", names(all))
	o.Cases = []string{"nothing"}
	_, err = o.cases()
	require.ErrorContains(t, err, "contend-2, contend-50, storm")
}

func TestContentionHasRoomForHalf(t *testing.T) {
	for _, n := range []int{2, 10, 50} {
		c := contention{jobs: n}
		jobs := jobsOf(n, c.taskManagers(), c.taskManagers(), 0, contendMasterCPU, contendWorkerCPU)
		require.Len(t, jobs, n)
		require.Equal(t, n/2, bestPacking(sizes(jobs), c.nodesFor(n/2), contendNodeCPU))
	}
	least, most := 100, 0
	for _, j := range jobsOf(100, 8, 64, 0, 1, 1) {
		least, most = min(least, j.size.taskManagers), max(most, j.size.taskManagers)
	}
	require.GreaterOrEqual(t, least, 8)
	require.LessOrEqual(t, most, 64)
	require.Greater(t, most, 50)
}

func TestGangPodsSayThatTheyStartTogether(t *testing.T) {
	pods, l := gangs{size: 20}.pods(50, true)
	require.Len(t, pods, 50)
	require.Equal(t, map[string]string{groupAnnotation: "gang-001", minAnnotation: "20"}, pods[20].Annotations)
	require.Equal(t, "10", pods[49].Annotations[minAnnotation], "the last gang has what is left")
	require.Len(t, l.jobs, 3)
	pods, _ = gangs{size: 20}.pods(50, false)
	require.Empty(t, pods[0].Annotations)
}
