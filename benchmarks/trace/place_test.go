package trace

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"k8s.io/kubernetes/pkg/scheduler/apis/config"
)

// uneven is a cluster where GPUs with much cpu and GPUs with little stand side by side. A task of 12 cores leaves the second GPU of a middling machine
// without the cpu that even the smallest task needs.
func uneven() *Trace {
	t := &Trace{}
	for i := range 6 {
		t.Machines = append(t.Machines,
			Machine{fmt.Sprintf("fat-%d", i), 48000, 65536, 2, "A"},
			Machine{fmt.Sprintf("middling-%d", i), 16000, 65536, 2, "A"},
			Machine{fmt.Sprintf("lean-%d", i), 10000, 65536, 2, "B"})
	}
	for i := range 3 {
		t.Machines = append(t.Machines, Machine{fmt.Sprintf("plain-%d", i), 32000, 65536, 0, ""})
	}
	for _, milliCPU := range []int64{5000, 12000} {
		t.Tasks = append(t.Tasks, Task{Demand: Demand{milliCPU, 1024, 1, ""}})
	}
	return t
}

func contender(t *testing.T, name string) Contender {
	for _, c := range Contenders() {
		if c.Name == name {
			return c
		}
	}
	require.Fail(t, "no contender "+name)
	return Contender{}
}

func TestScarceOrderStrandsLess(t *testing.T) {
	tr := Generate(300, 4000, Mix{Spec: 0.33, Multi: 0.02}, 2)
	rivals := []string{Variant{config.LeastAllocated, 5, true}.String(), Variant{config.MostAllocated, 1, true}.String()}
	stranded, allocated := map[string]int64{}, map[string]int64{}
	for _, name := range append(rivals, DefaultOrder, PackOrder) {
		c := contender(t, name)
		for seed := range uint64(2) {
			p, err := c.filler(tr, seed)
			require.NoError(t, err)
			f, err := Fill(tr, tr.Draw(tr.GPUs()*13/10, seed), p)
			require.NoError(t, err)
			require.Equal(t, tr.GPUs(), f.Allocated+f.Idle[""].Free)
			stranded[name] += f.Idle[""].Stranded
			allocated[name] += f.Allocated
		}
	}
	for _, rival := range rivals {
		require.Less(t, stranded[DefaultOrder], stranded[rival], rival)
		require.Greater(t, allocated[DefaultOrder], allocated[rival], rival)
	}
}

func TestBothSidesHonourModelsAndRoom(t *testing.T) {
	tr := uneven()
	for _, name := range []string{DefaultOrder, Variant{config.MostAllocated, 10, false}.String()} {
		c := contender(t, name)
		p, err := c.filler(tr, 1)
		require.NoError(t, err)
		ledger := NewLedger(tr.Machines)
		for i := range 13 {
			d := Demand{1000, 1024, 1, "B|C"}
			node, err := p.Place(fmt.Sprint("pod-", i), d)
			require.NoError(t, err)
			if i == 12 {
				require.Empty(t, node, "all GPUs of model B are taken")
				break
			}
			require.NoError(t, ledger.Put(d, node), name)
		}
	}
}

func TestUpstreamJudgesAnewWhatChanged(t *testing.T) {
	tr := uneven()
	v := Variant{config.MostAllocated, 5, true}
	u, err := NewUpstream(v, tr.Machines, 1)
	require.NoError(t, err)
	for i, d := range tr.Draw(20, 3) {
		w := u.known[d]
		_, err := u.Place(fmt.Sprint("pod-", i), d)
		require.NoError(t, err)
		if w == nil {
			continue
		}
		fresh, err := u.meet(d)
		require.NoError(t, err)
		for k, n := range w.nodes {
			if w.seen[k] != u.version[n]+1 {
				continue
			}
			score, err := u.judge(fresh, u.nodes[n])
			require.NoError(t, err)
			require.Equal(t, score, w.score[k])
		}
	}
}

func TestLedgerRefusesWhatDoesNotFit(t *testing.T) {
	l := NewLedger([]Machine{{"a", 4000, 1024, 1, "A"}})
	require.ErrorContains(t, l.Put(Demand{5000, 1, 1, ""}, "a"), "has only")
	require.ErrorContains(t, l.Put(Demand{1, 1, 1, "B"}, "a"), "was placed on node a")
	require.ErrorContains(t, l.Put(Demand{}, "b"), `no node "b"`)
	require.NoError(t, l.Put(Demand{3500, 1, 0, ""}, "a"))
	shapes := []Demand{{1000, 1, 1, ""}, {100, 1, 0, ""}}
	require.Equal(t, Idle{Free: 1, Stranded: 1, NoCPU: 1}, l.Idle(shapes)["A"], "a shape without GPUs saves none")
	l.Take(Demand{3500, 1, 0, ""}, "a")
	require.Equal(t, Idle{Free: 1}, l.Idle(shapes)[""])
}

func TestReplayMakesTasksWait(t *testing.T) {
	tr := &Trace{Timed: true, Machines: []Machine{{"a", 8000, 8192, 1, "A"}, {"plain", 8000, 8192, 0, ""}}}
	for i, from := range []time.Duration{0, 10, 20, 20} {
		tr.Tasks = append(tr.Tasks, Task{fmt.Sprint("p", i), Demand{1000, 1024, 1, ""}, from * time.Second, 30 * time.Second})
	}
	tr.Tasks = append(tr.Tasks, Task{"huge", Demand{1000, 1024, 9, ""}, 0, time.Second})
	for _, name := range []string{DefaultOrder, Variant{config.LeastAllocated, 1, true}.String()} {
		p, err := contender(t, name).player(tr, 1)
		require.NoError(t, err)
		got, err := Replay(tr, p)
		require.NoError(t, err)
		// One GPU: they run at 0, 30, 60 and 90 s, so that they wait 0, 20, 40 and 70.
		require.Equal(t, &Waited{Mean: 32.5, P50: 20, P90: 40, P99: 40, Max: 70, Delayed: 3, Never: 1}, got, name)
	}
	require.Equal(t, tr.Tasks, tr.Jitter(time.Hour, 1).Tasks)
	require.NotEqual(t, tr.Tasks, tr.Jitter(time.Hour, 2).Tasks)
	require.Equal(t, 2*time.Second, tr.Faster(5).Tasks[1].Created)
}

func TestReportHoldsBounds(t *testing.T) {
	zero := 0.0
	c := &Case{Name: "x", Workload: Workload{Kind: KindFill, Seeds: 2}, Bounds: Bounds{MoreAllocated: &zero, FewerStranded: &zero}}
	series := []Series{
		{DefaultOrder, true, map[string][]float64{Allocated: {9, 10}, Stranded: {1, 0}}},
		{"good", false, map[string][]float64{Allocated: {9, 9}, Stranded: {2, 1}}},
		{"poor", false, map[string][]float64{Allocated: {7, 7}, Stranded: {0, 0}}},
	}
	r := NewReport(c, uneven(), true, series)
	require.Equal(t, "good", r.Best, "most GPUs allocated, whatever the others strand")
	require.Len(t, r.Missed, 1, "one GPU fewer stranded for sure; more allocated within the interval only")
	require.Contains(t, r.Missed[0], "x: more GPUs allocated is 0.5 ±6.4")
}
