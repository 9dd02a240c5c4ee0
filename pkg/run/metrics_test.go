package run

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
	dto "github.com/prometheus/client_model/go"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/sluice-scheduler/sluice/pkg/config"
	"github.com/sluice-scheduler/sluice/pkg/config/queues"
	"github.com/sluice-scheduler/sluice/pkg/core"
	"github.com/sluice-scheduler/sluice/pkg/kube"
)

var rewrite = flag.Bool("rewrite", false, "write the generated part of docs/metrics.md anew")

// filled returns metrics of which every one has a value.
func filled() *Metrics {
	m := NewMetrics("sluice", "v1")
	m.wrote(kindBind, kube.Done, time.Millisecond)
	m.bound(time.Second, time.Minute)
	m.outbox.WithLabelValues(kindBind).Set(3)
	m.stepped(time.Millisecond, 7)
	m.leading(true)
	m.follow(sources{
		core: func() *core.Stats {
			return &core.Stats{
				Scheduled: 1, Unschedulable: 2, Errors: 3, Parked: 4, Held: 5, HeldBack: 21, Quarantined: 6, QuotaRefused: 22, Apps: 23, Reserved: 24, Reservations: 25, Expired: 26,
				Gathered: 27, Groups: map[core.GroupStanding]int{core.GroupParked: 28}, Gangs: 29, Expected: 30, RoomsKept: 31, Kept: 32, Arrived: 33, Lapsed: 34, Drains: 35, HeadStarts: 36,
				BeganAfter: core.Durations{Within: [16]uint64{1, 0, 2}, Count: 4, Sum: 90 * time.Second},
				Rejected:   map[string]uint64{"OutOfcpu": 7, "OutOfpods": 8},
				Scarce:     []core.ScarceUnits{{Resource: "nvidia.com/gpu", Nodes: 2, Free: 13, Stranded: 14}},
			}
		},
		watch: func() kube.WatchStats { return kube.WatchStats{Outages: 9, Relists: 10, Unreadable: 11} },
		inbox: func() int { return 12 }, queues: func(context.Context) (*core.QueueSurvey, error) { return someQueues(), nil }, settings: newSettings(config.Default(), &queues.Loaded{Tree: queues.Default()}),
	})
	return m
}

// someQueues has one that is configured, one that a rule made and one that drains.
func someQueues() *core.QueueSurvey {
	owed, most := int64(1500), int64(4000)
	return &core.QueueSurvey{Root: core.QueueStatus{Name: "root", PendingPods: 9, Apps: 8, Children: []core.QueueStatus{
		{Name: "root.a", PendingPods: 3, Apps: 2, Resources: []core.ResourceStatus{
			{Name: "cpu", Guaranteed: &owed, Max: &most, Used: 2500}, {Name: "memory", Used: 2048},
		}},
		{Name: "root.made", Dynamic: true, PendingPods: 1},
		{Name: "root.~old", Draining: true, Apps: 1},
	}}}
}

func TestGroupsAreCounted(t *testing.T) {
	require.NoError(t, testutil.GatherAndCompare(filled().Gatherer(), strings.NewReader(`
# HELP sluice_groups Groups of pods that start together, by where they stand: loose, empty, invalid, gathering, held, waiting, held-back, parked, draining, begun, lapsed, over.
# TYPE sluice_groups gauge
sluice_groups{standing="begun"} 0
sluice_groups{standing="draining"} 0
sluice_groups{standing="empty"} 0
sluice_groups{standing="gathering"} 0
sluice_groups{standing="held"} 0
sluice_groups{standing="held-back"} 0
sluice_groups{standing="invalid"} 0
sluice_groups{standing="lapsed"} 0
sluice_groups{standing="loose"} 0
sluice_groups{standing="over"} 0
sluice_groups{standing="parked"} 28
sluice_groups{standing="waiting"} 0
# HELP sluice_kept_rooms Of the expected pods, those for which room is kept.
# TYPE sluice_kept_rooms gauge
sluice_kept_rooms 31
`), nameGroups, nameRooms))
	families, err := filled().Gatherer().Gather()
	require.NoError(t, err)
	i := slices.IndexFunc(families, func(f *dto.MetricFamily) bool { return f.GetName() == nameBeganAfter })
	h := families[i].GetMetric()[0].GetHistogram()
	require.EqualValues(t, 4, h.GetSampleCount())
	require.EqualValues(t, 90, h.GetSampleSum())
	require.Len(t, h.GetBucket(), 16)
	for i, want := range []uint64{1, 1, 3, 3} {
		require.EqualValues(t, 1<<i, h.GetBucket()[i].GetUpperBound())
		require.Equal(t, want, h.GetBucket()[i].GetCumulativeCount())
	}
	for _, s := range core.GroupStandings() {
		require.Contains(t, lookUp(nameGroups).help, string(s))
	}
}

func TestConfiguredQueuesAreShown(t *testing.T) {
	require.NoError(t, testutil.GatherAndCompare(filled().Gatherer(), strings.NewReader(`
# HELP sluice_queue_used What a configured queue holds of each resource of which something is configured, held or waited for, with all below it: cpu in cores, memory and ephemeral-storage in bytes, others in pieces.
# TYPE sluice_queue_used gauge
sluice_queue_used{queue="root.a",resource="cpu"} 2.5
sluice_queue_used{queue="root.a",resource="memory"} 2048
# HELP sluice_queue_guaranteed What a configured queue is owed of a resource; absent where nothing is.
# TYPE sluice_queue_guaranteed gauge
sluice_queue_guaranteed{queue="root.a",resource="cpu"} 1.5
# HELP sluice_queue_max The most that a configured queue may hold of a resource; absent where it has no max of its own.
# TYPE sluice_queue_max gauge
sluice_queue_max{queue="root.a",resource="cpu"} 4
# HELP sluice_queue_pending_pods Pods that wait in a configured queue, and below it.
# TYPE sluice_queue_pending_pods gauge
sluice_queue_pending_pods{queue="root"} 9
sluice_queue_pending_pods{queue="root.a"} 3
# HELP sluice_queue_running_applications Applications of a configured queue, and below it, of which pods hold something.
# TYPE sluice_queue_running_applications gauge
sluice_queue_running_applications{queue="root"} 8
sluice_queue_running_applications{queue="root.a"} 2
`), "sluice_queue_used", "sluice_queue_guaranteed", "sluice_queue_max", "sluice_queue_pending_pods", "sluice_queue_running_applications"))
}

// TestOtherFiguresDoNotWaitForTheQueues: a loop that does not answer costs a scrape the queues, and nothing else.
func TestOtherFiguresDoNotWaitForTheQueues(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := NewMetrics("sluice", "v1")
		m.follow(sources{
			core: func() *core.Stats { return &core.Stats{Nodes: 7} }, watch: func() kube.WatchStats { return kube.WatchStats{} }, inbox: func() int { return 0 },
			queues:   func(ctx context.Context) (*core.QueueSurvey, error) { <-ctx.Done(); return nil, ctx.Err() },
			settings: newSettings(config.Default(), nil),
		})
		start := time.Now()
		families, err := m.Gatherer().Gather()
		require.NoError(t, err)
		require.Equal(t, surveyWithin, time.Since(start))
		has := func(name string) bool {
			return slices.ContainsFunc(families, func(f *dto.MetricFamily) bool { return f.GetName() == name })
		}
		require.True(t, has(nameNodes))
		require.False(t, has(nameQueuePending))
	})
}

// The catalogue, the registry and the page are the same list.
func TestEveryMetricIsInTheCatalogueAndOnThePage(t *testing.T) {
	families, err := filled().Gatherer().Gather()
	require.NoError(t, err)
	var page strings.Builder
	page.WriteString("| metric | kind | labels | meaning |\n|---|---|---|---|\n")
	known := map[string]bool{}
	for _, a := range catalogue() {
		known[a.name] = true
		fmt.Fprintf(&page, "| `%s` | %s | %s | %s |\n", a.name, a.kind, strings.Join(a.labels, ", "), a.help)
		i := slices.IndexFunc(families, func(f *dto.MetricFamily) bool { return f.GetName() == a.name })
		require.GreaterOrEqual(t, i, 0, "%s is in the catalogue and not in the registry", a.name)
		require.Equal(t, a.kind, strings.ToLower(families[i].GetType().String()), a.name)
		require.Equal(t, a.help, families[i].GetHelp(), a.name)
		var labels []string
		for _, l := range families[i].GetMetric()[0].GetLabel() {
			labels = append(labels, l.GetName())
		}
		require.ElementsMatch(t, a.labels, labels, a.name)
	}
	for _, f := range families {
		n := f.GetName()
		require.True(t, known[n] || strings.HasPrefix(n, "go_") || strings.HasPrefix(n, "process_"), "%s is not in the catalogue", n)
	}
	requirePage(t, "../../docs/metrics.md", page.String())
}

// requirePage compares what stands between the marks on a page.
func requirePage(t *testing.T, file, want string) {
	t.Helper()
	const begin, end = "<!-- generated: begin -->\n", "<!-- generated: end -->"
	data, err := os.ReadFile(file)
	require.NoError(t, err)
	before, rest, ok := strings.Cut(string(data), begin)
	require.True(t, ok)
	got, after, ok := strings.Cut(rest, end)
	require.True(t, ok)
	if *rewrite {
		require.NoError(t, os.WriteFile(file, []byte(before+begin+want+end+after), 0o644))
		return
	}
	require.Equal(t, want, got, "run the test with -rewrite")
}

func TestCoreStatsAreShown(t *testing.T) {
	require.NoError(t, testutil.GatherAndCompare(filled().Gatherer(), strings.NewReader(`
# HELP scheduler_schedule_attempts_total Attempts to place a pod, by result (scheduled, unschedulable, error) and schedulerName.
# TYPE scheduler_schedule_attempts_total counter
scheduler_schedule_attempts_total{profile="sluice",result="error"} 3
scheduler_schedule_attempts_total{profile="sluice",result="scheduled"} 1
scheduler_schedule_attempts_total{profile="sluice",result="unschedulable"} 2
# HELP scheduler_pending_pods Pods that are not bound: active (about to be tried), backoff (waiting out a refusal), unschedulable (waiting for room, or held), quota (its queue, user or group has too little left), gated, reserved (room is kept for them on a node as it falls free), gathered (they start with others of their group).
# TYPE scheduler_pending_pods gauge
scheduler_pending_pods{queue="active"} 0
scheduler_pending_pods{queue="backoff"} 0
scheduler_pending_pods{queue="gated"} 0
scheduler_pending_pods{queue="gathered"} 27
scheduler_pending_pods{queue="quota"} 21
scheduler_pending_pods{queue="reserved"} 24
scheduler_pending_pods{queue="unschedulable"} 9
# HELP sluice_kubelet_rejected_pods_total Pods bound by Sluice that a kubelet refused at admission, by its reason.
# TYPE sluice_kubelet_rejected_pods_total counter
sluice_kubelet_rejected_pods_total{reason="OutOfcpu"} 7
sluice_kubelet_rejected_pods_total{reason="OutOfpods"} 8
# HELP sluice_quota_refusals_total Times that pods of equal requests and equal accounts were held back, because their queue, user or group had too little left.
# TYPE sluice_quota_refusals_total counter
sluice_quota_refusals_total 22
# HELP sluice_applications Applications known: those that have pods which have not ended.
# TYPE sluice_applications gauge
sluice_applications 23
`), "sluice_quota_refusals_total", "sluice_applications", "scheduler_schedule_attempts_total", "scheduler_pending_pods", "sluice_kubelet_rejected_pods_total"))
}

// Alerts are only as good as the metrics that they name.
func TestAlertsNameMetricsThatExist(t *testing.T) {
	data, err := os.ReadFile("../../deploy/base/alerts.yaml")
	require.NoError(t, err)
	var rule struct {
		Kind string
		Spec struct {
			Groups []struct {
				Rules []struct {
					Alert, Expr string
					Labels      map[string]string
					Annotations map[string]string
				}
			}
		}
	}
	require.NoError(t, yaml.Unmarshal(data, &rule))
	require.Equal(t, "PrometheusRule", rule.Kind)
	families, err := filled().Gatherer().Gather()
	require.NoError(t, err)
	exists := func(name string) error {
		for _, suffix := range []string{"", "_sum", "_count", "_bucket"} {
			if slices.ContainsFunc(families, func(f *dto.MetricFamily) bool { return f.GetName()+suffix == name }) {
				return nil
			}
		}
		return errors.New("there is no metric " + name)
	}
	alerts := map[string]bool{}
	for _, g := range rule.Spec.Groups {
		for _, r := range g.Rules {
			alerts[r.Alert] = true
			names := regexp.MustCompile(`\b(sluice|scheduler)_[a-z_]+`).FindAllString(r.Expr, -1)
			require.NotEmpty(t, names, r.Alert)
			for _, n := range names {
				require.NoError(t, exists(n), r.Alert)
			}
			require.NotEmpty(t, r.Labels["severity"], r.Alert)
			require.NotEmpty(t, r.Annotations["summary"], r.Alert)
			require.NotEmpty(t, r.Annotations["description"], r.Alert)
		}
	}
	require.True(t, alerts["SluiceObjectQuarantined"])
	require.True(t, alerts["SluiceWithoutLeader"])
}
