package run

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/sluice-scheduler/sluice/pkg/core"
	"github.com/sluice-scheduler/sluice/pkg/kube"
)

// Kinds of writes, as labels.
const (
	kindBind      = "bind"
	kindLook      = "look"
	kindVolumes   = "volumes"
	kindCondition = "condition"
	kindGroup     = "group"
	kindEvent     = "event"
)

// Metrics are the figures of one process. Their names and meanings are in names.go.
type Metrics struct {
	registry *prometheus.Registry
	profile  string

	writes        *prometheus.CounterVec
	writeSeconds  *prometheus.HistogramVec
	bindSeconds   prometheus.Histogram
	podSeconds    prometheus.Histogram
	inFlight      prometheus.Gauge
	limit         prometheus.Gauge
	outbox        *prometheus.GaugeVec
	eventsRetried prometheus.Counter
	eventsDropped prometheus.Counter
	moot          prometheus.Counter
	stepSeconds   prometheus.Histogram
	stepEvents    prometheus.Counter
	leader        prometheus.Gauge
}

// NewMetrics returns metrics in a registry of their own. Profile is the schedulerName, which labels what kube-scheduler labels so.
func NewMetrics(profile, version string) *Metrics {
	m := &Metrics{
		registry:      prometheus.NewRegistry(),
		profile:       profile,
		writes:        prometheus.NewCounterVec(counter(nameWrites), []string{"kind", "verdict"}),
		writeSeconds:  prometheus.NewHistogramVec(histogram(nameWriteSeconds, 0.001, 16), []string{"kind"}),
		bindSeconds:   prometheus.NewHistogram(histogram(nameBindSeconds, 0.001, 16)),
		podSeconds:    prometheus.NewHistogram(histogram(namePodSeconds, 0.01, 20)),
		inFlight:      prometheus.NewGauge(gauge(nameInFlight)),
		limit:         prometheus.NewGauge(gauge(nameLimit)),
		outbox:        prometheus.NewGaugeVec(gauge(nameOutbox), []string{"kind"}),
		eventsRetried: prometheus.NewCounter(counter(nameEventsRetried)),
		eventsDropped: prometheus.NewCounter(counter(nameEventsDropped)),
		moot:          prometheus.NewCounter(counter(nameMoot)),
		stepSeconds:   prometheus.NewHistogram(histogram(nameStepSeconds, 0.00001, 22)),
		stepEvents:    prometheus.NewCounter(counter(nameStepEvents)),
		leader:        prometheus.NewGauge(gauge(nameLeader)),
	}
	build := prometheus.NewGaugeVec(gauge(nameBuild), []string{"version"})
	build.WithLabelValues(version).Set(1)
	m.registry.MustRegister(m.writes, m.writeSeconds, m.bindSeconds, m.podSeconds, m.inFlight, m.limit, m.outbox, m.eventsRetried,
		m.eventsDropped, m.moot, m.stepSeconds, m.stepEvents, m.leader, build,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// Gatherer gives all figures.
func (m *Metrics) Gatherer() prometheus.Gatherer { return m.registry }

func (m *Metrics) wrote(kind string, v kube.Verdict, took time.Duration) {
	m.writes.WithLabelValues(kind, v.String()).Inc()
	m.writeSeconds.WithLabelValues(kind).Observe(took.Seconds())
}

func (m *Metrics) bound(sinceDecided, sinceCreated time.Duration) {
	m.bindSeconds.Observe(sinceDecided.Seconds())
	m.podSeconds.Observe(sinceCreated.Seconds())
}

func (m *Metrics) stepped(took time.Duration, events int) {
	m.stepSeconds.Observe(took.Seconds())
	m.stepEvents.Add(float64(events))
}

func (m *Metrics) leading(on bool) {
	if on {
		m.leader.Set(1)
		return
	}
	m.leader.Set(0)
}

// sources are what figures are read from when somebody asks for them.
type sources struct {
	core  func() *core.Stats
	watch func() kube.WatchStats
	inbox func() int
	// queues tells how the queues stand.
	queues func(context.Context) (*core.QueueSurvey, error)
	// settings is where the configuration and the queues come from.
	settings *Settings
}

// follow adds the figures that the sources hold.
func (m *Metrics) follow(s sources) { m.registry.MustRegister(&reader{profile: m.profile, sources: s}) }

// reader turns the sources into figures on demand.
type reader struct {
	profile string
	sources sources
}

// Describe sends nothing: which figures there are depends on what has happened.
func (r *reader) Describe(chan<- *prometheus.Desc) {}

// Collect sends the figures.
func (r *reader) Collect(out chan<- prometheus.Metric) {
	s, w := r.sources.core(), r.sources.watch()
	send := func(name string, kind prometheus.ValueType, value float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(desc(name), kind, value, labels...)
	}
	count := func(name string, n uint64, labels ...string) {
		send(name, prometheus.CounterValue, float64(n), labels...)
	}
	size := func(name string, n int, labels ...string) {
		send(name, prometheus.GaugeValue, float64(n), labels...)
	}

	count(nameAttempts, s.Scheduled, "scheduled", r.profile)
	count(nameAttempts, s.Unschedulable, "unschedulable", r.profile)
	count(nameAttempts, s.Errors, "error", r.profile)
	size(namePending, s.Ready, "active")
	size(namePending, s.Backoff, "backoff")
	size(namePending, s.Parked+s.Held, "unschedulable")
	size(namePending, s.HeldBack, "quota")
	size(namePending, s.Gated, "gated")
	size(namePending, s.Reserved, "reserved")
	size(namePending, s.Gathered, "gathered")
	count(nameReservations, s.Reservations)
	count(nameExpired, s.Expired)
	count(nameVisited, s.NodesVisited)
	count(nameBinds, s.Bound, "bound")
	count(nameBinds, s.Refused, "refused")
	count(nameBinds, s.Recalled, "recalled")
	count(nameStolen, s.Stolen)
	for reason, n := range s.Rejected {
		count(nameRejected, n, reason)
	}
	count(nameElsewhere, s.Elsewhere)
	count(nameQuotaRefused, s.QuotaRefused)
	count(nameWoken, s.Woken)
	size(nameHeld, s.Held)
	size(nameAssumed, s.Assumed)
	size(namePreparing, s.Preparing)
	count(nameVolumesFailed, s.VolumesFailed)
	size(nameNodes, s.Nodes)
	size(namePods, s.Pods)
	size(nameApps, s.Apps)
	size(nameShapes, s.Shapes)
	size(nameQuarantined, s.Quarantined)
	count(nameOutages, w.Outages)
	count(nameRelists, w.Relists)
	count(nameUnreadable, w.Unreadable)
	size(nameInbox, r.sources.inbox())
	for _, u := range s.Scarce {
		send(nameScarce, prometheus.GaugeValue, float64(u.Free), u.Resource, "free")
		send(nameScarce, prometheus.GaugeValue, float64(u.Stranded), u.Resource, "stranded")
	}
	collectGroups(out, s)
	collectQueues(out, r.sources.queues)
	hash, standings := r.sources.settings.standings()
	for source, of := range standings {
		faulty := 0
		if of.faulty {
			faulty = 1
		}
		size(nameConfigFaulty, faulty, source)
		count(nameConfigReloads, of.applied, source, "applied")
		count(nameConfigReloads, of.refused, source, "refused")
		if !of.at.IsZero() {
			send(nameConfigLoaded, prometheus.GaugeValue, float64(of.at.UnixMilli())/1000, source)
		}
	}
	if hash != "" {
		size(nameQueuesInfo, 1, hash)
	}
}
