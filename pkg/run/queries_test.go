package run

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/types"

	"github.com/sluice-scheduler/sluice/pkg/core"
	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
	"github.com/sluice-scheduler/sluice/pkg/core/fit"
	"github.com/sluice-scheduler/sluice/pkg/core/resource"
	"github.com/sluice-scheduler/sluice/pkg/web/api"
)

// counted is a core that counts the snapshots, and the surveys of groups.
type counted struct {
	*core.Core
	snapshots, surveys atomic.Int32
}

func (c *counted) Groups() []core.GroupSurvey {
	c.surveys.Add(1)
	return c.Core.Groups()
}

func (c *counted) QueueSnapshot() *core.QueueSnapshot {
	c.snapshots.Add(1)
	return c.Core.QueueSnapshot()
}

// queried runs a loop around a real core, and ends it after the test.
func queried(t *testing.T, test func(t *testing.T, q *Queries, c *counted, inbox *Inbox)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		c := &counted{Core: core.New(core.Config{})}
		inbox := NewInbox()
		l := NewLoop(LoopConfig{
			Decider: c, Reporter: c, Inbox: inbox, Out: func([]core.Effect) {}, Metrics: NewMetrics("sluice", "test"), Log: slog.New(slog.DiscardHandler),
		})
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- l.Run(ctx) }()
		test(t, NewQueries(l, c), c, inbox)
		cancel()
		require.NoError(t, <-ended)
	})
}

func roomOn(name string, cpu int64) core.Event {
	return core.NodeSet{Node: &cluster.NodeFact{Name: name, Allocatable: resource.Amounts{{Name: "cpu", Value: cpu}, {Name: "pods", Value: 10}}}}
}

func ourPod(name string) core.Event {
	return core.PodSet{Pod: &cluster.PodFact{UID: types.UID(name), Namespace: "ns", Name: name, Ours: true, Demand: &cluster.Demand{Key: "nothing"}}}
}

func TestTheTreeIsTold(t *testing.T) {
	queried(t, func(t *testing.T, q *Queries, _ *counted, inbox *Inbox) {
		inbox.Put(roomOn("n", 4500), core.Lead{On: true}, ourPod("a"))
		got, err := q.Queues(t.Context())
		require.NoError(t, err)
		require.True(t, got.Leading)
		require.Equal(t, map[string]string{"cpu": "4500m", "pods": "10"}, got.Capacity)
		require.Equal(t, "root", got.Queue.Name)
		require.Equal(t, 1, got.Queue.Pods, "all that was put in before the question counts")
		require.Equal(t, "root.default", got.Queue.Queues[0].Name)
		require.Equal(t, api.Resource{Weight: 1, Used: "1", Pending: "0", Fair: "1"}, got.Queue.Queues[0].Resources["pods"])
	})
}

func TestManyWhoAskShareASurvey(t *testing.T) {
	queried(t, func(t *testing.T, q *Queries, c *counted, inbox *Inbox) {
		var all sync.WaitGroup
		for range 20 {
			all.Go(func() {
				_, err := q.Queues(t.Context())
				require.NoError(t, err)
			})
		}
		all.Wait()
		survey, err := q.Survey(t.Context())
		require.NoError(t, err)
		require.Equal(t, "root", survey.Root.Name)
		require.EqualValues(t, 1, c.snapshots.Load(), "metrics share it too")
		inbox.Put(roomOn("n", 1000))
		time.Sleep(surveyFor)
		got, err := q.Queues(t.Context())
		require.NoError(t, err)
		require.Equal(t, "1", got.Capacity["cpu"], "an old one is not handed out")
		require.EqualValues(t, 2, c.snapshots.Load())
	})
}

func TestPodsAreExplained(t *testing.T) {
	queried(t, func(t *testing.T, q *Queries, _ *counted, inbox *Inbox) {
		inbox.Put(roomOn("n", 0), core.Lead{On: true}, ourPod("a"))
		pod, known, err := q.Pod(t.Context(), "ns", "a")
		require.NoError(t, err)
		require.True(t, known)
		require.Equal(t, string(core.StandingAssumed), pod.Standing)
		require.Equal(t, "root.default", pod.Queue)
		require.True(t, pod.Leading)
		_, known, err = q.Pod(t.Context(), "ns", "unheard-of")
		require.NoError(t, err)
		require.False(t, known)
	})
}

func TestQueriesEndWithTheirContextOrTheLoop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := core.New(core.Config{})
		l := NewLoop(LoopConfig{
			Decider: c, Reporter: c, Inbox: NewInbox(), Out: func([]core.Effect) {}, Metrics: NewMetrics("sluice", "test"), Log: slog.New(slog.DiscardHandler),
		})
		q := NewQueries(l, c)
		short, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		var both sync.WaitGroup
		both.Go(func() {
			_, err := q.Queues(short)
			require.ErrorIs(t, err, context.DeadlineExceeded)
		})
		both.Go(func() {
			_, _, err := q.Pod(short, "a", "b")
			require.ErrorIs(t, err, context.DeadlineExceeded)
		})
		both.Wait()

		over, end := context.WithCancel(t.Context())
		end()
		require.NoError(t, l.Run(over))
		_, err := q.Queues(t.Context())
		require.ErrorIs(t, err, ErrLoopEnded)
		_, _, err = q.Pod(t.Context(), "a", "b")
		require.True(t, errors.Is(err, ErrLoopEnded), "the turn was given back")
	})
}

// TestWhatAnExplanationSays: every part of it has a place.
func TestWhatAnExplanationSays(t *testing.T) {
	at := time.Date(2026, 1, 1, 12, 0, 0, 0, time.FixedZone("CET", 3600))
	insufficient := func(code fit.Code) fit.Reason { return fit.Reason{Kind: fit.Insufficient, Resource: "cpu", Code: code} }
	got := podOf(explained{leading: true, Explanation: core.Explanation{
		Pod: core.PodRef{UID: "u", Namespace: "ns", Name: "p"}, Standing: core.StandingBackoff, Node: "n", App: "a", AppFrom: "label", Role: "driver", Queue: "root.q", QueueWhy: "why", Faults: []string{"f", "g"},
		Reason: "r", Message: "m", Nodes: 3, Counts: []fit.Count{{Reason: insufficient(0), Nodes: 2}, {Reason: insufficient(1), Nodes: 1}},
		Since: at, Attempts: 4, Until: at.Add(time.Second),
	}})
	require.Equal(t, api.Pod{
		Leading: true, Namespace: "ns", Name: "p", UID: "u", Standing: "backoff", Node: "n", Application: "a", ApplicationFrom: "label", Role: "driver", Queue: "root.q", DecidedBy: "why", Faults: []string{"f", "g"},
		Reason: "r", Message: "m", Nodes: 3, Refusals: []api.Refusal{{Reason: "Insufficient cpu", Nodes: 3}},
		Since: at.UTC(), Attempts: 4, Until: at.Add(time.Second).UTC(),
	}, got)
}
