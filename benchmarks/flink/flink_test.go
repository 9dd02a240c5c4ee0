package flink

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/types"
)

var begun = time.Unix(1_000_000, 0)

func at(seconds float64) time.Time { return begun.Add(time.Duration(seconds * float64(time.Second))) }

// tell is a line of a job's history.
func (l *ledger) tell(seconds float64, uid string, what string) {
	l.see("orders", types.UID(uid), uid != "jm", what == "bound", what == "gone", at(seconds))
}

func TestWastedIsTheSumOverTheTaskManagers(t *testing.T) {
	l := newLedger()
	l.expect("orders", 4)
	for _, e := range []struct {
		at        float64
		uid, what string
	}{
		{0, "jm", "made"},
		{1, "jm", "bound"},
		{10, "a", "made"},
		{10, "b", "made"},
		{11, "a", "bound"}, // waits from 12, when the last exists, until 20: 8
		{12, "c", "made"},
		{15, "b", "bound"}, // 5
		{20, "c", "bound"},
	} {
		l.tell(e.at, e.uid, e.what)
	}
	got := l.close(at(100))
	require.InDelta(t, 13, got.wasted, 1e-9)
	require.Equal(t, 1, got.partial)
	require.Equal(t, 1, got.started)
	require.Zero(t, got.vain)
}

func TestBriefBindingIsNoPartialGang(t *testing.T) {
	l := newLedger()
	l.expect("orders", 3)
	for _, uid := range []string{"jm", "a", "b"} {
		l.tell(0, uid, "made")
	}
	for i, uid := range []string{"jm", "a", "b"} {
		l.tell(1+0.4*float64(i), uid, "bound")
	}
	got := l.close(at(100))
	require.Zero(t, got.partial)
	require.InDelta(t, 0.4, got.wasted, 1e-9)
}

func TestJobThatNeverStartsWastesToTheEnd(t *testing.T) {
	l := newLedger()
	l.expect("orders", 4)
	for _, uid := range []string{"jm", "a", "b", "c"} {
		l.tell(0, uid, "made")
	}
	l.tell(1, "jm", "bound")
	require.Equal(t, 1, l.close(at(5)).vain)
	l.tell(10, "a", "bound")
	l.tell(10, "b", "bound")
	l.tell(40, "c", "gone") // its slot request timed out: the others wait for nothing that exists
	require.InDelta(t, 60, l.close(at(50)).wasted, 1e-9)
	l.tell(50, "d", "made")
	l.tell(60, "d", "made")
	l.tell(60, "unknown", "gone")
	got := l.close(at(60))
	require.InDelta(t, 80, got.wasted, 1e-9)
	require.Equal(t, tally{wasted: got.wasted, partial: 1, longest: 30 * time.Second, vain: 1}, got)
}

func TestPodsOfOthersAreNotLookedAt(t *testing.T) {
	l := newLedger()
	l.tell(0, "a", "bound")
	require.Equal(t, tally{}, l.close(at(10)))
}

func TestBestPacking(t *testing.T) {
	equal := func(n int, j jobSize) (jobs []jobSize) {
		for range n {
			jobs = append(jobs, j)
		}
		return jobs
	}
	small := jobSize{taskManagers: 4, masterCPU: 1, workerCPU: 2}
	require.Equal(t, 1, bestPacking(equal(2, small), 2, 8))
	require.Equal(t, 0, bestPacking(equal(2, small), 1, 8))
	require.Equal(t, 4, bestPacking(equal(9, small), 5, 8), "four JobManagers share the node that is left, two at a time would not")
	require.Equal(t, 7, bestPacking(equal(9, small), 8, 8))
	mixed := append(equal(2, jobSize{10, 1, 2}), equal(3, jobSize{3, 1, 2})...)
	require.Equal(t, 3, bestPacking(mixed, 3, 8), "the small ones")
	require.Equal(t, 5, bestPacking(mixed, 9, 8))
	odd := jobSize{taskManagers: 2, masterCPU: 2, workerCPU: 3}
	require.Equal(t, 1, bestPacking(equal(3, odd), 1, 8))
	require.Equal(t, 2, bestPacking(equal(3, odd), 2, 8))
	require.Equal(t, 2, bestPacking(equal(3, odd), 3, 7), "two TaskManagers fill a node but for one core")
}
