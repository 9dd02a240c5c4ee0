package run

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// rounds feeds the limit n rounds in which all of it was in use and every answer took so long.
func rounds(l *limit, now *time.Time, n int, took func(inFlight int) time.Duration) {
	for range n {
		at := l.allowed()
		l.used(at)
		for range at {
			*now = now.Add(time.Millisecond)
			l.answered(*now, took(at))
		}
	}
}

func constant(d time.Duration) func(int) time.Duration { return func(int) time.Duration { return d } }

func TestLimitGrowsWhileLatencyStaysLow(t *testing.T) {
	now := time.Unix(0, 0)
	l := newLimit(2, 128)
	require.Equal(t, 2, l.allowed())
	rounds(l, &now, 6, constant(5*time.Millisecond))
	require.Equal(t, 128, l.allowed())
	rounds(l, &now, 6, constant(5*time.Millisecond))
	require.Equal(t, 128, l.allowed(), "never above the most")
}

func TestLimitDoesNotGrowUnlessItIsUsed(t *testing.T) {
	l := newLimit(2, 128)
	for i := range 1000 {
		l.used(1)
		l.answered(time.Unix(int64(i), 0), time.Millisecond)
	}
	require.Equal(t, 2, l.allowed())
}

// A server that handles 20 at a time and queues the rest settles where its queue costs about the slack.
func TestLimitSettlesAtWhatTheServerBears(t *testing.T) {
	now := time.Unix(0, 0)
	l := newLimit(2, 1024)
	server := func(inFlight int) time.Duration {
		return 20 * time.Millisecond * time.Duration(max(inFlight, 20)) / 20
	}
	rounds(l, &now, 20, server)
	for range 100 {
		rounds(l, &now, 1, server)
		require.InDelta(t, 150, l.allowed(), 40)
	}
}

func TestLimitHalvesOncePerRoundAndNeverBelowTheLeast(t *testing.T) {
	now := time.Unix(0, 0)
	l := newLimit(2, 128)
	rounds(l, &now, 6, constant(time.Millisecond))
	for range 50 {
		l.overloaded()
	}
	require.Equal(t, 64, l.allowed())
	rounds(l, &now, 1, constant(time.Millisecond))
	require.Equal(t, 72, l.allowed(), "grows by its root from then on")
	for range 20 {
		l.overloaded()
		rounds(l, &now, 1, constant(time.Second))
	}
	require.Equal(t, 2, l.allowed())
}

func TestLimitForgetsAnOldMinimum(t *testing.T) {
	now := time.Unix(0, 0)
	l := newLimit(2, 128)
	rounds(l, &now, 3, constant(time.Millisecond))
	rounds(l, &now, 200, constant(400*time.Millisecond)) // the server is slower from now on
	require.Equal(t, 2, l.allowed())
	now = now.Add(2 * floorWindow)
	rounds(l, &now, 2, constant(400*time.Millisecond))
	now = now.Add(floorWindow)
	rounds(l, &now, 20, constant(400*time.Millisecond))
	require.Greater(t, l.allowed(), 30)
}

func TestGateHonoursTheLongestRequest(t *testing.T) {
	now := time.Unix(100, 0)
	var g gate
	require.True(t, g.open(now))
	g.shut(now, 3*time.Second)
	g.shut(now, time.Second)
	g.shut(now, 0)
	require.False(t, g.open(now.Add(3*time.Second-1)))
	require.True(t, g.open(now.Add(3*time.Second)))
}

func TestGateDoublesItsOwnPauses(t *testing.T) {
	now := time.Unix(100, 0)
	var g gate
	var pauses []time.Duration
	for range 7 {
		g.shut(now, 0)
		g.shut(now, 0) // the same outage
		pauses = append(pauses, g.until.Sub(now))
		now = g.until
	}
	ms := time.Millisecond
	require.Equal(t, []time.Duration{250 * ms, 500 * ms, 1000 * ms, 2000 * ms, 4000 * ms, 5000 * ms, 5000 * ms}, pauses)
	g.worked()
	g.shut(now, 0)
	require.Equal(t, 250*ms, g.until.Sub(now))
}

func TestBackoffDoublesUpToTenSeconds(t *testing.T) {
	require.Equal(t, 200*time.Millisecond, backoff(1))
	require.Equal(t, 400*time.Millisecond, backoff(2))
	require.Equal(t, 10*time.Second, backoff(7))
	require.Equal(t, 10*time.Second, backoff(1_000_000))
}

func TestQueueKeepsOrderAndTakesBack(t *testing.T) {
	var q queue[int]
	next := 0
	for i := range 1000 {
		q.push(i)
		if i%3 == 2 {
			x := q.pop()
			require.Equal(t, next, x)
			q.unpop(x)
			require.Equal(t, next, q.peek())
			require.Equal(t, next, q.pop())
			next++
		}
	}
	for ; !q.empty(); next++ {
		require.Equal(t, next, q.pop())
	}
	require.Equal(t, 1000, next)
}

func TestLaterCallsInOrderOfTimeThenArrival(t *testing.T) {
	var l later
	var called []int
	start := time.Unix(0, 0)
	for i, s := range []int{3, 1, 2, 1, 5} {
		l.add(start.Add(time.Duration(s)*time.Second), func() { called = append(called, i) })
	}
	at, ok := l.next()
	require.True(t, ok)
	require.Equal(t, start.Add(time.Second), at)
	l.ripe(start.Add(3 * time.Second))
	require.Equal(t, []int{1, 3, 2, 0}, called)
	l.ripe(start.Add(time.Hour))
	require.Equal(t, []int{1, 3, 2, 0, 4}, called)
	_, ok = l.next()
	require.False(t, ok)
}
